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
    """Fit by L-BFGS with a strong Wolfe line search, in float64, from zero: always the same.

    Args:
        embeddings: (N, D), of any floating-point type.
        labels: (N,) whole numbers from 0 to `classes` - 1, each there at least once.
        classes: C.
        inverse_l2: c, the strength of the data against the penalty.
        tolerance: the fit is done when no entry of the gradient is larger.

    Raises:
        FitError: an embedding that isn't finite, or a fit that doesn't end.
    """
    if not embeddings.isfinite().all():
        raise FitError(
            "`embeddings` should be finite numbers. Found NaN or infinity; check the model's "
            "weights."
        )
    with torch.inference_mode(mode=False), torch.no_grad():
        z = embeddings.double().clone()  # (N, D)
        mean, scale = z.mean(dim=0), z.std(dim=0, unbiased=False)
        scale[scale <= 1e-12 * mean.abs()] = 1.0  # a unit that never changes says nothing
        z.sub_(mean).div_(scale)
        weight, bias = _minimise(z, F.one_hot(labels, classes).double(), inverse_l2, tolerance)
        weight = weight / scale
        return Regression(weight, bias - weight @ mean)


def _minimise(
    z: Tensor, truth: Tensor, inverse_l2: float, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Return weight (C, D) and bias (C,) for scaled embeddings (N, D) and one-hot labels (N, C)."""
    rows, classes = truth.shape
    penalty = 1 / (inverse_l2 * rows)
    weight, bias = z.new_zeros(classes, z.shape[1]), z.new_zeros(classes)
    optimizer = torch.optim.LBFGS(
        [weight, bias],
        max_iter=MOST_STEPS,
        max_eval=2 * MOST_STEPS,
        tolerance_grad=tolerance,
        tolerance_change=0,
        history_size=10,
        line_search_fn="strong_wolfe",
    )

    @torch.no_grad()  # the gradient is written down, which takes half of autograd's time
    def closure() -> float:
        log_chances = torch.addmm(bias, z, weight.T).log_softmax(dim=-1)  # (N, C)
        loss = -(log_chances * truth).sum() / rows + penalty / 2 * weight.square().sum()
        errors = (log_chances.exp() - truth) / rows
        weight.grad = torch.addmm(weight, errors.T, z, beta=penalty)
        bias.grad = errors.sum(dim=0)
        return float(loss)

    optimizer.step(closure)  # type: ignore[no-untyped-call] # torch's
    closure()
    gradients = [part.grad for part in (weight, bias) if part.grad is not None]
    steepest = max(float(each.abs().max()) for each in gradients)
    if not steepest <= 100 * tolerance:  # near rounding no step may be found that is better
        raise FitError(
            f"The regression should reach a gradient of {tolerance:g}. Found {steepest:g} after "
            f"{MOST_STEPS:,} steps; check that the embeddings are no larger than usual."
        )
    return weight, bias
