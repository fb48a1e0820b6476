"""What a click on Answer does: one question, one event, the open tab filled.

A question is checked and tokenised once. The first view, that of the answers, is always filled;
every other one when it is open, or when it is opened. A view is a tab or a sub-view of one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.parts.refusal import REFUSED, SECONDS
from minbert.ui.parts.views import tab_of
from minbert.ui.question import Asked, InputError, Question

Outputs = dict[Any, Any]  # by component; what isn't named stays as it is


class View(Protocol):
    """A tab, or a sub-view of one, that shows the present question."""

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


class Place:
    """What one visitor's page shows: open views, the present question, what views were filled for.

    A visitor's events may overlap, when a tab is opened before its answer is there. They share
    this object, so that each sees what the other did; none keeps a copy.
    """

    def __init__(self, tab: str) -> None:
        """Begin with this tab open, and no question."""
        self.tab = tab
        self.sub_views: dict[str, str] = {}  # by tab: the one that was opened last
        self.wanted: Question | None = None  # the newest, whose answer alone is shown
        self.asked: Asked | None = None
        self.filled: dict[str, Asked] = {}  # by view

    def open(self, view: str) -> None:
        """Note that a tab, or a sub-view of one, was opened."""
        tab = tab_of(view)
        if tab == view:
            self.tab = tab
        else:
            self.sub_views[tab] = view

    @property
    def views(self) -> list[str]:
        """List the open views: a tab, and its sub-view where one was opened."""
        return [self.tab, *(view for tab, view in self.sub_views.items() if tab == self.tab)]


class Answering:
    """Answers what is typed, and fills views with it."""

    def __init__(self, engine: Engine, views: Mapping[str, View], place: gr.State) -> None:
        """Bind what was built.

        Args:
            engine: the models.
            views: by name; the first one is open at first, and always filled.
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
        """Answer the texts in the boxes; a refusal clears what was answered before.

        An answer that comes after a newer question was asked is not shown.
        """
        try:
            place.wanted = question = self.engine.ask(first, second)
        except InputError as error:
            gr.Warning(str(error), SECONDS, title=REFUSED)
            return self.cleared(place)
        asked = self.engine.asked(question)
        if place.wanted is not question:
            return {self.place: place}
        place.asked = asked
        place.filled.clear()  # with answers before it
        filled = self.views[self.first].fill(asked, *self.values_of(self.first, values))
        return {**filled, **self.fill(place, values)}

    def live(self, first: str, second: str, place: Place, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Answer what is being typed; what can't be answered is no mistake yet."""
        try:
            question = self.engine.ask(first, second)
        except InputError:
            return self.cleared(place)
        if place.wanted is not None and place.wanted.texts == question.texts:
            return {self.place: place}
        return self.answer(first, second, place, *values)

    def cleared(self, place: Place) -> Outputs:
        """Return all views without an answer."""
        place.wanted = place.asked = None
        place.filled.clear()
        shown: Outputs = {self.place: place}
        for view in self.views.values():
            shown |= view.cleared()
        return shown

    def open(self, view: str, place: Place, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Remember which view is open, and fill it unless it shows the present question already."""
        place.open(view)
        return self.fill(place, values)

    def opening(self, view: str) -> Callable[..., Outputs]:
        """Return the event of a view that is opened."""
        return functools.partial(self.open, view)

    def fill(self, place: Place, values: Sequence[Any]) -> Outputs:
        """Fill the open views, beside the first one, until nothing is new."""
        shown: Outputs = {self.place: place}
        while (asked := place.asked) is not None and (view := self.due(place)) is not None:
            place.filled[view] = asked  # another event has it no more to do
            try:
                shown |= self.views[view].fill(asked, *self.values_of(view, values))
            except Exception:
                place.filled.pop(view, None)
                raise
        return shown

    def due(self, place: Place) -> str | None:
        """Return an open view that doesn't show the present question; None: all do."""
        due = (name for name in place.views if name in self.views and name != self.first)
        return next((name for name in due if place.filled.get(name) is not place.asked), None)

    def values_of(self, view: str, values: Sequence[Any]) -> Sequence[Any]:
        """Return the values of one view's controls out of those of all."""
        counts = [len(each.controls) for each in self.views.values()]
        ends = dict(zip(self.views, itertools.accumulate(counts), strict=True))
        return values[ends[view] - len(self.views[view].controls) : ends[view]]
