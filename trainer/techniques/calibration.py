"""Calibration: probabilities that are as often right as they say.

Papers: temperature scaling and expected calibration error, Guo et al. 2017, "On Calibration of
Modern Neural Networks" (arXiv 1706.04599), sections 4.2 and 2; the offset, Platt 1999,
"Probabilistic Outputs for Support Vector Machines". Differs from the papers: a fit minimises the
plain negative log-likelihood, without Platt's smoothed targets, and what is fitted for a pair is
the mean of its orders' probabilities, since that is what a model answers.

A temperature alone moves no class. The offset moves the answer "yes": training at another share of
duplicates than a file's own shifts the log-odds, and it shifts them back.

Legend: N examples, C classes, O orders of a pair. Everything is computed in float64.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

BINS = 15
FOLDS = 5
MOST_TEMPERATURE = 20.0  # a fit lies between its inverse and it
MOST_OFFSET = 10.0  # log-odds; a fit lies between its negative and it
AT_LIMIT = 0.99  # share of the way to an end, from which a fit tells nothing but the end
ITERATIONS = 200
CHANCE_DRAWS = 200


@dataclasses.dataclass(frozen=True)
class Fit:
    """What was fitted to logits; the defaults change nothing."""

    temperature: float = 1.0  # logits are divided by it
    offset: float = 0.0  # and this is added, log-odds

    @property
    def at_limit(self) -> bool:
        """Say whether the search ended at an end: the examples don't tell where the best lies."""
        way = abs(math.log(self.temperature)) / math.log(MOST_TEMPERATURE)
        return max(way, abs(self.offset) / MOST_OFFSET) > AT_LIMIT


Scale = Tensor | float
LogProbabilities = Callable[[Tensor, Scale, Scale], Tensor]


def class_log_probabilities(logits: Tensor, temperature: Scale, offset: Scale = 0.0) -> Tensor:
    """Return log-probabilities (N, C) of classes by their logits (N, C); an offset cancels out."""
    return (logits.double() / temperature + offset).log_softmax(dim=-1)


def pair_log_probabilities(logits: Tensor, temperature: Scale, offset: Scale = 0.0) -> Tensor:
    """Return log-probabilities (N, 2) of no and yes by the duplicate logits (N, O) of O orders.

    The probability of yes is the mean of the orders'.
    """
    scaled = logits.double() / temperature + offset
    orders = math.log(scaled.shape[-1])
    return torch.stack(
        [F.logsigmoid(sign * scaled).logsumexp(dim=-1) - orders for sign in (-1, 1)], dim=-1
    )


def losses(log_probabilities: Tensor, labels: Tensor) -> Tensor:
    """Return each example's negative log-likelihood, (N,), of log-probabilities (N, C)."""
    return -log_probabilities.gather(-1, labels.long()[:, None]).squeeze(-1)


