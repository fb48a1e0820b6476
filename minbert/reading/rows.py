"""The one reader of tables and plain text: an iterator of rows, and of those that can't be read.

Neither the file nor its rows are held: memory is flat, however long the file is. A row that does
not parse is a `BadRow` with its line and the reason; what is wrong with a file as a whole is a
`ReadError`.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator
from typing import NamedTuple

from minbert.checks import is_blank, nothing_in
from minbert.reading.columns import PAIR, SINGLE, Columns, Wanted, read_choice
from minbert.reading.guard import unguarded
from minbert.reading.lines import Lines, ReadError, Source
from minbert.reading.prose import check_prose
from minbert.reading.quotes import LONGEST_FIELD, RowError, quoted_fields, uses_quotes
from minbert.reading.records import is_record, record_cells, record_columns, record_table
from minbert.reading.shape import Numbered, find_columns, likely_rows, separator_of

SAMPLE_LINES, SAMPLE_LENGTH = 200, 1_000_000  # lines, characters: what a table is recognised by
PLAIN_TEXT = "No table: each line is read as one sentence."
_NO_TEXT = re.compile("[\0\ud800-\udfff]")  # what bytes that aren't UTF-8 become, and zero bytes


@dataclasses.dataclass(frozen=True, slots=True)
class BadRow:
    """One row that does not parse, or one label."""

    line: int  # 1-based line of the file where the row begins
    reason: str


class Row(NamedTuple):
    """One row, its texts and its label as they were written."""

    line: int  # 1-based line of the file where the row begins
    id: str | None  # None: the file has none
    texts: tuple[str, ...]  # one sentence, or A and B
    label: str | None  # None: an empty cell, or no column of labels


@dataclasses.dataclass(frozen=True)
class Reading:
    """A file whose columns are known; each iteration reads its rows anew."""

    source: Source
    columns: Columns | None  # None: plain text, one sentence a line
    sample: tuple[Numbered, ...] = ()  # its first lines that hold text

    def __iter__(self) -> Iterator[Row | BadRow]:
        """Yield the rows in the file's order; lines without any text are none."""
        lines = Lines(self.source())
        if self.columns is None:
            return _sentences(lines)
        return (_records if self.columns.records else _table)(lines, self.columns)

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what is taken for what."""
        if self.columns is None:
            return (PLAIN_TEXT,)
        told = [self.columns.told()]
        first = self.columns.begins if self.columns.header is None else self.columns.header
        above = [number for number, _ in self.sample if number < first]
        if above:
            told.append(f"Left out above it: line {', '.join(str(number) for number in above)}.")
        if not self.columns.quoted:
            told.append("Quotes are read as characters: the file does not enclose texts in them.")
        return tuple(told)


def open_rows(source: Source, wanted: Wanted, chosen: str | None = None) -> Reading:
    """Recognise what a file holds by its first lines.

    Args:
        source: gives its lines.
        wanted: what the reader asks for.
        chosen: columns that somebody chose, as in `sentence=review, sentiment=3`.

    Raises:
        ReadError: no text at all, a table whose columns can't be told or don't do, or a choice
            that can't be read.
    """
    choice = read_choice(chosen, wanted.labels or ())
    sample = _sample(source)
    if not sample:
        raise ReadError("The file should hold a table, or one sentence a line. Found no text.")
    if is_record(sample[0][1]) and not choice.plain:
        return Reading(source, record_columns(sample, wanted, choice), tuple(sample))
    separator = separator_of(sample[0][1])
    shown = sample if separator is None else sample[1:]
    if not shown:
        raise ReadError("The file should have rows below its sep= line. Found none.")
    columns = find_columns(shown, separator, wanted, choice)
    if columns is None:
        check_prose(shown)
    if columns is not None and not uses_quotes(_from(Lines(source()), columns.begins), columns):
        columns = dataclasses.replace(columns, quoted=False)
    return Reading(source, columns, tuple(shown))


def first_cells(source: Source) -> list[str]:
    """Return the cells of the row that may be a header, for somebody to choose among.

    Raises:
        ReadError: a zero byte.
    """
    rows = first_rows(source)
    return rows[0] if rows else []


def first_rows(source: Source) -> list[list[str]]:
    """Return the cells of a table's first rows, its header among them; empty: it is no table.

    Raises:
        ReadError: a zero byte.
    """
    sample = _sample(source)
    if sample and is_record(sample[0][1]):
        return likely_rows(record_table(sample), "\t")
    separator = separator_of(sample[0][1]) if sample else None
    shown = sample if separator is None else sample[1:]
    return likely_rows(shown, separator) if shown else []


def _sample(source: Source) -> list[Numbered]:
    found: list[Numbered] = []
    length = 0
    for number, line in enumerate(source(), start=1):
        if "\0" in line:
            reason = "the file should be text. Found a zero byte. Save it as CSV UTF-8."
            raise ReadError(reason, number)
        if line.strip():
            found.append((number, line))
            length += len(line)
        if len(found) == SAMPLE_LINES or length > SAMPLE_LENGTH:
            break
    return found


def _from(lines: Lines, first: int) -> Lines:
    while lines.number + 1 < first and next(lines, None) is not None:
        pass
    return lines


def _sentences(lines: Lines) -> Iterator[Row | BadRow]:
    """Yield a row for each line that holds text."""
    for line in lines:
        if line.strip():
            try:
                yield Row(lines.number, None, (_text("sentence", line.rstrip("\r\n")),), None)
            except RowError as error:
                yield BadRow(lines.number, str(error))


def _records(lines: Lines, columns: Columns) -> Iterator[Row | BadRow]:
    """Yield a row for each line that holds a record."""
    read = columns.roles().values()
    for line in lines:
        if line.strip():
            try:
                yield _row(lines.number, record_cells(line, columns, read), columns)
            except RowError as error:
                yield BadRow(lines.number, str(error))


def _table(lines: Lines, columns: Columns) -> Iterator[Row | BadRow]:
    """Yield the rows below the header."""
    _from(lines, columns.begins)
    quoted, delimiter = columns.quoted, columns.delimiter
    while True:
        begun = lines.number + 1
        line = next(lines, None)
        if line is None:
            return
        try:
            if quoted and '"' in line:
                fields = quoted_fields(line, lines, columns)
            else:
                fields = line.rstrip("\r\n").split(delimiter)
            if len(line) > LONGEST_FIELD and any(len(field) > LONGEST_FIELD for field in fields):
                raise RowError(f"a field of more than {LONGEST_FIELD:,} characters")
            if line.isspace() or not any(field.strip() for field in fields):
                continue
            yield _row(begun, columns.trimmed(fields), columns)
        except RowError as error:
            yield BadRow(begun, str(error))


def _row(line: int, fields: list[str], columns: Columns) -> Row:
    """Build a row from its fields; labels and whatever else is last may be missing.

    Raises:
        RowError: what is wrong with it.
    """
    header = columns.names and not columns.records
    if header and tuple(field.strip() for field in fields) == columns.names:
        raise RowError("the header again, as where files were joined")
    needed = max(*columns.texts, columns.id or 0) + 1
    found = "1 field" if len(fields) == 1 else f"{len(fields)} fields"
    if len(fields) < needed:
        raise RowError(f"{found}, at least {needed} needed")
    if len(fields) > columns.width:
        raise RowError(f"{found}, {columns.width} expected")
    if columns.guarded:
        fields = [unguarded(field) for field in fields]
    names = SINGLE if len(columns.texts) == 1 else PAIR
    texts = tuple(_text(name, fields[at]) for name, at in zip(names, columns.texts, strict=True))
    known = None if columns.id is None else fields[columns.id] or None
    if known is not None:
        _check_characters("id", known)
    at = columns.label
    label = None if at is None or at >= len(fields) or not fields[at].strip() else fields[at]
    return Row(line, known, texts, label)


def _text(name: str, text: str) -> str:
    _check_characters(name, text)
    if is_blank(text):
        raise RowError(nothing_in(name, text))
    return text


def _check_characters(name: str, text: str) -> None:
    if not text.isascii() and _NO_TEXT.search(text):
        raise RowError(f"{name} is not UTF-8")
    if "\0" in text:
        raise RowError(f"{name} has a zero byte")
