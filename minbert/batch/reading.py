"""Reading what somebody brings: the course's tables, a spreadsheet's CSV, or plain sentences.

A row that does not parse is kept as a `BadRow` with its line and the reason; what is wrong with
the file as a whole is a `BatchError`. Lines without any text are no rows.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from typing import Literal

from minbert.batch.columns import Columns, columns_of, unnamed_pairs
from minbert.batch.lines import BatchError, Lines, decoded
from minbert.checks import is_blank, nothing_in
from minbert.reading.guard import unguarded
from minbert.tables import LONGEST_FIELD, label_of
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task

MOST_ROWS = 20_000
MOST_BYTES = 5_000_000
LONGEST_TEXT = 100_000  # characters of one sentence; the model reads far fewer

Kind = Literal["sentences", "pairs"]


@dataclasses.dataclass(frozen=True, slots=True)
class BatchRow:
    """One row to answer, its texts as they were written."""

    line: int  # 1-based line of the file where the row begins
    id: str | None  # None: the file has none
    first: str
    second: str | None  # None: a single sentence
    label: float | None  # None: the row has none


@dataclasses.dataclass(frozen=True, slots=True)
class BadRow:
    """One row that does not parse."""

    line: int  # 1-based line of the file where the row begins
    reason: str


@dataclasses.dataclass(frozen=True)
class BatchTable:
    """All that was brought: rows to answer, and rows that can't be."""

    kind: Kind
    rows: tuple[BatchRow, ...]  # in the file's order
    bad_rows: tuple[BadRow, ...]
    label_task: Task | None  # the task whose label column there is

    @property
    def tasks(self) -> tuple[Task, ...]:
        """Return the tasks that can be answered."""
        return (SENTIMENT,) if self.kind == "sentences" else (PARAPHRASE, SIMILARITY)


def read_batch(
    content: bytes | str,
    *,
    kind: Kind | None = None,
    most_rows: int = MOST_ROWS,
    most_bytes: int = MOST_BYTES,
) -> BatchTable:
    """Read a table with a header, or plain text with one sentence a line.

    Args:
        content: an uploaded file's bytes (UTF-8, with or without its mark), or pasted text.
        kind: what the rows should be; a text without a header is then read as that, pairs with a
            tab between their two sentences. None: what the first line says.
        most_rows: more rows, bad ones included, are refused.
        most_bytes: so is more, counted as UTF-8.

    Raises:
        BatchError: too much, empty, not UTF-8, a header without texts or with those of the other
            kind, a quote never closed.
    """
    text = decoded(content, most_bytes)
    lines = Lines(text)
    first = next((line for line in lines if line.strip()), None)
    if first is None:
        raise BatchError("The file should hold a table, or one sentence a line. Found no text.")
    columns = unnamed_pairs(first) if kind == "pairs" else None
    if columns is None:
        columns = columns_of(first, lines.number)
        _check_kind(kind, columns, lines.number)
    else:
        lines = Lines(text)  # its first line is a row
    rows, bad_rows, count = [], [], 0
    for row in _sentences(first, lines) if columns is None else _table(lines, columns):
        count += 1
        if count > most_rows:
            continue  # only counted, so that the message can say how many
        if isinstance(row, BatchRow):
            rows.append(row)
        else:
            bad_rows.append(row)
    if count > most_rows:
        raise BatchError(f"The file should have at most {most_rows:,} rows. Found {count:,}.")
    if not count:
        raise BatchError("The file should have rows below its header. Found none.")
    return BatchTable(
        _kind_of(columns),
        tuple(rows),
        tuple(bad_rows),
        None if columns is None else columns.label_task,
    )


def _kind_of(columns: Columns | None) -> Kind:
    return "pairs" if columns is not None and len(columns.texts) == 2 else "sentences"


def _check_kind(wanted: Kind | None, columns: Columns | None, number: int) -> None:
    found = _kind_of(columns)
    if wanted is not None and wanted != found:
        needed, named = ("one sentence a row", "pairs")
        if wanted == "pairs":
            needed, named = ("two sentences a row", "one sentence a row")
        raise BatchError(
            f"{wanted} need {needed}. Found a header of {named}; choose the other kind.", number
        )


