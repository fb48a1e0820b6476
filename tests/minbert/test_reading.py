"""Tables of any usual kind, as spreadsheets and other people write them: read, told, or refused."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from pathlib import Path

import pytest

from minbert.batch import BatchError, read_batch
from minbert.reading import (
    BadRow,
    LabelError,
    Wanted,
    file_source,
    label_of,
    open_rows,
    text_source,
)
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task
from trainer.data.course import REVIEWS

RATED = 'review,rating\n"Great, really great",4\nSlow and dull,1\nFine,3\n'
TEXTS = ["Great, really great", "Slow and dull", "Fine"]


def texts_in(content: bytes | str, columns: str | None = None) -> list[str]:
    return [row.first for row in read_batch(content, columns=columns).rows]


def pairs_in(content: str, columns: str | None = None) -> list[tuple[str, str | None]]:
    return [(row.first, row.second) for row in read_batch(content, columns=columns).rows]


@pytest.mark.parametrize(
    ("end", "encoding"), [("\n", "utf-8"), ("\r\n", "utf-8-sig"), ("\r\n", "utf-16")]
)
@pytest.mark.parametrize(
    "header", ["review,rating", "Rezension,Note", "sentence,sentiment", "id,text"]
)
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("above", ["", "sep={}\n", "Survey of films{}\n{}\n"])
@pytest.mark.parametrize("trailing", [False, True])
def test_a_table_is_never_answered_as_prose(
    header: str, delimiter: str, above: str, end: str, encoding: str, trailing: bool
) -> None:
    rows = [f'"{text}",{at}' for at, text in enumerate(TEXTS)]
    if header == "id,text":
        rows = [f'{at},"{text}"' for at, text in enumerate(TEXTS)]
    lines = [line.replace('",', f'"{delimiter}').replace(',"', f'{delimiter}"') for line in rows]
    lines = [header.replace(",", delimiter), *lines]
    if trailing:
        lines = [line + delimiter for line in lines]
    content = above.replace("{}", delimiter) + "\n".join(lines) + "\n"
    table = read_batch(content.replace("\n", end).encode(encoding))
    assert [row.first for row in table.rows] == TEXTS
    assert (table.bad_rows, table.bad_labels) == ((), ())
    assert header.split(",")[0] in table.taken_for[0]
    assert ("sentence" in table.taken_for[0]) == (table.columns is not None)


@pytest.mark.parametrize(
    "prose",
    [
        "I liked it, really.\nWell, no.\nOh, why?",
        "One; two.\nThree; four.",
        'She said "no", and left.\n"Yes", he said.',
        "It was 3,5 hours long.\nIt was 2,5 hours long.",
        "review",
        "Great film\nSlow, dull, long",
        "sentence after sentence, without end",
    ],
)
def test_prose_is_no_table_and_that_is_said(prose: str) -> None:
    table = read_batch(prose)
    assert [row.first for row in table.rows] == prose.split("\n")
    assert table.taken_for == ("No table: each line is read as one sentence.",)
    assert table.columns is None


def test_what_was_taken_for_what_is_said() -> None:
    assert read_batch(RATED).taken_for == (
        "A table, commas between its columns, the header in line 1. Read: 'review' as sentence. "
        "Left alone: 'rating'.",
    )
    assert read_batch("I liked it\t4\nSo dull\t1\n").taken_for == (
        "A table, tabs between its columns, no header. Read: column 1 as sentence. "
        "Left alone: column 2.",
    )
    above = read_batch("Films\nid;sentence\n1;Fine\n2;Dull\n").taken_for
    assert above[0].endswith("the header in line 2. Read: id, sentence.")
    assert above[1] == "Left out above it: line 1."


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        ("question1,question2,is_duplicate\nWhere?,Where is it?,1\nWho?,Why?,0\n", "Where?"),
        ("id\tqid1\tqid2\ttext_a\ttext_b\n1\t2\t3\tWhere?\tHow?\n1\t2\t3\tWho?\tWhy?\n", "Where?"),
    ],
)
def test_two_columns_of_numbered_names_are_a_pair(content: str, wanted: str) -> None:
    table = read_batch(content)
    assert (table.kind, table.rows[0].first) == ("pairs", wanted)
    assert len(table.rows) == 2


@pytest.mark.parametrize(
    ("columns", "wanted"),
    [
        ("sentence=review, sentiment=rating", TEXTS),
        ("SENTENCE = Review", TEXTS),
        ("sentence=1, sentiment=2, header=yes", TEXTS),
        ("sentence=1, header=no", ["review", *TEXTS]),
        ("plain", RATED.split("\n")[:-1]),
        ("sentiment=2", TEXTS),
    ],
)
def test_columns_may_be_chosen(columns: str, wanted: list[str]) -> None:
    table = read_batch(RATED, columns=columns)
    assert [row.first for row in table.rows] == wanted
    labelled = columns in ("sentence=review, sentiment=rating", "sentiment=2")
    if labelled:
        assert [row.label for row in table.rows] == [4, 1, 3]


def test_a_pair_may_be_chosen_against_the_names() -> None:
    content = "sentence\tother\tmark\nA\tB\t2,5\nC\tD\t5\n"
    columns = "sentence1=sentence, sentence2=other, similarity=3"
    assert pairs_in(content, columns) == [("A", "B"), ("C", "D")]
    assert [row.label for row in read_batch(content, columns=columns).rows] == [2.5, 5]
    assert pairs_in("A\tB\nC\tD\n", "sentence1=2,sentence2=1,header=no") == [("B", "A"), ("D", "C")]


@pytest.mark.parametrize(
    ("columns", "said"),
    [
        ("film=2", r"`columns` should be parts such as sentence=2 .* Found 'film=2'"),
        ("sentence", "Found 'sentence'"),
        ("sentence=1,sentence=2", "Found 'sentence=2'"),
        ("sentence=film", "Found sentence=film for this header: Found 'review', 'rating'"),
        ("sentence=3", "numbers from 1 to 2. Found sentence=3"),
        ("sentence=0", "Found sentence=0"),
        ("sentence=1,sentiment=1", "each column once"),
        ("sentence=1,header=maybe", "Found 'maybe'"),
        ("sentence1=1", "sentence1 and sentence2"),
    ],
)
def test_a_choice_that_cannot_be_read_says_why(columns: str, said: str) -> None:
    with pytest.raises(BatchError, match=said):
        read_batch(RATED, columns=columns)


@pytest.mark.parametrize(
    "content",
    [
        "title,author\nA,B\nC,D\n",
        "Great film\tgood\nSlow film\tbad\n",
        "name;city\nAnn;Rome\nBob;Paris\n",
        "sep=;\nname;city\nAnn;Rome\nBob;Paris\n",
    ],
)
def test_a_table_that_may_be_several_things_asks(content: str) -> None:
    line = 2 if content.startswith("sep") else 1
    with pytest.raises(BatchError, match=f"^Line {line}: .*which may be several things") as told:
        read_batch(content)
    assert 'columns="sentence=2"' in str(told.value)


def test_a_separator_line_alone_is_refused() -> None:
    with pytest.raises(BatchError, match=r"below its sep= line\. Found none"):
        read_batch("sep=;\n")


@pytest.mark.parametrize(
    ("written", "task", "label"),
    [
        *(("positive", SENTIMENT, 3), ("Very Negative", SENTIMENT, 0), ("neg", SENTIMENT, 1)),
        *(("very_positive", SENTIMENT, 4), (" neutral ", SENTIMENT, 2), ("4,0", SENTIMENT, 4)),
        *(("yes", PARAPHRASE, 1), ("No", PARAPHRASE, 0), ("duplicate", PARAPHRASE, 1)),
        *(("not_duplicate", PARAPHRASE, 0), ("TRUE", PARAPHRASE, 1), ("1.0", PARAPHRASE, 1)),
        *(("3,8", SIMILARITY, 3.8), ("5", SIMILARITY, 5), ("0,25", SIMILARITY, 0.25)),
        *(("positive", REVIEWS, 1), ("negative", REVIEWS, 0)),
    ],
)
def test_labels_are_read_as_people_write_them(written: str, task: Task, label: float) -> None:
    assert label_of(written, task) == label


@pytest.mark.parametrize(
    ("written", "task", "said"),
    [
        ("good", SENTIMENT, "'good', nor one of very negative, negative, neutral, positive, very"),
        ("1,234,5", SIMILARITY, "is not a number"),
        ("yes", SIMILARITY, "is not a number: 'yes'$"),
        ("very positive", PARAPHRASE, "nor one of no, yes"),
        ("7", SENTIMENT, "7 is not in 0 to 4"),
    ],
)
def test_a_label_that_is_none_says_so(written: str, task: Task, said: str) -> None:
    with pytest.raises(LabelError, match=said):
        label_of(written, task)


def test_class_names_score_a_batch_and_unread_ones_leave_their_rows_answered() -> None:
    table = read_batch("sentence,sentiment\nA,positive\nB,very negative\nC,meh\nD,2\n")
    assert [row.label for row in table.rows] == [3, 0, None, 2]
    assert [label.line for label in table.bad_labels] == [4]


def test_a_shifted_scale_is_never_scored_one_off() -> None:
    rows = "".join(f"Day {at},{at % 5 + 1}\n" for at in range(10))
    table = read_batch(f"sentence,sentiment\n{rows}")
    assert {row.label for row in table.rows} == {None}
    assert (table.label_task, table.bad_labels, len(table.rows)) == (None, (), 10)
    assert "subtract 1 from each" in table.notes[0]
    assert read_batch(f"sentence,sentiment\n{rows}None,0\n").label_task == SENTIMENT


def rows_of(path: Path, count: int) -> Path:
    with path.open("w", encoding="utf-8") as file:
        file.write("\tid\tsentence\tsentiment\n")
        for row in range(count):
            text = f'"The film ""{row}"" is long"' if row % 7 == 0 else f"The film {row} is long"
            file.write(f"{row}\tr{row}\t{text}\t{row % 5}\n")
    return path


@pytest.mark.parametrize("rows", [20_000, pytest.param(200_000, marks=pytest.mark.whole)])
def test_memory_stays_flat_however_long_the_file(tmp_path: Path, rows: int) -> None:
    path = rows_of(tmp_path / "long.csv", rows)
    tracemalloc.start()
    try:
        reading = open_rows(file_source(path), Wanted(pair=False, labels=(SENTIMENT,)))
        found: Iterator[object] = iter(reading)
        count = sum(not isinstance(row, BadRow) for row in found)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert count == rows
    assert most < 1_000_000, "bytes, of a file of many more"
    assert path.stat().st_size > 3 * most or rows < 200_000


def test_a_reading_may_be_read_again() -> None:
    reading = open_rows(text_source("sentence\nA\nB\n"), Wanted())
    assert [*reading] == [*reading]
    assert len([*reading]) == 2


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        ("version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "Git LFS"),
        ("<!DOCTYPE html>\n<html><body>Hi</body></html>\n", "web page"),
        ("<html lang=en>\nHi\n", "web page"),
        ('<?xml version="1.0"?>\n<table/>\n', "XML"),
        ("{\\rtf1\\ansi A fine film}\n", "rich text"),
        ("%PDF-1.4\n1 0 obj\n", "PDF"),
        ('{\n  "sentence": "a fine film",\n  "id": 1\n}\n', "JSON"),
        ('[\n  {"sentence": "a fine film"},\n  {"sentence": "a dull one"}\n]\n', "JSON"),
        ('["a fine film", "a dull one"]', "JSON"),
    ],
)
def test_a_file_of_another_kind_is_not_answered_line_by_line(content: str, kind: str) -> None:
    with pytest.raises(BatchError, match=f"Line 1: .*{kind}"):
        read_batch(content)


@pytest.mark.parametrize(
    "prose",
    [
        "<3 this film\n",
        "{sighs} what a film\n",
        "[not a list] but a remark\n",
        '"Quoted" from the start\n',
        "[1] A footnote begins this line.\n",
        "version two is better\n",
    ],
)
def test_a_sentence_may_begin_oddly(prose: str) -> None:
    (row,) = read_batch(prose).rows
    assert row.first == prose.strip()


def test_a_header_in_the_midst_of_joined_files_is_no_row() -> None:
    table = read_batch("id,sentence\n1,a fine film\nid,sentence\n2,a dull one\n")
    assert [row.id for row in table.rows] == ["1", "2"]
    assert [(bad.line, "header" in bad.reason) for bad in table.bad_rows] == [(3, True)]


@pytest.mark.parametrize("delimiter", [",", ";"])
def test_a_blank_before_a_quote_is_no_part_of_the_text(delimiter: str) -> None:
    rows = [
        ["id", "sentence", "sentiment"],
        ["1", '"A fine film"', "3"],
        ["2", f'"Fine{delimiter} really"', "4"],
    ]
    table = read_batch("\n".join(f"{delimiter} ".join(row) for row in rows))
    assert not table.bad_rows
    assert [row.first for row in table.rows] == ["A fine film", f"Fine{delimiter} really"]
    assert [row.label for row in table.rows] == [3, 4]


@pytest.mark.parametrize("mark", ["\ufeff\ufeff", "\u200b"])
def test_marks_before_the_header_are_no_part_of_it(mark: str) -> None:
    table = read_batch(f"{mark}sentence,sentiment\na fine film,3\n")
    assert [(row.first, row.label) for row in table.rows] == [("a fine film", 3)]
