"""Data files of a task: what a row holds, which rows can't be used, and what is wrong with a file.

A broken row is never skipped in silence: reading returns it with its line and the reason, and
the caller tells or refuses. How a file is recognised and read is `minbert.reading`'s.
"""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from pathlib import Path

from minbert.reading import (
    LONGEST_FIELD,
    BadRow,
    LabelError,
    ReadError,
    Reading,
    Scale,
    Wanted,
    file_source,
    label_of,
    open_rows,
)
from minbert.reading.columns import listed
from minbert.tasks import Task

__all__ = [
    "LONGEST_FIELD",
    "BadRow",
    "DataError",
    "Example",
    "Table",
    "TableReader",
    "label_of",
    "read_table",
]


class DataError(ValueError):
    """A data file that can't be used; the message says which line, why, and what to do."""


@dataclasses.dataclass(frozen=True)
class Example:
    """One row of a data file."""

    id: str  # the row's line where the file has no ids
    texts: tuple[str, ...]  # one sentence, or A and B
    label: float | None  # None in files without labels


@dataclasses.dataclass(frozen=True)
class Table:
    """A data file, read."""

    path: Path
    examples: list[Example]
    bad_rows: list[BadRow]
    scale: str | None = None  # what is wrong with the labels' scale: none may be used then
    notes: tuple[str, ...] = ()  # what a reader of the file should know

    @property
    def labels(self) -> list[float]:
        """Return the labels of all examples; empty where the file has none."""
        return [example.label for example in self.examples if example.label is not None]

    def summary(self, rows: int | None = None) -> str:
        """Say what was read and what was left out, each note in a line of its own.

        Args:
            rows: how many there are, where the examples aren't held.
        """
        told = f"{self.path.name}: {len(self.examples) if rows is None else rows:,} rows"
        if self.bad_rows:
            shown = "; ".join(f"line {row.line}: {row.reason}" for row in self.bad_rows[:3])
            more = f"; and {len(self.bad_rows) - 3} more" if len(self.bad_rows) > 3 else ""
            told += f", {len(self.bad_rows)} left out ({shown}{more})"
        return "\n".join([told, *(f"{self.path.name}: {note}" for note in self.notes)])


class TableReader:
    """A data file of a task, open: each iteration reads its examples anew, none of them is held."""

    def __init__(
        self, path: Path, task: Task, *, labelled: bool | None = None, columns: str | None = None
    ) -> None:
        """Recognise the file's columns; the arguments are those of `read_table`.

        Raises:
            DataError: no such file, an empty one, or one without the columns needed.
        """
        self.path, self.task, self.labelled = path, task, labelled
        labels = () if labelled is False else (task,)
        wanted = Wanted(pair=task.pair, labels=labels, guess=not labelled)
        self.scale = Scale(task)
        with _told_as_data_error(path):
            self.reading: Reading = open_rows(file_source(path), wanted, columns)
        found = self.reading.columns
        if labelled and (found is None or found.label is None):
            needed = ", ".join([*task.text_columns, task.target])
            written = "no table" if found is None else listed(found.names)
            raise DataError(
                f"{path}: the header should name the columns {needed}. Found {written}. "
                f"Missing: {task.target}."
            )

    def __iter__(self) -> Iterator[Example | BadRow]:
        """Yield the file's examples and broken rows in its order."""
        self.scale = scale = Scale(self.task)
        with _told_as_data_error(self.path):
            for row in self.reading:
                if isinstance(row, BadRow):
                    yield row
                    continue
                label = None
                if self.labelled is not False:
                    try:
                        label = self._label(row.label)
                    except LabelError as error:
                        if error.number is not None:
                            scale.see(error.number)
                        yield BadRow(row.line, str(error))
                        continue
                    if label is not None:
                        scale.see(label)
                yield Example(row.id if row.id is not None else str(row.line), row.texts, label)

    def _label(self, written: str | None) -> float | None:
        columns = self.reading.columns
        if columns is None or columns.label is None:
            return None
        if written is None:
            raise LabelError(f"no {self.task.target}")
        return label_of(written, self.task)

    @property
    def notes(self) -> tuple[str, ...]:
        """Say what is taken for what where that isn't plain, and what the labels look like."""
        columns, told = self.reading.columns, list(self.reading.notes)
        if columns is not None and columns.id is None:
            told.append("There is no id: a row's line stands for it.")
        if columns is not None and columns.by_name:
            told = told[1:]
        doubt = self.scale.doubt()
        return (*told, *([doubt] if doubt else []))


def read_table(
    path: Path, task: Task, *, labelled: bool | None = None, columns: str | None = None
) -> Table:
    """Read a data file of `task`.

    Args:
        path: a table with a header that names the task's columns, in tabs, commas or semicolons;
            unless labels are required one without them, or plain text, is recognised too.
        task: says which columns hold text and label, and which labels are valid.
        labelled: True: a label is required; False: labels are not looked at; None: read the
            label column where there is one.
        columns: which column is what, as in `sentence=review, sentiment=3`.

    Raises:
        DataError: no such file, an empty one, or one without the columns needed.
    """
    reader = TableReader(path, task, labelled=labelled, columns=columns)
    examples: list[Example] = []
    bad_rows: list[BadRow] = []
    for row in reader:
        if isinstance(row, Example):
            examples.append(row)
        else:
            bad_rows.append(row)
    return Table(path, examples, bad_rows, reader.scale.problem(), reader.notes)


@contextlib.contextmanager
def _told_as_data_error(path: Path) -> Iterator[None]:
    try:
        yield
    except FileNotFoundError as error:
        raise DataError(
            f"{path} should exist. Found nothing there; `python -m trainer download` brings the "
            "course's files, or name their folder with --data."
        ) from error
    except OSError as error:
        raise DataError(f"{path} should be a readable file: {error}.") from error
    except ReadError as error:
        raise DataError(f"{path}: {error}") from error
