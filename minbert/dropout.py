"""Dropout whose masks cost little on a CPU.

Paper: Srivastava et al. 2014, "Dropout: A Simple Way to Prevent Neural Networks from Overfitting",
section 10 (scaled at training time). Differs from the paper: on a CPU the probability is rounded to
a multiple of 2^-16, since four units share 64 random bits. PyTorch draws unit by unit, on one
thread unless the processor is Intel's, and takes three times as long.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

LEVELS = 2**16  # of a 16-bit word


def drop_units(units: Tensor, probability: float, *, training: bool) -> Tensor:
    """Zero units (any shape) with a probability, and scale the others so that the mean stays.

    The mask comes from PyTorch's global generator of the device.
    """
    dropped = round(probability * LEVELS)
    ours = units.device.type == "cpu" and not torch.compiler.is_compiling()
    if not training or not ours or not 0 < dropped < LEVELS:
        return F.dropout(units, probability, training=training)
    count = units.numel()
    bits = torch.empty(-(-count // 4), dtype=torch.int64).random_(-(2**63), None)
    kept = bits.view(torch.int16)[:count] >= dropped - LEVELS // 2
    scale = kept.to(units.dtype).mul_(LEVELS / (LEVELS - dropped))
    return units * scale.view(units.shape)


class Dropout(nn.Dropout):
    """`drop_units` as a module."""

    def forward(self, input: Tensor) -> Tensor:
        """Drop units of any shape in training mode; change nothing in eval mode."""
        return drop_units(input, self.p, training=self.training)
