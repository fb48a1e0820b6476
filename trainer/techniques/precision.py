"""The precision in which the encoder computes; heads and losses stay in float32."""

from __future__ import annotations

import contextlib
from typing import Any

import torch

PRECISIONS = ("auto", "fp32", "bf16")


def lowered(precision: str, device: torch.device) -> bool:
    """Say whether the encoder computes in bf16: where asked for, or by itself ('auto') on CUDA."""
    return precision == "bf16" or (precision == "auto" and device.type == "cuda")


def autocast(precision: str, device: torch.device) -> contextlib.AbstractContextManager[Any]:
    """Return the context of that precision."""
    enabled = lowered(precision, device)
    return torch.autocast(device.type, dtype=torch.bfloat16, enabled=enabled)
