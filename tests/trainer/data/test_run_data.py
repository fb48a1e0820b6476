"""What a run reads: CFIMDB's two classes, masked training texts, the tasks that it asks for."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from minbert.tables import BadRow, DataError
from tests.trainer.samples import header, table_text, tree_text, write_table, write_trees
from trainer.config import TrainConfig
from trainer.data.course import FILES, REVIEW_FILES, file_sha256, read_split
from trainer.data.run_data import RunData, load_data

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
    counts = re.findall(r"^(\S+): demographic .* (\d+) texts$", "\n".join(told), re.MULTILINE)
    assert counts == [("ids-sst-train.csv", "0"), ("quora-train.csv", "3"), ("sts-train.csv", "0")]
    assert [row.texts for row in plain.train["paraphrase"].examples] == [row[:2] for row in TERMS]


def with_more(data: Path, folder: Path) -> Path:
    """Copy the data; trees and further pairs lie beside, a dev and a test pair among them."""
    more = Path(shutil.copytree(data, folder / "more"))
    write_trees(more)
    dev = read_split(data, "similarity", "dev").examples[0].texts
    test = read_split(data, "similarity", "test").examples[0].texts
    rows = [("x0", *dev[::-1], "1"), ("x1", *test, "2"), ("x2", "The sofa .", "A park !", "3")]
    (more / "extra").mkdir()
    columns = ("id", "sentence1", "sentence2")
    write_table(more / "extra" / "sts-2012-2016.csv", (*columns, "similarity"), rows)
    rows = [("d0", "The actress sat .", "Who sat there ?", "1")]
    write_table(more / "extra" / "quora-duplicates.csv", (*columns, "is_duplicate"), rows)
    return more


def test_phrases_take_the_place_of_the_sentences(data: Path, tmp_path: Path) -> None:
    more = with_more(data, tmp_path)
    found, told = loaded(more, sentiment_data="sst-trees", tasks="sentiment", scored_tasks="all")
    sentences = read_split(data, "sentiment", "train")
    texts = [row.texts[0] for row in found.train["sentiment"].examples]
    assert texts[:48] == [row.texts[0] for row in sentences.examples]
    assert len(texts) == len(set(texts)) + (48 - len(set(texts[:48]))) > 48
    assert found.phrases is None
    assert "ids-sst-train.csv" not in found.sha256
    assert found.sha256["sst-trees/train.txt"] == file_sha256(more / "sst-trees" / "train.txt")
    assert found.train_files == {"sst-trees/train.txt": found.sha256["sst-trees/train.txt"]}
    assert any(line.startswith("sst-trees/train.txt: 48 sentences and ") for line in told)
    short, _ = loaded(more, sentiment_data="sst-trees", tasks="sentiment", phrase_words=5)
    assert len(short.train["sentiment"].examples) < len(texts)
    with pytest.raises(DataError, match=r"train\.txt should exist.*brings the training trees"):
        loaded(data, sentiment_data="sst-trees", tasks="sentiment")


def test_a_dev_and_a_test_sentence_in_the_trees_never_train(data: Path, tmp_path: Path) -> None:
    more = with_more(data, tmp_path)
    planted = []
    for split in ("dev", "test"):
        path = more / FILES["sentiment"][split]
        labelled = ("2",) * (split == "dev")
        planted.append((f"{split}-x", f"so calm a {split} film", *labelled))
        write_table(path, header("sentiment", labelled=split == "dev"), [planted[-1]])
    with (more / "sst-trees" / "train.txt").open("a", encoding="utf-8") as file:
        for _, text, *_ in planted:
            file.write(tree_text(f"I say {text.upper()}", "3") + "\n")
    for changes in ({"sentiment_data": "sst-trees"}, {"sentiment_phrases": 0.5}):
        found, _ = loaded(more, tasks="sentiment", **changes)
        table = found.train["sentiment"] if found.phrases is None else found.phrases
        texts = {row.texts[0].casefold() for row in table.examples}
        assert not texts & {text for _, text, *_ in planted}
        assert {f"say {text}" for _, text, *_ in planted} <= texts
        assert found.extra["sst-trees/train.txt"]["held_out"] == 2


def test_phrases_and_further_pairs_are_mixed_in(data: Path, tmp_path: Path) -> None:
    more = with_more(data, tmp_path)
    asked = {"extra_similarity": "sts-2012-2016", "extra_paraphrase": "quora-duplicates"}
    found, told = loaded(more, sentiment_phrases=0.5, paraphrase_positives=1.0, **asked)
    plain, plain_told = loaded(data)
    assert list(found.train) == list(plain.train)
    assert found.train["sentiment"].examples == plain.train["sentiment"].examples
    assert found.phrases is not None
    texts = {row.texts[0] for row in found.train["sentiment"].examples}
    assert texts.isdisjoint(row.texts[0] for row in found.phrases.examples)
    for name, last in (("similarity", "x2"), ("paraphrase", "d0")):
        rows = found.train[name].examples
        assert rows[:-1] == plain.train[name].examples
        assert rows[-1].id == last
    assert found.extra["sts-2012-2016"]["held_out"] == 2
    extra = {"extra/sts-2012-2016.csv", "extra/quora-duplicates.csv", "sst-trees/train.txt"}
    assert set(found.sha256) - set(plain.sha256) == extra
    assert {name for name in found.train_files if name not in plain.train_files} == extra
    assert set(plain.train_files) == {files["train"] for files in FILES.values()}
    assert (plain.extra, plain.phrases) == ({}, None)
    assert set(plain_told) < set(told)
    masked, _ = loaded(more, paraphrase_positives=1.0, mask_demographics=True, **asked)
    assert masked.train["paraphrase"].examples[-1].texts[0] == "The actor sat ."


def test_what_is_not_there_is_told_and_left_out(data: Path) -> None:
    asked = {"extra_similarity": "sts-2012-2016,sick", "extra_paraphrase": "quora-duplicates"}
    found, told = loaded(data, sentiment_phrases=0.5, **asked)
    plain, plain_told = loaded(data)
    assert found == plain
    assert [line for line in told if line not in plain_told] == [
        "sst-trees/train.txt isn't there: sentiment trains without phrases",
        "extra/quora-duplicates.csv isn't there: paraphrase trains without quora-duplicates",
        "extra/sts-2012-2016.csv isn't there: similarity trains without sts-2012-2016",
        "extra/sick-train.csv isn't there: similarity trains without sick",
    ]


def test_further_data_of_a_task_that_is_not_trained_is_not_looked_at(data: Path) -> None:
    asked = {"extra_similarity": "sick", "extra_paraphrase": "quora-duplicates"}
    _, told = loaded(data, tasks="paraphrase", sentiment_phrases=0.5, **asked)
    assert [line for line in told if line.startswith(("extra/", "sst-trees/"))] == [
        "extra/quora-duplicates.csv isn't there: paraphrase trains without quora-duplicates"
    ]
