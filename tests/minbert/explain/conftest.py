"""Predictors that the tests of the explanations share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from minbert.predictor import Predictor
from tests.support import redraw, tiny_model

Build = Callable[..., Predictor]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Give a function that makes a tiny predictor, every parameter of which counts."""

    def of(*, seed: int = 1, std: float = 0.5, **changes: object) -> Predictor:
        model = tiny_model(tmp_path / "tokenizer", **changes)
        redraw(model, seed=seed, std=std)
        return Predictor(model, "cpu")

    return of


@pytest.fixture(scope="session")
def real() -> Predictor:
    """Give the repository's own model with mean pooling."""
    folder = Path(__file__).parents[3] / "assets" / "models" / "mean"
    return Predictor.from_pretrained(folder, "cpu")
