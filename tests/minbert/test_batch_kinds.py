"""A text is read as what its reader asks for, where its first line does not say it."""

from __future__ import annotations

import pytest

from minbert.batch import BatchError, read_batch

COURSE = "\tid\tsentence\tsentiment\n0\ta1\t The plot is slow .\t1\n"


@pytest.mark.parametrize("start", ["", "\n \n"])
def test_pairs_without_a_header_are_read_when_they_are_asked_for(start: str) -> None:
    table = read_batch(f'{start}A cat.\tA "dog".\nOne alone\n\t\nB\tC\tD\nE\tF\n', kind="pairs")
    skipped = start.count("\n")
    assert [(row.line - skipped, row.first, row.second) for row in table.rows] == [
        (1, "A cat.", 'A "dog".'),
        (5, "E", "F"),
    ]
    assert {row.line - skipped: row.reason for row in table.bad_rows} == {
        2: "1 field, at least 2 needed",
        4: "3 fields, 2 expected",
    }
    assert (table.kind, table.label_task) == ("pairs", None)


@pytest.mark.parametrize("between", ["\t", ",", ";"])
def test_a_header_counts_where_pairs_are_asked_for(between: str) -> None:
    header, row = (between.join(cells) for cells in (("Sentence2", "sentence1"), ("B", "A")))
    (only,) = read_batch(f"{header}\n{row}\n", kind="pairs").rows
    assert (only.line, only.first, only.second) == (2, "A", "B")


def test_a_header_of_the_other_kind_is_refused() -> None:
    with pytest.raises(BatchError, match="Line 1: pairs need two sentences a row") as told:
        read_batch(COURSE, kind="pairs")
    assert told.value.line == 1
    with pytest.raises(BatchError, match="Line 2: sentences need one sentence a row"):
        read_batch("\nsentence1,sentence2\na,b\n", kind="sentences")
    assert read_batch(COURSE, kind="sentences") == read_batch(COURSE)
    assert read_batch("a\nb", kind="sentences") == read_batch("a\nb")
