"""Annealed sampling's formula, for the figure that shows it live.

The report's section 4.4. The trainer's own, which decides what is trained, is
`trainer/techniques/samplers.py`; nothing here imports it, and a test compares both.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

END = 0.2  # alpha of the last epoch: the report's 1 - 0.8
LARGEST = 10**12  # examples of a data set


@dataclasses.dataclass(frozen=True)
class Epoch:
    """One epoch's alpha, and each task's share of the steps."""

    alpha: float
    shares: tuple[float, ...]


def alpha_at(epoch: int, epochs: int, end: float = END) -> float:
    """Return alpha = 1 - (1 - end) (e - 1) / (E - 1), with e counted from 1; 1 where E is 1."""
    return 1.0 if epochs == 1 else 1.0 - (1.0 - end) * (epoch - 1) / (epochs - 1)


def shares_at(sizes: Sequence[int], alpha: float) -> tuple[float, ...]:
    """Return p_i = N_i^alpha / sum_j N_j^alpha."""
    powers = [float(size) ** alpha for size in sizes]
    return tuple(power / sum(powers) for power in powers)


def schedule(sizes: Sequence[int], epochs: int, end: float = END) -> list[Epoch]:
    """Return every epoch's alpha and shares.

    Raises:
        ValueError: a size that is no number from 1 to `LARGEST`, or fewer than one epoch.
    """
    if epochs < 1:
        raise ValueError(f"The number of epochs should be 1 or more. Found {epochs}.")
    if not all(1 <= size <= LARGEST for size in sizes):
        raise ValueError(
            f"Data-set sizes should be numbers from 1 to {LARGEST:,}. "
            f"Found {', '.join(f'{size:,}' for size in sizes)}."
        )
    alphas = [alpha_at(epoch, epochs, end) for epoch in range(1, epochs + 1)]
    return [Epoch(alpha, shares_at(sizes, alpha)) for alpha in alphas]
