"""Lines between words: each is a weight of the map, each word tells its own."""

from __future__ import annotations

import re

import pytest
import torch

from minbert.ui.attention.lines import MOST_WORDS, WEAKEST, lines_figure
from tests.read_html import Element, numbers_in, quoted_in, read

ROWS, COLUMNS = ["[CLS]", "rain"], ["[CLS]", "rain", "fell"]
WEIGHTS = torch.tensor([[0.7, 0.299, 0.001], [0.0, 0.25, 0.75]])


def words_of(html: str) -> list[list[Element]]:
    return [side.find("div", role="option") for side in read(html).find("div", role="listbox")]


def test_a_line_is_drawn_for_each_share_that_can_be_seen() -> None:
    drawn = {
        (int(line.attributes["data-row"]), int(line.attributes["data-column"])): line.attributes
        for line in read(lines_figure(ROWS, COLUMNS, WEIGHTS)).find("line")
    }
    wanted = {tuple(place) for place in (WEIGHTS >= WEAKEST).nonzero().tolist()}
    assert set(drawn) == wanted
    for (row, column), line in drawn.items():
        width, strength = map(float, re.findall(r"[\d.]+", line["style"]))
        share = float(WEIGHTS[row, column])
        assert width == pytest.approx(share, abs=5e-4)
        assert strength == pytest.approx((share / 0.75) ** 2, abs=5e-3)
        assert (float(line["y1"]), float(line["y2"])) == (row + 0.5, column + 0.5)


def test_each_word_holds_its_shares_and_tells_the_strongest_first() -> None:
    for words, maps in zip(
        words_of(lines_figure(ROWS, COLUMNS, WEIGHTS)), (WEIGHTS, WEIGHTS.T), strict=True
    ):
        others = COLUMNS if maps is WEIGHTS else ROWS
        for word, shares in zip(words, maps, strict=True):
            held = [int(share) for share in word.attributes["data-shares"].split(",")]
            assert held == (shares * 1000).round().int().tolist()
            told = word.attributes["aria-label"]
            order = shares.argsort(descending=True).tolist()
            assert quoted_in(told) == [others[place] for place in order if shares[place] > 0]
            assert numbers_in(told)[0] == f"{100 * float(shares.max()):.0f}"
        assert [word.attributes["tabindex"] for word in words].count("0") == 1


def test_a_long_text_is_drawn_by_its_first_words_and_stays_small() -> None:
    names = [f"w{number}" for number in range(128)]
    even = torch.full((128, 128), WEAKEST + 0.001)  # every pair of words is a line
    html = lines_figure(names, names, even)
    assert [len(side) for side in words_of(html)] == [MOST_WORDS] * 2
    assert len(read(html).find("line")) == MOST_WORDS**2
    assert len(html) < 400_000


def test_without_a_word_there_is_no_line() -> None:
    html = lines_figure([], [], torch.zeros(0, 0))
    assert words_of(html) == [[], []]
    assert read(html).find("line") == []
