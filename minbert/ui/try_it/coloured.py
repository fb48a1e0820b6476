"""Coloured words in Try it, as a view of the present question; the model isn't asked again."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from minbert.ui.engine import Engine
from minbert.ui.parts.coloured_words import SCRIPT, ByGradients
from minbert.ui.parts.colouring import (
    GradientsButton,
    Shown,
    build_button,
    button_events,
    exact_words,
    in_colour,
)
from minbert.ui.parts.events import PRIVATE
from minbert.ui.parts.steps import Press
from minbert.ui.question import Asked, Question

Outputs = dict[Any, Any]


@dataclasses.dataclass(frozen=True)
class ColouredPart:
    """The coloured words of the answer, and the button for poolings without an exact split."""

    words: gr.HTML
    button: GradientsButton


def build_coloured(engine: Engine) -> ColouredPart:
    """Build the part."""
    return ColouredPart(gr.HTML(elem_id="coloured-words"), build_button(engine, "colour"))


class ColouredView:
    """The part as a view of the present question."""

    controls: Sequence[Any] = ()

    def __init__(self, part: ColouredPart) -> None:
        """Bind the part."""
        self._words = part.words
        self.outputs = [part.words]

    def fill(self, found: Asked) -> Outputs:
        """Return the coloured words; those of the button were of another question."""
        return {self._words: exact_words(found)}

    def cleared(self) -> Outputs:
        """Return the part empty."""
        return {self._words: ""}


class Colouring:
    """The button's event, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def gradients(self, first: str, second: str, press: Press | None = None) -> Iterator[Shown]:
        """Add a line for each pooling without an exact split; tell how far it is."""

        def show(question: Question, others: Sequence[ByGradients]) -> str:
            return exact_words(self.engine.asked(question), others)

        yield from in_colour(self.engine, first, second, show, press)


def coloured_events(
    page: gr.Blocks, engine: Engine, texts: list[gr.Textbox], part: ColouredPart
) -> None:
    """Wire pointing at words, the button, and what stops it."""
    page.load(None, js=SCRIPT, **PRIVATE)
    button_events(part.button, texts, part.words, Colouring(engine).gradients)
