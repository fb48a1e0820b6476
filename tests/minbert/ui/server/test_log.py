"""What errors and warnings say in the log: kind and place, never what was typed."""

from __future__ import annotations

import asyncio
import logging
import sys
import warnings
from collections.abc import Iterator

import gradio.queueing
import gradio.route_utils
import gradio.routes
import gradio.utils
import pytest

from minbert.ui.server.log import LOGGERS, PlaceOnly, keep_texts_out, place_of
from tests.support import run_async

SECRET = "my landlord is a crook"
MODULES = (gradio.queueing, gradio.route_utils, gradio.routes, gradio.utils)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for module in MODULES:
        monkeypatch.setattr(module, "traceback", module.traceback)  # is put back afterwards
    with warnings.catch_warnings():
        keep_texts_out()
        yield
    for name in LOGGERS:
        logger = logging.getLogger(name)
        for each in [each for each in logger.filters if isinstance(each, PlaceOnly)]:
            logger.removeFilter(each)


def fail() -> None:
    try:
        int(SECRET)
    except ValueError as error:
        raise TypeError(f"can't read {SECRET!r}") from error


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_gradio_prints_the_place_alone(module: object, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        fail()
    except TypeError:
        module.traceback.print_exc()  # type: ignore[attr-defined] # as gradio calls it
    said = capsys.readouterr().err
    assert SECRET not in said
    assert "TypeError" in said
    assert "ValueError" in said
    assert "in fail" in said


@pytest.mark.parametrize("name", LOGGERS)
def test_loggers_keep_their_line_and_the_place(name: str, caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger(name)
    try:
        fail()
    except TypeError:
        logger.error("It failed\n%s", SECRET, exc_info=True)
    assert SECRET not in caplog.text
    assert "It failed" in caplog.text
    assert "in fail" in caplog.text


def test_a_task_that_nobody_awaits_says_nothing_of_a_text(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def forgotten() -> None:
        task = asyncio.ensure_future(asyncio.to_thread(fail))
        await asyncio.wait([task])

    run_async(forgotten())
    assert SECRET not in caplog.text


def test_warnings_of_gradio_are_not_printed() -> None:
    with warnings.catch_warnings(record=True) as seen:
        warnings.simplefilter("always")
        keep_texts_out()
        warnings.warn_explicit(SECRET, UserWarning, "blocks.py", 1, module="gradio.blocks")
        warnings.warn_explicit("ours", UserWarning, "page.py", 1, module="minbert.ui.page")
    assert [str(each.message) for each in seen] == ["ours"]


def test_a_place_without_a_traceback_is_the_kind() -> None:
    assert place_of(ValueError(SECRET)) == "ValueError at"
    assert sys.exc_info() == (None, None, None)
