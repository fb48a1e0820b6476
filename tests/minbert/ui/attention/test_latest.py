"""What was asked last is shown: no event that began before it, or ends too late, takes it away."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert.ui.attention.bertviz import NO_FRAME
from minbert.ui.attention.events import ONE, ROLLOUT, Controls, Studio
from minbert.ui.attention.latest import (
    FRAME,
    SHOWN,
    Latest,
    clear_outdated,
    draw_frame,
    draw_maps,
    fill_on_press,
    make_files,
)
from minbert.ui.engine import Engine

# bertviz leaves its script file for the garbage collector to close
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*_view.js:ResourceWarning")

A, B = "the cat sits", "a dog sleeps"
NOW = Controls(layer=2, head=3)
SKIPPED = gr.skip()


def values(**changes: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any control
    return dataclasses.astuple(dataclasses.replace(NOW, **changes))


@pytest.fixture
def studio(engine: Engine) -> Studio:
    return Studio(engine)


@pytest.mark.parametrize(
    ("kind", "stays", "goes"),
    [
        ("head", [{}, {"view": ROLLOUT}], [{"layer": 1}, {"head": 0}, {"model": "cls"}]),
        ("model", [{}, {"layer": 1}, {"head": 0}, {"view": ROLLOUT}], [{"hide_specials": True}]),
    ],
)
def test_a_frame_stays_until_something_else_is_asked(
    studio: Studio, kind: str, stays: list[dict[str, Any]], goes: list[dict[str, Any]]
) -> None:
    for change in stays:
        latest = Latest()
        draw_frame(studio, kind, A, B, *values(), latest)
        assert clear_outdated(A, f" {B} ", *values(**change), latest)[0] == SKIPPED, change
    for change, second in [*((change, B) for change in goes), ({}, "a dog")]:
        latest = Latest()
        draw_frame(studio, kind, A, B, *values(), latest)
        assert clear_outdated(A, second, *values(**change), latest)[0] == NO_FRAME, change


def test_a_change_before_the_press_that_is_worked_off_after_it_takes_nothing_away(
    studio: Studio,
) -> None:
    latest = Latest()
    assert clear_outdated(A, B, *values(), latest)[0] == NO_FRAME
    assert "<iframe" in draw_frame(studio, "head", A, B, *values(), latest)
    assert clear_outdated(A, B, *values(), latest)[0] == SKIPPED


def test_what_was_pressed_is_not_shown_when_something_else_was_asked_meanwhile() -> None:
    latest = Latest()

    def press(make: Any) -> Any:  # noqa: ANN401 - what it shows
        return fill_on_press(FRAME, {"view": ONE}, make, A, B, *values(), latest)

    def change_meanwhile(*asked: object) -> str:
        assert asked == (A, B, *values())
        clear_outdated(A, B, *values(layer=1), latest)
        return "late"

    def press_meanwhile(*_: object) -> str:
        assert press(lambda *_: "newer") == "newer"
        return "late"

    assert press(change_meanwhile) == press(press_meanwhile) == SKIPPED
    assert press(lambda *_: "in time") == "in time"


def test_of_two_events_the_one_begun_last_shows_its_maps() -> None:
    latest, seen = Latest(), []

    def begun_before(*_: object) -> tuple[str, ...]:
        seen.append(draw_maps(lambda *_: ("new",) * SHOWN, A, B, *values(layer=1), latest))
        return (*("old",) * SHOWN, "table")

    shown = draw_maps(begun_before, A, B, *values(), latest)
    assert shown == (*(SKIPPED,) * SHOWN, "table"), "what no other event fills is there"
    assert seen == [("new",) * SHOWN]


def test_files_stand_beside_a_frame_and_are_of_all_heads_or_of_one(
    studio: Studio, tmp_path: Path
) -> None:
    latest = Latest()
    draw_frame(studio, "head", A, B, *values(), latest)
    paths = make_files(studio, str(tmp_path), False, A, B, *values(), latest)
    assert [Path(path).suffix for path in paths] == [".html", ".csv", ".json"]
    one = Path(paths[2]).read_text(encoding="utf-8")
    assert clear_outdated(A, B, *values(view=ROLLOUT), latest) == (SKIPPED, None)
    paths = make_files(studio, str(tmp_path), True, A, B, *values(), latest)
    assert len(Path(paths[2]).read_text(encoding="utf-8")) > 4 * len(one)
    assert clear_outdated(A, B, *values(layer=1), latest) == (NO_FRAME, SKIPPED)
