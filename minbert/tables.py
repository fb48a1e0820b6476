"""Reading tables in the course's format: tab-separated, quoted, with rows that do not parse.

A broken row is never skipped in silence: reading returns it with its line and the reason, and
the caller tells or refuses. Columns are found by their header's names, so that the real SST test
file (a header of `0, '', id, sentence`) reads like every other.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from minbert.checks import is_blank, nothing_in
from minbert.tasks import Task

LONGEST_FIELD = 1_000_000  # characters of one field; a longer one is a broken row


class DataError(ValueError):
    """A data file that can't be used; the message says which line, why, and what to do."""


@dataclasses.dataclass(frozen=True)
class Example:
    """One row of a data file."""

    id: str
    texts: tuple[str, ...]  # one sentence, or A and B
    label: float | None  # None in files without labels


@dataclasses.dataclass(frozen=True)
class BadRow:
    """One row that does not parse."""

    line: int  # 1-based line of the file where the row ends
    reason: str


@dataclasses.dataclass(frozen=True)
class Table:
    """A data file, read."""

    path: Path
    examples: list[Example]
    bad_rows: list[BadRow]

    @property
    def labels(self) -> list[float]:
        """Return the labels of all examples; empty where the file has none."""
        return [example.label for example in self.examples if example.label is not None]

    def summary(self) -> str:
        """Say in one line what was read and what was left out."""
        told = f"{self.path.name}: {len(self.examples):,} rows"
        if not self.bad_rows:
            return told
        shown = "; ".join(f"line {row.line}: {row.reason}" for row in self.bad_rows[:3])
        more = f"; and {len(self.bad_rows) - 3} more" if len(self.bad_rows) > 3 else ""
        return f"{told}, {len(self.bad_rows)} left out ({shown}{more})"


def read_table(path: Path, task: Task, *, labelled: bool | None = None) -> Table:
    """Read a data file of `task`.

    Args:
        path: a tab-separated file with a header that names the task's columns.
        task: says which columns hold text and label, and which labels are valid.
        labelled: True: a label is required; False: labels are not looked at; None: read the
            label column where there is one.

    Raises:
        DataError: no such file, an empty one, or one without the columns needed.
    """
    rows = _rows(path)
    _, header = next(rows, (0, []))
    columns = {name: index for index, name in enumerate(header)}
    has_label = task.target in columns and labelled is not False
    needed = ["id", *task.text_columns, *([task.target] if labelled or has_label else [])]
    missing = [name for name in needed if name not in columns]
    if missing:
        raise DataError(
            f"{path} should have tab-separated columns named {', '.join(needed)} in its first "
            f"line. Found {header or 'an empty file'}; missing: {', '.join(missing)}."
        )
    examples, bad_rows = [], []
    for line, row in rows:
        try:
            examples.append(_example(row, columns, len(header), task, has_label=has_label))
        except ValueError as error:
            bad_rows.append(BadRow(line, str(error)))
    return Table(path, examples, bad_rows)


def _rows(path: Path) -> Iterator[tuple[int, list[str] | str]]:
    """Yield (line, fields), or (line, what is wrong) for a row that is not even a row.

    Undecodable bytes arrive as surrogates, for `_example` to refuse.
    """
    csv.field_size_limit(LONGEST_FIELD)
    try:
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            reader = csv.reader(file, delimiter="\t", strict=True)
            while True:
                begun = reader.line_num + 1
                try:
                    row = next(reader)
                except StopIteration:
                    return
                except csv.Error as error:
                    yield reader.line_num, f"begun in line {begun}: {error}"
                else:
                    yield reader.line_num, row
    except FileNotFoundError as error:
        raise DataError(
            f"{path} should exist. Found nothing there; `python -m trainer download` brings the "
            "course's files, or name their folder with --data."
        ) from error
    except OSError as error:
        raise DataError(f"{path} should be a readable file: {error}.") from error


def _example(
    row: list[str] | str, columns: dict[str, int], width: int, task: Task, *, has_label: bool
) -> Example:
    """Build an example from a row of a file with `width` columns.

    Raises:
        ValueError: what is wrong with the row.
    """
    if isinstance(row, str):
        raise ValueError(row)
    names = ("id", *task.text_columns)
    wanted = max(columns[name] for name in names) + 1
    if len(row) < wanted:
        raise ValueError(f"{len(row)} fields, at least {wanted} needed")
    if len(row) > width:
        raise ValueError(f"{len(row)} fields, {width} expected")
    fields = [row[columns[name]] for name in names]
    for name, text in zip(names, fields, strict=True):
        if any("\udc80" <= letter <= "\udcff" for letter in text):
            raise ValueError(f"{name} is not UTF-8")
        if any(line.count("\t") == width - 1 for line in text.split("\n")[1:]):
            raise ValueError(f"{name} has swallowed the rows after it: a quote opens too many")
        if name != "id" and is_blank(text):
            raise ValueError(nothing_in(name, text))
    label = _label(row, columns[task.target], task) if has_label else None
    return Example(fields[0], tuple(fields[1:]), label)


def _label(row: list[str], column: int, task: Task) -> float:
    if len(row) <= column or not row[column].strip():
        raise ValueError(f"no {task.target}")
    return label_of(row[column], task)


def label_of(text: str, task: Task) -> float:
    """Read a label of a task.

    Raises:
        ValueError: no number, one outside the task's range, or a class that is no whole number.
    """
    try:
        label = float(text)
    except ValueError:
        raise ValueError(f"{task.target} is not a number: {text[:40]!r}") from None
    if not task.lowest <= label <= task.highest:
        raise ValueError(f"{task.target} {label:g} is not in {task.lowest:g} to {task.highest:g}")
    if task.kind != "score" and label != int(label):
        raise ValueError(f"{task.target} {label:g} is not a class number")
    return label
