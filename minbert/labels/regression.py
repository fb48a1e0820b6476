"""A linear probe: multinomial logistic regression with L2 on frozen embeddings.

Alain & Bengio 2017, "Understanding intermediate layers using linear classifier probes"
(https://arxiv.org/abs/1610.01644), section 3; report: section 4.3, heads on a frozen encoder.
Minimises (1/N) sum_i -log p(y_i | z_i) + |W|^2 / (2 c N) over W and the bias, which is free, where
z are the embeddings less their mean and over their standard deviation, unit by unit. That is
scikit-learn's `make_pipeline(StandardScaler(), LogisticRegression(C=c))`; for two classes, where
scikit-learn has one row of weights and not two, with C = 2c. Differs from the paper: L2.

Shapes: N rows, D units, C classes.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional as F

INVERSE_L2 = 0.01  # c, scikit-learn's C; on our tickets .001 to 10 differ by 3 points, this is best
TOLERANCE = 1e-5  # the largest entry of the gradient, at which a fit is done
MOST_STEPS = 1_000


class FitError(ValueError):
    """Embeddings that no regression can be fitted to."""


@dataclasses.dataclass(frozen=True)
class Regression:
    """A fitted regression, as it is applied to embeddings as they are: the scaling is inside."""

    weight: Tensor  # (C, D) float64
    bias: Tensor  # (C,) float64

    def logits(self, embeddings: Tensor) -> Tensor:
        """Score embeddings (N, D): logits (N, C) float64, whose softmax are the probabilities."""
        return embeddings.double() @ self.weight.T + self.bias

    def probabilities(self, embeddings: Tensor) -> Tensor:
        """Return each class's probability, (N, C) float64, for embeddings (N, D)."""
        return self.logits(embeddings).softmax(dim=-1)


def fit_regression(
    embeddings: Tensor,
    labels: Tensor,
    classes: int,
    *,
    inverse_l2: float = INVERSE_L2,
    tolerance: float = TOLERANCE,
) -> Regression:
    """Fit one regression to all rows; arguments and errors are those of `fit_regressions`."""
    parts = [range(len(embeddings))]
    (found,) = fit_regressions(
        embeddings, labels, classes, parts, inverse_l2=inverse_l2, tolerance=tolerance
    )
    return found


def fit_regressions(
    embeddings: Tensor,
    labels: Tensor,
    classes: int,
    parts: Sequence[Sequence[int]],
    *,
    inverse_l2: float = INVERSE_L2,
    tolerance: float = TOLERANCE,
) -> list[Regression]:
    """Fit a regression to each of P parts of the rows, all at once: two products a step for all.

    By L-BFGS with a strong Wolfe line search, in float64, from zero: always the same.

    Args:
        embeddings: (N, D), of any floating-point type.
        labels: (N,) whole numbers from 0 to `classes` - 1.
        classes: C.
        parts: rows of each part, which may share some; each class there at least once.
        inverse_l2: c, the strength of the data against the penalty.
        tolerance: the fits are done when no entry of a gradient is larger.

    Raises:
        FitError: an embedding that isn't finite, or a fit that doesn't end.
    """
    rows = sorted(set().union(*parts))  # (N,) from here on those that some part has
    places = {row: place for place, row in enumerate(rows)}
    with torch.inference_mode(mode=False), torch.no_grad():
        z = embeddings[rows].double()  # (N, D)
        if not z.isfinite().all():
            raise FitError(
                "`embeddings` should be finite numbers. Found NaN or infinity; check the model's "
                "weights."
            )
        centre = z.mean(dim=0)  # taken away for all, so that no part's own mean is a large number
        z = z - centre
        means, scales = z.new_empty(2, len(parts), z.shape[1])
        shares = z.new_zeros(len(rows), len(parts))  # of a row in a part's mean
        for number, part in enumerate(parts):
            chosen = [places[row] for row in part]
            shares[chosen, number] = 1 / len(part)
            means[number] = z[chosen].mean(dim=0)
            scales[number] = z[chosen].std(dim=0, unbiased=False)
        scales[scales <= 1e-12 * (means + centre).abs()] = 1.0  # a unit that never changes
        truth = F.one_hot(labels[rows], classes).double()
        penalties = 1 / (inverse_l2 * z.new_tensor([[[len(part)]] for part in parts]))
        problem = _Problem(z, means[:, None], scales[:, None], shares[..., None], truth, penalties)
        weight, bias = problem.minimise(tolerance)
        weight = weight / problem.scales
        bias = bias - weight @ (means + centre)[..., None]
        return [Regression(*each) for each in zip(weight, bias[..., 0], strict=True)]


@dataclasses.dataclass(frozen=True)
class _Problem:
    """The sum of P parts' losses; a part's own scaling is applied to its weights, not to z."""

    z: Tensor  # (N, D)
    means: Tensor  # (P, 1, D)
    scales: Tensor  # (P, 1, D)
    shares: Tensor  # (N, P, 1), zero for rows that a part doesn't have
    truth: Tensor  # (N, C), one-hot
    penalties: Tensor  # (P, 1, 1)

    def minimise(self, tolerance: float) -> tuple[Tensor, Tensor]:
        """Return weight (P, C, D) and bias (P, C, 1) for embeddings as each part scales them."""
        parts, classes = len(self.penalties), self.truth.shape[1]
        weight = self.z.new_zeros(parts, classes, self.z.shape[1])
        bias = self.z.new_zeros(parts, classes, 1)
        optimizer = torch.optim.LBFGS(
            [weight, bias],
            max_iter=MOST_STEPS,
            max_eval=2 * MOST_STEPS,
            tolerance_grad=tolerance,
            tolerance_change=0,
            history_size=10,
            line_search_fn="strong_wolfe",
        )

        @torch.no_grad()
        def closure() -> float:
            loss, weight.grad, bias.grad = self.loss_and_gradients(weight, bias)
            return loss

        optimizer.step(closure)  # type: ignore[no-untyped-call] # torch's
        _, *gradients = self.loss_and_gradients(weight, bias)
        steepest = max(float(each.abs().max()) for each in gradients)
        if not steepest <= 100 * tolerance:  # near rounding no step may be found that is better
            raise FitError(
                f"The regression should reach a gradient of {tolerance:g}. Found {steepest:g} "
                f"after {MOST_STEPS:,} steps; check that the embeddings are no larger than usual."
            )
        return weight, bias

    def loss_and_gradients(self, weight: Tensor, bias: Tensor) -> tuple[float, Tensor, Tensor]:
        """Return the loss, and both gradients, written down: half of autograd's time."""
        plain = weight / self.scales  # (P, C, D)
        shift = bias - (plain * self.means).sum(dim=-1, keepdim=True)  # (P, C, 1)
        logits = torch.addmm(shift.flatten(), self.z, plain.flatten(0, 1).T)  # (N, P * C)
        log_chances = logits.view(len(self.z), *weight.shape[:2]).log_softmax(dim=-1)  # (N, P, C)
        of_label = (log_chances * self.truth[:, None]).sum(dim=-1, keepdim=True)
        loss = (self.penalties / 2 * weight.square()).sum() - (of_label * self.shares).sum()
        errors = (log_chances.exp_() - self.truth[:, None]) * self.shares
        sums = errors.sum(dim=0)[..., None]  # (P, C, 1)
        slopes = (errors.flatten(1).T @ self.z).view_as(weight) - sums * self.means
        return float(loss), slopes / self.scales + self.penalties * weight, sums
