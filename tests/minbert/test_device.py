"""The device is chosen by name, and an absent one is told."""

from __future__ import annotations

import pytest
import torch

from minbert.device import choose_device


def have(monkeypatch: pytest.MonkeyPatch, *, cuda: bool, mps: bool) -> None:
    """Pretend that the machine has these accelerators."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "wanted"),
    [
        (True, True, "cuda"),
        (True, False, "cuda"),
        (False, True, "mps"),
        (False, False, "cpu"),
    ],
)
def test_auto_takes_the_fastest(
    cuda: bool, mps: bool, wanted: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    have(monkeypatch, cuda=cuda, mps=mps)
    assert choose_device() == choose_device("auto") == torch.device(wanted)
    assert choose_device("cpu") == torch.device("cpu")


@pytest.mark.parametrize("name", ["cuda", "mps"])
def test_an_absent_device_is_told(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    have(monkeypatch, cuda=False, mps=False)
    with pytest.raises(ValueError, match=f"`device` should be one that this machine.*'{name}'"):
        choose_device(name)


def test_an_unknown_device_lists_the_known_ones() -> None:
    with pytest.raises(ValueError, match="`device` should be one of 'auto', 'cpu', 'cuda', 'mps'"):
        choose_device("tpu")
