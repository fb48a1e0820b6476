"""Two tiny models behind the page's engine."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from tests.support import redraw, tiny_model


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    """Give an engine whose models differ in pooling and in nothing else."""
    predictors = {}
    for pooling in ("mean", "cls"):
        model = tiny_model(tmp_path / pooling, pooling=pooling)
        redraw(model, seed=3)
        predictors[pooling] = Predictor(model, "cpu")
    return Engine(predictors["mean"], predictors["cls"])
