"""The studio's findings say what the maps hold."""

from __future__ import annotations

import torch

from minbert.answers import AttentionResult
from minbert.explain.heads_summary import summarise_heads
from minbert.ui.attention import findings, fine_tuning
from tests.read_html import named_in, numbers_in, quoted_in, read

TOKENS = ["[CLS]", "rain", "[SEP]"]
MANNERS = ("sharply", "broadly")


def test_a_finding_names_the_most_seen_word_and_the_manner() -> None:
    middle, even = torch.zeros(3, 3), torch.full((3, 3), 1 / 3)
    middle[:, 1] = 1.0
    told = findings.head_finding(TOKENS, TOKENS, middle, 5, 1)
    assert (quoted_in(told), numbers_in(told)) == (["rain"], ["5", "1", "100"])
    assert named_in(told, MANNERS) == ["sharply"]
    for head, numbers in ((2, ["5", "2", "33"]), (0, ["5", "33"])):  # 0: the mean of all heads
        told = findings.head_finding(TOKENS, TOKENS, even, 5, head)
        assert numbers_in(told) == numbers
        assert named_in(told, MANNERS) == ["broadly"]
    mixed = torch.tensor([[0.25, 0.75, 0.0]] * 3)
    assert named_in(findings.head_finding(TOKENS, TOKENS, mixed, 5, 1), MANNERS) == []


def test_a_map_with_nothing_in_it_names_no_word() -> None:
    for rows, weights in (([], torch.zeros(0, 3)), (TOKENS, torch.zeros(3, 3))):
        assert quoted_in(findings.head_finding(rows, TOKENS, weights, 1, 1)) == []


def test_all_heads_are_summed_up_by_the_marks_and_the_sharpest() -> None:
    maps = torch.full((2, 2, 3, 3), 1 / 3)  # each gives two thirds to the marks
    maps[1, 0] = 0.0
    maps[1, 0, :, 1] = 1.0  # all at "rain"
    result = AttentionResult(TOKENS, [0, 0, 0], (0, 1), maps, 0)
    told = findings.grid_finding(result, summarise_heads(result))
    assert numbers_in(told) == ["3", "4", "1", "2"], "3 of 4 heads; the sharpest: head 1 of layer 2"


def test_the_rollout_names_a_written_word() -> None:
    shares = torch.tensor([0.6, 0.3, 0.1])
    for layers, numbers in ((4, ["1", "4", "30"]), (1, ["1", "30"])):
        told = findings.rollout_finding(TOKENS, shares, layers)
        assert (quoted_in(told), numbers_in(told)) == (["rain"], numbers)
    assert quoted_in(findings.rollout_finding(["[CLS]"], shares[:1], 1)) == []


def test_the_head_that_changed_most_is_named_with_both_values() -> None:
    told = fine_tuning.tuning_finding([[1.0, 2.0]], [[1.5, 0.25]], "entropy")
    assert numbers_in(told) == ["2", "1", "2.00", "0.25"]
    shares = fine_tuning.tuning_finding([[0.1, 0.2]], [[0.5, 0.2]], "to_sep")
    assert numbers_in(shares) == ["1", "1", "10", "50"]


def test_the_table_beside_a_map_holds_its_cells() -> None:
    html = findings.attention_table(["a", "b"], ["c", "d"], torch.tensor([[0.25, 0.75], [1, 0]]))
    (table,) = read(html).tables
    assert table.heads[0][1:] == ["c", "d"]
    assert table.rows == [["a", "25.0", "75.0"], ["b", "100.0", "0.0"]]


def test_of_a_large_map_the_strongest_cells_are_listed() -> None:
    size = findings.MOST_IN_TABLE + 1
    weights = torch.zeros(size, size)
    weights[3, 5], weights[7, 1] = 0.5, 0.25
    names = [f"w{number}" for number in range(size)]
    rows = read(findings.attention_table(names, names, weights)).rows
    assert rows[:2] == [["w3 (4)", "w5 (6)", "50.0"], ["w7 (8)", "w1 (2)", "25.0"]]
    assert len(rows) == findings.STRONGEST


def test_the_tuning_table_has_a_row_for_each_head() -> None:
    rows = read(fine_tuning.tuning_table([[1.0, 2.0]], [[1.5, 0.25]], "entropy")).rows
    assert [numbers_in(" ".join(row)) for row in rows] == [
        *(["1", "1", "1.00", "1.50", "+0.50"], ["1", "2", "2.00", "0.25", "-1.75"])
    ]
