"""A set's figures: one scale, one order or two, the marked sentence, and text that stays text."""

from __future__ import annotations

from typing import Any

import gradio as gr
import pytest

from minbert.ui.engine import Engine
from minbert.ui.parts.figures import plain
from minbert.ui.pooling.sets import WAYS, Comparison
from minbert.ui.pooling.sets_events import NOBODY, OUTPUTS, OWN, TOGETHER, Sets
from minbert.ui.pooling.sets_figures import (
    GLYPHS,
    MARK,
    SYMBOLS,
    axis_label,
    limits,
    matrix_figure,
    points_figure,
)
from minbert.ui.pooling.sets_findings import nearest
from tests.read_html import numbers_in, read

BOX = """animals | the cat sleeps
animals | the dog sleeps
films | a slow film
films | a dull film
it is red"""


@pytest.fixture
def sets(engine: Engine) -> Sets:
    return Sets(engine)


@pytest.fixture
def shown(sets: Sets) -> tuple[Any, ...]:
    (told,) = sets.compare(BOX, "cls", "mean", TOGETHER)
    assert len(told) == OUTPUTS
    return told


@pytest.fixture
def found(shown: tuple[Any, ...]) -> Comparison:
    assert isinstance(shown[-1], Comparison)
    return shown[-1]


def test_both_matrices_share_scale_and_order(shown: tuple[Any, ...], found: Comparison) -> None:
    left, right = shown[2].data[0], shown[4].data[0]
    assert (left.zmin, left.zmax) == (right.zmin, right.zmax) == limits(found)
    assert left.colorscale == right.colorscale
    order = found.orders[2]
    assert [list(figure.layout.yaxis.ticktext) for figure in (shown[2], shown[4])] == [
        [axis_label(found, place) for place in order]
    ] * 2
    for figure, side in ((left, found.sides[0]), (right, found.sides[1])):
        for row, a in enumerate(order):
            for column, b in enumerate(order):
                wanted = None if a == b else pytest.approx(side.matrix[a][b], abs=1e-4)
                assert figure.z[row][column] == wanted


def test_the_switch_gives_each_its_own_order(sets: Sets, found: Comparison) -> None:
    told = sets.redraw(found, OWN, NOBODY)
    assert len(told) == OUTPUTS - 2
    for figure, order in ((told[2], found.orders[0]), (told[4], found.orders[1])):
        assert list(figure.layout.xaxis.ticktext) == [str(place + 1) for place in order]
        names = [found.sentences[place] for place in order[:2]]
        assert list(figure.data[0].customdata[0][1]) == names


def test_limits_hold_every_cosine_of_two_sentences(found: Comparison) -> None:
    low, high = limits(found)
    inner = [
        value
        for side in found.sides
        for a, row in enumerate(side.matrix)
        for b, value in enumerate(row)
        if a != b
    ]
    assert low <= min(inner) < low + 0.1
    assert high - 0.1 < max(inner) <= high + 1e-9


def test_a_marked_sentence_is_framed_ringed_and_tied_to_its_nearest(
    sets: Sets, found: Comparison
) -> None:
    told = sets.redraw(found, OWN, 2)
    for figure, order in ((told[2], found.orders[0]), (told[4], found.orders[1])):
        row, column = figure.layout.shapes
        assert (row.y0 + row.y1) / 2 == (column.x0 + column.x1) / 2 == order.index(2)
        assert row.line.color == MARK
    for figure, side in zip((told[7], told[9]), found.sides, strict=True):
        lines = [trace for trace in figure.data if trace.mode == "lines"]
        ends = [[line.x[1], line.y[1]] for line in lines]
        assert ends == [side.points[place] for place in nearest(side, 2)]
        ring = next(trace for trace in figure.data if trace.marker.symbol == "circle-open")
        assert [ring.x[0], ring.y[0]] == side.points[2]
    near = [set(nearest(side, 2)) for side in found.sides]
    assert numbers_in(read(told[5]).finding.title) == ["3", "3", str(len(near[0] & near[1]))]


@pytest.mark.parametrize("chosen", [NOBODY, None, 99])
def test_nobody_is_marked_by_default(sets: Sets, found: Comparison, chosen: int | None) -> None:
    told = sets.redraw(found, TOGETHER, chosen)
    assert told[2].layout.shapes == ()
    assert all(trace.mode == "markers+text" for trace in told[7].data)


