"""A click is one question and one event: what is visible is filled, each model is asked once."""

from __future__ import annotations

import collections
import dataclasses
import functools
import math
from collections.abc import Callable
from typing import Any

import pytest

from minbert.ui.answering import Answering, Outputs, Place
from minbert.ui.attention.events import Studio
from minbert.ui.attention.masked_word import Extras
from minbert.ui.engine import Engine
from minbert.ui.parts.colouring import exact_words
from minbert.ui.pooling.events import Lab
from minbert.ui.question import Asked, Question
from minbert.ui.try_it.events import Handlers

A, B = "the cat sits in the garden", "a slow dog sleeps"


class Noted:
    """A view that notes what it was filled with."""

    def __init__(self, name: str, controls: int) -> None:
        self.controls = [f"{name}-control-{place}" for place in range(controls)]
        self.outputs = [f"{name}-shown"]
        self.seen: list[tuple[Any, ...]] = []

    def fill(self, asked: Asked, *values: Any) -> Outputs:  # noqa: ANN401 - of its controls
        self.seen.append((asked.question.texts, *values))
        return {self.outputs[0]: asked}

    def cleared(self) -> Outputs:
        return {self.outputs[0]: None}


@pytest.fixture
def views() -> dict[str, Noted]:
    return {"try": Noted("try", 2), "pooling": Noted("pooling", 0), "attention": Noted("maps", 3)}


@pytest.fixture
def answering(engine: Engine, views: dict[str, Noted]) -> Answering:
    return Answering(engine, views, "place")  # type: ignore[arg-type]


VALUES = (0.5, None, 1, 2, 3)  # of both controls of the first view, and of three of the last


def test_an_answer_fills_the_first_view_and_the_open_one(
    answering: Answering, views: dict[str, Noted]
) -> None:
    place = Place("attention")
    shown = answering.answer(A, B, place, *VALUES)
    assert views["try"].seen == [((A, B), 0.5, None)]
    assert views["attention"].seen == [((A, B), 1, 2, 3)]
    assert views["pooling"].seen == []
    assert shown.keys() == {"try-shown", "maps-shown", answering.place}
    assert shown[answering.place] is place
    for tab in ("try", "about"):
        answering.answer(A, "", Place(tab), *VALUES)
    assert len(views["try"].seen) == 3
    assert len(views["attention"].seen) == 1


def test_an_opened_tab_is_filled_once_for_a_question(
    answering: Answering, views: dict[str, Noted]
) -> None:
    place = Place("try")
    assert answering.open("pooling", place, *VALUES) == {answering.place: place}
    answering.open("try", place, *VALUES)
    answering.answer(A, B, place, *VALUES)
    for tab in ("pooling", "about", "pooling", "attention", "try"):
        answering.open(tab, place, *VALUES)
        assert place.tab == tab
    assert views["pooling"].seen == [((A, B),)]
    assert views["attention"].seen == [((A, B), 1, 2, 3)]
    assert len(views["try"].seen) == 1
    answering.answer(B, A, place, *VALUES)
    answering.open("pooling", place, *VALUES)
    assert views["pooling"].seen[-1] == ((B, A),)


