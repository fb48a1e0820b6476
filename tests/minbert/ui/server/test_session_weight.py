"""What one visitor costs the server: a session is weighed after answers, with every view opened."""

from __future__ import annotations

import gc
import sys
import types
from pathlib import Path
from typing import Any

import torch
from gradio.blocks import Blocks

from minbert.lessons import read_lessons
from minbert.ui.engine import Engine
from minbert.ui.page import build_page
from minbert.ui.server.sessions import Session, keys_of
from tests.page_event import CONTROLS, KIND, answer_inputs
from tests.support import run_async

ASSETS = Path(__file__).resolve().parents[4] / "assets"
SHARED = (type, types.ModuleType, types.FunctionType, types.MethodType, Blocks)
FIRST, SECOND = "The lake is cold and deep in the morning.", "Another one was warmer last summer."
MOST_EMPTY, MOST_ANSWERED, MOST_IN_ALL = 2_000, 27_000, 36_000  # bytes


def weight(session: Session, page: Blocks) -> int:
    """Return how many bytes a session alone holds: nothing of the page's, or of Python's."""
    built = page.default_config
    known = (built, built.blocks, built.fns, *built.blocks.values(), *keys_of(page))
    seen, todo, total = {id(one) for one in known}, [vars(session)], 0
    while todo:
        one: Any = todo.pop()
        if id(one) not in seen and not isinstance(one, SHARED):
            seen.add(id(one))
            total += sys.getsizeof(one)
            total += one.untyped_storage().nbytes() if isinstance(one, torch.Tensor) else 0
            todo += gc.get_referents(one)
    return total


async def weighed(engine: Engine) -> list[int]:
    """Return a session's weight: new, after an answer, and with a pin, edits and every view."""
    page = build_page(engine, read_lessons(ASSETS / "lessons.toml"), ASSETS)
    session, found = Session(page), list[int]()
    events = {str(event.api_name): event for event in page.fns.values()}

    async def send(name: str, *inputs: object) -> None:
        await page.process_api(events[name], [*inputs], state=session)

    found.append(weight(session, page))
    await send("answer", *answer_inputs(FIRST, SECOND))
    found.append(weight(session, page))
    await send("pin", None)
    for view in [name for name in events if name.startswith("open_")]:
        await send("answer", *answer_inputs(f"{FIRST} {view.replace('_', ' ')}", SECOND))
        await send(view, None, 0.5, None, None, *CONTROLS.values(), KIND)
    found.append(weight(session, page))
    return found


def test_a_visitor_s_session_is_light(engine: Engine) -> None:
    """500 are kept: a view that keeps more than it needs is found here."""
    empty, answered, in_all = run_async(weighed(engine))
    assert empty < MOST_EMPTY
    assert empty < answered < MOST_ANSWERED
    assert answered < in_all < MOST_IN_ALL
