"""Reading the course's files: what a row holds, and that no broken one is lost in silence."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import pytest

from minbert.tables import LONGEST_FIELD, BadRow, DataError, Example, read_table
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, TASKS, Task
from trainer.data.course import FILES, file_sha256, pair_hash, read_split

REPOSITORY = Path(__file__).resolve().parents[3]
ROW_COUNTS = {
    ("sentiment", "train"): 8544,
    ("sentiment", "dev"): 1101,
    ("sentiment", "test"): 2210,
    ("similarity", "train"): 6040,
    ("similarity", "dev"): 863,
    ("similarity", "test"): 1725,
}
OUR_QUORA_COUNTS = {  # the split of shared/data alone; a download brings another
    ("paraphrase", "train"): 40185,
    ("paraphrase", "dev"): 10006,
    ("paraphrase", "test"): 10204,
}
SMALL = {"train": 48, "dev": 16, "test": 6}  # rows of the `data` fixture's files
SENTIMENT_HEADER = b"\tid\tsentence\tsentiment\n"
GOOD = b"0\ta\tA calm film .\t3\n"


def written(folder: Path, content: bytes) -> Path:
    """Write bytes to a file."""
    path = folder / "table.csv"
    path.write_bytes(content)
    return path


def test_a_labelled_sentiment_file(tmp_path: Path) -> None:
    rows = b"0\ta1\t An odd , slow film .\t1\n1\tb2\tGreat fun !\t4\n"
    table = read_table(written(tmp_path, SENTIMENT_HEADER + rows), SENTIMENT, labelled=True)
    assert table.examples == [
        Example("a1", (" An odd , slow film .",), 1.0),
        Example("b2", ("Great fun !",), 4.0),
    ]
    assert table.bad_rows == []
    assert table.labels == [1.0, 4.0]


def test_a_labelled_pair_file_with_columns_in_another_order(tmp_path: Path) -> None:
    content = b"similarity\tsentence2\tid\tsentence1\n2.75\tB one\tx\tA one\n"
    table = read_table(written(tmp_path, content), SIMILARITY, labelled=True)
    assert table.examples == [Example("x", ("A one", "B one"), 2.75)]


def test_an_unlabelled_file_has_no_labels(tmp_path: Path) -> None:
    content = b"\tid\tsentence1\tsentence2\n7\tx\tWho sings ?\tWho is singing ?\n"
    path = written(tmp_path, content)
    for labelled in (False, None):
        table = read_table(path, PARAPHRASE, labelled=labelled)
        assert table.examples == [Example("x", ("Who sings ?", "Who is singing ?"), None)]
        assert table.labels == []


@pytest.mark.parametrize(("labelled", "label"), [(True, 3.0), (None, 3.0), (False, None)])
def test_labels_are_looked_at_as_asked(
    tmp_path: Path, labelled: bool | None, label: float | None
) -> None:
    path = written(tmp_path, SENTIMENT_HEADER + GOOD)
    assert read_table(path, SENTIMENT, labelled=labelled).examples[0].label == label


def test_unwanted_labels_may_be_broken(tmp_path: Path) -> None:
    path = written(tmp_path, SENTIMENT_HEADER + b"0\ta\tA calm film .\tnone\n1\tb\tQuiet\n")
    table = read_table(path, SENTIMENT, labelled=False)
    assert [example.id for example in table.examples] == ["a", "b"]
    assert not table.bad_rows


def test_the_odd_header_of_the_sentiment_test_file(tmp_path: Path) -> None:
    content = b"0\t\tid\tsentence\n1\t0.0\tabc\t Thin but warm\n2\t1.0\tdef\tA bore\n"
    table = read_table(written(tmp_path, content), SENTIMENT, labelled=False)
    assert table.examples == [
        Example("abc", (" Thin but warm",), None),
        Example("def", ("A bore",), None),
    ]
    assert table.bad_rows == []


def test_quoted_fields_hold_quotes_tabs_and_line_ends(tmp_path: Path) -> None:
    rows = b'0\ta\t"He said ""well""\tand\r\nleft ."\t2\n' + b"1\tb\tIt's 5\" wide\t3\n"
    table = read_table(written(tmp_path, SENTIMENT_HEADER + rows), SENTIMENT, labelled=True)
    assert [example.texts[0] for example in table.examples] == [
        'He said "well"\tand\r\nleft .',
        "It's 5\" wide",
    ]
    assert table.labels == [2.0, 3.0]
    assert table.bad_rows == []


@pytest.mark.parametrize("end", [b"\r\n", b"\n", b"\r"], ids=["CRLF", "LF", "CR"])
def test_line_ends_of_any_kind(tmp_path: Path, end: bytes) -> None:
    content = (SENTIMENT_HEADER + GOOD + b"1\tb\tDull\t0\n").replace(b"\n", end)
    table = read_table(written(tmp_path, content), SENTIMENT, labelled=True)
    assert [example.texts[0] for example in table.examples] == ["A calm film .", "Dull"]
    assert table.labels == [3.0, 0.0]
    assert table.bad_rows == []


def test_a_file_without_a_last_line_end(tmp_path: Path) -> None:
    path = written(tmp_path, SENTIMENT_HEADER + GOOD.rstrip(b"\n"))
    assert read_table(path, SENTIMENT, labelled=True).labels == [3.0]


@pytest.mark.parametrize("header", [SENTIMENT_HEADER, b"id\tsentence\tsentiment\n"])
def test_a_byte_order_mark_before_the_header_changes_nothing(tmp_path: Path, header: bytes) -> None:
    index = b"0\t" if header.startswith(b"\t") else b""
    path = written(tmp_path, b"\xef\xbb\xbf" + header + index + b"a\tA calm film .\t3\n")
    assert read_table(path, SENTIMENT).examples == [Example("a", ("A calm film .",), 3.0)]


@pytest.mark.parametrize(
    "text",
    ["word " * (LONGEST_FIELD // 5), "Ça va\u00a0– naïve 映画 🎬"],
    ids=["long", "beyond ASCII"],
)
def test_a_text_is_read_whole(tmp_path: Path, text: str) -> None:
    path = written(tmp_path, SENTIMENT_HEADER + f"0\ta\t{text}\t2\n".encode())
    assert read_table(path, SENTIMENT).examples == [Example("a", (text,), 2.0)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (b"1\tb\t\t3\n", "no sentence"),
        (b"1\tb\t  \t3\n", "no sentence"),
        (b"1\tb\n", "2 fields, at least 3 needed"),
        (b"1\tb\tSome text\n", "no sentiment"),
        (b"1\tb\tSome text\t\n", "no sentiment"),
        (b"1\tb\tSome text\t \n", "no sentiment"),
        (b"1\tb\tSome text\tgood\n", "sentiment is not a number: 'good'"),
        (b"1\tb\tSome text\t5\n", "sentiment 5 is not in 0 to 4"),
        (b"1\tb\tSome text\t-1\n", "sentiment -1 is not in 0 to 4"),
        (b"1\tb\tSome text\t2.5\n", "sentiment 2.5 is not a class number"),
        (b"1\tb\tSome text\tnan\n", "sentiment nan is not in 0 to 4"),
        (b"1\tb\tSome text\tinf\n", "sentiment inf is not in 0 to 4"),
        (b"1\tb\tSome \xff text\t2\n", "sentence is not UTF-8"),
        (b"\xff\n", "1 field, at least 3 needed"),
        (b"1\tb\t" + b"x" * (LONGEST_FIELD + 1) + b"\t2\n", "a field of more than 1,000,000"),
    ],
    ids=lambda value: str(value)[:24],
)
def test_a_broken_row_is_returned_with_its_line_and_reason(
    tmp_path: Path, row: bytes, reason: str
) -> None:
    content = SENTIMENT_HEADER + GOOD + row + b"2\tc\tA loud film .\t1\n"
    table = read_table(written(tmp_path, content), SENTIMENT, labelled=True)
    assert [example.id for example in table.examples] == ["a", "c"]
    (bad,) = table.bad_rows
    assert bad.line == 3
    assert reason in bad.reason


@pytest.mark.parametrize(
    ("task", "label", "reason"),
    [
        (PARAPHRASE, "2", "is_duplicate 2 is not in 0 to 1"),
        (PARAPHRASE, "0.5", "is_duplicate 0.5 is not a class number"),
        (SIMILARITY, "5.01", "similarity 5.01 is not in 0 to 5"),
        (SIMILARITY, "NaN", "similarity nan is not in 0 to 5"),
    ],
)
def test_a_pair_s_broken_label(tmp_path: Path, task: Task, label: str, reason: str) -> None:
    columns = f"\tid\tsentence1\tsentence2\t{task.target}\n"
    path = written(tmp_path, f"{columns}0\ta\tOne\tTwo\t{label}\n1\tb\tOne\tTwo\t1\n".encode())
    table = read_table(path, task, labelled=True)
    assert table.bad_rows == [BadRow(2, reason)]
    assert table.labels == [1.0]


def test_a_pair_without_its_second_sentence(tmp_path: Path) -> None:
    content = b"\tid\tsentence1\tsentence2\tis_duplicate\n0\ta\tOne\t\t1\n1\tb\t\tTwo\t0\n"
    table = read_table(written(tmp_path, content), PARAPHRASE, labelled=True)
    assert table.bad_rows == [BadRow(2, "no sentence2"), BadRow(3, "no sentence1")]


def test_an_id_that_is_not_utf8_makes_a_broken_row(tmp_path: Path) -> None:
    path = written(tmp_path, SENTIMENT_HEADER + b"0\ta\xff\tA calm film .\t3\n" + GOOD)
    table = read_table(path, SENTIMENT)
    assert [row.line for row in table.bad_rows] == [2]
    assert [example.id for example in table.examples] == ["a"]


def test_no_row_is_lost_among_many_broken_ones(tmp_path: Path) -> None:
    kinds = [
        GOOD,
        b"1\tb\t\t3\n",
        b"2\tc\n",
        b"3\td\tSome text\tgood\n",
        b"4\te\tSome \xc3\x28 text\t2\n",
        b"5\tf\tSome text\t9\n",
        b"6\tg\t" + b"y" * (LONGEST_FIELD + 10) + b"\t1\n",
        b"7\n",
        b'7\th\t"Some ""quoted"" text"\t1\n',
    ]
    lines = [kinds[(7 * number) % len(kinds)] for number in range(90)]
    table = read_table(written(tmp_path, SENTIMENT_HEADER + b"".join(lines)), SENTIMENT)
    assert len(table.examples) + len(table.bad_rows) == len(lines)
    good = [number + 2 for number, line in enumerate(lines) if line in (kinds[0], kinds[8])]
    assert {row.line for row in table.bad_rows} == set(range(2, 92)) - set(good)
    assert len(table.examples) == len(good)


@pytest.mark.parametrize("labelled", [True, False])
def test_a_quote_that_never_closes_swallows_no_row_in_silence(
    tmp_path: Path, labelled: bool
) -> None:
    label = b"\t2" if labelled else b""
    header = SENTIMENT_HEADER if labelled else b"\tid\tsentence\n"
    rows = [b'0\ta\t"A quote that stays open', b"1\tb\tA calm film .", b"2\tc\tA loud film ."]
    path = written(tmp_path, header + b"".join(row + label + b"\n" for row in rows))
    table = read_table(path, SENTIMENT, labelled=labelled)
    assert table.bad_rows, "the row with the open quote"
    assert all("\n" not in example.texts[0] for example in table.examples)


def test_columns_that_are_missing_are_named(tmp_path: Path) -> None:
    path = written(tmp_path, b"\tid\tsentence1\tlabel\n0\ta\tOne\t1\n")
    told = r"table\.csv: Line 1: the header should name the columns sentence1, sentence2, "
    with pytest.raises(DataError, match=told + r".* Missing: sentence2, is_duplicate\."):
        read_table(path, PARAPHRASE, labelled=True)


@pytest.mark.parametrize(
    "content",
    [
        b"id,sentence,sentiment\na,Fine,3\n",
        b"\n\nID\tSentence\tSENTIMENT\n\na\tFine\t3\n\n",
        b'sep=;\r\nid;sentence;sentiment\r\na;"Fine";3\r\n',
        b"id,sentence,sentiment,\r\na,Fine,3,\r\n",
        "id\tsentence\tsentiment\r\na\tFine\t3\r\n".encode("utf-16"),
        b"\xef\xbb\xbfid;sentence;sentiment\r\na;Fine;3,0\r\n",
        b"sentiment,id,sentence\npositive,a,Fine\n",
    ],
)
def test_what_spreadsheets_write_is_trained_on_and_scored(tmp_path: Path, content: bytes) -> None:
    table = read_table(written(tmp_path, content), SENTIMENT, labelled=True)
    assert table == dataclasses.replace(table, examples=[Example("a", ("Fine",), 3.0)], bad_rows=[])
    assert table.notes == ()


def test_a_row_without_an_id_is_known_by_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, b"sentence,sentiment\nFine,3\n\nDull,1\n")
    table = read_table(path, SENTIMENT, labelled=True)
    assert [example.id for example in table.examples] == ["2", "4"]
    assert table.notes == ("There is no id: a row's line stands for it.",)


def test_an_unlabelled_file_is_refused_where_labels_are_needed(tmp_path: Path) -> None:
    path = written(tmp_path, b"\tid\tsentence\n0\ta\tFine\n")
    with pytest.raises(DataError, match=r"sentiment\. Found .* Missing: sentiment"):
        read_table(path, SENTIMENT, labelled=True)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"table\.csv: The file should hold .* Found no text"):
        read_table(written(tmp_path, b""), SENTIMENT)


def test_a_missing_file_says_how_to_get_it(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"gone\.csv should exist.*`python -m trainer download`"):
        read_table(tmp_path / "gone.csv", SENTIMENT)


def test_a_folder_in_place_of_a_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="should be a readable file"):
        read_table(tmp_path, SENTIMENT)


def test_a_split_without_a_readable_row_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILES["sentiment"]["dev"]).write_bytes(SENTIMENT_HEADER + b"0\ta\t\t3\n")
    with pytest.raises(DataError, match=r"ids-sst-dev\.csv should hold at least one readable row"):
        read_split(tmp_path, "sentiment", "dev")


def test_every_split_of_a_folder_is_read(data: Path) -> None:
    for name in TASKS:
        for split, rows in SMALL.items():
            table = read_split(data, name, split)
            assert len(table.examples) == rows
            assert len(table.labels) == (0 if split == "test" else rows)


def test_the_summary_counts_and_shows_the_first_broken_rows(tmp_path: Path) -> None:
    bad = b"".join(b"%d\tb\t\t3\n" % row for row in range(5))
    table = read_table(written(tmp_path, SENTIMENT_HEADER + GOOD + bad), SENTIMENT)
    shown = "; ".join(f"line {line}: no sentence" for line in (3, 4, 5))
    assert table.summary() == f"table.csv: 1 rows, 5 left out ({shown}; and 2 more)"
    whole = read_table(written(tmp_path, SENTIMENT_HEADER + GOOD), SENTIMENT)
    assert whole.summary() == "table.csv: 1 rows"


def test_row_counts_of_the_real_files_that_are_here(data: Path) -> None:
    ours = REPOSITORY.parent / "shared" / "data"
    small = {(task, split): SMALL[split] for task in TASKS for split in SMALL}
    folders = [(data, small), (ours, {**ROW_COUNTS, **OUR_QUORA_COUNTS})]
    if os.environ.get("MINBERT_DATA"):
        folders.append((Path(os.environ["MINBERT_DATA"]), ROW_COUNTS))
    there = [
        (folder, task, split, count)
        for folder, counts in folders
        for (task, split), count in counts.items()
        if (folder / FILES[task][split]).is_file()
    ]
    found = {row: len(read_split(*row[:3]).examples) for row in there}
    assert len(found) >= 9, "the small files of our own are always there"
    assert found == {row: row[3] for row in there}


def test_the_hash_of_a_pair_ignores_order_case_and_spacing() -> None:
    wanted = pair_hash(["Who sings it?", "Is THIS a song?"])
    assert pair_hash(["Is THIS a song?", "Who sings it?"]) == wanted
    assert pair_hash(["who SINGS it?", "is this  a song?\n"]) == wanted
    assert pair_hash(["It does n't run", "STRASSE"]) == pair_hash(["straße", "It doesn't run"])


def test_the_hash_of_a_pair_tells_pairs_apart() -> None:
    pairs = [(f"text {a}", f"text {b}") for a in range(30) for b in range(a, 30)]
    assert len({pair_hash(pair) for pair in pairs}) == len(pairs)
    assert pair_hash(["ab", "c"]) != pair_hash(["a", "bc"])


def test_the_hash_of_a_pair_is_signed_64_bit_and_lasting() -> None:
    hashes = [pair_hash([f"text {a}", "other"]) for a in range(200)]
    assert all(-(2**63) <= value < 2**63 for value in hashes)
    assert min(hashes) < 0 < max(hashes)
    assert max(map(abs, hashes)) > 2**60
    digest = hashlib.blake2b(b"a cat\x1fthe dog", digest_size=8).digest()
    assert pair_hash(["The dog", "A cat"]) == int.from_bytes(digest, "big", signed=True)


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    path = written(tmp_path, b"abc" * 100_000)
    assert file_sha256(path) == hashlib.sha256(b"abc" * 100_000).hexdigest()


def test_more_fields_than_columns_are_a_broken_row(tmp_path: Path) -> None:
    path = written(tmp_path, b"\tid\tsentence\n0\ta\tA fine film,\tnot.\n1\tb\tRain.\n")
    table = read_table(path, SENTIMENT, labelled=False)
    assert table.bad_rows == [BadRow(2, "4 fields, 3 expected")]
    assert [example.id for example in table.examples] == ["b"]


def test_a_stray_quote_that_closes_later_swallows_no_row_in_silence(tmp_path: Path) -> None:
    rows = b'0\ta\t"An open quote\n1\tb\tA calm film .\n2\tc\tthe end"\n3\td\tRain.\n'
    table = read_table(written(tmp_path, b"\tid\tsentence\n" + rows), SENTIMENT, labelled=False)
    assert [row.line for row in table.bad_rows] == [2]
    assert "stray quote" in table.bad_rows[0].reason
    assert [example.id for example in table.examples] == ["b", "c", "d"]


@pytest.mark.parametrize("name", TASKS)
@pytest.mark.parametrize("closed", [None, 20, 21])
def test_a_stray_quote_costs_one_row_of_a_hundred_and_twenty(
    data: Path, tmp_path: Path, name: str, closed: int | None
) -> None:
    header, *rows = (data / FILES[name]["train"]).read_text(encoding="utf-8").splitlines(True)
    rows = (rows * 3)[:120]
    at = header.rstrip().split("\t").index(TASKS[name].text_columns[0])
    cells = rows[50].split("\t")
    rows[50] = "\t".join([*cells[:at], '"' + cells[at], *cells[at + 1 :]])
    if closed is not None:
        cells = rows[50 + closed].split("\t")
        rows[50 + closed] = "\t".join([*cells[:at], cells[at] + '"', *cells[at + 1 :]])
    path = written(tmp_path, "".join([header, *rows]).encode())
    table = read_table(path, TASKS[name], labelled=True)
    assert len(table.examples) == 119
    assert [row.line for row in table.bad_rows] == [52]
    assert "119 rows, 1 left out (line 52: a stray quote" in table.summary()


def test_a_file_that_uses_no_quoting_is_read_as_it_is(tmp_path: Path) -> None:
    texts = ['"Rain', '"Sun" and rain', 'Snow"', '"Hail"', 'So "cold"', '"', '""Fog""']
    rows = "".join(f"{at}\t{text}\t{at % 5}\n" for at, text in enumerate(texts))
    path = written(tmp_path, f"id\tsentence\tsentiment\n{rows}".encode())
    table = read_table(path, SENTIMENT, labelled=True)
    assert [example.texts[0] for example in table.examples] == texts
    assert table.bad_rows == []
    assert "Quotes are read as characters" in table.notes[0]


def test_two_stray_quotes_among_many_proper_ones_cost_two_rows(tmp_path: Path) -> None:
    rows = [f'{at}\t"Some ""{at}"" days"\t2\n' for at in range(30)]
    rows[3], rows[17] = '3\t"Rain\t1\n', '17\t"Snow" falls\t1\n'
    path = written(tmp_path, f"id\tsentence\tsentiment\n{''.join(rows)}".encode())
    table = read_table(path, SENTIMENT, labelled=True)
    assert [row.line for row in table.bad_rows] == [5, 19]
    assert table.examples[0].texts == ('Some "0" days',)
    assert len(table.examples) == 28


@pytest.mark.parametrize(
    ("labels", "problem"),
    [
        ("12345", "run from 1 to 5, where 0 to 4 is meant"),
        ("55", "run from 5 to 5"),
        ("012345", None),
        ("1234", None),
        ("0123404" * 2 + "79999", "run from 0 to 9"),
        ("0123404" * 2 + "9", None),
    ],
)
def test_another_scale_is_told_and_refused(
    tmp_path: Path, labels: str, problem: str | None
) -> None:
    rows = "".join(f"{at}\tDay {at}\t{label}\n" for at, label in enumerate(labels))
    content = f"id\tsentence\tsentiment\n{rows}".encode()
    table = read_table(written(tmp_path, content), SENTIMENT, labelled=True)
    assert (problem or "") in (table.scale or "")
    assert (table.scale is None) == (problem is None)
    assert len(table.examples) + len(table.bad_rows) == len(labels)
    (tmp_path / FILES["sentiment"]["dev"]).write_bytes(content)
    if problem is not None:
        with pytest.raises(DataError, match=problem):
            read_split(tmp_path, "sentiment", "dev")
    else:
        read_split(tmp_path, "sentiment", "dev")


def test_twos_for_duplicates_are_another_scale(tmp_path: Path) -> None:
    rows = "A\tB\t1\nC\tD\t2\n"
    path = written(tmp_path, f"sentence1\tsentence2\tis_duplicate\n{rows}".encode())
    assert "subtract 1" in (read_table(path, PARAPHRASE, labelled=True).scale or "")


def test_labels_of_two_classes_among_five_are_doubted_aloud(tmp_path: Path) -> None:
    rows = "".join(f"Day {at}\t{at % 2}\n" for at in range(20))
    path = written(tmp_path, f"sentence\tsentiment\n{rows}".encode())
    table = read_table(path, SENTIMENT, labelled=True)
    assert (len(table.examples), table.scale) == (20, None)
    assert "run from 0 to 1" in table.notes[-1]
    assert table.notes[-1] in table.summary()
