"""Embeddings of a file in every format, read back by what people read them with."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from minbert.backends import local
from minbert.predictor import Predictor
from minbert.reading import ReadError
from minbert.tables import DataError
from trainer.cli import main
from trainer.evaluation.embed import embed_file
from trainer.evaluation.predict import predict_file

TEXTS = ["the cat sleeps", 'a slow, "dull" film', "the actor plays\nand learns", "this story"]
IDS = ["a", "b,c", 'd"', "ü"]


@pytest.fixture(scope="module")
def predictor(model_folder: Path) -> Predictor:
    return Predictor.from_pretrained(model_folder, "cpu")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("source") / "in.jsonl.gz"
    rows = [{"id": name, "text": text} for name, text in zip(IDS, TEXTS, strict=True)]
    path.write_bytes(gzip.compress("".join(json.dumps(row) + "\n" for row in rows).encode()))
    return path


def read(path: Path) -> tuple[list[str], np.ndarray]:
    """Return ids and numbers of a file of embeddings."""
    content = path.read_bytes()
    text = (gzip.decompress(content) if path.suffix == ".gz" else content).decode()
    if ".jsonl" in path.suffixes:
        rows = [json.loads(line) for line in text.splitlines()]
        assert all(list(row) == ["id", "embedding"] for row in rows)
        found = [(row["id"], row["embedding"]) for row in rows]
    else:
        delimiter = "," if ".csv" in path.suffixes else "\t"
        names, *lines = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        assert names == ["id", *(f"embedding_{place}" for place in range(16))]
        found = [(line[0], line[1:]) for line in lines]
    ids, numbers = zip(*found, strict=True)
    return list(ids), np.array(numbers, dtype=np.float32)


@pytest.mark.parametrize("normalise", [False, True])
@pytest.mark.parametrize("ending", [".tsv", ".csv", ".csv.gz", ".jsonl", ".jsonl.gz", ".npy"])
def test_every_format_gives_each_number_back(
    predictor: Predictor, source: Path, tmp_path: Path, ending: str, normalise: bool
) -> None:
    target = tmp_path / f"out{ending}"
    embed_file(predictor, source, target, normalise=normalise, report=print, part_rows=3)
    wanted = predictor.embed(TEXTS)  # (4, D)
    if normalise:
        wanted = wanted / wanted.norm(dim=1, keepdim=True)
        assert not torch.allclose(predictor.embed(TEXTS), wanted)
    if ending == ".npy":
        numbers = np.load(target)
    else:
        ids, numbers = read(target)
        assert ids == IDS
    assert (numbers.shape, numbers.dtype) == ((4, 16), np.float32)
    torch.testing.assert_close(torch.from_numpy(numbers), wanted, atol=1e-6, rtol=0)


def test_all_formats_hold_the_same_bits(predictor: Predictor, source: Path, tmp_path: Path) -> None:
    for ending in (".npy", ".tsv", ".jsonl"):
        embed_file(predictor, source, tmp_path / f"out{ending}", report=print)
    array = np.load(tmp_path / "out.npy")
    for ending in (".tsv", ".jsonl"):
        assert np.array_equal(read(tmp_path / f"out{ending}")[1], array)


def test_a_broken_row_is_refused_or_left_out_and_nan_in_an_array(
    predictor: Predictor, tmp_path: Path
) -> None:
    path, array, table = (tmp_path / name for name in ("in.csv", "out.npy", "out.jsonl"))
    path.write_text("id,sentence\n1,the film\n2,\n3,the cat\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"line 3: no sentence\n.*--skip-bad"):
        embed_file(predictor, path, array, report=print)
    assert list(tmp_path.iterdir()) == [path]
    for target in (array, table):
        assert embed_file(predictor, path, target, skip_bad=True, report=print, part_rows=2) == 2
    numbers = np.load(array)
    assert np.isnan(numbers).all(axis=1).tolist() == [False, True, False]
    ids, kept = read(table)
    assert ids == ["1", "3"]
    assert np.array_equal(numbers[[0, 2]], kept)


@pytest.mark.parametrize(
    ("ending", "message"), [(".npy.gz", "leave out .gz"), (".parquet", r"\[parquet\]")]
)
def test_a_format_that_cannot_be_written_is_refused_before_any_work(
    predictor: Predictor,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    ending: str,
    message: str,
) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises((ReadError, ValueError), match=message):
        embed_file(predictor, source, tmp_path / f"out{ending}", report=print)
    with pytest.raises(ValueError, match=r"\.npy is for embeddings"):
        predict_file(
            predictor, "sentiment", source, tmp_path / "out.npy", skip_bad=False, report=print
        )
    assert list(tmp_path.iterdir()) == []


def test_predictions_in_every_format_are_the_same(
    predictor: Predictor, source: Path, tmp_path: Path
) -> None:
    found = {}
    for ending in (".tsv", ".csv.gz", ".jsonl"):
        target = tmp_path / f"out{ending}"
        predict_file(predictor, "sentiment", source, target, skip_bad=False, report=print)
        content = target.read_bytes()
        text = (gzip.decompress(content) if ending.endswith("gz") else content).decode()
        if ending == ".jsonl":
            rows = [json.loads(line) for line in text.splitlines()]
            assert {type(row["prediction"]) for row in rows} == {int}
        else:
            delimiter = "\t" if ending == ".tsv" else ","
            rows = [*csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)]
        found[ending] = [
            {name: each if name == "id" else float(each) for name, each in row.items()}
            for row in rows
        ]
    assert found[".tsv"] == found[".csv.gz"] == found[".jsonl"]
    assert [row["id"] for row in found[".tsv"]] == IDS


def test_the_command_embeds_plain_text_to_standard_output(
    model_folder: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "in.txt"
    path.write_text("the cat sleeps\nthe film\n", encoding="utf-8")
    command = ["embed", "--model", str(model_folder), "--device", "cpu", "--normalise"]
    assert main([*command, "--input", str(path), "--output", "-"]) == 0
    printed = capfd.readouterr()
    rows = [line.split("\t") for line in printed.out.splitlines()]
    assert [row[0] for row in rows] == ["id", "1", "2"]
    for row in rows[1:]:
        assert sum(float(cell) ** 2 for cell in row[1:]) == pytest.approx(1.0, abs=1e-6)
    assert "standard output: 2 embeddings" in printed.err
    assert list(tmp_path.iterdir()) == [path]


def test_fast_embeddings_are_near_the_exact_ones(
    predictor: Predictor,
    model_folder: Path,
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(local, "fast_numbers", lambda _: "int8")
    target = tmp_path / "fast.npy"
    command = ["embed", "--fast", "--model", str(model_folder), "--input", str(source)]
    assert main([*command, "--output", str(target), "--device", "cpu"]) == 0
    assert "8-bit" in capsys.readouterr().err
    exact, found = predictor.embed(TEXTS), torch.from_numpy(np.load(target))
    assert not torch.equal(found, exact)
    assert torch.cosine_similarity(found, exact).min() > 0.97
