"""Quotes around fields: read where a file uses them, taken as characters where it does not.

One stray quote would take the rows after it into its own field, up to the next quote. A line that
is a whole row by itself ends it: the row with the stray quote is told, those after it are read.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator

from minbert.reading.columns import Columns
from minbert.reading.lines import Lines

LONGEST_FIELD = 1_000_000  # characters of one field; a longer one is a broken row


class RowError(ValueError):
    """A row that does not parse; the message says why."""


class _RowBeginsError(Exception):
    """A line within a quoted text is a whole row by itself."""


def quoted_fields(first: str, lines: Lines, columns: Columns) -> list[str]:
    """Return the fields of the row that begins in a line with quotes.

    Args:
        first: the row's first line, already taken from `lines`.
        lines: gives further lines where a quoted text has line breaks.
        columns: of the table.

    Raises:
        RowError: a stray quote, or a field that is too long; only the first line is used up then.
    """
    raw = [first]

    def feed() -> Iterator[str]:
        yield first
        for line in lines:
            raw.append(line)
            if columns.ends_a_quote(first, line):
                raise _RowBeginsError
            yield line

    begun = lines.number
    csv.field_size_limit(LONGEST_FIELD)  # of the whole process, which sets no other
    try:
        blank_before = columns.delimiter in ",;"  # as people type: 1, "Good, really", 3
        reader = csv.reader(
            feed(), delimiter=columns.delimiter, strict=True, skipinitialspace=blank_before
        )
        fields = next(reader)
    except (_RowBeginsError, csv.Error) as error:
        reason = _reason(error, raw, begun)
    else:
        joined = len(fields) < columns.width == len(columns.split(first))
        if not (joined if len(raw) == 1 else _swallowed_rows(raw, columns)):
            return fields
        reason = "a stray quote makes one field of several"
        if len(raw) > 1:
            reason = f"a stray quote makes one row of lines {begun} to {begun + len(raw) - 1}"
    lines.put_back(raw[1:])
    raise RowError(reason)


def _swallowed_rows(raw: list[str], columns: Columns) -> bool:
    """Say whether the lines of one parsed row were meant as several.

    A quoted text with line breaks starts or ends within a row; where both its first and its last
    line are whole rows, two stray quotes have met.
    """
    return all(columns.looks_like_a_row(line) for line in (raw[0], raw[-1]))


def _reason(error: Exception, raw: list[str], begun: int) -> str:
    if max(len(line) for line in raw) > LONGEST_FIELD:
        return f"a field of more than {LONGEST_FIELD:,} characters"
    if len(raw) == 1 and "after" in str(error):
        return "a quoted text goes on after its closing quote"
    if isinstance(error, _RowBeginsError):
        return "a stray quote: it opens here, and the next rows begin before it is closed"
    if "end of data" in str(error):
        return (
            "a quote opens in this row and is never closed. Close it, or write a quote that "
            'belongs to a text twice, within quotes: "He said ""no""."'
        )
    return f"a stray quote makes one row of lines {begun} to {begun + len(raw) - 1}"


def uses_quotes(source: Iterable[str], columns: Columns) -> bool:
    """Say whether a file encloses fields in quotes; False: its quotes are characters, as in GLUE.

    What only quotes explain (a delimiter, a line break or a doubled quote within a field) is
    held against whole rows whose quotes do not parse; two of these at least make it the latter.
    """
    proper = improper = 0
    lines = Lines(source)
    for line in lines:
        if '"' not in line:
            continue
        begun, whole = lines.number, len(columns.split(line)) == columns.width
        try:
            fields = quoted_fields(line, lines, columns)
        except RowError:
            improper += whole
        else:
            needed = not whole or lines.number > begun or any('"' in each for each in fields)
            proper += len(fields) == columns.width and needed and _opens(line, columns)
    return improper < 2 or improper <= proper


def _opens(line: str, columns: Columns) -> bool:
    return any(cell.lstrip().startswith('"') for cell in columns.split(line))
