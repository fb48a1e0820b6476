"""What a run reads: CFIMDB's two classes, masked training texts, the tasks that it asks for."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from minbert.tables import BadRow, DataError
from tests.trainer.samples import header, table_text, write_table
from trainer.config import TrainConfig
from trainer.data import FILES, REVIEW_FILES, file_sha256, read_split
from trainer.run_data import RunData, load_data

TERMS = [  # (A, B, label) with terms that are masked
    ("The actress told her story .", "Does she sleep ?", "1"),
    ("A calm film .", "The actress sleeps .", "0"),
]


def loaded(folder: Path, **changes: Any) -> tuple[RunData, list[str]]:  # noqa: ANN401 - any field
    """Load data; also return the lines told."""
    told: list[str] = []
    return load_data(TrainConfig(**changes), folder, told.append), told


def test_reviews_are_read_as_two_classes(data: Path, tmp_path: Path) -> None:
    for split, rows in (("train", 48), ("dev", 16)):
        table = read_split(data, "sentiment", split, "cfimdb")
        assert table.path.name == REVIEW_FILES[split]
        assert len(table.examples) == rows
        assert set(table.labels) == {0.0, 1.0}
    rows = [(f"r{label}", "A film .", label) for label in ("2", "1", "0.5")]
    write_table(tmp_path / REVIEW_FILES["dev"], header("sentiment"), rows)
    table = read_split(tmp_path, "sentiment", "dev", "cfimdb")
    assert table.labels == [1.0]
    assert table.bad_rows == [
        BadRow(2, "sentiment 2 is not in 0 to 1"),
        BadRow(4, "sentiment 0.5 is not a class number"),
    ]


def test_other_tasks_have_the_same_files_beside_reviews(data: Path) -> None:
    for name in ("paraphrase", "similarity"):
        assert read_split(data, name, "dev", "cfimdb") == read_split(data, name, "dev")
    assert set(read_split(data, "sentiment", "train").labels) == {0.0, 1.0, 2.0, 3.0, 4.0}


def test_a_folder_without_reviews_names_the_file(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"ids-cfimdb-dev\.csv should exist"):
        read_split(tmp_path, "sentiment", "dev", "cfimdb")


def test_only_the_tables_that_are_trained_or_scored_are_read(data: Path, tmp_path: Path) -> None:
    for name in (FILES["paraphrase"]["train"], FILES["similarity"]["dev"]):
        shutil.copy(data / name, tmp_path)
    found, told = loaded(tmp_path, tasks="paraphrase", scored_tasks="similarity")
    assert (list(found.train), list(found.dev), list(found.watched)) == (
        ["paraphrase"],
        ["similarity"],
        ["similarity"],
    )
    assert told == ["quora-train.csv: 48 rows", "sts-dev.csv: 16 rows"]
    assert found.sha256 == {
        name: file_sha256(data / name) for name in ("quora-train.csv", "sts-dev.csv")
    }


def test_tables_come_in_the_tasks_order_with_every_file_s_hash(data: Path) -> None:
    found, _ = loaded(data)
    assert list(found.train) == list(found.dev) == ["sentiment", "paraphrase", "similarity"]
    names = {files[split] for files in FILES.values() for split in ("train", "dev")}
    assert found.sha256 == {name: file_sha256(data / name) for name in names}
    assert found.watched == {name: table.examples for name, table in found.dev.items()}
    few, _ = loaded(data, dev_examples=5)
    assert {name: len(rows) for name, rows in few.watched.items()} == dict.fromkeys(few.dev, 5)
    assert all(len(table.examples) == 16 for table in few.dev.values())


def test_reviews_take_the_place_of_sst(data: Path) -> None:
    found, told = loaded(data, sentiment_data="cfimdb", tasks="sentiment", scored_tasks="sentiment")
    assert told == ["ids-cfimdb-train.csv: 48 rows", "ids-cfimdb-dev.csv: 16 rows"]
    assert set(found.sha256) == set(REVIEW_FILES.values())


def test_terms_are_masked_in_training_alone(data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    rows = [(str(place), *row) for place, row in enumerate(TERMS)]
    for split in ("train", "dev"):
        path = folder / FILES["paraphrase"][split]
        path.write_text(table_text(header("paraphrase"), rows), encoding="utf-8")
    plain, _ = loaded(folder)
    masked, told = loaded(folder, mask_demographics=True)
    assert [row.texts for row in masked.train["paraphrase"].examples] == [
        ("The actor told their story .", "Do they sleep ?"),
        ("A calm film .", "The actor sleeps ."),
    ]
    assert [row.texts for row in masked.dev["paraphrase"].examples] == [row[:2] for row in TERMS]
    assert masked.watched == plain.watched
    assert masked.sha256 == plain.sha256
    assert [row.label for row in masked.train["paraphrase"].examples] == [1.0, 0.0]
    assert "quora-train.csv: demographic terms masked in 3 texts" in told
    assert not any("masked" in line and "dev" in line for line in told)
    assert [row.texts for row in plain.train["paraphrase"].examples] == [row[:2] for row in TERMS]
