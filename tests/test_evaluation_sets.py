"""The hand-written evaluation sets: never edited, balanced, and of no published folder."""

from __future__ import annotations

import csv
import hashlib
import re
from collections import Counter
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[1] / "assets" / "evaluation"
TOLD = dict(
    reversed(pair)
    for pair in re.findall(r"([0-9a-f]{64})  (\S+)", (FOLDER / "README.md").read_text("utf-8"))
)


def rows_of(name: str) -> list[dict[str, str]]:
    """Return a set's rows."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_set_is_as_it_was_written(name: str) -> None:
    assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == TOLD[name]


def test_every_set_is_told() -> None:
    assert {path.name for path in FOLDER.glob("*.tsv")} == set(TOLD)


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("who_did_what.tsv", {"0": 110, "1": 110}),
        ("unrelated_statements.tsv", {"0": 100}),
        ("same_statements.tsv", {"1": 100}),
    ],
)
def test_labels_are_balanced_and_no_sentence_comes_twice(name: str, labels: dict[str, int]) -> None:
    rows = rows_of(name)
    assert Counter(row["is_duplicate"] for row in rows) == labels
    sentences = [row[column].lower() for row in rows for column in ("sentence1", "sentence2")]
    assert len(set(sentences)) == len(sentences)
