"""Task samplers: which task does this step train?

Report: section 4.4. Paper: Stickland & Murray 2019, "BERT and PALs", section 4.1 (annealed
sampling, after its proportional and square-root forms). Differs from the paper: with a single
epoch, where the paper's expression divides by zero, alpha is 1.

Round-robin, the report's first scheduler, has two readings: one batch of each task in turn
(`round_robin`), or each task's whole epoch in turn (`full_pass`), which gives the larger data
set more steps, as the report says of its own.

A draw is a pure function of (seed, step), so that a resumed run draws what an unbroken one would.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import torch

from trainer.seeding import mix_seed

ANNEALED_DROP = 0.8  # alpha falls from 1 to 1 - 0.8


def annealed_alpha(epoch: int, epochs: int) -> float:
    """Return alpha = 1 - 0.8 (e - 1) / (E - 1), with e counted from 1; 1 where E is 1.

    Raises:
        ValueError: an epoch outside 1 to `epochs`.
    """
    if not 1 <= epoch <= epochs:
        raise ValueError(f"`epoch` should lie between 1 and {epochs}. Found {epoch}.")
    return 1.0 if epochs == 1 else 1.0 - ANNEALED_DROP * (epoch - 1) / (epochs - 1)


def power_probabilities(sizes: Sequence[int], alpha: float) -> tuple[float, ...]:
    """Return p_i = N_i^alpha / sum_j N_j^alpha.

    Raises:
        ValueError: no sizes, or one that is not positive.
    """
    if not sizes or min(sizes) < 1:
        raise ValueError(f"`sizes` should be positive numbers of examples. Found {list(sizes)}.")
    powers = [size**alpha for size in sizes]
    return tuple(power / sum(powers) for power in powers)


ALPHAS: dict[str, Callable[[int, int], float]] = {
    "annealed": annealed_alpha,
    "proportional": lambda epoch, epochs: 1.0,  # noqa: ARG005 - alpha's signature
    "square_root": lambda epoch, epochs: 0.5,  # noqa: ARG005 - alpha's signature
}
SAMPLERS = ("round_robin", "full_pass", *ALPHAS)


def alpha_of(sampler: str, epoch: int, epochs: int) -> float | None:
    """Return the exponent of an epoch (1-based); None for samplers that have none."""
    return ALPHAS[sampler](epoch, epochs) if sampler in ALPHAS else None


def task_probabilities(
    sampler: str, sizes: Sequence[int], epoch: int, epochs: int
) -> tuple[float, ...]:
    """Return each task's share of the steps of an epoch (1-based).

    Raises:
        ValueError: an unknown sampler, or what `annealed_alpha` and `power_probabilities` refuse.
    """
    if sampler == "round_robin":
        return (1 / len(sizes),) * len(sizes)
    if sampler == "full_pass":
        return power_probabilities(sizes, 1.0)
    if sampler not in ALPHAS:
        known = ", ".join(repr(name) for name in SAMPLERS)
        raise ValueError(f"`sampler` should be one of {known}. Found {sampler!r}.")
    return power_probabilities(sizes, ALPHAS[sampler](epoch, epochs))


def draw_task(
    sampler: str, probabilities: Sequence[float], seed: int, step: int, *, done: float = 0.0
) -> int:
    """Return the index of the task that trains at `step` (0-based).

    Round-robin cycles through the tasks; a full pass trains each task's share of the epoch in
    one block, in turn; the others draw at random from the probabilities.

    Args:
        sampler: one of `SAMPLERS`.
        probabilities: each task's share of the epoch, as `task_probabilities` returns them.
        seed: of the run.
        step: 0-based.
        done: share of this epoch that lies behind, in [0, 1); only a full pass looks at it.
    """
    if sampler == "round_robin":
        return step % len(probabilities)
    if sampler == "full_pass":
        ends = list(itertools.accumulate(probabilities))
        return next((i for i, end in enumerate(ends) if done < end), len(ends) - 1)
    generator = torch.Generator().manual_seed(mix_seed(seed, step))
    weights = torch.tensor(probabilities, dtype=torch.float64)
    return int(torch.multinomial(weights, 1, generator=generator))
