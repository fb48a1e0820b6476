"""The formats that answers are written in, chosen by the file's ending; each part by itself.

A part's bytes are a function of its rows alone: gzip has neither name nor time in it.
"""

from __future__ import annotations

import csv
import dataclasses
import gzip
import io
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO

import numpy as np

from minbert.files import json_text
from minbert.reading.files import load_pyarrow

Answered = tuple[str, Sequence[float]] | None  # a row's id and its values; None: a broken row


@dataclasses.dataclass(frozen=True)
class Layout:
    """What a row has after its id."""

    names: tuple[str, ...]  # of its values
    digits: str  # how a value that isn't whole is written, such as .6f
    whole: tuple[str, ...] = ()  # names of values that are whole numbers
    vector: str = ""  # what all values are called as one list, in formats with lists; "": single

    def written(self, values: Sequence[float]) -> list[str]:
        """Write a row's values."""
        return [str(x) if isinstance(x, int) else format(x, self.digits) for x in values]


class Format:
    """A way to write answers: `head`, and the rows of one part after another."""

    def __init__(self, layout: Layout) -> None:
        """Take what a row has."""
        self.layout = layout

    def head(self, count: int) -> bytes:  # noqa: ARG002 - of those that need it
        """Return what stands before so many rows, broken ones among them."""
        return b""

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return one part."""
        raise NotImplementedError

    def join(self, parts: Iterable[bytes], file: IO[bytes], count: int) -> None:
        """Write all parts into a file."""
        file.write(self.head(count))
        for part in parts:
            file.write(part)


class Delimited(Format):
    """A table with a header, a column for each value."""

    delimiter = "\t"

    def head(self, count: int) -> bytes:  # noqa: ARG002
        """Return the header."""
        return self._lines([("id", *self.layout.names)])

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return a line for each row that isn't broken."""
        return self._lines((row[0], *self.layout.written(row[1])) for row in rows if row)

    def _lines(self, rows: Iterable[Sequence[str]]) -> bytes:
        buffer = io.StringIO()
        csv.writer(buffer, delimiter=self.delimiter, lineterminator="\n").writerows(rows)
        return buffer.getvalue().encode()


class Commas(Delimited):
    """The same with commas."""

    delimiter = ","


class JsonLines(Format):
    """An object for each row that isn't broken."""

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return the lines."""
        return "".join(self._line(*row) for row in rows if row).encode()

    def _line(self, name: str, values: Sequence[float]) -> str:
        cells, layout = self.layout.written(values), self.layout
        if layout.vector:
            fields = f'"{layout.vector}": [{", ".join(cells)}]'
        else:
            fields = ", ".join(f'"{n}": {c}' for n, c in zip(layout.names, cells, strict=True))
        return f'{{"id": {json_text(name)}, {fields}}}\n'


class Array(Format):
    """NumPy's file of one float32 array, (N, D): all rows in the input's order, without ids.

    A broken row is NaN, so that row and index still go together.
    """

    def head(self, count: int) -> bytes:
        """Return the file's header."""
        buffer = io.BytesIO()
        shape = (count, len(self.layout.names))
        np.lib.format.write_array_header_1_0(
            buffer, {"descr": "<f4", "fortran_order": False, "shape": shape}
        )
        return buffer.getvalue()

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return the numbers."""
        broken = [math.nan] * len(self.layout.names)
        return np.array([row[1] if row else broken for row in rows], dtype="<f4").tobytes()


class Parquet(Format):
    """Parquet by pyarrow, a group of rows for each part; the parts are Arrow's own streams."""

    def __init__(self, layout: Layout) -> None:
        """Take what a row has.

        Raises:
            ReadError: pyarrow isn't installed.
        """
        super().__init__(layout)
        self._arrow = arrow = load_pyarrow()
        fields = [("id", arrow.string())]
        if layout.vector:
            fields += [(layout.vector, arrow.list_(arrow.float32(), len(layout.names)))]
        else:
            whole, other = arrow.int64(), arrow.float64()
            fields += [(name, whole if name in layout.whole else other) for name in layout.names]
        self._schema = arrow.schema(fields)

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return the rows that aren't broken."""
        kept = [row for row in rows if row]
        values = [row[1] for row in kept]
        columns: list[Sequence[object]] = [[row[0] for row in kept]]
        if self.layout.vector:
            columns.append(values)
        else:
            columns += zip(*values, strict=True) if kept else [()] * len(self.layout.names)
        named = zip(columns, self._schema, strict=True)
        arrays = [self._arrow.array(column, field.type) for column, field in named]
        sink = io.BytesIO()
        with self._arrow.ipc.new_stream(sink, self._schema) as stream:
            stream.write_table(self._arrow.table(arrays, self._schema))
        return sink.getvalue()

    def join(self, parts: Iterable[bytes], file: IO[bytes], count: int) -> None:  # noqa: ARG002
        """Write the parts as one file."""
        with self._arrow.parquet.ParquetWriter(file, self._schema) as writer:
            for part in parts:
                writer.write_table(self._arrow.ipc.open_stream(part).read_all())


class Packed(Format):
    """Another format in gzip, each part a member of its own, as RFC 1952 has it (2.2)."""

    def __init__(self, inner: Format) -> None:
        """Take the format."""
        super().__init__(inner.layout)
        self._inner = inner

    def head(self, count: int) -> bytes:
        """Return the inner head, packed."""
        head = self._inner.head(count)
        return head and gzip.compress(head, mtime=0)

    def encode(self, rows: Sequence[Answered]) -> bytes:
        """Return the inner part, packed."""
        return gzip.compress(self._inner.encode(rows), mtime=0)


FORMATS: dict[str, type[Format]] = {
    ".tsv": Delimited,
    ".csv": Commas,
    ".jsonl": JsonLines,
    ".ndjson": JsonLines,
    ".parquet": Parquet,
    ".npy": Array,
}
TEXT = (Delimited, JsonLines)


def format_of(path: Path, layout: Layout) -> Format:
    """Return the format that a file's ending asks for; tab-separated for any other.

    Raises:
        ValueError: an array of what are no vectors, or packed in gzip what isn't text.
        ReadError: Parquet without pyarrow.
    """
    packed = path.suffix.casefold() == ".gz"
    ending = Path(path.stem).suffix if packed else path.suffix
    kind = FORMATS.get(ending.casefold(), Delimited)
    if kind is Array and not layout.vector:
        raise ValueError(
            f"`--output` should end in .tsv, .csv, .jsonl or .parquet. Found {path}; .npy is for "
            "embeddings."
        )
    if packed and not issubclass(kind, TEXT):
        raise ValueError(
            f"`--output` should be packed in gzip as text alone. Found {path}; leave out .gz."
        )
    return Packed(kind(layout)) if packed else kind(layout)
