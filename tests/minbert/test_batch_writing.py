"""The table that is brought back: every row in it, read by a program, harmless in a spreadsheet."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.batch import as_tsv, read_batch, rows_as_dicts, write_answers
from minbert.reading.guard import guarded, unguarded

SURE = SentimentResult((0.0, 0.0625, 0.0625, 0.125, 0.75), left_out=7)
PAIR = PairResult(0.5, 0.7, 5.0, 6.0, -0.25, 1.125, left_out=3)


def cells(lines: list[str]) -> list[list[str]]:
    """Read lines as any program does."""
    assert all(line.endswith("\n") for line in lines)
    return list(csv.reader(io.StringIO("".join(lines), newline=""), delimiter="\t", strict=True))


def test_sentences_line_by_line() -> None:
    table = read_batch("id,sentence,sentiment\nx1,A great film,4\nx2,Too slow,\n")
    low = SentimentResult((0.6, 0.1, 0.1, 0.1, 0.1))
    assert "".join(as_tsv(table, [SURE, low])) == (
        "line\tid\tsentence\tsentiment\tpredicted_sentiment\tpredicted_label\texpected_rating"
        "\tp_0\tp_1\tp_2\tp_3\tp_4\tleft_out\tproblem\n"
        "2\tx1\tA great film\t4\t4\tvery positive\t3.562500"
        "\t0.000000\t0.062500\t0.062500\t0.125000\t0.750000\t7\t\n"
        "3\tx2\tToo slow\t\t0\tvery negative\t1.000000"
        "\t0.600000\t0.100000\t0.100000\t0.100000\t0.100000\t0\t\n"
    )


def test_pairs_line_by_line() -> None:
    table = read_batch("sentence1,sentence2,similarity\nA cat,A dog,2.5\n")
    header, row = as_tsv(table, [PAIR])
    assert header.split() == [
        *("line", "id", "sentence1", "sentence2", "similarity", "p_duplicate"),
        *("predicted_duplicate", "predicted_similarity", "joint_similarity", "siamese_similarity"),
        *("raw_similarity", "raw_joint", "raw_siamese", "left_out", "problem"),
    ]
    assert row == (
        "2\t\tA cat\tA dog\t2.5\t0.600000\t1\t1.125000\t5.000000\t0.000000"
        "\t1.125000\t5.500000\t-0.250000\t3\t\n"
    )
    (told,) = rows_as_dicts(table, [PAIR])
    assert list(told) == [name for name in header.split() if name != "problem"]
    assert list(told.values())[7:] == [1.125, 5.0, 0.0, 1.125, 5.5, -0.25, 3]
    assert list(as_tsv(table, [PAIR], threshold=0.61))[1].split("\t")[6] == "0"


def test_other_numbers_of_classes() -> None:
    header, row = cells(list(as_tsv(read_batch("good"), [SentimentResult((0.25, 0.75))])))
    assert header[3:] == [
        *("predicted_sentiment", "predicted_label", "expected_rating", "p_0", "p_1"),
        *("left_out", "problem"),
    ]
    assert row[3:] == ["1", "positive", "0.750000", "0.250000", "0.750000", "0", ""]


def test_bad_rows_and_rows_without_an_answer_are_told() -> None:
    table = read_batch("sentence,sentiment\n,1\nfirst,nine\nsecond,3\nlast,2,3\n")
    header, *rows = cells(list(as_tsv(table, [SURE])))
    assert {len(row) for row in (header, *rows)} == {14}
    assert [(row[0], row[2], row[-1]) for row in rows] == [
        ("3", "first", table.bad_labels[0].reason),
        ("4", "second", "not answered: the run was stopped"),
        ("2", "", "no sentence"),
        ("5", "", "3 fields, 2 expected"),
    ]
    assert rows[0][3] == ""
    assert float(rows[0][6]) == SURE.expected, "answered, though its label can't be read"
    assert rows[1][3:13] == ["3", *[""] * 9]


@pytest.mark.parametrize(
    "text",
    ["two\nlines", "two\r\nlines", "a lone \r", 'said "no"', "a\ttab", "🎬 فيلم", "a\u2028b"],
)
def test_any_text_survives_the_way_there_and_back(text: str, tmp_path: Path) -> None:
    quoted = '"' + text.replace('"', '""') + '"'
    table = read_batch(f"id,sentence,sentiment\n{quoted},{quoted},3\nb,plain,1\n")
    write_answers(tmp_path / "new" / "answers.tsv", table, [SURE, SURE])
    again = read_batch((tmp_path / "new" / "answers.tsv").read_bytes())
    assert (again.label_task, again.bad_rows) == (table.label_task, ())
    for found, wanted in zip(again.rows, table.rows, strict=True):
        assert (found.id, found.first, found.label) == (wanted.id, wanted.first, wanted.label)


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("=1+1", "'=1+1"),
        ("+1 for this film", "'+1 for this film"),
        ("- not good", "'- not good"),
        ("@SUM(A1)", "'@SUM(A1)"),
        (" =1+1", "' =1+1"),
        ("\t@SUM(A1)", "'\t@SUM(A1)"),
        ("\n-1", "'\n-1"),
        ("＝1＋1", "'＝1＋1"),
        ("1=1", "1=1"),
        ("good - not great", "good - not great"),
        ("'quoted'", "'quoted'"),
        ("'=1+1", "''=1+1"),
        ("-5", "-5"),
        ("+12.5e3", "+12.5e3"),
        ("-1+1", "'-1+1"),
        ("-5 apples", "'-5 apples"),
    ],
)
def test_a_text_that_a_spreadsheet_would_run_is_made_harmless(text: str, harmless: str) -> None:
    table = read_batch(f'id,sentence1,sentence2\n"{text}","{text}","{text}"\n')
    _, found = cells(list(as_tsv(table, [PAIR])))
    assert found[1:4] == [harmless] * 3
    assert found[-3] == "-0.250000"  # a number of ours, not a formula


ODD_CELLS = (
    *("=1+1", "-5", "+12", "@home", " =A1", "'=1+1", "''- so", "'- he said", "'quoted'", "''"),
    *("＝1", "it's", "\ttab", "'\n=1", "plain", "'", "= 'x'", "-", "'-", "-1,5", "1=1"),
)


@pytest.mark.parametrize("pairs", [False, True])
def test_a_download_that_is_uploaded_again_is_read_as_it_was(tmp_path: Path, pairs: bool) -> None:
    names = ["id", "sentence1", "sentence2"] if pairs else ["id", "sentence"]
    buffer = io.StringIO()
    writer = csv.writer(buffer, delimiter="\t", lineterminator="\n")
    writer.writerow(names)
    writer.writerows(
        [f"{place}{cell}" if place % 2 else cell, cell, cell][: len(names)]
        for place, cell in enumerate(ODD_CELLS)
    )
    once = read_batch(buffer.getvalue())
    assert [row.first for row in once.rows] == list(ODD_CELLS)
    content, path = once, tmp_path / "answers.tsv"
    for _ in range(2):
        write_answers(path, content, [PAIR if pairs else SURE] * len(ODD_CELLS))
        content = read_batch(path.read_bytes())
        assert [(row.id, row.first, row.second) for row in content.rows] == [
            (row.id, row.first, row.second) for row in once.rows
        ]


def test_only_a_download_loses_an_apostrophe() -> None:
    (row,) = read_batch("id\tsentence\n'=1\t'- not good, he said\n").rows
    assert (row.id, row.first) == ("'=1", "'- not good, he said")


def test_no_cell_of_a_download_is_run(tmp_path: Path) -> None:
    for text in ODD_CELLS:
        cell = guarded(text)
        assert unguarded(cell) == text
        sign = cell.lstrip()[:1]
        assert sign not in ("=", "@", "＝")
        if sign and sign in "+-＋－":
            float(cell.replace(",", "."))  # a plain number, which is shown and not run
    table = read_batch("id\tsentence\n=1\t-2\n")
    write_answers(tmp_path / "x.tsv", table, [SURE])
    content = (tmp_path / "x.tsv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbfline\tid\t"), "Excel takes a file without for Latin-1"
    assert b"\n2\t'=1\t-2\t" in content


def test_more_answers_than_rows_or_others_are_refused_and_nothing_is_written(
    tmp_path: Path,
) -> None:
    table = read_batch("one film")
    with pytest.raises(ValueError, match=r"at most one a row, 1\. Found 2"):
        as_tsv(table, [SURE, SURE])
    with pytest.raises(ValueError, match="to sentences should all be SentimentResult"):
        write_answers(tmp_path / "answers.tsv", table, [PAIR])
    assert list(tmp_path.iterdir()) == []