def test_a_tab_opened_before_its_answer_is_there_shows_that_answer(
    answering: Answering, views: dict[str, Noted], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, fill = Place("try"), views["try"].fill

    def slow(asked: Asked, *values: Any) -> Outputs:  # noqa: ANN401 - of its controls
        answering.open("pooling", place, *VALUES)  # while the answer is under way
        return fill(asked, *values)

    answering.answer(A, B, place, *VALUES)
    monkeypatch.setattr(views["try"], "fill", slow)
    answering.answer(B, A, place, *VALUES)
    assert place.tab == "pooling"
    assert views["pooling"].seen == [((B, A),)]


def test_a_tab_filled_while_the_next_answer_comes_ends_with_that_one(
    answering: Answering, views: dict[str, Noted], monkeypatch: pytest.MonkeyPatch
) -> None:
    place, fill = Place("try"), views["pooling"].fill
    answering.answer(A, B, place, *VALUES)

    def slow(asked: Asked, *values: Any) -> Outputs:  # noqa: ANN401 - of its controls
        monkeypatch.setattr(views["pooling"], "fill", fill)
        place.asked = dataclasses.replace(asked, question=answering.engine.ask(B, A))
        return fill(asked, *values)

    monkeypatch.setattr(views["pooling"], "fill", slow)
    shown = answering.open("pooling", place, *VALUES)
    assert shown["pooling-shown"] is place.asked
    assert [texts for (texts,) in views["pooling"].seen] == [(A, B), (B, A)]


def test_a_view_that_fails_is_filled_when_it_is_opened_again(
    answering: Answering, views: dict[str, Noted], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = Place("try")
    answering.answer(A, B, place, *VALUES)

    def broken(asked: Asked, *_: Any) -> Outputs:  # noqa: ANN401 - of its controls
        raise RuntimeError(asked.question.texts)

    with monkeypatch.context() as patch:
        patch.setattr(views["pooling"], "fill", broken)
        with pytest.raises(RuntimeError):
            answering.open("pooling", place, *VALUES)
    answering.open("pooling", place, *VALUES)
    assert views["pooling"].seen == [((A, B),)]


def test_what_a_visit_keeps_can_be_compared(engine: Engine) -> None:
    """Gradio hashes a state to see whether it changed."""
    question = engine.ask(A, B)
    asked = engine.asked(question)
    assert asked.splits is not None
    assert asked == dataclasses.replace(asked, splits=None)
    assert hash(asked) == hash(dataclasses.replace(asked))


@pytest.mark.parametrize("second", [B, ""])
def test_the_answer_s_own_pass_gives_what_each_word_adds(engine: Engine, second: str) -> None:
    question = engine.ask(A, second)
    asked, plain = engine.asked(question), engine.answer(engine.mean, question)
    assert asked.splits is not None
    for result, wanted, mood in zip(
        asked.answer.sentiments, plain.sentiments, asked.splits.moods, strict=True
    ):
        assert result.probabilities == pytest.approx(wanted.probabilities, abs=1e-6)
        lean = sum((k - 2) * math.log(p) for k, p in enumerate(result.probabilities))
        assert sum(mood.leaning.values) + mood.leaning.bias == pytest.approx(lean, abs=1e-5)
        assert mood.leaning.total == pytest.approx(lean, abs=1e-5)
    assert (asked.splits.similarity is None) == (asked.answer.pair is None) == (not second)
    if plain.pair is not None and asked.answer.pair is not None:
        assert dataclasses.astuple(asked.answer.pair) == pytest.approx(
            dataclasses.astuple(plain.pair), abs=1e-5
        )
        assert asked.splits.similarity is not None
        assert asked.splits.similarity.raw == pytest.approx(plain.pair.siamese, abs=1e-5)


def test_a_model_without_an_exact_split_is_answered_alike(engine: Engine) -> None:
    other = Engine(engine.cls)
    question = other.ask(A, B)
    asked = other.asked(question)
    assert asked == Asked(question, other.answer(other.mean, question))
    assert asked.splits is None


def test_a_refusal_clears_what_was_answered(answering: Answering, views: dict[str, Noted]) -> None:
    place = Place("pooling")
    answering.answer(A, B, place, *VALUES)
    with pytest.warns(UserWarning, match="Sentence A is empty"):
        shown = answering.answer(" ", B, place, *VALUES)
    assert shown == {
        **{view.outputs[0]: None for view in views.values()},
        answering.place: place,
    }
    assert (place.tab, place.asked, place.filled) == ("pooling", None, {})


def counted(
    calls: collections.Counter[str],
    name: str,
    real: Callable[..., object],
    *given: object,
    **more: object,
) -> object:
    calls[name] += 1
    return real(*given, **more)


def test_each_model_is_asked_once(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: collections.Counter[str] = collections.Counter()
    for name, predictor in (("mean", engine.mean), ("cls", engine.cls)):
        for work in ("pooled", "hidden", "maps"):
            real = getattr(predictor.backend, work)

            noted = functools.partial(counted, calls, f"{name} {work}", real)
            monkeypatch.setattr(predictor.backend, work, noted)
    question = engine.ask(A, B)
    asked = engine.asked(question)
    Handlers(engine).show(asked, 0.5, None)
    assert exact_words(asked)
    assert calls == {"mean hidden": 1, "cls pooled": 1}
    calls.clear()
    engine.answer(engine.mean, question)
    assert calls == {"mean pooled": 1}, "who wants no words gets none"
    calls.clear()
    Lab(engine).compare(asked.question, asked)
    assert calls == {"mean hidden": 1, "cls hidden": 1}
    calls.clear()
    Extras(Studio(engine)).refresh(A, B, "A and B together", 1, 1, "mean")
    assert calls == {"mean maps": 1}


def test_what_is_typed_is_answered_once(answering: Answering, views: dict[str, Noted]) -> None:
    place = Place("try")
    shown = answering.live(A, B, place, *VALUES)
    assert shown["try-shown"] is place.asked
    assert answering.live(f" {A} ", B, place, *VALUES) == {answering.place: place}
    assert len(views["try"].seen) == 1


@pytest.mark.filterwarnings("error")  # a refusal would be a toast, which is a warning here
def test_what_is_typed_and_can_t_be_answered_clears_without_a_word(
    answering: Answering, views: dict[str, Noted]
) -> None:
    place = Place("try")
    answering.live(A, B, place, *VALUES)
    shown = answering.live(" ", B, place, *VALUES)
    assert shown == {**{view.outputs[0]: None for view in views.values()}, answering.place: place}
    assert place.asked is None


@pytest.mark.parametrize("newer", [(B, A), ("", "")])
def test_an_old_answer_never_stands_over_a_newer_text(
    answering: Answering,
    views: dict[str, Noted],
    monkeypatch: pytest.MonkeyPatch,
    newer: tuple[str, str],
) -> None:
    place, answered = Place("try"), Engine.asked

    def slow(engine: Engine, question: Question) -> Asked:
        monkeypatch.setattr(Engine, "asked", answered)
        answering.live(*newer, place, *VALUES)  # while the older answer is under way
        return answered(engine, question)

    monkeypatch.setattr(Engine, "asked", slow)
    assert answering.answer(A, B, place, *VALUES) == {answering.place: place}
    assert [texts for texts, *_ in views["try"].seen] == ([newer] if newer[0] else [])
    assert (place.asked is None) is (not newer[0])
