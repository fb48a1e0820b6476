"""Left-out words: both poolings, both scores, one scale, progress, and what is told of them."""

from __future__ import annotations

import dataclasses

import gradio as gr
import pytest

from minbert.explain import occlude_joint, occlude_similarity
from minbert.serving import BULK, _urgency
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.colours import CLS_COLOUR, MEAN_COLOUR
from minbert.ui.parts.steps import Press
from minbert.ui.pooling.left_out import (
    FUNCTIONS,
    JOINT,
    SIAMESE,
    TEXTS,
    LeftOut,
    Occlusion,
    collected,
    finding,
    left_out_figure,
    left_out_table,
    steps_of,
    waiting,
)
from tests.read_html import named_in, numbers_in, quoted_in, read

POOLINGS = tuple(POOLING_NAMES.values())
STEPS = steps_of(POOLING_NAMES)
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
        bars = {(bar.name, bar.yaxis): list(bar.x) for bar in update.data}
        assert len(bars) == 4
        for name, model in (("CLS", engine.cls), ("mean", engine.mean)):
            told = function(model, A, B)
            for axis, side in (("y", told.without_first), ("y2", told.without_second)):
                scores = [told.score, *side]
                if function is occlude_joint:
                    scores = [score.similarity for score in scores]
                changes = [score - scores[0] for score in scores[1:]]
                assert bars[name, axis] == pytest.approx(changes, abs=1e-4)
    for html, kind in ((last[0], SIAMESE), (last[2], JOINT)):
        assert named_in(read(html).finding.title, FUNCTIONS) == [kind]
    assert last[4] == gr.update(visible=False)


def test_both_figures_share_limits_that_hold_the_largest_change(engine: Engine) -> None:
    *_, last = Occlusion(engine).leave_out(A, B)
    figures = last[1], last[3]
    ranges = {tuple(axis.range) for figure in figures for axis in figure.select_xaxes()}
    assert len(ranges) == 1
    low, high = ranges.pop()
    assert low == -high
    largest = max(abs(x) for figure in figures for bar in figure.data for x in bar.x)
    assert largest < high < 1.2 * largest


def test_each_step_shows_how_far_it_is_and_a_way_to_stop(engine: Engine) -> None:
    steps, order = list(Occlusion(engine).leave_out(A, B)), ("CLS", "mean") * 2
    assert len(steps) == 5
    for done, step in enumerate(steps[:-1]):
        told = read(step[0] + step[2]).one(role="status")
        assert told.numbers == [str(done), "4"]
        assert named_in(told.text, (*FUNCTIONS, *POOLINGS)) == [
            STEPS[done][0],
            order[done],
        ]
        assert step[4] == gr.update(visible=True)
        assert step[3] is None
    assert [step[1] is not None for step in steps] == [False, False, True, True, True]
    assert read(steps[-1][0] + steps[-1][2]).find(role="status") == []


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
    assert named_in(title, POOLINGS) == named_in(lines[0], POOLINGS) == ["CLS", "mean"]
    assert quoted_in(title) == ["red", "dog"]
    assert named_in(title, "AB") == ["A", "B"]
    assert numbers_in(title) == ["3.0", "1.0", "4.0", "4.3"]
    assert numbers_in(lines[0]) == ["0.87", "0.13"]
    same = dataclasses.replace(SMALL, without={"cls": (1, 3, 3), "mean": (2, 4, 4)})
    assert quoted_in(finding(same)[0]) == ["red"]
    assert numbers_in(finding(same)[0]) == ["3.0", "1.0", "4.0", "2.0"]
    assert len(lines) == 1
    told = finding(dataclasses.replace(SMALL, skipped=(0, 7)))[1][1]
    assert numbers_in(told)[-2:] == ["0", "7"]
    empty = LeftOut(JOINT, (), (), {"cls": 1, "mean": 1}, {"cls": (), "mean": ()}, (0, 0))
    assert (quoted_in(finding(empty)[0]), finding(empty)[1]) == ([], [])
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
    assert read(left_out_table(SMALL)).rows[1:] == [
        ["red (A)", "1.00", "-2.00", "3.90", "-0.10"],
        ["cat (A)", "3.50", "+0.50", "4.00", "+0.00"],
        ["dog (B)", "2.90", "-0.10", "4.30", "+0.30"],
    ]
    assert read(left_out_table(SMALL)).rows[0][1:] == ["3.00", "", "4.00", ""]


def test_it_waits_with_a_word_on_what_to_do() -> None:
    told = waiting()
    assert read(told[0]).text == " ".join(TEXTS["left_out.waiting"].split())
    assert told[1:4] == (None, "", None)
    assert told[4] == gr.update(visible=False)
    assert STEPS[:2] == ((SIAMESE, "cls"), (SIAMESE, "mean"))


def test_skipped_words_of_a_long_text_are_counted(engine: Engine) -> None:
    models = {"cls": engine.cls, "mean": engine.mean}
    found = {name: occlude_similarity(one, "cat " * 20, "dog") for name, one in models.items()}
    assert collected(SIAMESE, found).first == ("cat",) * 20
    many = {name: dataclasses.replace(one, skipped=(3, 0)) for name, one in found.items()}
    assert collected(SIAMESE, many).skipped == (3, 0)


def test_a_press_that_is_ended_shows_the_part_as_it_waits(engine: Engine) -> None:
    press = Press()
    steps = Occlusion(engine).leave_out(A, B, press)
    next(steps)
    press.end()
    assert list(steps) == [waiting()]


def test_a_press_that_another_follows_shows_nothing_more(engine: Engine) -> None:
    press = Press()
    steps = Occlusion(engine).leave_out(A, B, press)
    next(steps)
    press.begin()
    assert list(steps) == []
