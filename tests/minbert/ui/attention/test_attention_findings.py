"""The studio's findings say what the maps hold."""

from __future__ import annotations

import re

import torch

from minbert.answers import AttentionResult
from minbert.explain.heads_summary import summarise_heads
from minbert.ui.attention import findings, fine_tuning

TOKENS = ["[CLS]", "rain", "[SEP]"]


def test_a_finding_names_the_most_seen_word_and_the_manner() -> None:
    middle = torch.zeros(3, 3)
    middle[:, 1] = 1.0
    assert findings.head_finding(TOKENS, TOKENS, middle, 5, 1) == (
        "Layer 5: head 1 looks sharply, most at “rain” (100 % of the attention shown)"
    )
    even = torch.full((3, 3), 1 / 3)
    assert "head 2 looks broadly" in findings.head_finding(TOKENS, TOKENS, even, 5, 2)
    assert "the average of its heads looks" in findings.head_finding(TOKENS, TOKENS, even, 5, 0)


def test_a_map_with_nothing_in_it_says_so() -> None:
    for rows, weights in (([], torch.zeros(0, 3)), (TOKENS, torch.zeros(3, 3))):
        assert "nothing is left" in findings.head_finding(rows, TOKENS, weights, 1, 1)


def test_all_heads_are_summed_up_by_the_marks_and_the_sharpest() -> None:
    maps = torch.full((2, 2, 3, 3), 1 / 3)  # each gives two thirds to the marks
    maps[1, 0] = 0.0
    maps[1, 0, :, 1] = 1.0  # all at "rain"
    result = AttentionResult(TOKENS, [0, 0, 0], (0, 1), maps, 0)
    told = findings.grid_finding(result, summarise_heads(result))
    assert told.startswith("3 of 4 heads give more than half of their attention to [CLS] and [SEP]")
    assert told.endswith("the sharpest is head 1 of layer 2")


def test_the_rollout_names_a_written_word() -> None:
    shares = torch.tensor([0.6, 0.3, 0.1])
    told = findings.rollout_finding(TOKENS, shares, 4)
    assert told.startswith("Through layers 1 to 4, “rain” goes most into the embedding: 30 %")
    assert "Through layer 1," in findings.rollout_finding(TOKENS, shares, 1)
    assert findings.rollout_finding(["[CLS]"], shares[:1], 1) == "There is no word to follow"


def test_the_head_that_changed_most_is_named_with_both_values() -> None:
    told = fine_tuning.tuning_finding([[1.0, 2.0]], [[1.5, 0.25]], "entropy")
    assert told.endswith("changed head 2 of layer 1 most, from 2.00 to 0.25 bits")
    shares = fine_tuning.tuning_finding([[0.1, 0.2]], [[0.5, 0.2]], "to_sep")
    assert shares.endswith("head 1 of layer 1 most, from 10% to 50%")


def test_the_table_beside_a_map_holds_its_cells_and_escapes_words() -> None:
    hostile = ["<b>x</b>", "film"]
    table = findings.attention_table(hostile, hostile, torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
    assert re.findall(r"<td>([\d.]+)</td>", table) == ["25.0", "75.0", "100.0", "0.0"]
    assert "<b>x" not in table
    assert table.count("&lt;b&gt;x") == 2


def test_of_a_large_map_the_strongest_cells_are_listed() -> None:
    size = findings.MOST_IN_TABLE + 1
    weights = torch.zeros(size, size)
    weights[3, 5], weights[7, 1] = 0.5, 0.25
    names = [f"w{number}" for number in range(size)]
    table = findings.attention_table(names, names, weights)
    rows = re.findall(r"<tr><th scope=\"row\">(.*?)</th><td>(.*?)</td><td>(.*?)</td>", table)
    assert rows[:2] == [("w3 (4)", "w5 (6)", "50.0"), ("w7 (8)", "w1 (2)", "25.0")]
    assert len(rows) == findings.STRONGEST


def test_the_tuning_table_has_a_row_for_each_head() -> None:
    table = fine_tuning.tuning_table([[1.0, 2.0]], [[1.5, 0.25]], "entropy")
    assert "layer 1, head 2" in table
    assert "<td>2.00</td><td>0.25</td><td>-1.75</td>" in table
