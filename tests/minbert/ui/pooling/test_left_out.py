"""Left-out words: both poolings, both scores, one scale, progress, and what is told of them."""

from __future__ import annotations

import dataclasses

import gradio as gr
import pytest

from minbert.explain import occlude_joint, occlude_similarity
from minbert.serving import BULK, _urgency
from minbert.ui.engine import Engine
from minbert.ui.parts.colours import CLS_COLOUR, MEAN_COLOUR
from minbert.ui.parts.figures import no_figure
from minbert.ui.pooling import left_out as lab_occlusion
from minbert.ui.pooling.left_out import (
    FUNCTIONS,
    JOINT,
    SIAMESE,
    STEPS,
    LeftOut,
    Occlusion,
    collected,
    finding,
    left_out_figure,
    left_out_table,
    view,
    waiting,
)

A, B = "the cat sleeps on the sofa", "a dog runs"
SMALL = LeftOut(
    kind=SIAMESE,
    first=("red", "cat"),
    second=("dog",),
    scores={"cls": 3.0, "mean": 4.0},
    without={"cls": (1.0, 3.5, 2.9), "mean": (3.9, 4.0, 4.3)},
    skipped=(0, 0),
)


def test_both_scores_of_both_models_are_what_the_library_says(engine: Engine) -> None:
    *_, last = Occlusion(engine).leave_out(A, B)
    assert len(last) == 5
    for update, function in ((last[1], occlude_similarity), (last[3], occlude_joint)):
        assert update["visible"]
        bars = {(bar.name, bar.yaxis): list(bar.x) for bar in update["value"].data}
        assert len(bars) == 4
        for name, model in (("CLS", engine.cls), ("mean", engine.mean)):
            told = function(model, A, B)
            for axis, side in (("y", told.without_first), ("y2", told.without_second)):
                scores = [told.score, *side]
                if function is occlude_joint:
                    scores = [score.similarity for score in scores]
                changes = [score - scores[0] for score in scores[1:]]
                assert bars[name, axis] == pytest.approx(changes, abs=1e-4)
    assert "Siamese score" in last[0]
    assert "Joint score" in last[2]
    assert last[4] == gr.update(visible=False)


def test_both_figures_share_limits_that_hold_the_largest_change(engine: Engine) -> None:
    *_, last = Occlusion(engine).leave_out(A, B)
    figures = last[1]["value"], last[3]["value"]
    ranges = {tuple(axis.range) for figure in figures for axis in figure.select_xaxes()}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert low == -high
    largest = max(abs(x) for figure in figures for bar in figure.data for x in bar.x)
    assert largest < high < 1.2 * largest


def test_each_step_shows_how_far_it_is_and_a_way_to_stop(engine: Engine) -> None:
    steps = list(Occlusion(engine).leave_out(A, B))
    assert len(steps) == 5
    for done, step in enumerate(steps[:-1]):
        assert f"{done} of 4 done" in step[0] + step[2]
        assert step[4] == gr.update(visible=True)
        assert step[3] == no_figure()
    assert [step[1] != no_figure() for step in steps] == [False, False, True, True, True]
    assert "of 4 done" not in steps[-1][0] + steps[-1][2]


def test_model_work_stands_back_behind_quick_questions(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def watched(*arguments: object) -> object:
        seen.append(_urgency.get())
        return occlude_similarity(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(FUNCTIONS, SIAMESE, watched)
    list(Occlusion(engine).leave_out(A, B))
    assert seen == [BULK, BULK]
    assert _urgency.get() != BULK, "what comes after is quick again"


@pytest.mark.parametrize(
    ("first", "second", "said"),
    [("", B, "Sentence A is empty"), (A, " ", "Sentence B is empty")],
)
def test_what_has_no_similarity_is_refused(
    engine: Engine, first: str, second: str, said: str
) -> None:
    with pytest.raises(gr.Error, match=said):
        next(Occlusion(engine).leave_out(first, second))


def test_the_finding_names_the_word_that_moves_each_model_most() -> None:
    title, lines = finding(SMALL)
    assert title == (
        "Siamese score: CLS hangs most on “red” of A (3.0 → 1.0), mean on “dog” of B (4.0 → 4.3)"
    )
    assert "by 0.87 on average under CLS, by 0.13 under mean" in lines[0]
    same = dataclasses.replace(SMALL, without={"cls": (1, 3, 3), "mean": (2, 4, 4)})
    assert "both hang most on “red” of A (CLS 3.0 → 1.0, mean 4.0 → 2.0)" in finding(same)[0]
    assert len(lines) == 1
    told = finding(dataclasses.replace(SMALL, skipped=(0, 7)))[1][1]
    assert "0 of A, 7 of B" in told
    empty = LeftOut(JOINT, (), (), {"cls": 1, "mean": 1}, {"cls": (), "mean": ()}, (0, 0))
    assert finding(empty) == ("There are no words to leave out", [])
    assert left_out_figure(empty, 0.0).layout.height > 100


def test_bars_have_their_pooling_s_colour_and_words_keep_their_order() -> None:
    figure = left_out_figure(SMALL, SMALL.largest)
    assert SMALL.largest == 2.0
    assert [bar.marker.color for bar in figure.data] == [CLS_COLOUR, MEAN_COLOUR] * 2
    assert [list(bar.x) for bar in figure.data] == [
        [-2.0, 0.5],
        [-0.1, 0.0],
        pytest.approx([-0.1]),
        pytest.approx([0.3]),
    ]
    assert [list(axis.ticktext) for axis in figure.select_yaxes()] == [["red", "cat"], ["dog"]]
    assert list(figure.data[0].customdata[1]) == ["cat", 3.5]


def test_the_table_holds_scores_and_changes() -> None:
    table = left_out_table(SMALL)
    rows = [row.split("</tr>")[0] for row in table.split("<tr>")[2:]]
    cells = [row.replace("</td>", "").replace("</th>", "").split("<td>")[1:] for row in rows]
    assert cells == [
        ["3.00", "", "4.00", ""],
        ["1.00", "-2.00", "3.90", "-0.10"],
        ["3.50", "+0.50", "4.00", "+0.00"],
        ["2.90", "-0.10", "4.30", "+0.30"],
    ]
    assert "cat (A)" in rows[2]
    assert "dog (B)" in rows[3]


def test_hostile_words_are_escaped(engine: Engine) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    *_, last = Occlusion(engine).leave_out(hostile, hostile)
    assert "<img" not in last[0] + last[2]
    wild = dataclasses.replace(SMALL, first=("<b>", "&"))
    shown = view({SIAMESE: {}, JOINT: {}}, 0)[0] + lab_occlusion.block(wild)
    assert "<b>" not in shown


def test_it_waits_with_a_word_on_what_to_do() -> None:
    told = waiting()
    assert "Press the button" in told[0]
    assert told[1:4] == (no_figure(), "", no_figure())
    assert told[4] == gr.update(visible=False)
    assert STEPS[:2] == ((SIAMESE, "cls"), (SIAMESE, "mean"))


def test_skipped_words_of_a_long_text_are_counted(engine: Engine) -> None:
    models = {"cls": engine.cls, "mean": engine.mean}
    found = {name: occlude_similarity(one, "cat " * 20, "dog") for name, one in models.items()}
    assert collected(SIAMESE, found).first == ("cat",) * 20
    many = {name: dataclasses.replace(one, skipped=(3, 0)) for name, one in found.items()}
    assert collected(SIAMESE, many).skipped == (3, 0)
