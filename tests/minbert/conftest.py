"""Folders that the tests of checkpoints share."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.multitask import MultitaskBert
from tests.minbert.folders import (
    write_folder,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a whole folder in the old spelling."""
    return write_folder(tmp_path / "old")


@pytest.fixture
def saved(tmp_path: Path, model: MultitaskBert) -> Path:
    """Give a whole folder of our own."""
    model.save_pretrained(tmp_path / "ours")
    return tmp_path / "ours"
