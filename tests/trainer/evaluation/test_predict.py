"""Labelling a file: every row or none, in order, in the documented columns."""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minbert.backends import local
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tables import DataError
from minbert.tasks import TASKS
from tests.support import assert_says
from tests.trainer.samples import header, task_rows, write_table
from trainer.cli import main
from trainer.evaluation import answer
from trainer.evaluation.predict import predict_file

REPOSITORY = Path(__file__).resolve().parents[3]
COLUMNS = {
    "sentiment": ["id", "prediction", "p_0", "p_1", "p_2", "p_3", "p_4"],
    "paraphrase": ["id", "prediction", "p_duplicate"],
    "similarity": ["id", "prediction", "score", "raw"],
}


@pytest.fixture(scope="module")
def predictor(model_folder: Path) -> Predictor:
    return Predictor.from_pretrained(model_folder, "cpu")


def source(folder: Path, task: str, count: int = 30, *, labelled: bool = False) -> Path:
    """Write a file to label."""
    rows = task_rows(task, count, 7)
    kept = rows if labelled else [row[:-1] for row in rows]
    return write_table(folder / f"{task}.csv", header(task, labelled=labelled), kept)


def labelled_file(
    predictor: Predictor, task: str, path: Path, *, skip_bad: bool = False
) -> tuple[list[dict[str, str]], list[str]]:
    """Label a file beside it; return the rows written and the lines told."""
    target = path.with_suffix(".out")
    told: list[str] = []
    count = predict_file(predictor, task, path, target, skip_bad=skip_bad, report=told.append)
    rows = read_rows(target, task)
    assert count == len(rows)
    return rows, told


def read_rows(path: Path, task: str) -> list[dict[str, str]]:
    """Read a file of predictions and check its columns."""
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file, delimiter="\t", strict=True)
        rows = list(reader)
    assert reader.fieldnames == COLUMNS[task]
    return rows


def inputs_of(task: str, count: int = 30) -> list[tuple[str, ...]]:
    """Return the texts that `source` wrote."""
    return [row[1:-1] for row in task_rows(task, count, 7)]


@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("labelled", [False, True])
def test_rows_come_out_in_the_input_s_order_with_or_without_labels(
    predictor: Predictor, tmp_path: Path, task: str, labelled: bool
) -> None:
    rows, told = labelled_file(predictor, task, source(tmp_path, task, labelled=labelled))
    assert [row["id"] for row in rows] == [row[0] for row in task_rows(task, 30, 7)]
    assert told == [f"{tmp_path / task}.out: 30 predictions"]


def test_broken_labels_do_not_matter(predictor: Predictor, tmp_path: Path) -> None:
    rows = [("a", "the cat sleeps", "9"), ("b", "the cat runs", ""), ("c", "it was dull", "no")]
    path = write_table(tmp_path / "labels.csv", header("sentiment"), rows)
    found, _ = labelled_file(predictor, "sentiment", path)
    assert [row["id"] for row in found] == ["a", "b", "c"]


def test_sentiment_values(predictor: Predictor, tmp_path: Path) -> None:
    rows, _ = labelled_file(predictor, "sentiment", source(tmp_path, "sentiment"))
    results = predictor.sentiment([texts[0] for texts in inputs_of("sentiment")])
    for row, result in zip(rows, results, strict=True):
        chances = [float(row[f"p_{label}"]) for label in range(5)]
        assert sum(chances) == pytest.approx(1.0, abs=5e-6)
        assert chances == pytest.approx(result.probabilities, abs=1e-5)
        assert int(row["prediction"]) == chances.index(max(chances))
    assert len({row["prediction"] for row in rows}) > 1


