"""JSON lines: an object a line, read as a table whose header is the names of the fields."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Collection, Mapping, Sequence

from minbert.files import json_text
from minbert.reading.columns import Choice, Columns, Wanted
from minbert.reading.quotes import LONGEST_FIELD, RowError
from minbert.reading.shape import Numbered, find_columns


def is_record(line: str) -> bool:
    """Say whether a line is a JSON object."""
    try:
        return bool(_record(line))
    except RowError:
        return False


def record_table(sample: Sequence[Numbered]) -> list[Numbered]:
    """Return records as the lines of a tab-separated table, to recognise its columns by.

    The header, in the first record's line, names the fields of all these records.
    """
    names = _names(sample)
    lines: list[tuple[int, Sequence[str]]] = [(sample[0][0], names)]
    lines += [
        (number, [_cell(_record(line).get(name)) for name in names])
        for number, line in sample
        if is_record(line)
    ]
    return [(number, "\t".join(map(_in_one_line, cells))) for number, cells in lines]


def record_columns(sample: Sequence[Numbered], wanted: Wanted, choice: Choice) -> Columns:
    """Return what the fields of records are read as.

    Args:
        sample: the first lines that hold text.
        wanted: what the reader asks for.
        choice: what somebody chose.

    Raises:
        ReadError: fields that can't be told, or don't do.
    """
    names = _names(sample)
    alone = (("sentence", "1"),) if len(names) == 1 and not wanted.pair else ()
    choice = dataclasses.replace(choice, columns=choice.columns or alone, header=True)
    columns = find_columns(record_table(sample), "\t", wanted, choice)
    assert columns is not None, "a delimiter is given"
    return dataclasses.replace(columns, names=names, begins=sample[0][0], records=True)


def record_cells(line: str, columns: Columns, read: Collection[int]) -> list[str]:
    """Return a record's cells in the order of the columns; a missing field is an empty one.

    Args:
        line: of the file.
        columns: of the file.
        read: columns that are looked at: lists and objects won't do there.

    Raises:
        RowError: no JSON object, a field that is none, or one that is too long.
    """
    record = _record(line)
    values = [record.get(name) for name in columns.names]
    for at in read:
        if isinstance(values[at], list | dict):
            raise RowError(f"{columns.name(at)} is no text but a list or an object")
    cells = [_cell(value) for value in values]
    if len(line) > LONGEST_FIELD and any(len(cell) > LONGEST_FIELD for cell in cells):
        raise RowError(f"a field of more than {LONGEST_FIELD:,} characters")
    return cells


def _record(line: str) -> Mapping[str, object]:
    try:
        found = json.loads(line.removeprefix("\ufeff"))
    except (ValueError, RecursionError) as error:
        raise RowError(f"no JSON object: {error!s:.80}") from None
    if not isinstance(found, dict):
        raise RowError("no JSON object")
    return found


def _names(sample: Sequence[Numbered]) -> tuple[str, ...]:
    records = [_record(line) for _, line in sample if is_record(line)]
    return tuple(dict.fromkeys(name for record in records for name in record))


def _cell(value: object) -> str:
    if value is None:
        return ""
    return value if isinstance(value, str) else json_text(value)


def _in_one_line(cell: str) -> str:
    return " ".join(cell.replace('"', "'").split())
