"""The experiments' figures hold the files' numbers; their findings and tables tell the same."""

from __future__ import annotations

import itertools
import json
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from minbert.records.runs import ENCODER_NOTE, VERDICTS, read_results
from minbert.ui.experiments import findings, tables
from minbert.ui.experiments.events import CURVE_MEASURES, Experiments
from minbert.ui.experiments.figures import shares_figure, spread
from minbert.ui.experiments.sampling import schedule
from minbert.ui.parts.colours import CLS_COLOUR, MEAN_COLOUR, NEUTRAL, TASK_COLOURS
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.score_rows import MAIN_METRICS
from tests.minbert.ui.sample_results import run, sample_runs, write_sample
from tests.read_html import direction, named_in, numbers_in, read

PAGES = {"light": "#FFFFFF", "dark": "#1E293B"}
# How dichromats see linear RGB: Machado, Oliveira & Fernandes 2009, severity 1.
SIGHT = {
    "usual": np.eye(3),
    "protan": np.array(
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ]
    ),
    "deutan": np.array(
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ]
    ),
    "tritan": np.array(
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ]
    ),
}
TO_XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def linear(colour: str) -> np.ndarray:
    values = np.array([int(colour[place : place + 2], 16) for place in (1, 3, 5)]) / 255
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    low, high = sorted(float(TO_XYZ[1] @ linear(colour)) for colour in (one, other))
    return (high + 0.05) / (low + 0.05)


def distance(one: str, other: str, sight: str) -> float:
    labs = []
    for colour in (one, other):
        xyz = TO_XYZ @ np.clip(SIGHT[sight] @ linear(colour), 0, 1) / np.array([0.9505, 1, 1.089])
        x, y, z = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
        labs.append(np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)]))
    return float(np.linalg.norm(labs[0] - labs[1]))


@pytest.fixture
def tab(tmp_path: Path) -> Experiments:
    return Experiments(read_results(write_sample(tmp_path)))


@pytest.mark.parametrize("page", PAGES)
def test_task_colours_stand_out_on_both_pages(page: str) -> None:
    for colour in (*TASK_COLOURS.values(), NEUTRAL):
        assert contrast(colour, PAGES[page]) >= 3


@pytest.mark.parametrize("sight", SIGHT)
def test_task_colours_are_apart_for_every_kind_of_sight(sight: str) -> None:
    for one, other in itertools.combinations(TASK_COLOURS.values(), 2):
        assert distance(one, other, sight) > 40
    for one, other in itertools.product(TASK_COLOURS.values(), (CLS_COLOUR, MEAN_COLOUR)):
        assert distance(one, other, "usual") > 40


def test_style_has_the_same_task_colours() -> None:
    style = Path(tables.__file__).parents[1].joinpath("style.css").read_text(encoding="utf-8")
    for task, colour in TASK_COLOURS.items():
        assert f".mb-{task} {{ --mb-task: {colour}; }}" in style


def test_bars_intervals_and_diamonds_are_the_files_numbers(tab: Experiments) -> None:
    _, figure = tab.show_scores("Report's test table", "Paraphrase accuracy")
    bars, diamonds = figure.data
    assert list(bars.x) == [0.80, 0.82]
    assert bars.error_x.array[0] == pytest.approx(1.96 * 0.008)
    assert list(diamonds.x) == [0.831, 0.803]
    assert list(diamonds.y) == list(bars.y)
    assert figure.layout.height == pytest.approx(bars.y[-1], abs=200)
    assert figure.layout.xaxis.range[1] > 0.831


def test_the_reports_own_metrics_stand_together(tab: Experiments) -> None:
    words_block, figure = tab.show_scores("Report's dev table", "The report's own")
    assert [trace.name for trace in figure.data] == [
        "Sentiment accuracy",
        "Paraphrase accuracy",
        "Similarity Pearson",
        "the report's number",
    ]
    assert [trace.marker.color for trace in figure.data[:3]] == list(TASK_COLOURS.values())
    assert figure.layout.xaxis.range[0] < -0.129
    assert figure.data[2].x[0] is None
    cells = read(words_block).rows
    assert [row[6] for row in cells][:1] == [fixed(None)], "ours of the first row's last metric"
    assert cells[0][5] == "−0.129"
    assert numbers_in(cells[1][2].split("\n")[1]) == ["0.008"], "over its seeds"
    gaps = np.array(
        [
            [score.value - row.reported(name), score.half]
            for row in tab.rows_of("Report's dev table")
            for name in MAIN_METRICS
            if (score := row.score(name)) and None not in (score.value, row.reported(name))
        ]
    )
    counts = [gaps[:, 0] > gaps[:, 1], gaps[:, 0] < -gaps[:, 1], abs(gaps[:, 0]) <= gaps[:, 1]]
    assert numbers_in(read(words_block).finding.title) == [
        *("11", *(str(count.sum()) for count in counts))
    ]


