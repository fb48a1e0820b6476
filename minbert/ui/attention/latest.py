"""What a visitor asked of the tab last, so that no late event replaces or clears what is newer.

Events overtake each other: one that was begun before another may be done after it. The maps are
drawn by several events, and shown by the one that was begun last. bertviz's frame and the files
are made on a button, and taken away once the controls say something else; a change that came
before the press may be worked off after it, and what was pressed before a change may be done after
it. So each looks here whether it still counts.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import gradio as gr

from minbert.ui.attention.bertviz import NO_FRAME, draw_view
from minbert.ui.attention.events import ALL, ONE, Controls, Studio
from minbert.ui.attention.files import write_files

MAPS, MASKED, FRAME, FILES = "maps", "masked", "frame", "files"  # the places that are filled
SHOWN = 4  # outputs of the maps, as `Studio.show` returns them, before an event's others
EVERY_HEAD: Mapping[str, Any] = {"view": ALL, "layer": 0, "head": 0}  # no layer or head counts


@dataclasses.dataclass(frozen=True)
class Request:
    """What a place is to be filled with: texts and controls, those that don't count set."""

    texts: tuple[str, str]
    controls: Controls
    fixed: Mapping[str, Any]

    def asks(self, first: str, second: str, controls: Controls) -> bool:
        """Say whether texts and controls ask the same."""
        same = dataclasses.replace(controls, **self.fixed) == self.controls
        return same and self.texts == stripped(first, second)


class Latest:
    """One visitor's last request for each place; shared by that visitor's events."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self._last: dict[str, Request] = {}

    def ask(
        self,
        place: str,
        first: str,
        second: str,
        controls: Controls,
        fixed: Mapping[str, Any] | None = None,
    ) -> Request:
        """Note what a place is to be filled with; `fixed` are the controls that don't count."""
        fixed = fixed or {}
        kept = dataclasses.replace(controls, **fixed)
        request = self._last[place] = Request(stripped(first, second), kept, fixed)
        return request

    def stands(self, place: str, request: Request) -> bool:
        """Say whether a request is still the last one of its place."""
        return self._last.get(place) is request

    def outdated(self, place: str, first: str, second: str, now: Controls) -> bool:
        """Say whether a place shows something else than is chosen now; then forget its request."""
        last = self._last.get(place)
        if last is not None and last.asks(first, second, now):
            return False
        self._last.pop(place, None)
        return True


def draw_maps(
    make: Callable[..., tuple[Any, ...]],
    first: str,
    second: str,
    *values: Any,  # noqa: ANN401 - see Controls
) -> tuple[Any, ...]:
    """Return what `make` returns; without its maps where a later event draws them.

    Args:
        make: an event that returns what `Studio.show` does, and more.
        first: sentence A.
        second: sentence B.
        values: the controls', and the visitor's `Latest`.
    """
    *controls, latest = values
    request = latest.ask(MAPS, first, second, Controls(*controls))
    made = make(first, second, *controls)
    if latest.stands(MAPS, request):
        return made
    return (*(gr.skip() for _ in range(SHOWN)), *made[SHOWN:])


def draw_masked(
    mask: Callable[..., tuple[Any, ...]],
    word: str | None,
    first: str,
    second: str,
    *values: Any,  # noqa: ANN401 - controls, Latest
) -> tuple[Any, ...]:
    """Return what `mask` returns, or nothing new where a later event draws it."""
    *controls, latest = values
    request = latest.ask(MASKED, first, second, Controls(*controls))
    made = mask(first, second, word, *controls)
    return made if latest.stands(MASKED, request) else tuple(gr.skip() for _ in made)


def fill_on_press(
    place: str,
    fixed: Mapping[str, Any],
    make: Callable[..., Any],
    first: str,
    second: str,
    *values: Any,  # noqa: ANN401 - see Controls
) -> Any:  # noqa: ANN401 - what `make` returns, or an update
    """Return what `make` returns, or nothing new where something else was asked meanwhile."""
    *controls, latest = values
    request = latest.ask(place, first, second, Controls(*controls), fixed)
    made = make(first, second, *controls)
    return made if latest.stands(place, request) else gr.skip()


def draw_frame(studio: Studio, kind: str, *values: Any) -> Any:  # noqa: ANN401 - texts, controls, Latest; a text, or an update
    """Draw bertviz's view ('head' or 'model') on its button."""
    fixed = {"view": ONE} if kind == "head" else EVERY_HEAD
    return fill_on_press(FRAME, fixed, functools.partial(draw_view, studio, kind), *values)


def make_files(studio: Studio, cache: str, every: bool, *values: Any) -> Any:  # noqa: ANN401 - texts, controls, Latest; paths, or an update
    """Write the files on their button, of the chosen map or of all heads."""

    def write(first: str, second: str, *controls: Any) -> list[str]:  # noqa: ANN401 - see Controls
        chosen = Controls(*controls)
        if every:
            chosen = dataclasses.replace(chosen, view=ALL)
        return write_files(studio, cache, first, second, *dataclasses.astuple(chosen))

    return fill_on_press(FILES, EVERY_HEAD if every else {}, write, *values)


def clear_outdated(first: str, second: str, *values: Any) -> tuple[Any, Any]:  # noqa: ANN401 - controls, Latest; updates
    """Take away a frame and files that are not of what is chosen now."""
    *controls, latest = values
    now = Controls(*controls)
    return (
        NO_FRAME if latest.outdated(FRAME, first, second, now) else gr.skip(),
        None if latest.outdated(FILES, first, second, now) else gr.skip(),
    )


def stripped(first: str | None, second: str | None) -> tuple[str, str]:
    """Return both texts as they are asked."""
    return (first or "").strip(), (second or "").strip()
