"""Parquet in and out by the real pyarrow: `make test-ecosystem`."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.predictor import Predictor
from minbert.tables import DataError
from tests.support import redraw, tiny_model
from trainer.evaluation.embed import embed_file
from trainer.evaluation.parts import Part, Parts
from trainer.evaluation.predict import predict_file

TEXTS = [f"the film number {row} was not good" for row in range(30)]


@pytest.fixture(scope="module")
def parquet() -> Any:  # noqa: ANN401 - a package that ships no types
    return importlib.import_module("pyarrow.parquet")


@pytest.fixture(scope="module")
def predictor(tmp_path_factory: pytest.TempPathFactory) -> Predictor:
    model = tiny_model(tmp_path_factory.mktemp("model"))
    redraw(model, seed=3, std=0.3)
    return Predictor(model, "cpu")


@pytest.fixture
def source(tmp_path: Path, parquet: Any) -> Path:  # noqa: ANN401
    arrow = importlib.import_module("pyarrow")
    columns = {
        "id": list(range(len(TEXTS))),
        "text": arrow.array(TEXTS).dictionary_encode(),
        "picture": [b"\xff\0"] * len(TEXTS),
        "tags": [["a"]] * len(TEXTS),
    }
    parquet.write_table(arrow.table(columns), tmp_path / "in.parquet", row_group_size=7)
    return tmp_path / "in.parquet"


def test_embeddings_of_parquet_in_parquet(
    predictor: Predictor,
    source: Path,
    parquet: Any,  # noqa: ANN401
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole, target = source.with_name("whole.parquet"), source.with_name("out.parquet")
    embed_file(predictor, source, whole, report=print, part_rows=8)
    table = parquet.read_table(whole)
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[16]"
    assert table["id"].to_pylist() == [str(row) for row in range(len(TEXTS))]
    found = torch.tensor(table["embedding"].to_pylist())
    torch.testing.assert_close(found, predictor.embed(TEXTS), atol=1e-6, rtol=0)

    write = Parts.write

    def stopping(self: Parts, number: int, part: Part) -> None:
        if number == 2:
            raise KeyboardInterrupt
        write(self, number, part)

    with monkeypatch.context() as patched:
        patched.setattr(Parts, "write", stopping)
        with pytest.raises(KeyboardInterrupt):
            embed_file(predictor, source, target, report=print, part_rows=8)
    embed_file(predictor, source, target, report=print, part_rows=8)
    assert target.read_bytes() == whole.read_bytes()


def test_predictions_in_parquet(
    predictor: Predictor,
    source: Path,
    parquet: Any,  # noqa: ANN401
) -> None:
    target = source.with_name("out.parquet")
    predict_file(predictor, "sentiment", source, target, skip_bad=False, report=print)
    table = parquet.read_table(target)
    assert [str(field.type) for field in table.schema] == ["string", "int64", *["double"] * 5]
    results = predictor.sentiment(TEXTS)
    for row, result in zip(table.to_pylist(), results, strict=True):
        chances = [row[f"p_{label}"] for label in range(5)]
        assert chances == pytest.approx(result.probabilities, abs=1e-6)
        assert row["prediction"] == chances.index(max(chances))


def test_torn_parquet_is_told(predictor: Predictor, source: Path) -> None:
    source.write_bytes(source.read_bytes()[:-20])
    with pytest.raises(DataError, match="should be whole Parquet"):
        embed_file(predictor, source, source.with_name("out.npy"), report=print)
