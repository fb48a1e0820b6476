"""Sentences and labels as people bring them: recognised, counted, refused in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from minbert.batch import BatchError, read_batch
from minbert.checks import TextError
from minbert.labels import ExamplesError, LabelledTexts, examples_of, read_examples
from minbert.reading import ReadError
from tests.support import assert_says

TICKETS = Path(__file__).resolve().parents[3] / "assets" / "examples" / "tickets.csv"
COLOURS = ("red", "green", "blue", "black", "white", "pink", "grey", "dark")
ROWS = [(f"I like the {colour} one", "ab"[n % 2]) for n, colour in enumerate(COLOURS)]


def table(rows: Sequence[Sequence[str]], header: str = "", between: str = ",") -> str:
    """Write rows as a table."""
    lines = [header] if header else []
    return "\n".join([*lines, *(between.join(row) for row in rows)])


def turned(rows: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    return [row[::-1] for row in rows]


def is_usual(found: LabelledTexts) -> None:
    assert found.texts == tuple(text for text, _ in ROWS)
    assert found.classes == ("a", "b")
    assert found.labels == (0, 1) * 4
    assert found.counts == (4, 4)


@pytest.mark.parametrize(
    ("text", "first"),
    [
        (table(ROWS, "text,label"), 2),
        (table(ROWS, "Text;Category", ";"), 2),
        (table(ROWS), 1),
        (table(ROWS, between="\t"), 1),
        (table(turned(ROWS), between="\t"), 1),
        (table(turned(ROWS), "my class,my words"), 2),
        (table([(str(n), *row) for n, row in enumerate(ROWS)], "id\tsentence\tsentiment", "\t"), 2),
        (table([(f'"{text}"', label) for text, label in ROWS], "ticket,intent"), 2),
        (table([(label, "x", text) for text, label in ROWS], "label,group,text"), 2),
    ],
)
def test_the_columns_are_told_by_what_repeats(text: str, first: int) -> None:
    found = read_examples(text)
    is_usual(found)
    assert found.rows == tuple(range(first, first + 8))
    assert any("as label" in note or "label." in note for note in found.notes)
    is_usual(read_examples(text.encode("utf-16")))


@pytest.mark.parametrize(
    "columns", ["sentence=text, label=two", "sentence=1, label=3, header=yes", "label=TWO"]
)
def test_columns_may_be_chosen(columns: str) -> None:
    text = table([(text, "x" + "yz"[n % 2], label) for n, (text, label) in enumerate(ROWS)])
    is_usual(read_examples("text,one,two\n" + text, columns=columns))


@pytest.mark.parametrize(
    ("text", "columns", "told"),
    [
        ("", None, ["no text"]),
        ("<html><body>", None, ["web page"]),
        (table([(text,) for text, _ in ROWS]), None, ["labels", "one column"]),
        (table([(*row, row[1] * 2) for row in ROWS], "text,one,two"), None, ["'one'", "label="]),
        (table(ROWS, "text,kind"), "sentence=text", ["labels", "label="]),
        (table(ROWS, "text,label"), "sentence=text, label=kind", ["label=kind", "'text'"]),
        (table(ROWS, "text,label"), "mood=label", ["mood", "label"]),
        (table(ROWS * 626, "text,label"), None, ["5,000", "5,008", "random"]),
    ],
)
def test_tables_that_cannot_be_read_are_refused(
    text: str, columns: str | None, told: list[str]
) -> None:
    with pytest.raises(ReadError) as error:
        read_examples(text, columns=columns)
    assert_says(error.value, rule=told)


def test_other_readers_know_no_labels_of_ones_own() -> None:
    with pytest.raises(BatchError, match="a role out of id, sentence"):
        read_batch(table(ROWS, "text,label"), columns="sentence=text, label=label")


def test_what_cannot_be_used_is_left_out_and_told() -> None:
    rows = [
        *ROWS,
        ("\u200b", "a"),
        ("alone", ""),
        ("I  LIKE the red one", "a"),
        ("a", "b", "c", "d"),
    ]
    found = read_examples(table(rows, "text,label"))
    is_usual(found)
    assert [(bad.line, bad.reason) for bad in found.left_out] == [
        (10, "sentence has only invisible characters"),
        (11, "no label"),
        (13, "4 fields, 2 expected"),
    ]
    assert found.repeats == 1
    assert any(note.startswith("Left out: 3 rows, the first in line 10: ") for note in found.notes)
    assert "1 row repeated others, label and all: counted once." in found.notes


def test_a_sentence_with_two_labels_is_kept_and_told() -> None:
    found = read_examples(table([*ROWS, ("i like the red one", "b")], "text,label"))
    assert found.contradictions == ((2, 10),)
    assert len(found) == 9
    assert any("more than one label, the first in lines 2 and 10" in note for note in found.notes)


def test_class_names_stay_as_they_are_and_doubts_are_told() -> None:
    names = ("Größe", "größe ", "<b>", " 10", "9")
    rows = [(f"text {n}", names[n % 5]) for n in range(20)]
    found = examples_of(*map(list, zip(*rows, strict=True)))
    assert found.classes == ("10", "9", "<b>", "Größe", "größe")
    assert found.notes == ("'Größe' and 'größe' are taken as 2 classes.",)


def test_classes_that_are_numbers_stand_in_their_order() -> None:
    labels = [str(n % 3 * 5) for n in range(12)]
    assert examples_of([f"text {n}" for n in range(12)], labels).classes == ("0", "5", "10")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["a"] * 7, ["at least 8 rows", "Found 7"]),
        (["a"] * 9, ["2 to 20 classes", "Found one, 'a'", "another class"]),
        (list(map(str, range(30))) * 4, ["2 to 20 classes", "Found 30", "numbers"]),
        ([f"t{n}" for n in range(30)], ["2 to 20 classes", "Found 30", "ids"]),
        (["a", "b"] * 4 + ["c"] * 2, ["at least 4 rows", "2 of 'c'", "rows 9, 10", "take it out"]),
        (["a", "b", "c"] * 3, ["3 of 'a'", "3 classes in all"]),
    ],
)
def test_labels_that_nothing_can_be_learned_from_are_refused(
    labels: list[str], told: list[str]
) -> None:
    with pytest.raises(ExamplesError) as error:
        examples_of([f"text {n}" for n in range(len(labels))], labels)
    assert_says(error.value, rule=told)


@pytest.mark.parametrize(
    ("texts", "labels", "field", "told"),
    [
        (["x"] * 9, ["a"] * 8, "labels", ["9 texts", "Found 8"]),
        (["x"] * 5001, ["a"] * 5001, "texts", ["5,000", "Found 5,001"]),
        (["y" * 600_000 + str(n) for n in range(9)], ["a"] * 9, "texts", ["5,000,000 bytes"]),
        (["x"] * 20, ["a"] * 20, "texts", ["Found 1;", "repeated"]),
    ],
)
def test_lists_that_do_not_fit_are_refused(
    texts: list[str], labels: list[str], field: str, told: list[str]
) -> None:
    with pytest.raises(ExamplesError) as error:
        examples_of(texts, labels)
    assert error.value.field == field
    assert_says(error.value, rule=told)


def test_a_value_that_is_no_text_is_refused() -> None:
    with pytest.raises(TextError, match=r"texts\[1\]"):
        examples_of(["x", 5], ["a", "b"])  # type: ignore[list-item]


def test_a_text_without_end_is_left_out() -> None:
    texts = [*(text for text, _ in ROWS), "long " * 20_001]
    found = examples_of(texts, [*(label for _, label in ROWS), "a"])
    is_usual(found)
    assert "characters" in found.left_out[0].reason


def test_our_tickets_are_three_hundred_different_ones() -> None:
    found = read_examples(TICKETS.read_bytes())
    assert len(found) == len(set(found.texts)) == 300
    assert found.classes == ("account", "billing", "delivery", "returns", "technical")
    assert min(found.counts) >= 50
    assert not found.left_out
    assert len(found.notes) == 1
