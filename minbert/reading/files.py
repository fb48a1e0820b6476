"""Files of any size as lines: plain, packed with gzip, or Parquet, whose rows become JSON lines.

Parquet takes the package pyarrow, an extra of this project's.
"""

from __future__ import annotations

import contextlib
import gzip
import io
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, cast

from minbert.files import json_text
from minbert.reading.lines import ReadError, Source, encoding_of

GZIP, PARQUET = b"\x1f\x8b", b"PAR1"  # how the files begin
ROWS_TOGETHER = 1024  # of Parquet, held at once


def file_source(path: Path) -> Source:
    """Return the lines of a file, which is never held whole; a pipe is, as it is read once.

    Bytes that aren't UTF-8 arrive as lone surrogates, for the row that has them to be refused.

    Raises:
        OSError: no such file, or one that can't be read; also while the lines are read.
        ReadError: gzip or Parquet that is torn, also while the lines are read; or no pyarrow.
    """
    with path.open("rb") as file:
        start, held = file.read(len(PARQUET)), None
        if not path.is_file():
            held = start + file.read()
    packed = start.startswith(GZIP)

    def opened() -> IO[bytes]:
        if packed:
            return cast(IO[bytes], gzip.open(path if held is None else io.BytesIO(held)))
        return path.open("rb") if held is None else io.BytesIO(held)

    if start == PARQUET:
        load_pyarrow()  # it is missing now, not in the middle of the file
        return lambda: _parquet_lines(opened)
    with _whole(), opened() as unpacked:
        encoding = encoding_of(unpacked.read(2))

    def lines() -> Iterator[str]:
        errors = "replace" if encoding == "utf-16" else "surrogateescape"
        with (
            _whole(),
            io.TextIOWrapper(opened(), encoding=encoding, errors=errors, newline="") as file,
        ):
            yield from file

    return lines


@contextlib.contextmanager
def _whole() -> Iterator[None]:
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ReadError(
            f"The file should be whole gzip. It is torn or damaged ({error}); copy or download it "
            "again."
        ) from error


def load_pyarrow() -> Any:  # noqa: ANN401 - a package that ships no types
    """Return the package pyarrow, its Parquet reader and writer loaded.

    Raises:
        ReadError: it isn't installed.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError as error:
        raise ReadError(
            "Parquet should be read and written by pyarrow. Found no such package; run "
            "`pip install -e '.[parquet]'` in the project's folder, or choose CSV or JSON lines."
        ) from error
    return pyarrow


def _parquet_lines(opened: Callable[[], IO[bytes]]) -> Iterator[str]:
    """Yield a JSON object for each row, of its columns of texts and numbers."""
    pyarrow = load_pyarrow()
    try:
        with opened() as raw:
            table = pyarrow.parquet.ParquetFile(raw)
            plain = [each.name for each in table.schema_arrow if _is_plain(pyarrow, each.type)]
            for batch in table.iter_batches(batch_size=ROWS_TOGETHER, columns=plain):
                for row in batch.to_pylist():
                    yield json_text(row) + "\n"
    except pyarrow.ArrowException as error:
        raise ReadError(
            f"The file should be whole Parquet. It is torn or damaged ({error}); copy or download "
            "it again."
        ) from error


def _is_plain(pyarrow: Any, kind: Any) -> bool:  # noqa: ANN401 - types of pyarrow's
    of = pyarrow.types
    if of.is_dictionary(kind):
        kind = kind.value_type
    text = of.is_string(kind) or of.is_large_string(kind) or of.is_string_view(kind)
    return bool(text or of.is_integer(kind) or of.is_floating(kind) or of.is_boolean(kind))
