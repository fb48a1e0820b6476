"""A labelled batch's figures hold the scores' numbers; words and tables say the same."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.batch import BatchScores, BatchTable, RowAnswer, read_batch, score_batch
from minbert.tasks import SENTIMENT
from minbert.ui.batch import findings, tables
from minbert.ui.batch.figures import (
    MOST_POINTS,
    reliability_figure,
    scatter_figure,
    thinned,
)
from minbert.ui.parts.colours import TASK_COLOURS
from minbert.ui.parts.figures import confusion_figure
from minbert.ui.parts.numbers import fixed
from tests.read_html import direction, named_in, numbers_in, read


def sure_of(rating: int, sure: float) -> SentimentResult:
    rest = (1 - sure) / 4
    return SentimentResult(tuple(sure if place == rating else rest for place in range(5)))


def pair(paraphrase: float, similarity: float) -> PairResult:
    return PairResult(paraphrase, paraphrase, similarity, similarity, similarity, similarity)


def sentences(labels: Sequence[str]) -> BatchTable:
    rows = "".join(f"row {place}\t{label}\n" for place, label in enumerate(labels))
    return read_batch("sentence\tsentiment\n" + rows)


def pairs(target: str, labels: Sequence[float]) -> BatchTable:
    rows = "".join(f"A {place}\tB {place}\t{label}\n" for place, label in enumerate(labels))
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
    block, labels = read(tables.confusion_block(five)), five.task.labels
    assert named_in(block.finding.title, labels) == ["very negative", "positive"], "people, model"
    assert numbers_in(block.finding.title) == ["1"]
    assert five.confusion is not None
    assert block.rows == [
        [label, *map(str, row)] for label, row in zip(labels, five.confusion, strict=True)
    ]
    right = score_batch(FIVE, [sure_of(4, 0.9), sure_of(4, 0.9)])
    assert named_in(findings.confusion_finding(right), labels) == []


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


@pytest.mark.parametrize(("sure", "sign"), [(0.9, 1), (0.3, -1), (0.51, 0)])
def test_whether_sentiment_is_surer_than_right_is_told(sure: float, sign: int) -> None:
    scores = score_batch(sentences(["4", "0"]), [sure_of(4, sure)] * 2)
    title = read(tables.reliability_block(scores)).finding.title
    assert direction(title) == sign
    assert numbers_in(title) == [f"{100 * sure:.0f}", "50"]


@pytest.mark.parametrize(("said_yes", "sign"), [(0.9, 1), (0.1, -1), (0.5, 0)])
def test_whether_yes_is_said_too_often_is_told(said_yes: float, sign: int) -> None:
    scores = score_batch(pairs("is_duplicate", [1, 0]), [pair(said_yes, 3)] * 2)
    title = findings.reliability_finding(scores)
    assert direction(title) == sign
    assert numbers_in(title) == [f"{100 * said_yes:.0f}", "50"]


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


@pytest.mark.parametrize(
    ("model", "sign", "numbers"),
    [((2, 3, 4, 4.5), 1, ["0.9"]), ((0, 1, 2, 3), -1, ["1.0"]), ((1.05, 2, 3, 4), 0, [])],
)
def test_the_scatter_s_words_tell_the_gap(
    model: tuple[float, ...], sign: int, numbers: list[str]
) -> None:
    scores = score_batch(pairs("similarity", [1, 2, 3, 4]), [pair(0.5, one) for one in model])
    finding = read(tables.scatter_block(scores, 4)).finding
    assert direction(finding.title) == sign
    assert numbers_in(finding.title) == numbers
    assert finding.lines == []
    (thinned,) = read(tables.scatter_block(scores, 2)).finding.lines
    assert numbers_in(thinned) == ["2", "4"]


def test_each_measure_has_its_standard_error(five: BatchScores) -> None:
    block = read(tables.scores_block(five))
    assert block.rows[:2] == [
        [findings.MEASURES["accuracy"], "0.500", "± 0.250", "4"],
        [findings.MEASURES["within_one"], "0.750", "± 0.217", "4"],
    ]
    assert block.rows[-1][1:] == [f"{five.calibration_error:.3f}", "", "4"]
    assert numbers_in(block.finding.title) == ["50", "4", "75"]
    assert list(map(numbers_in, block.finding.lines)) == [["1"], ["4"]], "unlabelled; few"
    part = read(tables.scores_block(score_batch(FIVE, FIVE_ANSWERS[:2])))
    assert list(map(numbers_in, part.finding.lines)) == [["3"], ["2"]], "unanswered; few"


def test_what_cannot_be_measured_is_called_undefined() -> None:
    block = read(tables.scores_block(score_batch(pairs("similarity", [1, 1]), [pair(0.5, 2)] * 2)))
    assert numbers_in(block.finding.title) == ["2"]
    assert block.rows[0] == [findings.MEASURES["pearson"], fixed(None), "", "2"]
    alike = score_batch(pairs("similarity", [1, 2, 3]), [pair(0.5, x) for x in (1.05, 2, 3)])
    assert numbers_in(read(tables.scores_block(alike)).finding.title) == ["1.00", "3"]
    none = score_batch(pairs("is_duplicate", [0, 0]), [pair(0.1, 2)] * 2)
    title = read(tables.scores_block(none)).finding.title
    assert numbers_in(title) == ["100", "2"], "without an F1"


def test_the_table_has_the_first_rows_short() -> None:
    (table,) = read(tables.rows_table(sentences(["4"] * 205), [sure_of(3, 0.9)] * 205)).tables
    assert len(table.rows) == 200
    assert numbers_in(table.caption) == ["200"]
    assert table.rows[0] == ["row 0", "positive", "90 %", "2.9", "very positive", "2"]
    long = read_batch("sentence\n" + "word " * 400)
    ((cell, *_),) = read(tables.rows_table(long, [sure_of(0, 0.9)])).rows
    assert len(cell) == tables.SHOWN_TEXT
    assert cell.endswith("…")
    assert tables.rows_table(long, []) == ""


def test_a_pair_s_row_shows_similarity_within_its_scale() -> None:
    told = tables.rows_table(pairs("is_duplicate", [1]), [pair(0.91, -0.4)])
    assert read(told).rows == [["A 0", "B 0", "yes (91 %)", "0.00", "yes", "2"]]
    plain = tables.rows_table(pairs("similarity", [2.5]), [pair(0.2, 4.444)])
    assert read(plain).rows == [["A 0", "B 0", "no (20 %)", "4.44", "2.5", "2"]]


def test_bad_rows_are_listed_up_to_a_number() -> None:
    told = read(tables.bad_rows(sentences(["nine"] * (tables.SHOWN_PROBLEMS + 3)).bad_labels))
    *listed, more = told.texts("li")
    assert [numbers_in(line)[0] for line in listed] == [
        str(line) for line in range(2, tables.SHOWN_PROBLEMS + 2)
    ]
    assert (numbers_in(more), told.one("h3").numbers) == (["3"], ["103"])
    assert tables.bad_rows([]) == ""


@pytest.mark.parametrize(
    ("run", "numbers", "unit"),
    [
        ((0, 20_000, 0.0), ["0", "20,000"], []),
        ((1_000, 20_000, 100.0), ["1,000", "20,000", "10", "32"], ["min"]),
        ((10, 100, 20.0), ["10", "100", "0.5", "3"], ["min"]),
        ((10, 20_000, 10.0), ["10", "20,000", "1.0", "5.6"], ["h"]),
        ((90, 100, 9.0), ["90", "100", "10", "1"], ["s"]),
        ((100, 100, 5.0), ["100", "100", "20"], []),
    ],
)
def test_progress_tells_rows_speed_and_what_is_left(
    run: tuple[int, int, float], numbers: list[str], unit: list[str]
) -> None:
    panel = read(tables.progress_panel(*run))
    assert numbers_in(panel.text) == numbers
    assert named_in(panel.text, ("s", "min", "h")) == unit
    bar = panel.one(role="progressbar")
    assert [bar.attributes[f"aria-value{end}"] for end in ("now", "max")] == list(map(str, run[:2]))
    assert bar.one(css="mb-fill").attributes["style"] == f"width:{100 * run[0] / run[1]:.1f}%"


def test_the_summary_counts_what_was_answered() -> None:
    title, lines = findings.summary(FIVE, FIVE_ANSWERS, 200.0, "mean", 3)
    assert (numbers_in(title), named_in(title, ("s", "min"))) == (["5", "3"], ["min"])
    assert named_in(lines[0], ("CLS", "mean")) == ["mean"]
    assert named_in(lines[1], SENTIMENT.labels) == list(SENTIMENT.labels)
    assert [numbers_in(line) for line in lines[1:]] == [["0", "1", "1", "2", "1"], ["3"]]
    table = pairs("similarity", [1, 2, 3])
    title, lines = findings.summary(table, [pair(0.9, 1.0), pair(0.1, 4.0)], 1.0, "CLS", 200)
    assert numbers_in(title) == ["2", "3"], "stopped"
    assert list(map(numbers_in, lines)) == [[], ["1", "2", "2.5", "5"]]


def test_each_example_of_a_file_can_be_read() -> None:
    contents = list(tables.EXAMPLE_FILES.values())
    assert [read_batch(content).bad_rows for content in contents] == [()] * len(contents)
    assert read(tables.formats()).texts("pre") == contents
