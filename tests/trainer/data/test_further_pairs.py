"""Further pairs: which rows are let in, on which scale, in which share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest

from minbert.tables import Example
from tests.support import assert_says
from tests.trainer.samples import write_table
from trainer.data.further_pairs import (
    EXTRA_PAIRS,
    Mixture,
    chosen_names,
    draw,
    mix_in,
    names_of,
    positive_room,
)

PAIRS = ("id", "sentence1", "sentence2")


def pair(number: int, label: float | None = 0.0) -> Example:
    """Return a pair of its own."""
    return Example(f"p{number}", (f"Cat {number} sleeps .", f"Dog {number} runs ."), label)


def rows_of(examples: Sequence[Example]) -> list[tuple[str, ...]]:
    """Return examples as rows of a file."""
    return [(row.id, *row.texts, f"{row.label:g}") for row in examples]


def write_extra(folder: Path, name: str, examples: Sequence[Example]) -> None:
    """Write one further data set."""
    extra = EXTRA_PAIRS[name]
    path = folder / extra.file
    path.parent.mkdir(exist_ok=True)
    write_table(path, (*PAIRS, extra.task.target), rows_of(examples))


def mixed(
    folder: Path,
    names: Sequence[str],
    train: list[Example],
    held_out: Sequence[Example] = (),
    positives: float = 0.5,
    seed: int = 0,
) -> tuple[Mixture, list[str]]:
    """Mix data sets in; also return the lines told."""
    told: list[str] = []
    found = mix_in(
        train, held_out, names, folder, positives=positives, seed=seed, report=told.append
    )
    return found, told


def test_a_planted_dev_pair_never_trains(tmp_path: Path) -> None:
    dev = [pair(1), Example("t", ("The  STORY is long .", "That plot ends ."), None)]
    turned = Example("x", ("that plot ENDS .", "the story is long ."), 4.0)
    as_it_is = Example("y", ("cat 1 sleeps .", " Dog 1  runs ."), 2.0)
    write_extra(tmp_path, "sts-2012-2016", [turned, pair(7, 3.0), as_it_is, pair(8, 5.0)])
    found, told = mixed(tmp_path, ["sts-2012-2016"], [pair(5, 1.0)], dev)
    assert [row.texts for row in found.examples] == [pair(n).texts for n in (5, 7, 8)]
    assert [row.label for row in found.examples] == [1.0, 3.0, 5.0]
    assert found.counts == {
        "sts-2012-2016": {"rows": 4, "held_out": 2, "repeated": 0, "capped": 0, "added": 2}
    }
    assert told == [
        "extra/sts-2012-2016.csv: 2 of 4 rows added to similarity; left out: 2 dev or test pairs, "
        "0 repeated, 0 for the share of duplicates"
    ]


def test_pairs_that_are_there_already_are_not_repeated(tmp_path: Path) -> None:
    again = Example("z", pair(7).texts[::-1], 1.0)
    write_extra(tmp_path, "sts-2012-2016", [pair(5, 4.0), pair(7, 3.0), again])
    write_extra(tmp_path, "sick", [pair(7, 4.0), pair(9, 5.0)])
    train = [pair(5, 1.0)]
    found, _ = mixed(tmp_path, ["sts-2012-2016", "sick"], train)
    assert [(row.texts, row.label) for row in found.examples] == [
        (pair(5).texts, 1.0),
        (pair(7).texts, 3.0),
        (pair(9).texts, 5.0),
    ]
    assert {name: told["repeated"] for name, told in found.counts.items()} == {
        "sts-2012-2016": 2,
        "sick": 1,
    }
    assert train == [pair(5, 1.0)]  # the caller's list is left alone


def test_relatedness_is_stretched_to_similarity_s_scale(tmp_path: Path) -> None:
    labels = {1.0: 0.0, 2.0: 1.25, 3.4: 3.0, 5.0: 5.0}
    write_extra(tmp_path, "sick", [pair(n, label) for n, label in enumerate(labels)])
    found, _ = mixed(tmp_path, ["sick"], [])
    assert [row.label for row in found.examples] == pytest.approx(list(labels.values()))
    assert EXTRA_PAIRS["sts-2012-2016"].rescaled(3.4) == pytest.approx(3.4)
    assert EXTRA_PAIRS["quora-duplicates"].rescaled(1.0) == 1.0


def test_relatedness_below_its_scale_is_no_row(tmp_path: Path) -> None:
    write_extra(tmp_path, "sick", [pair(1, 0.5), pair(2, 1.0)])
    found, _ = mixed(tmp_path, ["sick"], [])
    assert [row.id for row in found.examples] == ["p2"]


@pytest.mark.parametrize(
    ("positive", "negative", "share", "room"),
    [(3, 7, 0.5, 4), (3, 7, 0.3, 0), (3, 7, 0.4, 1), (0, 3, 0.75, 9), (5, 5, 0.2, 0)],
)
def test_the_share_of_duplicates_is_reached_and_not_passed(
    positive: int, negative: int, share: float, room: int
) -> None:
    rows = [pair(n, 1.0) for n in range(positive)] + [pair(n + 50) for n in range(negative)]
    assert positive_room(rows, share) == room
    if room:
        assert (positive + room) / (positive + negative + room) <= share + 1e-12
        assert (positive + room + 1) / (positive + negative + room + 1) > share


def test_duplicates_are_cut_to_the_share(tmp_path: Path) -> None:
    write_extra(tmp_path, "quora-duplicates", [pair(n, 1.0) for n in range(100, 140)])
    train = [pair(n, 1.0) for n in range(3)] + [pair(n + 50) for n in range(17)]
    found, told = mixed(tmp_path, ["quora-duplicates"], train)
    labels = [row.label for row in found.examples]
    assert labels.count(1.0) / len(labels) == 0.5
    assert found.counts["quora-duplicates"] == {
        **{"rows": 40, "held_out": 0, "repeated": 0},
        **{"capped": 26, "added": 14},
    }
    assert_says(told[0], found=("14 of 40 rows", "26 for the share"))
    assert found.examples[:20] == train
    other, _ = mixed(tmp_path, ["quora-duplicates"], train, seed=1)
    assert {row.id for row in other.examples} != {row.id for row in found.examples}
    assert mixed(tmp_path, ["quora-duplicates"], train)[0] == found
    whole, _ = mixed(tmp_path, ["quora-duplicates"], train, positives=1.0)
    assert len(whole.examples) == 60


def test_a_draw_keeps_the_order_and_repeats_nothing() -> None:
    rows = [pair(n) for n in range(30)]
    found = draw(rows, 12, 3)
    places = [rows.index(row) for row in found]
    assert len(found) == 12
    assert places == sorted(set(places))
    assert draw(rows, 30, 3) == rows == draw(rows, 99, 3)
    assert draw(rows, 0, 3) == []


def test_a_missing_file_is_told_in_one_line(tmp_path: Path) -> None:
    write_extra(tmp_path, "sick", [pair(1, 3.0)])
    found, told = mixed(tmp_path, ["sts-2012-2016", "sick"], [pair(5, 1.0)])
    assert len(found.examples) == 2
    assert told[0] == (
        "extra/sts-2012-2016.csv isn't there: similarity trains without sts-2012-2016"
    )
    assert list(found.counts) == ["sick"]


def test_names_are_read_and_unknown_ones_refused() -> None:
    assert names_of("similarity") == "sts-2012-2016, sick"
    assert names_of("paraphrase") == "quora-mined, quora-duplicates"
    assert chosen_names("extra_similarity", "", "similarity") == ()
    both = chosen_names("extra_similarity", "sick,sts-2012-2016", "similarity")
    assert both == ("sick", "sts-2012-2016")
    for value in ("quora-duplicates", "sick,sick", "sick, sts-2012-2016"):
        told = "`extra_similarity` should be names out of sts-2012-2016, sick, each once, with"
        with pytest.raises(ValueError, match=re.escape(told)):
            chosen_names("extra_similarity", value, "similarity")