def test_the_test_table_says_that_splits_differ(tab: Experiments) -> None:
    table, _ = tab.show_scores("Report's test table", "The report's own")
    (scores,) = read(table).tables
    assert named_in(scores.caption, ("dev", "test")) == ["test", "test", "dev"]
    assert [named_in(head, ("dev", "test")) for head in scores.heads[1]] == [["test"], ["dev"]] * 3
    source = read(table).one(css="mb-source").text
    for told in ("AMD EPYC, 2 cores", "cpu", "seed 0", "a33f8335c7c6"):
        assert told in source.split(": ", 1)[1]
    assert ENCODER_NOTE in read(table).text


def test_tables_without_numbers_of_the_report_name_the_best(tab: Experiments) -> None:
    title, _ = findings.scores_finding(tab.rows_of("Ours"), ["similarity pearson"])
    rows = [row.name for row in tab.rows_of("Ours")]
    assert named_in(title, rows) == ["all without surgery", "all"]
    assert numbers_in(title) == ["0.862", "0.039", "0.860"]
    assert named_in(title, ("within",)) == ["within"], "of its interval"


def test_a_metric_stays_where_the_next_table_has_it(tab: Experiments) -> None:
    assert tab.choose_table("Ours", "Paraphrase F1")["value"] == "Paraphrase F1"
    assert tab.choose_table("Part 1", "Paraphrase F1")["value"] == "The report's own"


def test_rows_differ_in_dash_and_panels_in_colour(tab: Experiments) -> None:
    first = tab.first_curves()
    assert first == ["round robin (test)", "annealed (test)"]
    block, figure = tab.show_curves(first, list(CURVE_MEASURES), "tokens")
    drawn = [trace for trace in figure.data if trace.showlegend is False]
    assert len(drawn) == 8
    assert {trace.line.dash for trace in drawn} == {"solid", "dash"}
    assert {trace.line.color for trace in drawn} == {NEUTRAL, *TASK_COLOURS.values()}
    assert drawn[0].x[-1] == 600_000
    title = read(block).finding.title
    assert named_in(title, ("annealed", "round robin")) == ["annealed"]
    assert numbers_in(title) == ["0.741"]


def test_curves_of_nothing_ask_for_a_choice(tab: Experiments) -> None:
    for chosen, measures in (([], ["sentiment"]), (tab.first_curves(), [])):
        block, figure = tab.show_curves(chosen, measures, "epoch")
        assert read(block).finding.lines == []
        assert figure.layout.height is not None


def test_shares_follow_the_slider(tab: Experiments) -> None:
    for end in (0.2, 0.0):
        block, figure = tab.show_shares(end, 10, 8_544, 283_010, 6_040, "none")
        wanted = schedule((8_544, 283_010, 6_040), 10, end)
        for place, trace in enumerate(figure.data):
            assert list(trace.y) == pytest.approx([100 * one.shares[place] for one in wanted])
        title = read(block).finding.title
        assert (named_in(title, TASK_COLOURS), direction(title)) == (["paraphrase"], -1)
        assert numbers_in(title) == ["95", "51" if end else "33", "10"]


def test_bad_sizes_are_told_and_the_figure_stays(tab: Experiments) -> None:
    block, figure = tab.show_shares(0.2, 10, None, 283_010, 6_040, "none")
    (line,) = read(block).finding.lines
    assert numbers_in(line) == ["1", "1,000,000,000,000", "0", "283,010", "6,040"]
    assert figure == gr.skip()


def test_a_recorded_run_is_compared_with_the_formula(tab: Experiments) -> None:
    (name,) = tab.sampled
    ours = (8_544, 40_185, 6_040)
    recorded = tab.sampled[name].probabilities
    for end, epochs in ((0.2, 8), (0.8, 8), (0.2, 4)):
        block, figure = tab.show_shares(end, epochs, *ours, name)
        told = read(block).finding.lines[1].removeprefix(name)
        wanted = np.array([epoch.shares for epoch in schedule(ours, epochs, end)])
        apart = np.abs(wanted - [[*one.p.values()] for one in recorded[:epochs]]).max()
        alike = (end, epochs) == (0.2, 8)
        assert numbers_in(told) == ([] if alike else [f"{100 * apart:.0f}", "8"])
        assert len(figure.data) == 6


