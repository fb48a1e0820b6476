"""Uploads and pasted text: every format, every row kept or told, and what is refused as a whole."""

from __future__ import annotations

import time

import pytest

from minbert.batch import (
    LONGEST_TEXT,
    BadRow,
    BatchError,
    BatchRow,
    BatchTable,
    read_batch,
)
from minbert.tables import LONGEST_FIELD
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY

COURSE = "\tid\tsentence\tsentiment\n0\ta1\t The plot is slow .\t1\n1\tb2\t A great film !\t4\n"
PAIRS = "\tid\tsentence1\tsentence2\t{}\n0\tp\tA cat sleeps.\tA dog runs.\t{}\n"


def texts_of(table: BatchTable) -> list[str]:
    return [row.first for row in table.rows]


def bad_lines(table: BatchTable) -> dict[int, str]:
    return {row.line: row.reason for row in table.bad_rows}


def test_the_course_s_sentences() -> None:
    table = read_batch(COURSE.encode())
    assert table == BatchTable(
        "sentences",
        (
            BatchRow(2, "a1", " The plot is slow .", None, 1.0),
            BatchRow(3, "b2", " A great film !", None, 4.0),
        ),
        (),
        SENTIMENT,
    )
    assert table.tasks == (SENTIMENT,)
    assert read_batch(COURSE) == table


@pytest.mark.parametrize(
    ("target", "label", "task"),
    [("is_duplicate", 1.0, PARAPHRASE), ("similarity", 2.6, SIMILARITY), ("other", 7.0, None)],
)
def test_the_course_s_pairs(target: str, label: float, task: object) -> None:
    table = read_batch(PAIRS.format(target, label))
    kept = label if task else None
    assert table.rows == (BatchRow(2, "p", "A cat sleeps.", "A dog runs.", kept),)
    assert (table.kind, table.label_task) == ("pairs", task)
    assert table.tasks == (PARAPHRASE, SIMILARITY)


def test_the_header_of_the_sst_test_file() -> None:
    table = read_batch("0\t\tid\tsentence\n1\t0.0\tx9\tToo slow\n")
    assert table.rows == (BatchRow(2, "x9", "Too slow", None, None),)
    assert table.label_task is None


def test_commas_and_semicolons() -> None:
    for delimiter in ",;":
        rows = ["Sentence ,SENTIMENT", '"Good, slow; long",3', "Plain,0"]
        if delimiter == ";":
            rows = ["Sentence ;SENTIMENT", '"Good, slow; long";3', "Plain;0"]
        table = read_batch("\n".join(rows))
        assert texts_of(table) == ["Good, slow; long", "Plain"]
        assert [row.label for row in table.rows] == [3.0, 0.0]
        assert table.rows[0].id is None


def test_a_single_column_needs_no_delimiter() -> None:
    table = read_batch('sentence\nGood, but slow\n"Said ""no"""\n')
    assert texts_of(table) == ["Good, but slow", 'Said "no"']


def test_plain_text_is_one_sentence_a_line() -> None:
    table = read_batch('I liked it, really.\n\n  \n"Quoted, and never closed\nid, ego and text\n')
    assert [(row.line, row.first) for row in table.rows] == [
        (1, "I liked it, really."),
        (4, '"Quoted, and never closed'),
        (5, "id, ego and text"),
    ]
    assert (table.kind, table.label_task, table.bad_rows) == ("sentences", None, ())
    assert texts_of(read_batch("one film")) == ["one film"]


def test_only_real_line_breaks_end_a_line() -> None:
    table = read_batch("a\u2028b\x0bc\x85d\x1ce\nnext")
    assert texts_of(table) == ["a\u2028b\x0bc\x85d\x1ce", "next"]


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_line_ends_and_byte_order_mark(newline: str, mark: str) -> None:
    for content in (COURSE, "First one.\nSecond one."):
        given = mark + content.replace("\n", newline)
        assert read_batch(given.encode()) == read_batch(given) == read_batch(content)


def test_leading_blank_lines_are_counted() -> None:
    table = read_batch("\n\r\n" + COURSE)
    assert [row.line for row in table.rows] == [4, 5]


def test_breaks_tabs_and_quotes_within_a_quoted_text() -> None:
    table = read_batch(
        'id\tsentence\tsentiment\r\n1\t"two\r\nlines,\tand ""quotes"""\t2\r\n2\tnext\t3\r\n'
    )
    assert texts_of(table) == ['two\r\nlines,\tand "quotes"', "next"]
    assert [row.line for row in table.rows] == [2, 4]


@pytest.mark.parametrize("text", ["ends\nwith it", "a\n\nb", "one\ntwo\nthree"])
@pytest.mark.parametrize(
    ("header", "row"),
    [
        ("sentence\tsentiment", '"{}"\t3'),
        ("sentiment\tsentence", '3\t"{}"'),
        ("id\tsentence", '3\t"{}"'),
        ("sentence1\tsentence2", '"{}"\tB'),
        ("sentence1\tsentence2", '"{}"\t"B\nb"'),
        ("sentence,sentiment", '"{}, really",3'),
        ("sentiment,sentence", '3,"Well, {}"'),
        ("sentence", '"{}"'),
    ],
)
def test_line_breaks_in_any_column_are_no_stray_quotes(header: str, row: str, text: str) -> None:
    table = read_batch(f"{header}\n{row.format(text)}\n")
    assert table.bad_rows == ()
    assert text in table.rows[0].first