def _sentences(first: str, lines: Lines) -> Iterator[BatchRow | BadRow]:
    """Yield a row for each line that holds text."""
    yield _sentence(lines.number, first)
    for line in lines:
        lines.row.clear()
        if line.strip():
            yield _sentence(lines.number, line)


def _sentence(number: int, line: str) -> BatchRow | BadRow:
    try:
        return BatchRow(number, None, _text("sentence", line.rstrip("\r\n")), None, None)
    except ValueError as error:
        return BadRow(number, str(error))


def _table(lines: Lines, columns: Columns) -> Iterator[BatchRow | BadRow]:
    """Yield the rows below the header."""
    csv.field_size_limit(LONGEST_FIELD)  # of the whole process: the value that tables.py sets
    reader = csv.reader(lines, delimiter=columns.delimiter, strict=True)
    while True:
        lines.row.clear()
        begun = lines.number + 1
        try:
            fields = next(reader)
            if len(lines.row) > 1 and _swallowed_rows(lines.row, columns):
                yield _broken(begun, lines)
            elif any(field.strip() for field in fields):
                yield _row(begun, fields, columns)
        except StopIteration:
            return
        except csv.Error:
            yield _broken(begun, lines)
        except ValueError as error:
            yield BadRow(begun, str(error))


def _swallowed_rows(raw: list[str], columns: Columns) -> bool:
    """Say whether the lines of one parsed row were meant as several.

    A quoted text with line breaks starts or ends within a row; where both its first and its last
    line are whole rows, two stray quotes have met.
    """
    return all(columns.looks_like_a_row(line) for line in (raw[0], raw[-1]))


def _broken(begun: int, lines: Lines) -> BadRow:
    """Say what a stray quote, or an endless field, did to a row.

    Raises:
        BatchError: the quote is never closed.
    """
    if lines.ended:
        raise BatchError(
            "a quote opens in this row and is never closed. Close it, or write a quote "
            'that belongs to a text twice, within quotes: "He said ""no""."',
            begun,
        )
    if len(lines.row) > 1:
        return BadRow(begun, f"a stray quote makes one row of lines {begun} to {lines.number}")
    if len(lines.row[0]) > LONGEST_FIELD:
        return BadRow(begun, f"a field of more than {LONGEST_FIELD:,} characters")
    return BadRow(begun, "a quoted text goes on after its closing quote")


def _row(line: int, fields: list[str], columns: Columns) -> BatchRow:
    """Build a row from its fields; labels and whatever else is last may be missing.

    Raises:
        ValueError: what is wrong with it.
    """
    needed = max(*columns.texts, columns.id or 0) + 1
    found = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    if len(fields) < needed:
        raise ValueError(f"{found}, at least {needed} needed")
    if len(fields) > columns.width:
        raise ValueError(f"{found}, {columns.width} expected")
    if columns.guarded:
        fields = [unguarded(field) for field in fields]
    names = SENTIMENT.text_columns if len(columns.texts) == 1 else PARAPHRASE.text_columns
    texts = [_text(name, fields[at]) for name, at in zip(names, columns.texts, strict=True)]
    return BatchRow(
        line,
        None if columns.id is None else fields[columns.id] or None,
        texts[0],
        texts[1] if len(texts) == 2 else None,
        _label(fields, columns),
    )


def _text(name: str, text: str) -> str:
    if len(text) > LONGEST_TEXT:
        raise ValueError(f"{name} has {len(text):,} characters, at most {LONGEST_TEXT:,} allowed")
    if is_blank(text):
        raise ValueError(nothing_in(name, text))
    return text


def _label(fields: list[str], columns: Columns) -> float | None:
    """Return a row's label; None where its cell is empty: to be answered, not scored."""
    task, at = columns.label_task, columns.label
    if task is None or at is None or at >= len(fields) or not fields[at].strip():
        return None
    return label_of(fields[at], task)
