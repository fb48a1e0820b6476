"""JSON lines and packed files: read like the same table as CSV, and refused when they are torn."""

from __future__ import annotations

import gzip
import json
import os
import sys
import threading
from pathlib import Path

import pytest

from minbert.batch.reading import read_batch
from minbert.reading import (
    BadRow,
    ReadError,
    Row,
    Wanted,
    file_source,
    first_cells,
    open_labelled,
    open_rows,
    text_source,
)

SINGLE, PAIR = Wanted(pair=False, labels=()), Wanted(pair=True, labels=())
TABLE = "id,review\na,a fine film\nb,a dull one\n"


def records(*rows: object) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("rows", "wanted", "chosen", "found"),
    [
        ([{"sentence": "a fine film"}], SINGLE, None, (None, ("a fine film",))),
        ([{"text": 'x\ty "z"\n, it\'s'}], SINGLE, None, (None, ('x\ty "z"\n, it\'s',))),
        ([{"id": 7, "review": "so dull", "stars": 2}] * 2, SINGLE, None, ("7", ("so dull",))),
        ([{"a": "x", "b": "y"}], SINGLE, "sentence=b, id=1", ("x", ("y",))),
        ([{"b": "y", "more": [1, {}]}], SINGLE, "sentence=b", (None, ("y",))),
        ([{"sentence2": "y", "sentence1": "x"}], PAIR, None, (None, ("x", "y"))),
        ([{"question1": "x", "question2": "y"}], PAIR, None, (None, ("x", "y"))),
        ([{"sentence": "sentence"}], SINGLE, None, (None, ("sentence",))),
    ],
)
def test_records_are_read_by_the_names_of_their_fields(
    rows: list[object],
    wanted: Wanted,
    chosen: str | None,
    found: tuple[str | None, tuple[str, ...]],
) -> None:
    reading = open_rows(text_source(records(*rows)), wanted, chosen)
    read = [*reading]
    assert len(read) == len(rows)
    assert read[0] == Row(1, *found, None)
    assert reading.notes[0].startswith("Records of named fields. Read: ")


def test_a_broken_record_is_told_with_its_line_and_the_others_are_read() -> None:
    lines = [
        '{"id": "a", "sentence": "first"}',
        "",
        '{"id": "b", "sentence": ""}',
        '{"id": "c"}',
        '{"id": "d", "sentence": ["x"]}',
        '{"id": "e", "sentence"',
        "[1]",
        '{"id": "f", "sentence": "\\ud800"}',
        '{"id": "g", "sentence": "a\\u0000b"}',
        '{"sentence": "last", "id": null, "new": {}}',
    ]
    first, *bad, last = open_rows(text_source("\n".join(lines)), SINGLE)
    assert (first, last) == (Row(1, "a", ("first",), None), Row(10, None, ("last",), None))
    assert all(isinstance(row, BadRow) for row in bad)
    assert [row.line for row in bad] == [3, 4, 5, 6, 7, 8, 9]
    reasons = [row.reason for row in bad if isinstance(row, BadRow)]
    assert reasons[:2] == ["no sentence", "no sentence"]
    for reason, says in zip(
        reasons[2:],
        ("is no text", "no JSON object: ", "no JSON object", "not UTF-8", "zero byte"),
        strict=True,
    ):
        assert says in reason


def test_records_without_texts_are_refused() -> None:
    for wanted, message in (
        (SINGLE, "among them a column named sentence"),
        (PAIR, "two named sentence1 and"),
    ):
        with pytest.raises(ReadError, match=message):
            open_rows(text_source(records(*[{"x": 1, "y": 2, "z": 3}] * 2)), wanted)
    with pytest.raises(ReadError, match="pairs need two sentences"):
        open_rows(text_source(records({"text": "alone"})), PAIR)


def test_labelled_records_and_those_of_a_batch_are_read_by_the_same_reader() -> None:
    rows = [{"text": f"where is parcel {row}", "label": "ab"[row % 2]} for row in range(6)]
    found = [row for row in open_labelled(text_source(records(*rows))) if isinstance(row, Row)]
    assert [(row.texts[0], row.label) for row in found] == [tuple(row.values()) for row in rows]
    assert first_cells(text_source(records(*rows))) == ["text", "label"]
    scored = read_batch(records({"sentence": "a fine film", "sentiment": 4}))
    assert [(row.first, row.label) for row in scored.rows] == [("a fine film", 4.0)]


@pytest.mark.parametrize("content", [TABLE, records({"id": "a", "review": "a fine film"})])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_what_gzip_packed_is_read_like_the_file_itself(
    tmp_path: Path, content: str, encoding: str
) -> None:
    plain, packed = tmp_path / "plain", tmp_path / "packed"
    plain.write_bytes(content.encode(encoding))
    half = len(content) // 2  # two members, as files joined by `cat` have
    marked = content.encode(encoding)
    packed.write_bytes(gzip.compress(marked[:half]) + gzip.compress(marked[half:]))
    wanted = [*open_rows(file_source(plain), SINGLE)]
    assert [row.line for row in wanted] == ([2, 3] if content == TABLE else [1])
    reading = open_rows(file_source(packed), SINGLE)
    assert [*reading] == [*reading] == wanted


def test_gzip_through_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    sender = threading.Thread(target=pipe.write_bytes, args=(gzip.compress(TABLE.encode()),))
    sender.start()
    reading = open_rows(file_source(pipe), SINGLE)
    sender.join()
    assert [row.line for row in reading] == [2, 3]


def test_torn_gzip_is_told(tmp_path: Path) -> None:
    path = tmp_path / "torn.csv.gz"
    lines = "".join(f"{row},line {row * 7919 % 1013} of many\n" for row in range(5000))
    whole = gzip.compress(("id,review\n" + lines).encode())
    path.write_bytes(whole[:-9])
    with pytest.raises(ReadError, match=r"should be whole gzip\. It is torn or damaged"):
        [*open_rows(file_source(path), SINGLE)]
    for content in (whole[:6], whole[:40] + b"\xff" * 40):
        path.write_bytes(content)
        with pytest.raises(ReadError, match="whole gzip"):
            file_source(path)


def test_parquet_without_its_package_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    path = tmp_path / "rows.parquet"
    path.write_bytes(b"PAR1" + b"\0" * 40 + b"PAR1")
    with pytest.raises(ReadError, match=r"pip install -e '.\[parquet\]'"):
        file_source(path)
