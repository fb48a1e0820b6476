"""Task samplers: which task does this step train?

Report: section 4.4. Paper: Stickland & Murray 2019, "BERT and PALs", section 4.1 (annealed
sampling, after its proportional and square-root forms). Differs from the paper: with a single
epoch, where the paper's expression divides by zero, alpha is 1.

A draw is a pure function of (seed, step), so that a resumed run draws what an unbroken one would.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch

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
SAMPLERS = ("round_robin", *ALPHAS)


def task_probabilities(
    sampler: str, sizes: Sequence[int], epoch: int, epochs: int
) -> tuple[float, ...]:
    """Return each task's share of the steps of an epoch (1-based).

    Raises:
        ValueError: an unknown sampler, or what `annealed_alpha` and `power_probabilities` refuse.
    """
    if sampler == "round_robin":
        return (1 / len(sizes),) * len(sizes)
    if sampler not in ALPHAS:
        known = ", ".join(repr(name) for name in SAMPLERS)
        raise ValueError(f"`sampler` should be one of {known}. Found {sampler!r}.")
    return power_probabilities(sizes, ALPHAS[sampler](epoch, epochs))


def draw_task(sampler: str, probabilities: Sequence[float], seed: int, step: int) -> int:
    """Return the index of the task that trains at `step` (0-based).

    Round-robin cycles through the tasks; the others draw at random from the probabilities.
    """
    if sampler == "round_robin":
        return step % len(probabilities)
    generator = torch.Generator().manual_seed(mix_seed(seed, step))
    weights = torch.tensor(probabilities, dtype=torch.float64)
    return int(torch.multinomial(weights, 1, generator=generator))


def mix_seed(*parts: int) -> int:
    """Mix integers into one 63-bit seed; nearby inputs give unrelated seeds (splitmix64)."""
    state = 0
    for part in parts:
        state = (state ^ (part & 0xFFFFFFFFFFFFFFFF)) + 0x9E3779B97F4A7C15 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ (state >> 30)) * 0xBF58476D1CE4E5B9 & 0xFFFFFFFFFFFFFFFF
        state = (state ^ (state >> 27)) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        state ^= state >> 31
    return state >> 1
