"""What a first line names: the columns of a table, or nothing, because it is a sentence itself.

Tab-separated as in the course, or with the commas or semicolons that spreadsheets write. A line
with a tab is always taken for a header, a line with commas only where its words are column names.
"""

from __future__ import annotations

import csv
import dataclasses
import re
from collections.abc import Sequence

from minbert.batch.lines import BatchError
from minbert.reading.guard import is_download
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task

SINGLE, PAIR = SENTIMENT.text_columns, PARAPHRASE.text_columns
LABELS = {1: (SENTIMENT,), 2: (PARAPHRASE, SIMILARITY)}  # by number of texts
NAMES_OF_TABLES = {  # tell a header from a sentence, even one that lacks the columns needed
    *(task.target for task in (SENTIMENT, PARAPHRASE, SIMILARITY)),
    *("id", "index", "label", "score", "text", "text1", "text2", "question1", "question2"),
}
NEEDED = "a column named sentence, or two named sentence1 and sentence2"
_NAME = re.compile(r"[\w-]*")


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where the fields of a table are."""

    delimiter: str
    width: int  # fields of the header
    texts: tuple[int, ...]  # the sentence's column, or both sentences'
    id: int | None
    label: int | None
    label_task: Task | None  # which labels they are
    guarded: bool = False  # a file that Batch wrote, with apostrophes before formulas

    def looks_like_a_row(self, line: str) -> bool:
        """Say whether a raw line, quotes not understood, is a whole row by itself.

        Commas stand in sentences too, so without tabs it takes a number in the label's place.
        """
        cells = line.rstrip("\r\n").split(self.delimiter)
        if self.width == 1 or len(cells) != self.width:
            return False
        if self.label is None:
            return self.delimiter == "\t"
        return re.fullmatch(r'"?-?[\d.]+"?', cells[self.label].strip()) is not None


def unnamed_pairs(line: str) -> Columns | None:
    """Read a first line as two texts with a tab between them; None: it names columns."""
    for delimiter in "\t,;":
        names = {name.strip().casefold() for name in _names(line, delimiter)}
        if names.intersection((*SINGLE, *PAIR)):
            return None
    return Columns("\t", 2, (0, 1), id=None, label=None, label_task=None)


def columns_of(line: str, number: int) -> Columns | None:
    """Read the first line of a file; None: it is no header, so every line is a sentence.

    Raises:
        BatchError: a header without the text columns, or with one of its columns twice.
    """
    for delimiter in "\t,;":
        written = _names(line, delimiter)
        names = [name.strip().casefold() for name in written]
        if delimiter == "\t" and len(names) > 1:
            return _columns(names, written, delimiter, number)
        if {*SINGLE, *PAIR}.intersection(names):
            return _columns(names, written, delimiter, number)
        named = len(names) > 1 and all(_NAME.fullmatch(name) for name in names)
        if named and NAMES_OF_TABLES.intersection(names):
            return _columns(names, written, delimiter, number)
    return None


def _names(line: str, delimiter: str) -> list[str]:
    try:
        (row,) = csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True)
    except csv.Error:  # a quote that isn't one of a table
        return line.split(delimiter)
    return row


def _columns(names: Sequence[str], written: Sequence[str], delimiter: str, number: int) -> Columns:
    found = ", ".join(repr(name[:40]) for name in written[:12])
    single, pair = ({*wanted} <= {*names} for wanted in (SINGLE, PAIR))
    if not (single or pair):
        raise BatchError(
            f"the first line should name the columns, among them {NEEDED}. Found {found}. "
            "Or bring plain text without tabs, one sentence a line.",
            number,
        )
    if single and pair:
        raise BatchError(f"the header should name {NEEDED}, not both. Found {found}.", number)
    texts = SINGLE if single else PAIR
    tasks = [task for task in LABELS[len(texts)] if task.target in names]
    if len(tasks) > 1:
        targets = " and ".join(task.target for task in tasks)
        raise BatchError(
            f"the header should name one column of labels. Found {targets}; leave one out.", number
        )
    used = [*texts, "id", *(task.target for task in tasks)]
    twice = [name for name in used if names.count(name) > 1]
    if twice:
        raise BatchError(f"the header should name {twice[0]} once. Found {found}.", number)
    return Columns(
        delimiter=delimiter,
        width=len(names),
        texts=tuple(names.index(name) for name in texts),
        id=names.index("id") if "id" in names else None,
        label=names.index(tasks[0].target) if tasks else None,
        label_task=tasks[0] if tasks else None,
        guarded=is_download(names),
    )
