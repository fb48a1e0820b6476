"""Coloured words: the numbers add up to the answer, and every tint can be read."""

from __future__ import annotations

import dataclasses
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minbert.ui
from minbert.explain import integrated_gradients
from minbert.explain.splits import split_sentiment, split_similarity
from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from minbert.ui.parts.coloured_words import (
    STEPS,
    ByGradients,
    Line,
    coloured,
    moods_block,
    pair_block,
    rating_from,
    spaced,
)
from minbert.ui.theme import theme
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import Element, numbers_in, read

A, B = "the film is not good", "a slow dog sleeps"
STYLE = (Path(minbert.ui.__file__).parent / "style.css").read_text(encoding="utf-8")
TINTS = ("lifts", "lowers", "alike", "shares")


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("engine"))


def number(told: str) -> float:
    return float(told.replace("−", "-"))


def words_of(html: str) -> list[list[Element]]:
    """Return the words of each sentence."""
    return [one.find("span", "mb-word") for one in read(html).find(css="mb-sentence")]


def test_the_words_and_the_bias_add_up_to_the_answer(engine: Engine) -> None:
    splits = {name: split_sentiment(engine.mean, text) for name, text in (("A", A), ("B", B))}
    page = read(moods_block(splits, engine.mean.sentiment([A, B])))
    for name, split in splits.items():
        rows = [row for row in page.rows if row[0].endswith(f"({name})")]
        *parts, total = (number(row[1]) for row in rows)
        assert sum(parts) == pytest.approx(total, abs=0.0005 * len(rows))
        assert total == pytest.approx(split.leaning.total, abs=0.0005)
        assert rows[0][0] == f"[CLS] ({name})"


def test_tints_share_one_scale_and_numbers_have_their_sign(engine: Engine) -> None:
    splits = {name: split_sentiment(engine.mean, text) for name, text in (("A", A), ("B", B))}
    sentences = words_of(moods_block(splits, engine.mean.sentiment([A, B])))
    assert [[word.text for word in words] for words in sentences] == [A.split(), B.split()]
    values = [list(split.leaning.values[1:-1]) for split in splits.values()]
    limit = max(abs(value) for numbers in values for value in numbers)
    for words, numbers in zip(sentences, values, strict=True):
        for word, value in zip(words, numbers, strict=True):
            assert float(word.attributes["data-own"]) == pytest.approx(value / limit, abs=0.001)
            assert ("mb-less" in word.classes) == (value < 0)
            label, told = word.attributes["aria-label"].split(": ")
            assert (label, number(told)) == (word.text, pytest.approx(value, abs=0.005))
        assert [word.attributes["tabindex"] for word in words].count("0") == 1


def test_a_pair_holds_every_number_of_the_split(engine: Engine) -> None:
    split = split_similarity(engine.mean, A, B)
    first, second = words_of(pair_block(split))
    inner = split.matrix[1:-1, 1:-1]
    held = [[int(one) for one in word.attributes["data-with"].split(",")] for word in first]
    assert held == (inner / inner.abs().max() * STEPS).round().int().tolist()
    assert [len(first), len(second)] == list(inner.shape)
    for word, row in zip(first, inner, strict=True):
        assert f"“{second[int(row.argmax())].text}”" in word.attributes["aria-label"]
    assert not any("data-with" in word.attributes for word in second)


def by_gradients(engine: Engine, *texts: str) -> ByGradients:
    found = {
        name: integrated_gradients(engine.cls, text, task="sentiment", target="expected", steps=8)
        for name, text in zip("AB", texts, strict=False)
    }
    return ByGradients("CLS", found, engine.cls.sentiment(list(texts)))


def test_gradients_tell_their_method_and_what_they_add_up_to(engine: Engine) -> None:
    other = by_gradients(engine, A)
    html = moods_block({}, [], [other])
    page = read(html)
    assert page.texts("p", "mb-line") == ["CLS pooling, integrated gradients"]
    assert [word.text for word in words_of(html)[0]] == A.split()
    (line,) = [text for text in page.texts("li") if text.startswith("A, CLS: ")]
    total, baseline, summed, rating = (number(one) for one in numbers_in(line))
    assert summed == pytest.approx(total + baseline, abs=0.011)
    assert rating == pytest.approx(other.found["A"].value, abs=0.006)


def test_both_poolings_stand_under_each_other(engine: Engine) -> None:
    texts = {"A": A, "B": B}
    splits = {name: split_sentiment(engine.mean, text) for name, text in texts.items()}
    other = by_gradients(engine, A, B)
    html = moods_block(splits, engine.mean.sentiment([A, B]), [other])
    page, sentences = read(html), words_of(html)
    assert [[word.text for word in words] for words in sentences] == [
        A.split(),
        A.split(),
        *(B.split(), B.split()),
    ]
    assert [label.partition(" ")[0] for label in page.texts("p", "mb-line")] == ["mean", "CLS"] * 2
    exact, gradients = (
        [words[0].attributes["aria-label"] for words in sentences[k::2]] for k in (0, 1)
    )
    for name, one, other_told in zip("AB", exact, gradients, strict=True):
        values = splits[name].leaning.values[1], other.found[name].first.values[0]
        for told, order in ((one, (0, 1)), (other_told, (1, 0))):
            numbers = [number(each) for each in numbers_in(told)]
            assert numbers == pytest.approx([values[k] for k in order], abs=0.005)
    largest = [
        max(abs(float(word.attributes["data-own"])) for words in sentences[k::2] for word in words)
        for k in (0, 1)
    ]
    assert largest == [1.0, 1.0], "each way of counting has its own scale"