@pytest.mark.parametrize(
    ("numbers", "says", "apart"),
    [("int8", "8-bit", 0.1), ("bf16", "bfloat16", 0.1), ("", "can't help", 2e-6)],
)
def test_fast_says_in_what_it_encodes(
    numbers: str,
    says: str,
    apart: float,
    predictor: Predictor,
    model_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(local, "fast_numbers", lambda _: numbers)
    exact, _ = labelled_file(predictor, "sentiment", source(tmp_path, "sentiment"))
    command = ["predict", "--fast", "--model", str(model_folder), "--task", "sentiment"]
    target = tmp_path / "fast.tsv"
    command += ["--input", str(tmp_path / "sentiment.csv"), "--output", str(target)]
    assert main([*command, "--device", "cpu"]) == 0
    assert says in capsys.readouterr().err
    rows = read_rows(target, "sentiment")
    assert [row["id"] for row in rows] == [row["id"] for row in exact]
    chances, wanted = (
        torch.tensor([[float(row[f"p_{label}"]) for label in range(5)] for row in each])
        for each in (rows, exact)
    )
    assert (chances - wanted).abs().max() < apart
    assert torch.equal(chances, wanted) == (numbers == "")


def spread(folder: Path, task: str, middle: float) -> MultitaskBert:
    """Load the model with a head whose outputs lie wide apart around `middle`."""
    model = MultitaskBert.from_pretrained(folder)
    linear = model.heads[task].linear
    pairs = [(a, b) for a, b in inputs_of(task)]
    predictor = Predictor(model, "cpu")
    with torch.no_grad():
        linear.weight *= 20
        raw = model.heads[task](predictor.pooled(predictor.encode_joint(pairs)))
        linear.bias += middle - raw.median()
    return model


def test_paraphrase_values(model_folder: Path, tmp_path: Path) -> None:
    predictor = Predictor(spread(model_folder, "paraphrase", 0.0), "cpu")
    rows, _ = labelled_file(predictor, "paraphrase", source(tmp_path, "paraphrase"))
    results = predictor.pairs([(a, b) for a, b in inputs_of("paraphrase")])
    for row, result in zip(rows, results, strict=True):
        assert float(row["p_duplicate"]) == pytest.approx(result.paraphrase, abs=1e-5)
        assert row["prediction"] == str(int(result.paraphrase > 0.5))
    assert {row["prediction"] for row in rows} == {"0", "1"}
    assert any(abs(result.paraphrase_ab - result.paraphrase) > 1e-3 for result in results)


@pytest.mark.parametrize("score", ["joint", "siamese", "mean"])
def test_similarity_is_the_checkpoint_s_score_and_raw_beside_it(
    model_folder: Path, tmp_path: Path, score: str
) -> None:
    model = spread(model_folder, "similarity", 2.5)
    model.config = dataclasses.replace(model.config, similarity_score=score)
    predictor = Predictor(model, "cpu")
    rows, _ = labelled_file(predictor, "similarity", source(tmp_path, "similarity"))
    results = predictor.pairs([(a, b) for a, b in inputs_of("similarity")])
    for name, wanted in (
        ("score", [result.score for result in results]),
        ("raw", [result.raw for result in results]),
    ):
        assert [float(row[name]) for row in rows] == pytest.approx(wanted, abs=1e-4)
    assert [row["prediction"] for row in rows] == [row["score"] for row in rows]
    if score == "joint":
        raw, scores = ([float(row[name]) for row in rows] for name in ("raw", "score"))
        assert (min(raw) < 0, max(raw) > 5) == (True, True)
        assert (min(scores), max(scores)) == (0.0, 5.0)


@pytest.mark.parametrize("size", [1, 7, 29, 30])
def test_more_rows_than_a_chunk(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    path = source(tmp_path, "sentiment")
    whole, _ = labelled_file(predictor, "sentiment", path)
    monkeypatch.setattr(answer, "CHUNK", size)
    chunked, _ = labelled_file(predictor, "sentiment", path)
    assert [row["id"] for row in chunked] == [row["id"] for row in whole]
    for found, wanted in zip(chunked, whole, strict=True):
        assert float(found["p_3"]) == pytest.approx(float(wanted["p_3"]), abs=1e-5)


def broken_source(folder: Path) -> Path:
    """Write ten rows, three of them broken (lines 4, 7 and 8 of the file)."""
    rows = [list(row[:-1]) for row in task_rows("paraphrase", 10, 7)]
    rows[2][1] = ""
    rows[5][2] = "  "
    rows[6] = rows[6][:2]
    return write_table(folder / "broken.csv", header("paraphrase", labelled=False), rows)


def test_broken_rows_are_all_listed_and_nothing_is_written(
    predictor: Predictor, tmp_path: Path
) -> None:
    path, target = broken_source(tmp_path), tmp_path / "out" / "predictions.tsv"
    listed = (
        r"Found 3 bad rows:\n  line 4: no sentence1\n  line 7: no sentence2\n"
        r"  line 8: 3 fields, at least 4 needed\n.*--skip-bad"
    )
    with pytest.raises(DataError, match=listed):
        predict_file(predictor, "paraphrase", path, target, skip_bad=False, report=print)
    assert sorted(tmp_path.iterdir()) == [path]


def test_broken_rows_may_be_left_out_and_are_counted(predictor: Predictor, tmp_path: Path) -> None:
    path = broken_source(tmp_path)
    rows, told = labelled_file(predictor, "paraphrase", path, skip_bad=True)
    kept = [
        row[0] for place, row in enumerate(task_rows("paraphrase", 10, 7)) if place not in (2, 5, 6)
    ]
    assert [row["id"] for row in rows] == kept
    assert told[0].startswith("3 bad rows left out: broken.csv: 7 rows, 3 left out (line 4: ")
    assert told[1] == f"{path.with_suffix('.out')}: 7 predictions"


def test_broken_rows_through_the_command(
    model_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, target = broken_source(tmp_path), tmp_path / "predictions.tsv"
    command = ["predict", "--model", str(model_folder), "--task", "paraphrase", "--device", "cpu"]
    command += ["--input", str(path), "--output", str(target)]
    assert main(command) == 1
    told = capsys.readouterr().err
    assert_says(told, parameter="error: ", found=[f"line {line}: " for line in (4, 7, 8)])
    assert sorted(tmp_path.iterdir()) == [path]
    assert main([*command, "--skip-bad"]) == 0
    assert len(read_rows(target, "paraphrase")) == 7
    assert sorted(tmp_path.iterdir()) == [path, target]


def test_an_id_that_is_not_utf8_is_told_like_every_broken_row(
    predictor: Predictor, tmp_path: Path
) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes(b"\tid\tsentence\n0\ta\xff\tA calm film .\n1\tb\tA loud film .\n")
    with pytest.raises(DataError, match=r"Found 1 bad rows:\n  line 2: "):
        predict_file(predictor, "sentiment", path, tmp_path / "o", skip_bad=False, report=print)


def test_a_file_without_rows_is_refused(predictor: Predictor, tmp_path: Path) -> None:
    path = write_table(tmp_path / "empty.csv", header("sentiment", labelled=False), [])
    with pytest.raises(DataError, match="should hold at least one readable row"):
        predict_file(predictor, "sentiment", path, tmp_path / "o", skip_bad=True, report=print)
    assert sorted(tmp_path.iterdir()) == [path]


def test_ids_with_tabs_and_quotes_come_back(predictor: Predictor, tmp_path: Path) -> None:
    ids = ["a\tb", 'c"d', "plain", "with\nline", "ünïcode"]
    rows = [(name, "the cat sleeps") for name in ids]
    path = write_table(tmp_path / "ids.csv", header("sentiment", labelled=False), rows)
    found, _ = labelled_file(predictor, "sentiment", path)
    assert [row["id"] for row in found] == ids


def test_the_output_may_be_standard_output_and_progress_is_elsewhere(
    model_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = source(tmp_path, "similarity", 5)
    command = ["predict", "--model", str(model_folder), "--task", "similarity", "--device", "cpu"]
    assert main([*command, "--input", str(path), "--output", "-"]) == 0
    printed = capfd.readouterr()
    rows = list(csv.DictReader(io.StringIO(printed.out), delimiter="\t", strict=True))
    assert [row["id"] for row in rows] == [row[0] for row in task_rows("similarity", 5, 7)]
    assert "standard output: 5 predictions" in printed.err
    assert list(tmp_path.iterdir()) == [path]


def test_the_output_is_replaced_in_one_step(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = source(tmp_path, "sentiment", 5), tmp_path / "predictions.tsv"
    target.write_text("earlier\n", encoding="utf-8")
    seen: list[tuple[str, int]] = []
    replace = os.replace

    def watched(old: Path, new: Path) -> None:
        if Path(new) == target:
            old_lines, lines = (Path(path).read_text(encoding="utf-8") for path in (target, old))
            seen.append((old_lines, len(lines.splitlines())))
        replace(old, new)

    monkeypatch.setattr(os, "replace", watched)
    predict_file(predictor, "sentiment", path, target, skip_bad=False, report=lambda _: None)
    assert seen == [("earlier\n", 6)]
    assert len(read_rows(target, "sentiment")) == 5


def test_the_command_in_a_process_of_its_own(model_folder: Path, tmp_path: Path) -> None:
    path, target = source(tmp_path, "sentiment", 9), tmp_path / "predictions.tsv"
    command = [sys.executable, "-m", "trainer", "predict", "--model", str(model_folder)]
    command += ["--task", "sentiment", "--input", str(path), "--output", str(target)]
    command += ["--device", "cpu", "--threads", "1"]
    done = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
    assert done.stderr.splitlines()[-1] == f"{target}: 9 predictions"
    assert [row["id"] for row in read_rows(target, "sentiment")] == [
        row[0] for row in task_rows("sentiment", 9, 7)
    ]


@pytest.mark.parametrize("how", ["the same path", "a link", "another spelling"])
def test_predictions_never_replace_their_input(
    predictor: Predictor, tmp_path: Path, how: str
) -> None:
    path = source(tmp_path, "sentiment")
    before = path.read_bytes()
    target = path
    if how == "a link":
        target = tmp_path / "link.tsv"
        target.symlink_to(path)
    elif how == "another spelling":
        target = tmp_path / "." / ".." / tmp_path.name / path.name
    with pytest.raises(DataError, match="--output"):
        predict_file(predictor, "sentiment", path, target, skip_bad=False, report=print)
    assert path.read_bytes() == before
