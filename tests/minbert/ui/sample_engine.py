"""Two tiny models behind the page's engine."""

from __future__ import annotations

from pathlib import Path

from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from tests.support import redraw, tiny_model


def tiny_engine(folder: Path) -> Engine:
    """Return an engine whose models differ in pooling and in nothing else."""
    predictors = {}
    for pooling in ("mean", "cls"):
        model = tiny_model(folder / pooling, pooling=pooling)
        redraw(model, seed=3)
        predictors[pooling] = Predictor(model, "cpu")
    return Engine(predictors["mean"], predictors["cls"])