def test_a_share_has_no_side_and_a_word_not_tried_no_number() -> None:
    lines = [
        Line("A", [("good", 0.5), ("film", -0.25)], label="one"),
        Line("A", [("good", 0.75)], label="two", shares=True),
    ]
    html = coloured(lines)
    told = [[word.attributes["aria-label"] for word in words] for words in words_of(html)]
    assert told == [
        ["good: +0.50 (one); two 0.75", "film: −0.25"],
        ["good: 0.75 (two); one +0.50"],
    ]
    assert len(read(html).find(css="mb-shares")) == 1


@given(text=st.text(min_size=1, max_size=30))
@settings(max_examples=40, deadline=None)
def test_any_text_is_shown_whole(engine: Engine, text: str) -> None:
    if not engine.mean.tokenizer.pieces([text])[0]:
        return
    split = split_sentiment(engine.mean, text)
    (words,) = words_of(moods_block({"A": split}, engine.mean.sentiment([text])))
    assert [word.text for word in words] == list(split.words.labels[1:-1])
    assert all(0 <= float(word.attributes["style"].removeprefix("--s:")) <= 1 for word in words)
    assert split.leaning.total == pytest.approx(
        sum(split.leaning.values) + split.leaning.bias, abs=1e-4
    )


@pytest.mark.parametrize(
    ("total", "expected", "told"),
    [
        (0.5, 3.1, "so the rating, 3.1 of 4, lies above the middle"),
        (-0.5, 1.2, "so the rating, 1.2 of 4, lies below the middle"),
        (0.1, 1.9, "yet the rating, 1.9 of 4, lies below the middle"),
    ],
)
def test_the_rating_follows_from_the_sum_in_words(total: float, expected: float, told: str) -> None:
    assert rating_from(total, expected) == told


@pytest.mark.parametrize(
    ("labels", "text"),
    [
        (["good", ",", "not", "(", "bad", ")", "."], "good, not (bad)."),
        (["don", "'", "t"], "don't"),
        (["看", "電", "影", "good"], "看電影 good"),
    ],
)
def test_spaces_stand_where_a_writer_puts_them(labels: list[str], text: str) -> None:
    assert "".join(" " * spaced(labels, k) + word for k, word in enumerate(labels)) == text


def hue(name: str) -> str:
    """Return a colour of the theme as it is in the end."""
    given = theme()
    value = getattr(given, name)
    dark = "_dark" if name.endswith("_dark") else ""
    while value.startswith("*"):
        value = getattr(given, value[1:] + dark, None) or getattr(given, value[1:])
    return {"white": "#ffffff"}.get(value, value)


def channels(colour: str) -> list[float]:
    return [int(colour[k : k + 2], 16) / 255 for k in (1, 3, 5)]


def luminance(rgb: list[float]) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in rgb]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[float], other: list[float]) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True])
@pytest.mark.parametrize("tint", TINTS)
def test_text_on_every_tint_has_the_contrast_of_aa(tint: str, dark: bool) -> None:
    light, in_dark = re.findall(rf"--mb-{tint}: (#[0-9A-F]{{6}})", STYLE)
    colour, end = channels(in_dark if dark else light), "_dark" if dark else ""
    text = channels(hue(f"body_text_color{end}"))
    for page in ("background_fill_primary", "block_background_fill"):
        below = channels(hue(page + end))
        for share in range(101):
            mixed = [
                share / 100 * a + (1 - share / 100) * b for a, b in zip(colour, below, strict=True)
            ]
            assert contrast(text, mixed) >= 4.5, (page, share)
        assert contrast(colour, below) >= 1.5, "a full tint is seen"


def test_the_split_is_exact_on_the_shipped_model() -> None:
    folder = Path(minbert.ui.__file__).parents[2] / "assets" / "models" / "mean"
    engine = Engine(Predictor.from_pretrained(folder, "cpu"))
    question = engine.ask("A slow start, but the ending is wonderful.", "It ends well.")
    asked = engine.asked(question)
    assert asked.splits is not None
    assert asked.splits.similarity is not None
    for split, result in zip(asked.splits.moods, asked.answer.sentiments, strict=True):
        lean = sum((k - 2) * math.log(p) for k, p in enumerate(result.probabilities))
        assert sum(split.leaning.values) + split.leaning.bias == pytest.approx(lean, abs=1e-5)
    assert asked.splits.similarity.residual < 1e-5
    assert dataclasses.replace(asked, splits=None) == asked
