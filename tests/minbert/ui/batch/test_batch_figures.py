"""A labelled batch's figures hold the scores' numbers; words and tables say the same."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.batch import BatchScores, BatchTable, RowAnswer, read_batch, score_batch
from minbert.ui.batch import findings, tables
from minbert.ui.batch.figures import (
    MOST_POINTS,
    confusion_figure,
    reliability_figure,
    scatter_figure,
    thinned,
)
from minbert.ui.parts.colours import TASK_COLOURS

HOSTILE = "<img src=x onerror=alert(1)>"


def sure_of(rating: int, sure: float) -> SentimentResult:
    rest = (1 - sure) / 4
    return SentimentResult(tuple(sure if place == rating else rest for place in range(5)))


def pair(paraphrase: float, similarity: float) -> PairResult:
    return PairResult(paraphrase, paraphrase, similarity, similarity, similarity, similarity)


def sentences(labels: Sequence[str]) -> BatchTable:
    rows = "".join(f"row {place} {HOSTILE}\t{label}\n" for place, label in enumerate(labels))
    return read_batch("sentence\tsentiment\n" + rows)


def pairs(target: str, labels: Sequence[float]) -> BatchTable:
    rows = "".join(f"{HOSTILE}\tB {place}\t{label}\n" for place, label in enumerate(labels))
    return read_batch(f"sentence1\tsentence2\t{target}\n{rows}")


FIVE = sentences(["4", "4", "0", "2", ""])
FIVE_ANSWERS: list[RowAnswer] = [
    *(sure_of(4, 0.95), sure_of(3, 0.75), sure_of(3, 0.72), sure_of(2, 0.4), sure_of(1, 0.5)),
]


@pytest.fixture
def five() -> BatchScores:
    return score_batch(FIVE, FIVE_ANSWERS)


def test_the_confusion_figure_has_people_down_and_the_model_across(five: BatchScores) -> None:
    assert five.confusion is not None
    (heat,) = confusion_figure(five.confusion, five.task.labels).data
    assert [list(row) for row in heat.text] == [
        ["0", "0", "0", "1", "0"],
        ["0"] * 5,
        ["0", "0", "1", "0", "0"],
        ["0"] * 5,
        ["0", "0", "0", "1", "1"],
    ]
    assert list(heat.z[4]) == [0, 0, 0, 0.5, 0.5]
    assert list(heat.z[1]) == [0] * 5, "a class that nobody gave has an empty row"
    assert list(heat.y) == list(heat.x) == list(five.task.labels)
    assert (heat.zmin, heat.zmax) == (0, 1)


def test_the_confusion_s_words_and_table_say_the_same(five: BatchScores) -> None:
    block = tables.confusion_block(five)
    assert "very negative taken for positive, 1 row<" in block
    assert re.search(r"very positive</th>(<td>0</td>){3}<td>1</td><td>1</td>", block)
    right = score_batch(FIVE, [sure_of(4, 0.9), sure_of(4, 0.9)])
    assert findings.confusion_finding(right).startswith("No labelled row")


def test_the_reliability_figure_holds_the_bins(five: BatchScores) -> None:
    diagonal, curve, counts = reliability_figure(five).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert list(curve.x) == pytest.approx([0.4, 0.735, 0.95])
    assert list(curve.y) == [1, 0, 1]
    assert list(curve.error_y.array) == [0, 0, 0]
    assert curve.line.color == TASK_COLOURS["sentiment"]
    assert list(counts.y) == [0, 0, 0, 0, 1, 0, 0, 2, 0, 1]
    assert counts.x[0] == pytest.approx(0.05)


def test_a_whisker_is_one_standard_error() -> None:
    table = pairs("is_duplicate", [1, 0, 0, 0])
    curve = reliability_figure(score_batch(table, [pair(0.62, 3)] * 4)).data[1]
    assert list(curve.error_y.array) == pytest.approx([math.sqrt(0.25 * 0.75 / 4)])
    assert curve.line.color == TASK_COLOURS["paraphrase"]


@pytest.mark.parametrize(
    ("sure", "said"),
    [
        (0.9, "It is surer than it is right: on average 90 % sure, 50 % right"),
        (0.3, "It is less sure than it is right: on average 30 % sure, 50 % right"),
        (0.51, "It is about as sure as it is right: on average 51 % sure, 50 % right"),
    ],
)
def test_the_reliability_of_sentiment_in_words(sure: float, said: str) -> None:
    scores = score_batch(sentences(["4", "0"]), [sure_of(4, sure)] * 2)
    assert findings.reliability_finding(scores) == said
    assert said in tables.reliability_block(scores)


@pytest.mark.parametrize(
    ("said_yes", "said"),
    [(0.9, "too readily: 90 %"), (0.1, "too rarely: 10 %"), (0.5, "as often as people: 50 %")],
)
def test_the_reliability_of_paraphrase_in_words(said_yes: float, said: str) -> None:
    scores = score_batch(pairs("is_duplicate", [1, 0]), [pair(said_yes, 3)] * 2)
    assert said in findings.reliability_finding(scores)
    assert "people 50 %" in findings.reliability_finding(scores)


def test_the_scatter_has_people_across_and_the_model_upwards() -> None:
    figure = scatter_figure([(1.0, 2.5), (4.0, 5.4), (0.0, -0.3)])
    points = figure.data[1]
    assert list(points.x) == [1, 4, 0]
    assert list(points.y) == [2.5, 5.4, -0.3]
    low, high = figure.layout.yaxis.range
    assert low < -0.3 < 5.4 < high


def test_many_points_are_thinned_evenly() -> None:
    points = [(float(place % 6), float(place)) for place in range(MOST_POINTS * 2 + 1)]
    kept = thinned(points)
    assert len(kept) <= MOST_POINTS
    assert kept[0] == points[0]
    assert kept[-1][1] >= MOST_POINTS * 2 - 3
    assert thinned(points[:MOST_POINTS]) == points[:MOST_POINTS]


def test_the_scatter_s_words_tell_the_gap_and_what_is_drawn() -> None:
    scores = score_batch(pairs("similarity", [1, 2, 3, 4]), [pair(0.5, x) for x in (2, 3, 4, 4.5)])
    block = tables.scatter_block(scores, 2)
    assert "On average the model scores 0.9 above people" in block
    assert "Drawn are 2 of 4." in block
    assert "Drawn" not in tables.scatter_block(scores, 4)
    close = score_batch(pairs("similarity", [1, 2, 3]), [pair(0.5, x) for x in (1.05, 2, 3)])
    assert "On average the model scores as people do" in tables.scatter_block(close, 3)
    assert "Pearson 1.00 on 3 labelled rows" in tables.scores_block(close)


def test_each_measure_has_its_standard_error(five: BatchScores) -> None:
    block = tables.scores_block(five)
    assert "accuracy</th><td>0.500</td><td>± 0.250</td><td>4</td>" in block
    assert "within one class</th><td>0.750</td><td>± 0.217</td><td>4</td>" in block
    assert "calibration error" in block
    assert "People&#x27;s class in 50 % of 4 labelled rows, within one in 75 %" in block
    assert "1 answered row without a label" in block
    part = score_batch(FIVE, FIVE_ANSWERS[:2])
    assert "3 rows not answered" in tables.scores_block(part)


def test_what_cannot_be_measured_is_called_undefined() -> None:
    scores = score_batch(pairs("similarity", [1, 1]), [pair(0.5, 2)] * 2)
    block = tables.scores_block(scores)
    assert "2 labelled rows: too few, or too much alike, to score" in block
    assert "Pearson</th><td>undefined</td><td></td>" in block
    none = score_batch(pairs("is_duplicate", [0, 0]), [pair(0.1, 2)] * 2)
    assert "People&#x27;s answer in 100 % of 2 labelled rows; no “yes”" in tables.scores_block(none)


def test_the_table_has_the_first_rows_escaped_and_short() -> None:
    table = sentences(["4"] * 205)
    long = read_batch("sentence\n" + "word " * 400)
    told = tables.rows_table(table, [sure_of(3, 0.9)] * 205)
    assert told.count("<tr>") == 201
    assert "The first 200 rows" in told
    assert "<img" not in told
    assert "&lt;img" in told
    assert "<td>positive</td><td>90 %</td><td>2.9</td><td>very positive</td><td>2</td>" in told
    (cell,) = re.findall(r'<th scope="row">(.*?)</th>', tables.rows_table(long, [sure_of(0, 0.9)]))
    assert len(cell) == tables.SHOWN_TEXT
    assert cell.endswith("…")
    assert tables.rows_table(table, []) == ""


def test_a_pair_s_row_shows_similarity_within_its_scale() -> None:
    told = tables.rows_table(pairs("is_duplicate", [1]), [pair(0.91, -0.4)])
    assert "<td>B 0</td><td>yes (91 %)</td><td>0.00</td><td>yes</td><td>2</td>" in told
    plain = tables.rows_table(pairs("similarity", [2.5]), [pair(0.2, 4.444)])
    assert "<td>no (20 %)</td><td>4.44</td><td>2.5</td>" in plain


def test_bad_rows_are_listed_up_to_a_number() -> None:
    table = sentences(["nine"] * (tables.SHOWN_PROBLEMS + 3))
    told = tables.bad_rows(table.bad_rows)
    assert told.count("<li>Line ") == tables.SHOWN_PROBLEMS
    assert "and 3 more, told in the download" in told
    assert "103 rows could not be read" in told
    assert tables.bad_rows([]) == ""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0, 20_000, 0.0), "0 of 20,000 rows: the first ones are being answered"),
        ((1_000, 20_000, 100.0), "1,000 of 20,000 rows · 10 rows a second · about 32 min left"),
        ((10, 100, 20.0), "10 of 100 rows · 0.5 rows a second · about 3 min left"),
        ((10, 20_000, 10.0), "10 of 20,000 rows · 1.0 rows a second · about 5.6 h left"),
        ((90, 100, 9.0), "90 of 100 rows · 10 rows a second · about 1 s left"),
        ((100, 100, 5.0), "100 of 100 rows · 20 rows a second"),
    ],
)
def test_progress_in_words(arguments: tuple[int, int, float], said: str) -> None:
    assert findings.progress(*arguments) == said
    assert said in tables.progress_panel(*arguments)


def test_the_summary_counts_what_was_answered() -> None:
    title, lines = findings.summary(FIVE, FIVE_ANSWERS, 200.0, "mean", 3)
    assert title == "5 rows answered in 3 min"
    assert lines[0] == "The model: mean pooling."
    assert lines[1] == (
        "Sentiment: very negative 0, negative 1, neutral 1, positive 2, very positive 1."
    )
    assert "the first 3 rows" in lines[2]
    table = pairs("similarity", [1, 2, 3])
    title, lines = findings.summary(table, [pair(0.9, 1.0), pair(0.1, 4.0)], 1.0, "CLS", 200)
    assert title == "Stopped: 2 of 3 rows answered"
    assert lines[1:] == ["Paraphrases: 1 of 2. Median similarity 2.5 of 5."]


def test_each_example_of_a_file_can_be_read() -> None:
    for content in tables.EXAMPLE_FILES.values():
        assert read_batch(content).bad_rows == ()
    assert "&quot;Where is it, exactly?&quot;" in tables.formats()
