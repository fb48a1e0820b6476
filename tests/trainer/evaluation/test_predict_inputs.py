"""What `predict` reads: tables of any usual kind, said what is taken for what; row by row."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from minbert.predictor import Predictor
from minbert.tables import DataError
from trainer.cli import main
from trainer.evaluation.predict import predict_file

TEXTS = ["the cat sleeps", "a slow, dull film", "the actor plays"]


@pytest.fixture(scope="module")
def predictor(model_folder: Path) -> Predictor:
    return Predictor.from_pretrained(model_folder, "cpu")


def predicted(
    predictor: Predictor, folder: Path, content: bytes | str, columns: str | None = None
) -> tuple[list[dict[str, str]], list[str]]:
    """Label a file of sentences; return the rows written and the lines told."""
    path, target, told = folder / "in.csv", folder / "out.tsv", list[str]()
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    predict_file(
        predictor, "sentiment", path, target, skip_bad=False, report=told.append, columns=columns
    )
    with target.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t")), told


@pytest.fixture(scope="module")
def wanted(predictor: Predictor) -> list[int]:
    answers = predictor.sentiment(TEXTS)
    return [one.probabilities.index(max(one.probabilities)) for one in answers]


@pytest.mark.parametrize(
    ("content", "ids", "columns"),
    [
        ('ID,Sentence\na,the cat sleeps\nb,"a slow, dull film"\nc,the actor plays\n', "abc", None),
        ("sentence\nthe cat sleeps\na slow, dull film\n\n\nthe actor plays\n", "236", None),
        ("sep=;\nreview;stars\n" + "".join(f'"{text}";{3}\n' for text in TEXTS), "345", None),
        ("\r\n".join(["text\t", *(text + "\t" for text in TEXTS)]).encode("utf-16"), "234", None),
        ("\n".join(TEXTS), "123", None),
        ("x;y\n" + "".join(f"{text};{text}\n" for text in TEXTS), "234", "sentence=y"),
        ("".join(f"1\t{text}\n" for text in TEXTS), "123", "sentence=2,header=no"),
    ],
)
def test_predict_reads_what_batch_reads(
    predictor: Predictor,
    wanted: list[int],
    tmp_path: Path,
    content: bytes | str,
    ids: str,
    columns: str | None,
) -> None:
    rows, told = predicted(predictor, tmp_path, content, columns)
    assert [row["id"] for row in rows] == list(ids)
    assert [int(row["prediction"]) for row in rows] == wanted
    by_name = str(content).lower().startswith("id,sentence")
    assert any("Read: " in line or "No table" in line for line in told) != (
        by_name or str(content).startswith("sentence")
    )


def test_what_is_taken_for_what_is_told_in_a_line(predictor: Predictor, tmp_path: Path) -> None:
    rated = "review,rating\n" + "".join(f'"{text}",4\n' for text in TEXTS)
    _, told = predicted(predictor, tmp_path, rated)
    assert told[0] == (
        "in.csv: A table, commas between its columns, the header in line 1. "
        "Read: 'review' as sentence. Left alone: 'rating'."
    )


def test_what_cannot_be_told_is_refused_with_its_line(predictor: Predictor, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"in\.csv: Line 1: .*'title', 'author', which may be"):
        predicted(predictor, tmp_path, "title,author\nA,B\nC,D\n")
    assert not (tmp_path / "out.tsv").exists()


def test_columns_through_the_command(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, target = tmp_path / "in.csv", tmp_path / "out.tsv"
    path.write_text("one;two\nWhere?;Where is it?\n", encoding="utf-8")
    command = ["predict", "--model", str(model_folder), "--task", "paraphrase", "--device", "cpu"]
    command += ["--input", str(path), "--output", str(target)]
    assert main([*command, "--columns", "sentence1=one, sentence2=2"]) == 0
    assert "Read: 'one' as sentence1, 'two' as sentence2" in capsys.readouterr().err
    assert len(target.read_text(encoding="utf-8").splitlines()) == 2
    assert main([*command, "--columns", "sentence1=three, sentence2=2"]) == 1
    assert "Found sentence1=three" in capsys.readouterr().err
