"""As you read, and every phrase: what is shown is what typing each part would answer."""

from __future__ import annotations

import plotly.graph_objects as go
import pytest

from minbert.explain import Beginnings, phrases
from minbert.ui.engine import Engine
from minbert.ui.try_it.phrases import SIGNS, PhrasesView, phrases_block
from minbert.ui.try_it.reading import Curve, Read, ReadingPart, ReadingView, most_read, turn
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import read

A, B = "the film is not good", "a slow dog sleeps"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("engine"))


def reading(engine: Engine) -> ReadingView:
    return ReadingView(ReadingPart(("A words", "A plot"), ("B words", "B plot")), engine)  # type: ignore[arg-type]


def starts(text: str) -> list[str]:
    words = text.split()
    return [" ".join(words[: k + 1]) for k in range(len(words))]


def test_each_point_is_what_typing_the_beginning_answers(engine: Engine) -> None:
    shown = reading(engine).fill(engine.asked(engine.ask(A, B)))
    mood, likeness = (shown[f"{name} plot"] for name in "AB")
    assert isinstance(mood, go.Figure)
    for name, (line, other) in zip(
        engine.answering, zip(mood.data, likeness.data, strict=True), strict=True
    ):
        model = engine.answering[name]
        wanted = [result.expected for result in model.sentiment(starts(A))]
        assert list(line.y) == pytest.approx(wanted, abs=0.001)
        pairs = [model.pairs([(A, part)])[0].score for part in starts(B)]
        assert list(other.y) == pytest.approx(pairs, abs=0.001)
        assert (line.name, other.name) == (engine.names[name],) * 2
    rows = read(shown["A words"]).rows
    assert [row[0] for row in rows] == A.split()
    assert [float(row[1]) for row in rows] == pytest.approx(mood.data[0].y, abs=0.006)


def test_without_b_and_with_one_model_there_is_one_line(engine: Engine) -> None:
    alone = Engine(engine.mean)
    shown = reading(alone).fill(alone.asked(alone.ask(A, "")))
    assert len(shown["A plot"].data) == 1
    assert (shown["B words"], shown["B plot"]) == ("", None)
    cleared = reading(alone).cleared()
    assert cleared.keys() == shown.keys()
    assert not any(cleared.values())


def test_a_long_text_says_where_it_was_looked_at(engine: Engine) -> None:
    shown = reading(engine).fill(engine.asked(engine.ask("good film " * 500, "")))
    (note, *_) = read(shown["A words"]).finding.notes
    assert note == (
        "At 40 evenly spaced words of 46. The model doesn't read the last 954 words of A."
    )
    assert len(shown["A plot"].data[0].x) == 40


@pytest.mark.parametrize(("tokens", "most"), [(1, 40), (50, 40), (64, 31), (400, 8)])
def test_fewer_beginnings_of_a_long_text_are_read(tokens: float, most: int) -> None:
    assert most_read(tokens) == most


def curve(*values: float, name: str = "mean") -> Curve:
    return Curve(name, values, ("",) * len(values))


@pytest.mark.parametrize(
    ("curves", "told"),
    [
        ([curve(2.0, 3.1, 1.4)], "“but” turns it: 3.1 → 1.4 with mean pooling"),
        (
            [curve(2.0, 3.1, 1.4), curve(1.0, 3.0, 2.5, name="CLS")],
            "“but” turns it: 3.1 → 1.4 with mean pooling; “good” turns it: 1.0 → 3.0 with CLS "
            "pooling",
        ),
        (
            [curve(2.0, 2.1, 2.2)],
            "No single word turns the rating: it ends at 2.2 with mean pooling",
        ),
    ],
)
def test_the_turn_is_found(curves: list[Curve], told: str) -> None:
    text = Beginnings(("so", "(good", "but,"), (1, 2, 3), ("so", "so good", "so good but"), 0)
    assert turn(Read(text, {one.name: one for one in curves}), "rating") == told


def test_each_cell_is_what_typing_the_phrase_answers(engine: Engine) -> None:
    view = PhrasesView("place", engine)  # type: ignore[arg-type]
    (html,) = view.fill(engine.asked(engine.ask(A, B))).values()
    page = read(html)
    rows = page.find("div", "mb-phrase-row")
    words = A.split()
    assert [len(row.find("button")) for row in rows] == [1, 2, 3, 4, 5]
    for size, row in zip(range(5, 0, -1), rows, strict=True):
        cells = row.find("button")
        texts = [cell.attributes["data-text"] for cell in cells]
        assert texts == [" ".join(words[k : k + size]) for k in range(len(cells))]
        for cell, result in zip(cells, engine.mean.sentiment(texts), strict=True):
            told = f"“{cell.attributes['data-text']}”: {result.label}, {result.expected:.1f}"
            assert cell.attributes["aria-label"] == told
            place = result.probabilities.index(max(result.probabilities))
            assert (cell.text, f"mb-phrase-{place}" in cell.classes) == (SIGNS[place], True)
    assert [cell.attributes["tabindex"] for cell in page.find("button")].count("0") == 1
    ratings = [float(row[1]) for row in page.rows]
    assert ratings == sorted(ratings, reverse=True)
    assert len(ratings) == 10
    assert page.numbers[:2] == [f"{ratings[0]:.1f}", f"{ratings[-1]:.1f}"]


def test_a_long_text_says_that_its_first_words_are_looked_at(engine: Engine) -> None:
    found = phrases(engine.mean, "good film " * 1000)
    html = phrases_block(found, engine.mean.sentiment(found.texts))
    assert read(html).texts("p", "mb-note")[0] == "The first 20 words; 1,980 more are left out."
    assert len(read(html).find("button")) == 210


@pytest.mark.parametrize("text", ["看電影", "😀 🎬", "סרט טוב", "x" * 300, "[MASK] film", "good"])
def test_texts_of_all_kinds_are_shown(engine: Engine, text: str) -> None:
    asked = engine.asked(engine.ask(text, ""))
    (html,) = PhrasesView("place", engine).fill(asked).values()  # type: ignore[arg-type]
    assert read(html).find("button")[0].attributes["data-text"] == text
    shown = reading(engine).fill(asked)
    assert read(shown["A words"]).finding.title
