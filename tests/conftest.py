"""Fixtures that the tests of every package share."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.register_assert_rewrite("tests.support", "tests.read_html")

from minbert.multitask import MultitaskBert  # noqa: E402 - after the rewriting is asked for
from minbert.text import Tokenizer  # noqa: E402
from tests.served import served  # noqa: E402
from tests.support import redraw, tiny_model, tiny_tokenizer  # noqa: E402


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave what is marked `whole` to `make test-heavy`."""
    whole = [item for item in items if item.get_closest_marker("whole")]
    for item in whole:
        item.add_marker("heavy")
    if whole and not os.environ.get("MINBERT_HEAVY"):
        items[:] = [item for item in items if item not in whole]
        config.hook.pytest_deselected(items=whole)


@pytest.fixture(scope="session")
def tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    """Give the tiny tokenizer; it has no state, so one serves all tests."""
    return tiny_tokenizer(tmp_path_factory.mktemp("tokenizer"))


@pytest.fixture(scope="session")
def app() -> Iterator[tuple[str, int]]:
    """Start the real app as a person would, once; give its address and process id."""
    with served() as started:
        yield started


@pytest.fixture(scope="session")
def app_url(app: tuple[str, int]) -> str:
    """Give the address of the real app."""
    return app[0]


@pytest.fixture
def model(tmp_path: Path) -> MultitaskBert:
    """Give a tiny model in eval mode, every parameter of which counts."""
    fresh = tiny_model(tmp_path / "tokenizer")
    redraw(fresh, seed=1)
    return fresh.eval()
