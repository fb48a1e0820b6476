"""Which device to compute on."""

from __future__ import annotations

import torch

from minbert.config import choice_error

DEVICES = ("auto", "cpu", "cuda", "mps")


def choose_device(name: str = "auto") -> torch.device:
    """Return the device called `name`; 'auto' takes CUDA, else MPS, else the CPU.

    Raises:
        ValueError: an unknown name, or a device that this machine doesn't have.
    """
    if name not in DEVICES:
        raise choice_error("device", name, DEVICES)
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
        "cpu": True,
    }
    if name == "auto":
        return torch.device(next(kind for kind, there in present.items() if there))
    if not present[name]:
        raise ValueError(
            f"`device` should be one that this machine has. Found {name!r}, which isn't "
            "available; use 'auto' or 'cpu'."
        )
    return torch.device(name)
