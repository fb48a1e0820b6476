"""Predictors that the tests of the explanations share."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from minbert.explain import gradients
from minbert.predictor import Predictor
from tests.support import redraw, tiny_model

Build = Callable[..., Predictor]


@contextlib.contextmanager
def by_our_rule() -> Iterator[None]:
    """Have captum take our points of the line, which none of its own methods has."""
    from captum.attr._core import integrated_gradients as captums

    rule = (lambda n: gradients.weights(n - 1).tolist()), (lambda n: gradients.places(n - 1))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(captums, "approximation_parameters", lambda _: rule)
        yield


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
