"""Coloured words in Try it: exact and free with the answer, or by gradients on a button."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from typing import Any

import gradio as gr

from minbert.explain import IntegratedGradients, integrated_gradients
from minbert.explain.targets import EXPECTED
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.blocks import note_block, progress_block
from minbert.ui.parts.coloured_words import SCRIPT, gradients_block, moods_block, pair_block
from minbert.ui.parts.events import MODEL_EVENTS, PRIVATE, QUIET
from minbert.ui.parts.refusal import asked
from minbert.ui.parts.steps import Done, Far, Tell, in_steps
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Asked, Question

TEXTS = texts_of(__package__)
REFUSED = "Can't colour the words"
Outputs = dict[Any, Any]
Shown = tuple[str, dict[str, Any]]  # the coloured words or how far they are, the Stop button


@dataclasses.dataclass(frozen=True)
class ColouredPart:
    """The coloured words of the answer, and of the models without an exact split."""

    exact: gr.HTML
    start: gr.Button
    stop: gr.Button
    gradients: gr.HTML

    @property
    def steps(self) -> list[gr.components.Component]:
        """List what the button's event fills."""
        return [self.gradients, self.stop]


def build_coloured(engine: Engine) -> ColouredPart:
    """Build the part; the button is for models that have no exact split, where there are any."""
    names = [capital(engine.names[name]) for name in inexact(engine)]
    exact = gr.HTML(elem_id="coloured-words")
    with gr.Row():
        start = gr.Button(
            f"Colour them under {' and '.join(names)} pooling",
            elem_id="colour-gradients",
            visible=bool(names),
            scale=0,
            min_width=260,
        )
        stop = gr.Button("Stop", elem_id="colour-stop", visible=False, scale=0, min_width=100)
    return ColouredPart(exact, start, stop, gr.HTML(elem_id="coloured-gradients"))


def inexact(engine: Engine) -> list[str]:
    """Return the short names of the models whose pooling has no exact split."""
    return [name for name, one in engine.answering.items() if one.config.pooling != "mean"]


def exact_words(found: Asked) -> str:
    """Show what each word adds to the answer; without an exact split say what to do."""
    if found.splits is None:
        return note_block(TEXTS["colour.no_split"])
    names = dict(zip("AB", found.splits.moods, strict=False))
    shown = moods_block(names, found.answer.sentiments)
    if found.splits.similarity is not None:
        shown += pair_block(found.splits.similarity)
    elif found.second:
        shown += note_block(TEXTS["colour.too_long"])
    return shown


class ColouredView:
    """The part as a view of the present question; the model isn't asked again."""

    controls: Sequence[Any] = ()

    def __init__(self, part: ColouredPart) -> None:
        """Bind the part."""
        self._part = part
        self.outputs = [part.exact, *part.steps]

    def fill(self, found: Asked) -> Outputs:
        """Return the coloured words; those of the button were of another question."""
        return dict(zip(self.outputs, (exact_words(found), *waiting()), strict=True))

    def cleared(self) -> Outputs:
        """Return the part empty."""
        return dict(zip(self.outputs, ("", *waiting()), strict=True))


def waiting() -> Shown:
    """Return what the button's part shows before it is pressed."""
    return "", gr.update(visible=False)


class Colouring:
    """The button's event, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def gradients(self, first: str, second: str) -> Iterator[Shown]:
        """Colour the words under each pooling without an exact split; tell how far it is."""
        question = asked(self.engine, first, second, REFUSED)
        for step in in_steps(lambda tell: self._found(question, tell)):
            if isinstance(step, Done):
                yield step.value, gr.update(visible=False)
            else:
                yield progress_block(step.told, step.share), gr.update(visible=True)

    def _found(self, question: Question, tell: Tell) -> str:
        shown = ""
        for name in inexact(self.engine):
            model, called = self.engine.answering[name], capital(self.engine.names[name])
            found: dict[str, IntegratedGradients] = {}
            for sentence, text in zip("AB", question.texts[: len(question.pieces)], strict=False):

                def told(done: int, whole: int, what: str = f"{called}, {sentence}") -> None:
                    tell(Far(what, done, whole))

                found[sentence] = integrated_gradients(
                    model, text, task="sentiment", target=EXPECTED, progress=told
                )
            results = self.engine.answer(model, question).sentiments
            shown += gradients_block(found, results, called)
        return shown


def coloured_events(
    page: gr.Blocks, engine: Engine, texts: list[gr.Textbox], part: ColouredPart
) -> None:
    """Wire pointing at words, the button, and the one that stops it."""
    page.load(None, js=SCRIPT, **PRIVATE)
    colouring = Colouring(engine)
    begun = part.start.click(colouring.gradients, texts, part.steps, **QUIET, **MODEL_EVENTS)
    part.stop.click(waiting, None, part.steps, cancels=[begun], **QUIET)
    part.exact.change(None, None, None, cancels=[begun], **QUIET)
