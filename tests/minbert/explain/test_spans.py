"""Beginnings and phrases: parts of the text itself, all of them, and never too many."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minbert.explain import beginnings, phrases
from minbert.predictor import Predictor
from tests.support import WORDS, redraw, tiny_model

PARTS = ("a", "film", " ", "  ", "\u200b", "漢", "😀", "[MASK]", "'", ".", "n't", "``", "-LRB-")
TEXTS = st.lists(st.sampled_from(PARTS), max_size=24).map("".join)


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    model = tiny_model(tmp_path_factory.mktemp("spans"), max_length=16)
    redraw(model, seed=1)
    return Predictor(model, "cpu")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("The film isn't bad.", ("The", "film", "isn't", "bad.")),
        ("  a\n film ", ("a", "film")),
        ("看電影 good", ("看", "電", "影", "good")),
        ("a [MASK]film", ("a", "[MASK]", "film")),
        ("good 🎬", ("good", "🎬")),
        ("\u200b a \u200b film", ("a \u200b", "film")),
        ("סרט טוב", ("סרט", "טוב")),
    ],
)
def test_words_are_the_text_s_own(predictor: Predictor, text: str, words: tuple[str, ...]) -> None:
    found = beginnings(predictor, text)
    assert found.words == words
    assert found.ends == tuple(range(1, len(words) + 1))
    assert found.skipped == 0


def test_the_last_beginning_and_the_longest_phrase_answer_as_the_text(predictor: Predictor) -> None:
    text = "the film is not good and the plot is dull"
    (whole,) = predictor.sentiment([text])
    read, all_of_them = beginnings(predictor, text), phrases(predictor, text)
    for found in (read.texts, all_of_them.texts):
        assert predictor.sentiment([found[-1]])[0] == whole
    assert read.texts[:3] == ("the", "the film", "the film is")
    assert all_of_them.texts[:2] == ("the", "film")
    assert all_of_them.places[-1] == (0, 10)
    assert len(all_of_them.texts) == len(set(all_of_them.places)) == 55


def test_a_long_text_is_read_at_even_steps_and_its_cut_is_counted(predictor: Predictor) -> None:
    found = beginnings(predictor, " ".join(WORDS[k % len(WORDS)] for k in range(2000)), most=5)
    assert len(found.words) == 14, "16 tokens with both marks"
    assert found.skipped == 1986
    assert found.ends == (3, 6, 9, 12, 14)
    some = phrases(predictor, "a film " * 50, most=4)
    assert (len(some.words), len(some.texts), some.skipped) == (4, 10, 96)


@given(text=TEXTS, most=st.integers(1, 6))
@settings(max_examples=60, deadline=None)
def test_parts_hold_for_any_text(predictor: Predictor, text: str, most: int) -> None:
    if not predictor.tokenizer.pieces([text])[0]:
        with pytest.raises(ValueError, match="something that the model reads"):
            beginnings(predictor, text)
        return
    read, some = beginnings(predictor, text, most), phrases(predictor, text, most)
    assert 1 <= len(read.texts) == len(read.ends) <= most
    assert read.ends[-1] == len(read.words)
    assert list(read.ends) == sorted(set(read.ends))
    assert all(text.startswith(part) for part in read.texts)
    count = len(some.words)
    assert count <= most
    assert len(some.texts) == count * (count + 1) // 2
    for (first, last), part in zip(some.places, some.texts, strict=True):
        assert part in text
        assert part.startswith(some.words[first])
        assert part.endswith(some.words[last - 1])
    assert all(predictor.tokenizer.pieces([part])[0] for part in (*read.texts, *some.texts))


@pytest.mark.parametrize("of", [beginnings, phrases])
def test_none_at_all_is_refused(predictor: Predictor, of: object) -> None:
    with pytest.raises(ValueError, match=r"`most` should be at least 1\. Found 0"):
        of(predictor, "a film", 0)  # type: ignore[operator]