@pytest.mark.parametrize(
    "text",
    [
        "👩‍👩‍👧 loved it 🎬",
        "فيلم رائع حقا",
        "\u202eback to front\u202c",
        "<img src=x onerror=alert(1)>",
        "'; DROP TABLE films; --",
        '=HYPERLINK("http://example.org")',
        "[SEP] [MASK]",
        "e\u0301 and é",
        "\u200bseen",
    ],
)
def test_strange_texts_are_kept_as_they_are(text: str) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    for content in (text, f"id\tsentence\n1\t{quoted}", f"id,sentence\n1,{quoted}"):
        assert texts_of(read_batch(content.encode())) == [text]


def test_half_an_emoji_becomes_the_replacement_character() -> None:
    assert texts_of(read_batch("good \ud83d film\n\ud83c\udfac")) == ["good \ufffd film", "🎬"]


@pytest.mark.parametrize("line", [2, 4, 6])
def test_a_bad_row_is_told_wherever_it_is(line: int) -> None:
    rows = [f"{n}\tsentence {n}\t2" for n in range(2, 7)]
    rows[line - 2] = "6\t \t2"
    table = read_batch("\n".join(["id\tsentence\tsentiment", *rows]))
    assert table.bad_rows == (BadRow(line, "no sentence"),)
    assert [row.line for row in table.rows] == [n for n in range(2, 7) if n != line]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("1", "1 field, at least 3 needed"),
        ("1\ta", "2 fields, at least 3 needed"),
        ("1\ta\tb\t1\tmore", "5 fields, 4 expected"),
        ("1\t\tb\t1", "no sentence1"),
        ("1\ta\t\t1", "no sentence2"),
        ('1\t"a" b\tc\t1', "a quoted text goes on after its closing quote"),
        ("1\t" + "a" * (LONGEST_TEXT + 1) + "\tb\t1", "sentence1 has 100,001 characters"),
        ("1\t" + "a" * (LONGEST_FIELD + 1) + "\tb\t1", "a field of more than 1,000,000"),
    ],
)
def test_what_is_wrong_with_a_row(row: str, reason: str) -> None:
    table = read_batch(f"id\tsentence1\tsentence2\tis_duplicate\n{row}\n2\tgood\tbad\t1.0\n")
    (told,) = table.bad_rows
    assert told.line == 2
    assert told.reason.startswith(reason)
    assert [row.line for row in table.rows] == [3]


def test_a_plain_line_that_is_too_long_is_told() -> None:
    table = read_batch("short\n" + "a" * (LONGEST_TEXT + 1) + "\n" + "b" * LONGEST_TEXT)
    assert bad_lines(table) == {2: "sentence has 100,001 characters, at most 100,000 allowed"}
    assert [row.line for row in table.rows] == [1, 3]


@pytest.mark.parametrize(
    ("label", "reason"),
    [
        ("maybe", "is_duplicate is not a number: 'maybe', nor one of no, yes"),
        ("y" * 500, f"is_duplicate is not a number: '{'y' * 40}'"),
        ("2", "is_duplicate 2 is not in 0 to 1"),
        ("-1", "is_duplicate -1 is not in 0 to 1"),
        ("nan", "is_duplicate nan is not in 0 to 1"),
        ("0.5", "is_duplicate 0.5 is not a class number"),
    ],
)
def test_a_label_that_cannot_be_read_costs_its_row_the_score_alone(label: str, reason: str) -> None:
    header = "id\tsentence1\tsentence2\tis_duplicate\n"
    table = read_batch(f"{header}1\ta\tb\t{label}\n2\tgood\tbad\t1.0\n3\tc\td\t0\n")
    assert [(row.line, row.label) for row in table.rows] == [(2, None), (3, 1.0), (4, 0.0)]
    (told,) = table.bad_labels
    assert (told.line, table.bad_rows) == (2, ())
    assert told.reason.startswith(reason)


@pytest.mark.parametrize(
    ("target", "labels", "bad"),
    [("sentiment", "0 4 5 -1 2.5", {4, 5, 6}), ("similarity", "0 5 5.1 -0.1 2.5", {4, 5})],
)
def test_labels_out_of_range(target: str, labels: str, bad: set[int]) -> None:
    texts = "sentence" if target == "sentiment" else "sentence1\tsentence2"
    given = "a" if target == "sentiment" else "a\tb"
    rows = "".join(f"{given}\t{label}\n" for label in labels.split())
    table = read_batch(f"{texts}\t{target}\n{rows}")
    assert {label.line for label in table.bad_labels} == bad
    assert {row.line for row in table.rows if row.label is None} == bad