def test_groups_have_one_sign_in_all_figures(found: Comparison) -> None:
    figure = points_figure(found, found.sides[0], None)
    assert [trace.name for trace in figure.data] == ["animals", "films", "no group"]
    assert [trace.marker.symbol for trace in figure.data[:2]] == list(SYMBOLS[:2])
    assert [list(trace.text) for trace in figure.data] == [["1", "2"], ["3", "4"], ["5"]]
    assert axis_label(found, 2) == f"a slow film {GLYPHS[1]} 3"
    assert axis_label(found, 4) == "it is red 5"
    assert found.sides[0].points[1] == [figure.data[0].x[1], figure.data[0].y[1]]


def test_labels_are_short_and_their_tags_letters() -> None:
    assert plain("<b>", 9) == "&lt;b&gt;"
    assert plain("a" * 30, 10) == "a" * 9 + "…"


def test_what_is_wrong_is_told_and_the_figures_stay(sets: Sets) -> None:
    (told,) = sets.compare("one alone", "cls", "mean", TOGETHER)
    assert numbers_in(read(told[0]).finding.lines[0]) == ["2", "50", "1"]
    assert all(part == gr.skip() for part in told[1:])


def test_a_large_set_shows_a_number_while_it_is_embedded(sets: Sets) -> None:
    steps = list(sets.compare("a cat\n" * 30, "cls", "mean", TOGETHER))
    for step, done in ((steps[0], 8), (steps[-2], 60)):
        told = read(step[0]).one(role="status")
        assert told.numbers == [str(done), "60"]
        assert told.one(css="mb-fill").attributes["style"] == f"width:{100 * done / 60:.1f}%"
    assert all(part == gr.skip() for step in steps[:-1] for part in step[1:])
    assert len(steps[-1][2].data[0].z) == 30


def test_the_first_set_is_compared_once(sets: Sets, found: Comparison) -> None:
    (fresh,) = sets.begin(None, BOX, "cls", "mean", TOGETHER)
    assert fresh[-1].sentences == found.sentences
    (again,) = sets.begin(found, BOX, "cls", "mean", TOGETHER)
    assert all(part == gr.skip() for part in again)
    assert len(again) == OUTPUTS
    assert all(part == gr.skip() for part in sets.redraw(None, TOGETHER, NOBODY))


def test_the_list_offers_every_sentence_and_nobody(shown: tuple[Any, ...]) -> None:
    offered = shown[-2]
    assert offered["value"] == NOBODY
    assert offered["choices"][0] == ("none", NOBODY)
    assert offered["choices"][3] == ("3 a slow film", 2)
    assert len(offered["choices"]) == 6


def test_sides_are_named_and_have_their_tables(shown: tuple[Any, ...], found: Comparison) -> None:
    order, tables = found.orders[2], read(shown[0]).tables
    for side, name, table, *heads in zip(
        found.sides, ("cls", "mean"), tables, shown[1:4:2], shown[6:9:2], strict=True
    ):
        for html in heads:
            assert read(html).one(css=f"mb-side-{name}").text == WAYS[name].label
        assert table.rows == [
            [
                f"{row + 1} {found.sentences[row]}",
                *(f"{side.matrix[row][column]:.2f}" for column in order),
            ]
            for row in order
        ]
    points = [
        [f"{value:.3f}" for side in found.sides for value in side.points[k]] for k in range(5)
    ]
    assert [row[2:] for row in read(shown[5]).rows] == points


def test_one_of_our_sets_fills_the_box(sets: Sets) -> None:
    name = list(sets.sets)[1]
    about, text = sets.choose(name)
    assert text == sets.sets[name].text
    assert read(about).text == sets.sets[name].about


def test_equal_sentences_can_be_drawn(sets: Sets) -> None:
    (told,) = sets.compare("a cat\na cat", "cls", "mean", TOGETHER)
    heat = told[2].data[0]
    assert heat.zmin < heat.zmax
    assert heat.z[0][1] == pytest.approx(1.0)
    assert matrix_figure(told[-1], told[-1].sides[0], [0, 1], None).layout.height > 200
