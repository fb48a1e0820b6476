"""Quick edits: which words are offered, what an edit makes of the texts, pin and undo with it."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from minbert.answers import SentimentResult
from minbert.text import MASK, normalise
from minbert.ui.engine import Engine
from minbert.ui.question import Answer, Asked, InputError, Question
from minbert.ui.try_it.edits import (
    MOST_STEPS,
    MOST_WORDS,
    Edits,
    Step,
    choices_of,
    edited,
    spans_of,
)
from tests.read_html import numbers_in

ANSWER = Answer((SentimentResult((0.1, 0.1, 0.1, 0.1, 0.6)),), None)
A, B = "The film is good.", "A dull story, sadly."


def asked(first: str = A, second: str = B) -> Asked:
    return Asked(Question(first, second, (), ()), ANSWER)


@pytest.fixture
def edits(engine: Engine) -> Edits:
    return Edits(engine)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The film is good.", ["The", "film", "is", "good"]),
        ("“Don't!” she said, well-known…", ["Don't", "she", "said", "well-known"]),
        ("'quoted' words' -- and--so on", ["quoted", "words", "and--so", "on"]),
        ("film,story;plot (a/b)", ["film", "story", "plot", "a", "b"]),
        ("At 3:30 it cost $1,000.50.", ["At", "3:30", "it", "cost", "$1,000.50"]),
        ("a [MASK] film, un[MASK]able", ["a", "[MASK]", "film", "un", "[MASK]", "able"]),
        ("[mask] [SEP] <b>x</b>", ["mask", "SEP", "b", "x", "b"]),
        ("שלום, 日本語 हिन्दी café", ["שלום", "日本語", "हिन्दी", "café"]),
        ("fine 🎬🎉!", ["fine", "🎬🎉"]),
        ("good\u200b \u200b *bold* _it_ ``so''", ["good", "bold", "it", "so"]),
        ("?! ... - '' \u200e", []),
        ("", []),
    ],
)
def test_words_are_found_without_the_marks_around_them(text: str, words: list[str]) -> None:
    spans = spans_of(text)
    assert [span.word for span in spans] == words
    assert all(text[span.start : span.end] == span.word for span in spans)


def test_a_long_text_offers_its_first_words() -> None:
    choices = choices_of("B", "word " * 10_000)
    assert choices == [("word", f"B{place} word") for place in range(MOST_WORDS)]


def test_the_chosen_word_alone_is_replaced() -> None:
    assert edited(A, B, "A3 good", " very \n good ") == ("The film is very good.", B)
    assert edited(A, B, "B2 story", "film") == (A, "A dull film, sadly.")
    assert edited("good good good", "", "A1 good", "bad") == ("good bad good", "")
    assert edited(A, B, "A1 film", MASK) == ("The [MASK] is good.", B)


@pytest.mark.parametrize(
    ("first", "choice", "wanted", "said"),
    [
        (A, None, "bad", "No word is chosen"),
        (A, "A3 good", " \n ", "The replacement is empty"),
        (A, "A3 good", "good", "“good” stands there already"),
        ("a [MASK]", f"A1 {MASK}", MASK, "hidden already"),
        ("A film.", "A3 good", "bad", "Sentence A has changed since"),
        ("The film is bad.", "A3 good", "fine", "Sentence A has changed since"),
        (A, "B9 good", "bad", "Sentence B has changed since"),
    ],
)
def test_an_edit_that_cannot_be_says_why(
    first: str, choice: str | None, wanted: str, said: str
) -> None:
    with pytest.raises(InputError, match=said):
        edited(first, B, choice, wanted)


def offered(edits: Edits, now: Asked, steps: tuple[Step, ...]) -> tuple[Any, ...]:
    return edits.offer(now, steps)


def test_the_words_of_an_answer_are_offered_and_nothing_can_be_undone(edits: Edits) -> None:
    first, second, undo, steps = offered(edits, asked(), ())
    words = ["The", "film", "is", "good"]
    assert first["choices"] == [(word, f"A{place} {word}") for place, word in enumerate(words)]
    assert first["label"] == "Words of A"
    assert [value for _, value in second["choices"]] == ["B0 A", "B1 dull", "B2 story", "B3 sadly"]
    assert first["value"] is second["value"] is None
    assert second["visible"] is True
    assert undo["interactive"] is False
    assert steps == (Step(A, B),)
    alone = offered(edits, asked(second=""), steps)
    assert alone[1]["visible"] is False
    assert alone[3] == (Step(A, ""),), "another text: there is nothing to return to"
    long = offered(edits, asked(first="word " * 70), ())
    assert long[0]["label"] == f"Words of A (the first {MOST_WORDS})"
    assert offered(edits, asked(first="?!"), ())[0]["label"] == "Words of A: none"


def test_an_edit_pins_what_was_answered_and_keeps_the_word_chosen(edits: Edits) -> None:
    before = asked()
    first, second, pinned, steps = edits.replace(
        *(A, B, "A3 good", None, "bad", before, None, (Step(A, B),))
    )
    assert (first, second) == ("The film is bad.", B)
    assert pinned == before
    now = offered(edits, asked(first), steps)
    assert now[0]["value"] == "A3 bad"
    assert now[1]["value"] is None
    assert now[2]["interactive"] is True
    assert edits.undo(pinned, steps) == (A, B, None, steps[:-1])
    again = offered(edits, before, steps[:-1])
    assert again[0]["value"] == "A3 good"
    assert again[2]["interactive"] is False


def test_a_pin_of_the_visitor_stays_through_edits_and_undo(edits: Edits) -> None:
    own = asked("Something else.")
    first, _, pinned, steps = edits.mask(A, B, None, "B1 dull", asked(), own, (Step(A, B),))
    assert pinned is own
    assert steps[-1].texts == (A, "A [MASK] story, sadly.")
    assert offered(edits, asked(*steps[-1].texts), steps)[1]["value"] == "B1 [MASK]"
    assert edits.undo(pinned, steps)[:3] == (A, B, own)
    _, _, pinned, steps = edits.mask(A, B, "A1 film", None, asked(), None, ())
    assert pinned == asked()
    assert edits.undo(own, steps)[2] is own, "pinned after the edit"
    _, _, pinned, steps = edits.mask(A, B, "A1 film", None, asked(), asked(), ())
    assert edits.undo(pinned, steps)[2] == asked(), "the very answer, pinned before the edit"
    assert first == A


def test_edits_are_undone_one_by_one_with_what_was_typed_between(edits: Edits) -> None:
    typed = A + " Really."
    before = asked()
    one = edits.replace(typed + " ", B, "A3 good", None, "bad", before, None, (Step(A, B),))
    assert one[0] == "The film is bad. Really."
    two = edits.replace(one[0], B, "A1 film", None, "story", asked(one[0]), one[2], one[3])
    assert two[0] == "The story is bad. Really."
    assert two[2] is one[2]
    back = edits.undo(two[2], two[3])
    assert back[:3] == (one[0], B, before)
    assert edits.undo(back[2], back[3])[:3] == (typed, B, None)


def test_a_wrong_edit_changes_nothing_and_is_told(edits: Edits) -> None:
    with pytest.raises(gr.Error, match="No word is chosen"):
        edits.mask(A, B, None, None, asked(), None, ())
    with pytest.raises(gr.Error, match="changed since it was answered"):
        edits.mask("The film was good.", B, "A2 is", None, asked(), None, ())
    answered = asked("The film was good.")  # while one typed on
    with pytest.raises(gr.Error, match="changed since it was answered"):
        edits.mask("The film was good.", B, "A2 is", None, answered, None, ())
    with pytest.raises(gr.Error, match="only invisible"):
        edits.replace("good", B, "A0 good", None, "\u200b\u200e", asked("good"), None, ())
    with pytest.raises(gr.Error, match="no quick edit to undo"):
        edits.undo(None, (Step(A, B),))


def test_no_model_is_asked_and_steps_have_an_end(
    edits: Edits, monkeypatch: pytest.MonkeyPatch
) -> None:
    def asks(*_: object, **__: object) -> None:
        raise AssertionError("an edit asks no model")

    for name in ("pooled", "hidden", "attention"):
        monkeypatch.setattr(type(edits.engine.mean), name, asks)
    text, pinned, steps = "good", None, ()
    for place in range(MOST_STEPS + 20):
        now = asked(text)
        *_, steps = offered(edits, now, steps)
        text, _, pinned, steps = edits.replace(
            text, B, f"A0 {text}", None, f"word{place}", now, pinned, steps
        )
    assert len(steps) == MOST_STEPS + 1
    assert text == f"word{MOST_STEPS + 19}"


def test_a_masked_word_is_one_mask_token_for_the_model(edits: Edits) -> None:
    tokenizer = edits.engine.mean.tokenizer
    after = edits.mask(
        "The films, zeal.", B, "A1 films", None, asked("The films, zeal."), None, ()
    )[0]
    assert after == normalise(after) == "The [MASK], zeal."
    (pieces,) = tokenizer.pieces([after])
    assert tokenizer.tokens(pieces)[:3] == ["the", "[MASK]", ","]
    assert numbers_in(edits.engine.ask(after, "").notices[0])[1:] == ["1"], "hidden from it"
    assert len(numbers_in(edits.engine.ask("the mask", "").notices[0])) == 1
