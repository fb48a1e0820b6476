"""Sessions: a visitor's states stay, nothing else does."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from minbert.ui.server.sessions import Session, Sessions
from tests.support import run_async


async def built() -> gr.Blocks:
    """Build a page; in a running loop, or gradio leaves one open."""
    with gr.Blocks(analytics_enabled=False) as page:
        shown, slider, state = gr.Textbox("typed"), gr.Slider(1, 6), gr.State([])
        slider.change(lambda *_: "", [slider, state], shown)
    page.state_session_capacity = 3
    return page


@pytest.fixture
def page() -> gr.Blocks:
    return run_async(built())


@pytest.fixture
def sessions(page: gr.Blocks) -> Sessions:
    return Sessions(page)


def state_of(page: gr.Blocks) -> int:
    return next(number for number, block in page.blocks.items() if isinstance(block, gr.State))


def test_a_state_is_a_visitor_s_own_and_stays(page: gr.Blocks, sessions: Sessions) -> None:
    state = state_of(page)
    sessions["anna"][state].append("pinned")
    sessions["anna"][state] = [*sessions["anna"][state], "edited"]
    assert sessions["anna"][state] == ["pinned", "edited"]
    assert sessions["berta"][state] == []


def test_a_changed_component_is_the_visitor_s_own(page: gr.Blocks, sessions: Sessions) -> None:
    (slider,) = (number for number, each in page.blocks.items() if isinstance(each, gr.Slider))
    sessions["anna"][slider] = gr.Slider(1, 12, render=False)
    assert sessions["anna"][slider].maximum == 12
    assert sessions["anna"][slider].constructor_args["maximum"] == 12  # a later update adds to it
    assert sessions["anna"][slider] is not sessions["anna"][slider], "only what changed is kept"
    assert sessions["berta"][slider].maximum == 6
    assert page.blocks[slider].maximum == 6


def test_a_component_that_no_event_reads_is_not_kept(page: gr.Blocks, sessions: Sessions) -> None:
    (text,) = (number for number, each in page.blocks.items() if isinstance(each, gr.Textbox))
    made = gr.Textbox("all that anna saw", visible=False, render=False)
    sessions["anna"][text] = made
    assert sessions["anna"][text] is made, "gradio reads at once what it sends of it"
    assert sessions["anna"][text] is page.blocks[text]


def test_a_session_keeps_nothing_of_what_is_typed_or_shown(
    page: gr.Blocks, sessions: Sessions
) -> None:
    for number in page.blocks:
        sessions["anna"]._update_value_in_config(number, "a secret")
        sessions["anna"]._update_config(number)
    assert [*sessions["anna"].components] == []
    kept = {key: value for key, value in vars(sessions["anna"]).items() if key != "blocks_config"}
    assert "secret" not in json.dumps(kept, default=repr)


def test_a_call_without_a_session_is_not_stored(
    page: gr.Blocks, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(page._queue.event_ids_to_events, "event", SimpleNamespace())
    assert isinstance(sessions["event"], Session)
    assert "event" not in sessions


def test_of_too_many_those_without_a_state_go_first_then_closed_ones_then_the_oldest(
    page: gr.Blocks, sessions: Sessions
) -> None:
    def kept() -> list[str]:
        return [*sessions.session_data]

    state = state_of(page)
    for name in ("anna", "berta"):
        sessions[name][state].append("pinned")
    for name in ("program 1", "program 2", "program 3"):
        sessions[name].get(state)
    assert kept() == ["anna", "berta", "program 3"]
    for name in ("carla", "anna", "dora"):
        sessions[name][state].append("pinned")
    assert kept() == ["carla", "anna", "dora"]  # berta was the one not seen for the longest
    sessions["anna"].is_closed = True
    sessions["dora"][state].append("edited")
    sessions["emil"][state].append("pinned")
    assert kept() == ["carla", "dora", "emil"]  # anna had closed her page


def test_one_that_is_being_answered_stays(
    page: gr.Blocks, sessions: Sessions, monkeypatch: pytest.MonkeyPatch
) -> None:
    state = state_of(page)
    for name in ("anna", "berta", "carla"):
        sessions[name][state].append("pinned")
    monkeypatch.setitem(
        page._queue.event_ids_to_events, "event", SimpleNamespace(session_hash="dora")
    )
    dora = sessions["dora"]  # without a state until her first answer is there
    sessions["emil"][state].append("pinned")
    assert sessions["dora"] is dora
    assert [*sessions.session_data] == ["carla", "emil", "dora"]


def test_gradio_s_own_session_has_what_ours_has(page: gr.Blocks) -> None:
    """A newer gradio that keeps something else in a session is found here."""
    from gradio.state_holder import SessionState

    theirs: dict[str, Any] = vars(SessionState(page))
    ours = vars(Session(page)).keys() - {"state_keys", "read_keys", "changed", "just_made"}
    assert ours == theirs.keys()
