"""Sets of sentences: how a box is read, what is compared, and what is said of it."""

from __future__ import annotations

import json
from collections import Counter

import pytest
import torch

from minbert.explain import Separation, clustered_order, cosine_matrix, pooled_by
from minbert.pooling import AttentionPooling
from minbert.serving import BULK, _urgency
from minbert.ui.engine import Engine
from minbert.ui.pooling import sets as lab_sets
from minbert.ui.pooling import sets_findings
from minbert.ui.pooling.sets import (
    MOST_SENTENCES,
    SETS_FILE,
    Compared,
    Comparison,
    compare_in_steps,
    offered,
    read_lines,
    read_sets,
)
from minbert.ui.question import InputError
from tests.read_html import named_in, numbers_in, quoted_in

SHORT = ("CLS", "mean")
TEXTS = ("the cat sleeps", "the dog sleeps", "a slow film", "a dull film", "it is red")
GROUPS = ("animals", "animals", "films", "films", "")


def compare(engine: Engine, *ways: str) -> Comparison:
    *_, found = compare_in_steps(engine, TEXTS, GROUPS, (ways[0], ways[1]))
    assert isinstance(found, Comparison)
    return found


def side(
    matrix: list[list[float]], within: float | None, between: float | None, way: str = "cls"
) -> Compared:
    points = [[0.0, 1.0]] * len(matrix)
    return Compared(way, matrix, points, [0.5, 0.25], Separation(within, between))


def made_up(left: Compared, right: Compared, groups: tuple[str, ...]) -> Comparison:
    count = len(left.matrix)
    order = list(range(count))
    return Comparison(TEXTS[:count], groups, (left, right), (order, order, order))


def test_our_sets_are_of_the_promised_size_and_can_be_read(engine: Engine) -> None:
    stored = json.loads(SETS_FILE.read_text(encoding="utf-8"))
    assert len(stored) >= 3
    seen = Counter(text for one in stored for _, text in one["sentences"])
    assert max(seen.values()) == 1
    for one in read_sets():
        sentences, groups = read_lines(one.text, engine)
        assert 12 <= len(sentences) <= 24
        assert min(Counter(groups).values()) >= 4
        assert len(set(groups)) >= 2
        assert all(groups)
        assert one.about.endswith((".", "?"))


