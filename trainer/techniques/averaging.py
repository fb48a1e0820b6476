"""Averaged weights: an exponential moving average of what is trained.

Paper: Polyak & Juditsky 1992 (averaging); the exponential form with a decay that rises at the
start is the one of TensorFlow's ExponentialMovingAverage (`num_updates`):

    a <- d a + (1 - d) w        with d = min(decay, (1 + n) / (10 + n)) at update n = 1, 2, ...

so that the first steps don't weigh for long.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor, nn


def decay_at(decay: float, update: int) -> float:
    """Return the decay of an update (1-based)."""
    return min(decay, (1 + update) / (10 + update))


class Average:
    """The average of some parameters, kept beside them in float32."""

    def __init__(self, parameters: Mapping[str, nn.Parameter], decay: float) -> None:
        """Begin at the parameters as they stand; a decay of 0 keeps no average at all."""
        self.parameters = parameters
        self.decay = decay
        self.values = {
            name: parameter.detach().clone() for name, parameter in parameters.items() if decay
        }

    @torch.no_grad()
    def update(self, number: int) -> None:
        """Take in the parameters after optimizer step `number` (1-based)."""
        share = 1 - decay_at(self.decay, number)
        for name, value in self.values.items():
            value.lerp_(self.parameters[name].detach(), share)

    @contextlib.contextmanager
    def swapped_in(self) -> Iterator[None]:
        """Put the average in the parameters' place for a while, bit for bit back afterwards."""
        kept = {name: self.parameters[name].detach().clone() for name in self.values}
        self._write(self.values)
        try:
            yield
        finally:
            self._write(kept)

    @torch.no_grad()
    def _write(self, values: Mapping[str, Tensor]) -> None:
        for name, value in values.items():
            self.parameters[name].copy_(value)

    def state(self) -> dict[str, Tensor]:
        """Return the average's tensors, named for a state file."""
        return {f"ema.{name}": value for name, value in self.values.items()}

    def restore(self, tensors: Mapping[str, Tensor]) -> None:
        """Continue from what `state` returned."""
        for name, value in self.values.items():
            value.copy_(tensors[f"ema.{name}"])
