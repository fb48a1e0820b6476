"""What a click on Answer does: one question, one event, the open tab filled.

A question is checked and tokenised once. The first view, that of the answers, is always filled;
every other one when it is open, or when it is opened.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.parts.refusal import REFUSED, SECONDS
from minbert.ui.question import Asked, InputError

Outputs = dict[Any, Any]  # by component; what isn't named stays as it is


class View(Protocol):
    """A tab that shows the present question."""

    @property
    def controls(self) -> Sequence[Any]:
        """List the components it depends on beside the question."""
        ...

    @property
    def outputs(self) -> Sequence[Any]:
        """List the components it fills."""
        ...

    def fill(self, asked: Asked, *values: Any) -> Outputs:  # noqa: ANN401 - of its controls
        """Return what it shows; `values` are its controls'."""
        ...

    def cleared(self) -> Outputs:
        """Return what it shows without a question."""
        ...


class Together:
    """Several views as one, which are filled at the same time."""

    def __init__(self, *views: View) -> None:
        """Take them in their order."""
        self._views = views
        self.controls = [part for view in views for part in view.controls]
        self.outputs = [part for view in views for part in view.outputs]

    def fill(self, asked: Asked, *values: Any) -> Outputs:  # noqa: ANN401 - of its controls
        """Return what all of them show."""
        shown: Outputs = {}
        left = iter(values)
        for view in self._views:
            shown |= view.fill(asked, *itertools.islice(left, len(view.controls)))
        return shown

    def cleared(self) -> Outputs:
        """Return what all of them show without a question."""
        return {part: value for view in self._views for part, value in view.cleared().items()}


class Place:
    """What one visitor's page shows: the open tab, the present question, what tabs were filled for.

    A visitor's events may overlap, when a tab is opened before its answer is there. They share
    this object, so that each sees what the other did; none keeps a copy.
    """

    def __init__(self, tab: str) -> None:
        """Begin with this tab open, and no question."""
        self.tab = tab
        self.asked: Asked | None = None
        self.filled: dict[str, Asked] = {}  # by tab


class Answering:
    """Answers what is typed, and fills views with it."""

    def __init__(self, engine: Engine, views: Mapping[str, View], place: gr.State) -> None:
        """Bind what was built.

        Args:
            engine: the models.
            views: by the name of their tab; the first one is open at first, and always filled.
            place: keeps a visitor's `Place`.
        """
        self.engine, self.views, self.place = engine, views, place
        self.first = next(iter(views))

    @property
    def controls(self) -> list[Any]:
        """List what an answer depends on beside the texts: the place, each view's controls."""
        return [self.place, *(part for view in self.views.values() for part in view.controls)]

    @property
    def outputs(self) -> list[Any]:
        """List what an answer may fill."""
        return [*(part for view in self.views.values() for part in view.outputs), self.place]

    def answer(self, first: str, second: str, place: Place, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Answer the texts in the boxes; a refusal clears what was answered before."""
        try:
            question = self.engine.ask(first, second)
        except InputError as error:
            gr.Warning(str(error), SECONDS, title=REFUSED)
            place.asked = None
            place.filled.clear()
            cleared: Outputs = {self.place: place}
            for view in self.views.values():
                cleared |= view.cleared()
            return cleared
        place.asked = asked = self.engine.asked(question)
        filled = self.views[self.first].fill(asked, *self.values_of(self.first, values))
        return {**filled, **self.fill(place, values)}

    def open(self, tab: str, place: Place, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Remember which tab is open, and fill it unless it shows the present question already."""
        place.tab = tab
        return self.fill(place, values)

    def opening(self, tab: str) -> Callable[..., Outputs]:
        """Return the event of a tab that is opened."""
        return functools.partial(self.open, tab)

    def fill(self, place: Place, values: Sequence[Any]) -> Outputs:
        """Fill the open tab, where it is a view and not the first one, until nothing is new."""
        shown: Outputs = {self.place: place}
        while (tab := place.tab) in self.views and tab != self.first:
            asked = place.asked
            if asked is None or place.filled.get(tab) is asked:
                break
            place.filled[tab] = asked  # another event has it no more to do
            try:
                shown |= self.views[tab].fill(asked, *self.values_of(tab, values))
            except Exception:
                place.filled.pop(tab, None)
                raise
        return shown

    def values_of(self, tab: str, values: Sequence[Any]) -> Sequence[Any]:
        """Return the values of one view's controls out of those of all."""
        counts = [len(view.controls) for view in self.views.values()]
        ends = dict(zip(self.views, itertools.accumulate(counts), strict=True))
        return values[ends[tab] - len(self.views[tab].controls) : ends[tab]]
