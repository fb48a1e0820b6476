"""The engine that the tests of the page share."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.ui.engine import Engine
from tests.minbert.ui.sample_engine import tiny_engine


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Give an engine whose models differ in pooling and in nothing else."""
    return tiny_engine(tmp_path)
