"""What a click on Answer does: one question, one event, the open tab filled.

A question is checked and tokenised once. The first view, that of the answers, is always filled;
every other one when it is open, or when it is opened.
"""

from __future__ import annotations

import dataclasses
import functools
import itertools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import gradio as gr

from minbert.ui.engine import Asked, Engine, InputError
from minbert.ui.parts.refusal import REFUSED, SECONDS

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


@dataclasses.dataclass(frozen=True)
class Place:
    """What one visitor's page shows: the open tab, and the texts that tabs were filled for."""

    tab: str
    filled: Mapping[str, tuple[str, str]] = dataclasses.field(default_factory=dict)


class Answering:
    """Answers what is typed, and fills views with it."""

    def __init__(
        self, engine: Engine, views: Mapping[str, View], current: gr.State, place: gr.State
    ) -> None:
        """Bind what was built.

        Args:
            engine: the models.
            views: by the name of their tab; the first one is open at first, and always filled.
            current: keeps the present question with its answer, one of the first view's outputs.
            place: keeps a `Place`.
        """
        self.engine, self.views, self.current, self.place = engine, views, current, place
        self.first = next(iter(views))

    @property
    def controls(self) -> list[Any]:
        """List what an answer depends on beside the texts: the place, each view's controls."""
        return [self.place, *(part for view in self.views.values() for part in view.controls)]

    @property
    def outputs(self) -> list[Any]:
        """List what an answer may fill."""
        return [*(part for view in self.views.values() for part in view.outputs), self.place]

    def answer(self, first: str, second: str, place: Place | None, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Answer the texts in the boxes; a refusal clears what was answered before."""
        place = Place(self.first if place is None else place.tab)
        try:
            question = self.engine.ask(first, second)
        except InputError as error:
            gr.Warning(str(error), SECONDS, title=REFUSED)
            cleared: Outputs = {self.place: place}
            for view in self.views.values():
                cleared |= view.cleared()
            return cleared
        asked = Asked(question, self.engine.answer(self.engine.mean, question))
        filled = self.views[self.first].fill(asked, *self.values_of(self.first, values))
        return {**filled, **self.fill(place, asked, values)}

    def open(self, tab: str, asked: Asked | None, place: Place | None, *values: Any) -> Outputs:  # noqa: ANN401 - of the controls
        """Remember which tab is open, and fill it unless it shows the present question already."""
        place = Place(tab, {} if place is None else place.filled)
        if asked is None or place.filled.get(tab) == asked.question.texts:
            return {self.place: place}
        return self.fill(place, asked, values)

    def opening(self, tab: str) -> Callable[..., Outputs]:
        """Return the event of a tab that is opened."""
        return functools.partial(self.open, tab)

    def fill(self, place: Place, asked: Asked, values: Sequence[Any]) -> Outputs:
        """Fill the open tab, where it is a view and not the first one."""
        if place.tab == self.first or place.tab not in self.views:
            return {self.place: place}
        filled = {**place.filled, place.tab: asked.question.texts}
        shown = self.views[place.tab].fill(asked, *self.values_of(place.tab, values))
        return {**shown, self.place: Place(place.tab, filled)}

    def values_of(self, tab: str, values: Sequence[Any]) -> Sequence[Any]:
        """Return the values of one view's controls out of those of all."""
        counts = [len(view.controls) for view in self.views.values()]
        ends = dict(zip(self.views, itertools.accumulate(counts), strict=True))
        return values[ends[tab] - len(self.views[tab].controls) : ends[tab]]