def test_a_single_epoch_is_drawn() -> None:
    figure = shares_figure(schedule((1, 1, 1), 1))
    assert [list(trace.x) for trace in figure.data] == [[1]] * 3
    places = sorted(note.y for note in figure.layout.annotations)
    assert np.diff(places).min() > 6  # three labels of one value, none on another


def test_labels_are_spread_apart() -> None:
    assert spread([24, 51, 25], 7) == [24, 51, 31]


def test_conflicts_before_and_after(tab: Experiments) -> None:
    (name,) = tab.conflicted
    block, figure = tab.show_conflicts(name, "conflict rate")
    assert len(figure.data) == 6
    assert figure.data[0].y[0] == pytest.approx(0.43)
    assert {axis.dtick for axis in figure.select_xaxes()} == {1}, "an epoch stands there once"
    assert figure.data[1].y[0] == pytest.approx(0.11)
    finding = read(block).finding
    assert named_in(finding.title, TASK_COLOURS) == ["sentiment", "paraphrase"]
    assert numbers_in(finding.title) == ["36"]
    assert numbers_in(finding.lines[0]) == ["36", "8", "0.025", "0.105"], "before, after; cosines"
    rows = read(block).rows
    assert len(rows) == 3 * 8
    assert rows[0][1:] == ["1", "0.430", "0.110", "−0.010", "0.070"]
    _, figure = tab.show_conflicts(name, "cosine")
    assert figure.data[0].y[0] == pytest.approx(-0.01)


def test_claims_are_counted_and_listed_by_verdict(tab: Experiments) -> None:
    found = tab.results
    title, _ = findings.claims_finding(found.comparisons)
    assert numbers_in(title) == ["4", "1", "1", "2", "1"], "judged: held, not, undecided; waiting"
    block = read(tables.claims_block(found.comparisons, found.runs))
    assert block.texts(css="mb-verdict") == [VERDICTS[place] for place in (0, 1, 2, 2)]
    assert [numbers_in(choice) for choice in block.texts("label")] == [["4"], ["1"], ["1"], ["2"]]
    named = [one.attributes["value"] for one in block.find("input")[1:]]
    assert [row.classes for row in block.one("tbody").find("tr")] == [
        [f"mb-is-{named[place]}"] for place in (0, 1, 2, 2)
    ]
    style = Path(tables.__file__).parents[1].joinpath("style.css").read_text(encoding="utf-8")
    for name in named:
        assert f'input[value="{name}"]:checked) tbody tr:not(.mb-is-{name})' in style
    first, *others = block.find("dd")
    assert first.numbers == ["+0.080", "+0.050", "+0.110", "1,101"]
    drawn = [one.find(css="mb-interval") != [] for one in (first, *others)]
    assert drawn == [True] * 6 + [False], "minutes share no scale with scores"
    held = block.find(css="mb-is-held")[0]
    assert findings.encoder_caveat(found.comparisons[0], found.runs) in held.text
    assert "a33f8335c7c6" in block.one(css="mb-source").text
    *_, waiting = block.texts("li")
    assert found.comparisons[-1].says in waiting
    assert found.comparisons[-1].why in waiting


def test_the_encoders_past_is_told_of_that_encoder_alone(tab: Experiments) -> None:
    claim = tab.results.comparisons[0]
    other = {"config": {"encoder": "bert-base-uncased"}}
    others = [one.model_copy(update=other) for one in tab.results.runs]
    assert findings.encoder_caveat(claim, tab.results.runs) != ""
    assert findings.encoder_caveat(claim, others) == ""
    assert tables.encoder_block(others) == ""


@pytest.mark.parametrize(
    ("kept", "parts"), [(0, ["sampling"]), (1, ["scores", "sampling"]), (2, ["scores", "sampling"])]
)
def test_few_and_unknown_rows_are_shown(tmp_path: Path, kept: int, parts: list[str]) -> None:
    odd = {"new score": {"value": 1, "se": None}}
    runs = [run("future table", "odd", "Odd", odd), sample_runs()[0]]
    (tmp_path / "reproduction.json").write_text(json.dumps(runs[:kept]), encoding="utf-8")
    tab = Experiments(read_results(tmp_path))
    assert list(tab.parts()) == parts
    assert list(tab.tables) == ["Part 1", "future table"][2 - kept :]
    if kept:
        assert tab.metrics("future table") == ["New score"]
        block, figure = tab.show_scores("future table", None)
        assert list(figure.data[0].x) == [1]
        title = read(block).finding.title
        assert named_in(title, ("new score", "odd")) == ["new score", "odd"]
        assert numbers_in(title) == ["1.000"]
        assert [len(row) for row in read(block).rows] == [5], "no column of the report's"