def test_rows_without_a_label_are_kept_among_labelled_ones() -> None:
    table = read_batch("sentence,sentiment\nfirst,3\nsecond,\nthird\n")
    assert [row.label for row in table.rows] == [3.0, None, None]
    assert (table.label_task, table.bad_rows) == (SENTIMENT, ())


def test_a_table_of_bad_rows_alone_is_still_a_table() -> None:
    table = read_batch("id,sentence\n1,\n2,\n")
    assert table.rows == ()
    assert bad_lines(table) == {2: "no sentence", 3: "no sentence"}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ('id\tsentence\n1\t"Great film\n2\tslow film"\n3\tfine\n', "one row of lines 2 to 3"),
        ('sentence,sentiment\n"Great film,4\nSlow,1\nSaid no",1\nfine,3\n', "it opens here"),
        ('sentence,sentiment\n"Great film,4\n"Slow, long",1\nfine,3\n', "lines 2 to 3"),
        ('sentence,sentiment\n"never closed,3\nfine,1\nfine,2\n', "it opens here"),
        ('id,sentence\na,"never closed\nb,fine\nc,fine\n', "never closed"),
    ],
)
def test_a_stray_quote_costs_one_row(content: str, reason: str) -> None:
    table = read_batch(content)
    (told,) = table.bad_rows
    assert told.line == 2
    assert reason in told.reason
    assert [row.line for row in table.rows] == [*range(3, content.count("\n") + 1)]


def test_a_quote_that_is_never_closed_in_the_last_row_costs_that_row() -> None:
    table = read_batch('sentence,sentiment\nfine,1\nfine,2\n"never closed,3')
    assert [row.line for row in table.rows] == [2, 3]
    assert list(bad_lines(table)) == [4]
    assert "never closed" in table.bad_rows[0].reason


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"good\nbad caf\xe9\n", 2),
        (b"\xef\xbb\xbfone\r\ntwo\rth\xffree", 3),
        ("one\ntwo".encode("utf-16") + b"\n", 2),
        ("one\ntwo".encode("utf-16-le"), 1),
        (b"one\r\ntwo\r\nth\0ree", 3),
    ],
)
def test_what_is_not_text_is_refused_with_its_line(content: bytes, line: int) -> None:
    with pytest.raises(BatchError, match=f"^Line {line}: the file should be text") as told:
        read_batch(content)
    assert told.value.line == line


@pytest.mark.parametrize("content", [b"", "", "\ufeff", " \r\n\t\n", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(content: bytes | str) -> None:
    with pytest.raises(BatchError, match="Found no text"):
        read_batch(content)


def test_a_header_alone_is_refused() -> None:
    with pytest.raises(BatchError, match=r"rows below its header\. Found none"):
        read_batch("id\tsentence\n\n\t\n")


@pytest.mark.parametrize(
    ("header", "message"),
    [
        ("id\tfilm", "Line 1: the first line should name .* Found 'id', 'film'"),
        ("\n\nI liked it\t4", "Line 3: .* Found 'I liked it', '4'"),
        ("id,text,label", "sentence1 and sentence2. Found 'id', 'text', 'label'"),
        ("question1;question2", "Found 'question1', 'question2'"),
        ("sentence1\tsentiment", "Found 'sentence1', 'sentiment'"),
        ("sentence,sentence1,sentence2", "not both"),
        ("sentence1,sentence2,similarity,is_duplicate", "Found is_duplicate and similarity; leave"),
        ("sentence,sentiment,sentence", "should name sentence once"),
        ("id\tsentence\tid", "should name id once"),
    ],
)
def test_a_header_that_does_not_do_is_refused(header: str, message: str) -> None:
    with pytest.raises(BatchError, match=message) as told:
        read_batch(f"{header}\na,b,c,d\n")
    assert told.value.line == header.count("\n") + 1
    assert str(told.value).startswith(f"Line {told.value.line}: the ")


def test_too_many_rows_are_counted_and_refused() -> None:
    content = "id,sentence\n" + "1,good\n2,\n" * 3
    assert len(read_batch(content, most_rows=6).rows) == 3
    with pytest.raises(BatchError, match=r"at most 5 rows\. Found 6"):
        read_batch(content, most_rows=5)
    with pytest.raises(BatchError, match=r"at most 20,000 rows\. Found 20,001"):
        read_batch("good\n" * 20_001)


@pytest.mark.parametrize("content", ["é" * 5, ("é" * 5).encode()])
def test_too_many_bytes_are_refused(content: bytes | str) -> None:
    assert len(read_batch(content, most_bytes=10).rows) == 1
    with pytest.raises(BatchError, match=r"at most 9 bytes\. Found 10"):
        read_batch(content, most_bytes=9)


def test_twenty_thousand_rows_are_read_at_once() -> None:
    rows = "".join(
        f"{n}\tid{n}\t{'A long and slow film . ' * 5}{n}\t{n % 5}\n" for n in range(20_000)
    )
    started = time.process_time()
    table = read_batch("\tid\tsentence\tsentiment\n" + rows)
    assert time.process_time() - started < 5  # a tenth of a second, usually
    assert len(table.rows) == 20_000
    assert (table.rows[-1].line, table.rows[-1].id) == (20_001, "id19999")
