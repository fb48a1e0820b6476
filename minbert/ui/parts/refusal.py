"""Refusals: why something can't be answered, as the visitor reads it."""

from __future__ import annotations

import gradio as gr

from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from minbert.ui.question import InputError, Question

REFUSED = "Can't answer this"
SECONDS = 8  # so long the page shows it


def refusal(
    message: str, title: str = "Error", *, visible: bool = True, field: str | None = None
) -> gr.Error:
    """Return the error to raise for something typed or chosen that can't be answered.

    Gradio prints a raised error with its traceback unless it is told not to. A server's log should
    keep nothing of what people type, and these messages quote it.

    Args:
        message: the rule, what was found, what to do.
        title: stands above the message on the page.
        visible: False ends an event without a word on the page.
        field: the endpoint's input that it is about, which /v1 names.
    """
    error = gr.Error(message, SECONDS, visible, title, print_exception=False)
    error.field = field
    return error


def asked(engine: Engine, first: str | None, second: str | None, title: str = "Error") -> Question:
    """Return both texts as a question.

    Raises:
        gr.Error: a text that can't be answered, in words.
    """
    try:
        return engine.ask(first, second)
    except InputError as error:
        raise refusal(str(error), title=title, field=error.field) from error


def asked_pair(
    engine: Engine, first: str | None, second: str | None, alone: str, title: str = "Error"
) -> tuple[str, str]:
    """Return both texts, ready for the models.

    Raises:
        gr.Error: a text that can't be answered, in words; without B the words are `alone`.
    """
    question = asked(engine, first, second, title)
    if not question.second:
        raise refusal(alone, title=title, field="second")
    return question.texts


def second_model(engine: Engine) -> Predictor:
    """Return the model that the first one is compared with.

    Raises:
        gr.Error: the page was started with one model; the words say how to start it with two.
    """
    try:
        return engine.cls
    except InputError as error:
        raise refusal(str(error), title="Nothing to compare") from error