def test_a_line_is_a_sentence_and_its_group_stands_in_front(engine: Engine) -> None:
    text = "\n  mood | a good film \n\na bad | film | again\nit is red\n"
    sentences, groups = read_lines(text, engine)
    assert sentences == ("a good film", "film | again", "it is red")
    assert groups == ("mood", "a bad", "")
    _, (long, _) = read_lines("g" * 99 + " | a film\na cat", engine)
    assert long == "g" * 20


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "2 to 50 sentences, one a line. Found 0"),
        ("only one", "Found 1"),
        ("a cat\n" * (MOST_SENTENCES + 1), "Found 51"),
        ("a cat\n\nmood | \n", "Line 3 has no words"),
        ("a cat\n\u200b\u200e\n", "Line 2 has no words"),
        ("a cat\n" + "x" * 2001, "Line 2 has 2,001 characters. The limit is 2,000"),
    ],
)
def test_a_box_that_cannot_be_read_names_the_line(engine: Engine, text: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        read_lines(text, engine)


@pytest.mark.parametrize("inside", "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029")
def test_a_line_ends_at_a_line_break_alone(engine: Engine, inside: str) -> None:
    sentences, _ = read_lines(f"a film{inside}it is red\r\na cat\rtwo\nthree", engine)
    assert sentences == (f"a film{inside}it is red", "a cat", "two", "three")
    with pytest.raises(InputError, match="Line 2 has no words"):
        read_lines(f"a film{inside}it is red\nmood |\na cat", engine)


def test_fifty_sentences_are_allowed(engine: Engine) -> None:
    assert len(read_lines("a cat\n" * MOST_SENTENCES, engine)[0]) == 50


@pytest.mark.parametrize(
    ("way", "model", "pooling"),
    [
        ("cls", "cls", "cls"),
        ("mean", "mean", "mean"),
        ("max", "mean", "max"),
        ("pooler", "mean", "pooler"),
        ("first", "mean", "cls"),
    ],
)
def test_each_pooling_is_of_the_model_it_says(
    engine: Engine, way: str, model: str, pooling: str
) -> None:
    found = compare(engine, way, "mean")
    wanted = cosine_matrix(pooled_by(getattr(engine, model), TEXTS, pooling))
    assert torch.allclose(torch.tensor(found.sides[0].matrix), wanted, atol=1e-5)
    assert found.sides[0].way == way
    assert found.orders[0] == clustered_order(torch.tensor(found.sides[0].matrix))
    both = sum(torch.tensor(one.matrix) for one in found.sides) / 2
    assert found.orders[2] == clustered_order(both)


def test_a_sentence_without_a_group_is_not_counted_in_them(engine: Engine) -> None:
    found = compare(engine, "cls", "mean")
    matrix = found.sides[1].matrix
    separation = found.sides[1].separation
    assert separation.within == pytest.approx((matrix[0][1] + matrix[2][3]) / 2)
    apart = [matrix[a][b] for a in (0, 1) for b in (2, 3)]
    assert separation.between == pytest.approx(sum(apart) / 4)
    assert found.named == ["animals", "films"]


def test_large_sets_stand_back_and_tell_how_far_they_are(
    engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    urgent = []

    def watched(*arguments: object) -> torch.Tensor:
        urgent.append(_urgency.get() == BULK)
        return pooled_by(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(lab_sets, "pooled_by", watched)
    for count, stands_back in ((24, False), (25, True)):
        urgent.clear()
        texts = ("a cat",) * count
        steps = list(compare_in_steps(engine, texts, ("",) * count, ("cls", "mean")))
        assert set(urgent) == {stands_back}
        assert steps[:-1] == sorted(
            {*range(8, count, 8), count, *range(count + 8, 2 * count, 8)} | {2 * count}
        )
        assert isinstance(steps[-1], Comparison)


def test_attention_is_offered_only_where_it_was_trained(engine: Engine) -> None:
    assert list(offered(engine)) == ["cls", "mean", "max", "pooler", "first"]
    told = sets_findings.set_finding(compare(engine, "cls", "mean"))[1]
    assert told[-1] == lab_sets.NO_ATTENTION
    engine.mean.model.attention_pooling = AttentionPooling(16, 0.02)
    assert "attention" in offered(engine)
    found = compare(engine, "attention", "mean")
    assert lab_sets.NO_ATTENTION not in sets_findings.set_finding(found)[1]


def test_a_pooling_that_nothing_was_trained_for_is_called_that(engine: Engine) -> None:
    for way in ("max", "pooler", "first"):
        told = sets_findings.set_finding(compare(engine, "mean", way))[1]
        assert lab_sets.WORTH[way] in told
    trained = sets_findings.set_finding(compare(engine, "mean", "cls"))[1]
    assert not {*lab_sets.WORTH.values()} & {*trained}


@pytest.mark.parametrize(
    ("left", "right", "verdict", "named", "numbers"),
    [
        ((0.5, 0.1), (0.4, 0.1), "better", ["CLS", "mean"], [".40", ".30"]),
        ((0.4, 0.1), (0.5, 0.1), "better", ["mean", "CLS"], [".40", ".30"]),
        ((0.4, 0.1), (0.41, 0.1), "both", ["mean", "CLS"], [".31", ".30"]),
        ((0.1, 0.2), (0.1, 0.4), "neither", ["CLS", "mean"], ["-.10", "-.30"]),
        ((None, 0.2), (0.1, 0.4), "", ["CLS", "mean"], ["1", "2", ".90", "2", "3", ".80"]),
    ],
)
def test_the_title_says_which_side_separates_better(
    left: tuple[float | None, float],
    right: tuple[float, float],
    verdict: str,
    named: list[str],
    numbers: list[str],
) -> None:
    one = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]]
    other = [[1.0, 0.1, 0.2], [0.1, 1.0, 0.8], [0.2, 0.8, 1.0]]
    found = made_up(side(one, *left), side(other, *right, "mean"), ("x", "x", "y"))
    title, _ = sets_findings.set_finding(found)
    assert named_in(title, ("better", "both", "neither")) == [verdict] * bool(verdict)
    assert (named_in(title, SHORT), numbers_in(title)) == (named, numbers)


def test_lines_tell_both_means_the_neighbours_and_the_agreement() -> None:
    one = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]]
    other = [[1.0, 0.1, 0.9], [0.1, 1.0, 0.8], [0.9, 0.8, 1.0]]
    found = made_up(side(one, 0.9, 0.15), side(other, 0.1, 0.85), ("x", "x", "y"))
    _, lines = sets_findings.set_finding(found)
    assert [numbers_in(line) for line in lines[:3]] == [
        [".90", ".15", "2", "3"],  # within, between; nearest of the same group, of all
        [".10", ".85", "0", "3"],
        ["-1.00", "1"],
    ]
    assert sets_findings.correlation(one, one) == pytest.approx(1.0)
    assert sets_findings.correlation([[1.0, 0.5], [0.5, 1.0]], one) is None
    flat = [[1.0, 0.5, 0.5], [0.5, 1.0, 0.5], [0.5, 0.5, 1.0]]
    assert sets_findings.correlation(flat, one) is None


def test_the_nearest_of_a_sentence_are_named_for_both() -> None:
    one = [[1.0, 0.9, 0.1], [0.9, 1.0, 0.2], [0.1, 0.2, 1.0]]
    found = made_up(side(one, 0.9, 0.15), side(one, 0.9, 0.15), ("", "", ""))
    title, lines = sets_findings.points_finding(found, 1)
    assert numbers_in(title) == ["2", "2", "2"], "two nearest to sentence 2, two of them shared"
    assert numbers_in(lines[0]) == ["1", ".90", "3", ".20"]
    assert quoted_in(lines[0]) == [TEXTS[0], TEXTS[2]]
    assert sets_findings.nearest(found.sides[0], 2, 1) == [1]
    assert numbers_in(sets_findings.points_finding(found, None)[0]) == ["75", "75"]


@pytest.mark.parametrize(
    ("value", "written"),
    [(0.414, ".41"), (-0.05, "−.05"), (1.0, "1.00"), (-1.0, "−1.00"), (-0.001, ".00")],
)
def test_cosines_are_written_short(value: float, written: str) -> None:
    assert sets_findings.decimals(value) == written
