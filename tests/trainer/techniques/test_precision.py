"""Which precision the encoder computes in."""

from __future__ import annotations

import contextlib

import pytest
import torch

from trainer.techniques.precision import autocast


@pytest.mark.parametrize(
    ("precision", "device", "lowered"),
    [
        ("auto", "cpu", False),
        ("auto", "cuda", True),
        ("fp32", "cpu", False),
        ("fp32", "cuda", False),
        ("bf16", "cpu", True),
        ("bf16", "cuda", True),
    ],
)
def test_the_choice_of_precision(
    monkeypatch: pytest.MonkeyPatch, precision: str, device: str, lowered: bool
) -> None:
    asked: list[tuple[str, torch.dtype, bool]] = []

    def fake(kind: str, dtype: torch.dtype, enabled: bool) -> contextlib.AbstractContextManager:
        asked.append((kind, dtype, enabled))
        return contextlib.nullcontext()

    monkeypatch.setattr(torch, "autocast", fake)
    autocast(precision, torch.device(device))
    assert asked == [(device, torch.bfloat16, lowered)]
