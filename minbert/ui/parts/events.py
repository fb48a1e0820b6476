"""How events that ask a model are set up."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from minbert.ui.parts.views import SEPARATOR

# Events wait for the model in its own queue, where those that wait together are answered together.
MODEL_EVENTS: dict[str, Any] = {"concurrency_id": "model", "concurrency_limit": 32}
LABEL_PLACES = 2  # comparisons of labels that go at once, on the page or over HTTP
LABEL_EVENTS: dict[str, Any] = {"concurrency_id": "labels", "concurrency_limit": LABEL_PLACES}
VISIBLE: dict[str, Any] = {"show_progress": "minimal", **MODEL_EVENTS}
PRIVATE: dict[str, Any] = {"api_visibility": "private"}
QUIET: dict[str, Any] = {"show_progress": "hidden", **PRIVATE}
# A button whose work another press, or another event, ends by itself (`parts.steps.Press`).
PRESSED: dict[str, Any] = {"trigger_mode": "multiple", **QUIET, **MODEL_EVENTS}
KEPT_SECONDS = 3600  # so long a visitor's answer and pin are kept after the last click
FILES_CHECKED, FILES_KEPT = (
    600,
    3600,
)  # seconds: how often old files are looked for, how old they get

# A button's click tells the page that there is something to forget; then a key, and no other,
# presses a hidden button.
PRESSING = "(...args) => { (window.mbPressed ??= new Set()).add('NAME'); return args; }"
TYPING = "() => { if (window.mbPressed?.delete('NAME')) document.getElementById('NAME').click(); }"


def pressed_until_typing(
    start: gr.Button, texts: Sequence[gr.Textbox]
) -> tuple[dict[str, Any], Callable[..., Any]]:
    """Let typing end what a button began, without asking the server at each key.

    Args:
        start: the button; it has an id.
        texts: the boxes typed into.

    Returns:
        what the button's event needs besides, and the trigger of the end's event.
    """
    name = f"{start.elem_id}-end"
    end = gr.Button("End", visible="hidden", elem_id=name)
    gr.on([text.change for text in texts], None, js=TYPING.replace("NAME", name), **PRIVATE)
    return {"js": PRESSING.replace("NAME", name)}, end.click


def draw_when_seen(
    tab: gr.Tab,
    draw: Callable[..., tuple[Any, ...]],
    inputs: Sequence[Any],
    drawn: Sequence[gr.components.Component],
) -> None:
    """Draw a part when its tab is first opened, so that no page waits for it at its start."""
    seen = gr.State(False)

    def first(known: bool, *values: object) -> tuple[Any, ...]:
        return (True, *(gr.skip() for _ in drawn)) if known else (True, *draw(*values))

    tab.select(
        first,
        [seen, *inputs],
        [seen, *drawn],
        api_name=f"draw_{str(tab.id).replace(SEPARATOR, '_')}",
        **QUIET,
    )
