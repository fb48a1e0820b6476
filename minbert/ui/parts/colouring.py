"""Coloured words of the present answer: exact and free with it, or by gradients on a button."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from minbert.explain import IntegratedGradients, integrated_gradients
from minbert.explain.targets import EXPECTED
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.blocks import note_block, progress_block
from minbert.ui.parts.coloured_words import ByGradients, moods_block, pair_block
from minbert.ui.parts.events import KEPT_SECONDS, PRESSED, QUIET, pressed_until_typing
from minbert.ui.parts.refusal import asked
from minbert.ui.parts.steps import Done, Far, Press, Tell, in_steps
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Asked, Question

TEXTS = texts_of(__package__)
REFUSED = "Can't colour the words"
Shown = tuple[Any, ...]  # the coloured words, how far they are, the Stop button


@dataclasses.dataclass(frozen=True)
class GradientsButton:
    """The button that colours words under the poolings without an exact split, and its progress."""

    start: gr.Button
    stop: gr.Button
    progress: gr.HTML
    press: gr.State


def build_button(engine: Engine, name: str) -> GradientsButton:
    """Build the button, for models that have no exact split, where there are any.

    Args:
        engine: the models.
        name: what its parts' ids begin with.
    """
    names = [capital(engine.names[model]) for model in inexact(engine)]
    with gr.Row():
        start = gr.Button(
            f"Colour them under {' and '.join(names)} pooling",
            elem_id=f"{name}-gradients",
            visible=bool(names),
            scale=0,
            min_width=360,
        )
        stop = gr.Button("Stop", elem_id=f"{name}-stop", visible=False, scale=0, min_width=100)
        press = gr.State(Press(), time_to_live=KEPT_SECONDS)
    return GradientsButton(start, stop, gr.HTML(elem_id=f"{name}-progress"), press)


def inexact(engine: Engine) -> list[str]:
    """Return the short names of the models whose pooling has no exact split."""
    return [name for name, one in engine.answering.items() if one.config.pooling != "mean"]


def exact_words(found: Asked, others: Sequence[ByGradients] = ()) -> str:
    """Show what each word adds to the answer, exactly, and under `others` by gradients.

    Without an exact split it says what to do.
    """
    shown = exact_moods(found, others=others)
    return shown + exact_pair(found) if found.splits and found.second else shown


def exact_moods(found: Asked, names: str = "AB", others: Sequence[ByGradients] = ()) -> str:
    """Show what each word adds to the sentiment of A, of B or of both, as `names` has them."""
    if found.splits is None:
        return moods_block({}, [], others) if others else note_block(TEXTS["colour.no_split"])
    known = zip("AB", found.splits.moods, found.answer.sentiments, strict=False)
    kept = [each for each in known if each[0] in names]
    splits = {name: split for name, split, _ in kept}
    return moods_block(splits, [result for *_, result in kept], others)


def exact_pair(found: Asked) -> str:
    """Show which words of A and B their cosine comes from."""
    if found.splits is None:
        return note_block(TEXTS["colour.no_split"])
    if found.splits.similarity is None:
        return note_block(TEXTS["colour.too_long"])
    return pair_block(found.splits.similarity)


def by_gradients(engine: Engine, question: Question, tell: Tell) -> list[ByGradients]:
    """Return the words' numbers under each pooling without an exact split."""
    shown = []
    for name in inexact(engine):
        model, called = engine.answering[name], capital(engine.names[name])
        found: dict[str, IntegratedGradients] = {}
        for sentence, text in zip("AB", question.texts[: len(question.pieces)], strict=False):

            def told(done: int, whole: int, what: str = f"{called}, {sentence}") -> None:
                tell(Far(what, done, whole))

            found[sentence] = integrated_gradients(
                model, text, task="sentiment", target=EXPECTED, progress=told
            )
        shown.append(ByGradients(called, found, engine.answer(model, question).sentiments))
    return shown


def in_colour(
    engine: Engine,
    first: str,
    second: str,
    show: Callable[[Question, Sequence[ByGradients]], str],
    press: Press | None = None,
) -> Iterator[Shown]:
    """Colour the words under each pooling without an exact split; tell how far it is.

    Args:
        engine: the models.
        first: A.
        second: B, or empty.
        show: writes what was found.
        press: whose end is the end of this.
    """
    question = asked(engine, first, second, REFUSED)

    def work(tell: Tell) -> str:
        return show(question, by_gradients(engine, question, tell))

    press = press or Press()
    for step in in_steps(work, press.begin()):
        if isinstance(step, Done):
            yield step.value, "", gr.update(visible=False)
        else:
            yield gr.skip(), progress_block(step.told, step.share), gr.update(visible=True)
    if press.ended:
        yield gr.skip(), "", gr.update(visible=False)


def button_events(
    part: GradientsButton,
    texts: Sequence[gr.Textbox],
    words: gr.HTML,
    steps: Callable[[str, str, Press], Iterator[Shown]],
) -> None:
    """Wire the button, and what stops it: the other button, another text.

    Args:
        part: the button.
        texts: both sentences' boxes.
        words: what `steps` fills.
        steps: as `in_colour` yields.
    """
    inputs, told = [*texts, part.press], [part.progress, part.stop]
    noted, typed = pressed_until_typing(part.start, texts)
    part.start.click(steps, inputs, [words, *told], **noted, **PRESSED)
    gr.on([part.stop.click, typed], ended, part.press, told, queue=False, **QUIET)


def ended(press: Press) -> tuple[Any, ...]:
    """End a press; return its progress and its Stop button as they are with nothing under way."""
    press.end()
    return "", gr.update(visible=False)