def fit(
    log_probabilities: LogProbabilities, logits: Tensor, labels: Tensor, *, offset: bool
) -> Fit:
    """Return the temperature, and with `offset` the offset, of the least mean loss.

    Found by L-BFGS from no change at all, so equal logits give equal fits; a search that would
    leave for infinity (no example is wrong, say) stops at an end.

    Args:
        log_probabilities: `class_log_probabilities` or `pair_log_probabilities`.
        logits: raw ones, (N, C) or (N, O).
        labels: (N,) class numbers.
        offset: also fit the offset; otherwise it is 0.

    Raises:
        ValueError: no example, another number of labels, or a logit that isn't finite.
    """
    check(logits, labels)
    logits = logits.double()
    place = torch.zeros(2 if offset else 1, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS(
        [place],
        max_iter=ITERATIONS,
        tolerance_grad=1e-10,
        tolerance_change=1e-14,
        line_search_fn="strong_wolfe",
    )

    def scales() -> tuple[Tensor, Tensor]:
        bounded = place.tanh()
        temperature = (math.log(MOST_TEMPERATURE) * bounded[0]).exp()
        return temperature, MOST_OFFSET * bounded[1:].sum()  # of nothing: 0

    def loss() -> Tensor:
        search.zero_grad()
        value = losses(log_probabilities(logits, *scales()), labels).mean()
        value.backward()  # type: ignore[no-untyped-call]  # torch has no type for it
        return value

    with torch.enable_grad():
        search.step(loss)  # type: ignore[no-untyped-call]  # torch has no type for it
    temperature, moved = (scale.item() for scale in scales())
    return Fit(temperature, moved)


def folds_of(count: int, folds: int = FOLDS, seed: int = 0) -> Tensor:
    """Deal examples out at random: each one's fold, (N,); folds differ by one example at most.

    Raises:
        ValueError: fewer than two folds, or more than examples.
    """
    if not 2 <= folds <= count:
        raise ValueError(
            f"`folds` should lie between 2 and the number of examples, {count}. Found {folds}."
        )
    order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
    found = torch.empty(count, dtype=torch.long)
    found[order] = torch.arange(count) % folds
    return found


def cross_fit(
    log_probabilities: LogProbabilities,
    logits: Tensor,
    labels: Tensor,
    fold: Tensor,
    *,
    offset: bool,
) -> tuple[Tensor, list[Fit]]:
    """Calibrate each example by a fit to all folds but its own.

    Args:
        log_probabilities: as `fit` takes it.
        logits: raw ones, (N, C) or (N, O).
        labels: (N,) class numbers.
        fold: (N,) each example's fold, as `folds_of` gives it.
        offset: as `fit` takes it.

    Returns:
        log-probabilities (N, C), and the fit that each fold was scored with.
    """
    fits, rows, parts = [], [], []
    for held_out in range(int(fold.max()) + 1):
        mine = fold == held_out
        found = fit(log_probabilities, logits[~mine], labels[~mine], offset=offset)
        fits.append(found)
        rows.append(mine.nonzero().squeeze(-1))
        parts.append(log_probabilities(logits[mine], found.temperature, found.offset))
    return torch.cat(parts)[torch.cat(rows).argsort()], fits


def expected_calibration_error(confidence: Tensor, truth: Tensor, bins: int = BINS) -> float:
    """Return the mean gap between confidence and truth over bins of equal width.

    A bin holds its upper end and not its lower one (the first holds both), and counts by its
    share of the examples (Guo et al., equation 3).

    Args:
        confidence: (N,) from 0 to 1.
        truth: (N,) 1 where what was claimed is true, else 0.
        bins: number of bins.

    Raises:
        ValueError: no example, or a confidence outside 0 to 1.
    """
    if not len(confidence) or not bool(((confidence >= 0) & (confidence <= 1)).all()):
        raise ValueError(
            "`confidence` should hold numbers from 0 to 1, one at least. Found "
            f"{len(confidence)}, not all of them within."
        )
    place = ((confidence.double() * bins).ceil().long() - 1).clamp(min=0)
    gaps = torch.zeros(bins, dtype=torch.float64)
    gaps.index_add_(0, place, confidence.double() - truth.double())
    return gaps.abs().sum().item() / len(confidence)


def claims(log_probabilities: Tensor, labels: Tensor, *, yes: bool) -> tuple[Tensor, Tensor]:
    """Return what is claimed with which confidence, (N,), and whether it is true, (N,).

    Args:
        log_probabilities: (N, C).
        labels: (N,) class numbers.
        yes: of two classes, the claim is always "yes", with its probability (Naeini et al. 2015);
            otherwise it is the most probable class (Guo et al.).
    """
    if yes:
        return log_probabilities[:, 1].exp(), labels == 1
    best, chosen = log_probabilities.max(dim=-1)
    return best.exp(), labels == chosen


def error_by_chance(confidence: Tensor, *, seed: int = 0, draws: int = CHANCE_DRAWS) -> float:
    """Return the error that perfect calibration would show on as many examples, on average.

    Truths are drawn with just the claimed confidence, (N,): few examples in a bin are never quite
    as often right as they should, so an error of 0 isn't to be had.
    """
    generator = torch.Generator().manual_seed(seed)
    found = [
        expected_calibration_error(
            confidence,
            torch.rand(len(confidence), generator=generator, dtype=torch.float64) < confidence,
        )
        for _ in range(draws)
    ]
    return sum(found) / draws


def check(logits: Tensor, labels: Tensor) -> None:
    """See that logits and labels belong together.

    Raises:
        ValueError: no example, another number of labels, or a logit that isn't finite.
    """
    if not len(logits) or len(logits) != len(labels):
        raise ValueError(
            f"`labels` should be as many as the logits, one at least. Found {len(labels)} for "
            f"{len(logits)}."
        )
    if not bool(logits.isfinite().all()):
        raise ValueError("`logits` should be finite. Found some that aren't; the model is broken.")
