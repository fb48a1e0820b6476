"""Soft labels: their file, the rows they come to, and how they follow a row into its batch."""

from __future__ import annotations

import dataclasses
import math
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.files import CheckpointError, write_tensors
from minbert.multitask import MultitaskBert
from minbert.tables import DataError, Example
from minbert.tasks import TASKS
from tests.support import assert_says
from tests.trainer.samples import header, sentiment_rows, write_table, write_trees
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, encode_task
from trainer.data.course import FILES, file_sha256, pair_hash, read_split
from trainer.data.mixtures import MixedStream, make_streams
from trainer.data.run_data import RunData, load_data
from trainer.data.soft_labels import (
    Labelled,
    SoftExample,
    SoftLabels,
    hashes_of,
    read_soft_labels,
)
from trainer.data.task_rows import read_rows

TEACHER = {"teacher": "tiny", "weights_sha256": "0" * 64}


def soft_of(row: Example, classes: int) -> list[float]:
    """Return a soft label that only this text has, exact in float16."""
    return [float((pair_hash(row.texts) >> (8 * place)) % 512) / 64 for place in range(classes)]


def soften(source: Path, target: Path, task_name: str) -> Path:
    """Write soft labels of a data file as `label` does."""
    task = TASKS[task_name]
    rows = read_rows(source, task, labelled=False).examples
    logits = torch.tensor([soft_of(row, task.classes) for row in rows])
    told = Labelled(task_name, source.name, file_sha256(source), TEACHER, [row.id for row in rows])
    SoftLabels(told, logits.squeeze(1) if task.classes == 1 else logits, hashes_of(rows)).write(
        target
    )
    return target


@pytest.fixture
def folder(data: Path, tmp_path: Path) -> Path:
    """Give the course's files, trees, and unlabelled sentences one folder deeper."""
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    write_trees(copy)
    (copy / "extra").mkdir()
    dev = read_split(copy, "sentiment", "dev").examples[0]
    train = read_split(copy, "sentiment", "train").examples[0]
    rows = [(f"u{row[0]}", f"{row[1]} and so on") for row in sentiment_rows(20, 77)]
    rows += [("dev", dev.texts[0].upper()), ("train", train.texts[0]), ("again", rows[0][1])]
    write_table(copy / "extra" / "more.csv", header("sentiment", labelled=False), rows)
    return copy


def loaded(folder: Path, files: list[Path], **changes: Any) -> tuple[RunData, list[str]]:  # noqa: ANN401
    told: list[str] = []
    config = TrainConfig(soft_labels=",".join(map(str, files)), **changes)
    return load_data(config, folder, told.append), told


def assert_softened(rows: list[Example], classes: int) -> None:
    """Assert that each row has the soft label of its text."""
    assert rows
    for row in rows:
        assert isinstance(row, SoftExample)
        assert list(row.soft) == soft_of(row, classes)


@pytest.mark.parametrize("name", TASKS)
def test_training_rows_take_the_soft_label_of_their_text(name: str, folder: Path) -> None:
    file = soften(folder / FILES[name]["train"], folder / "soft.safetensors", name)
    found, told = loaded(folder, [file])
    plain, _ = loaded(folder, [])
    for other, table in found.train.items():
        if other == name:
            assert_softened(table.examples, TASKS[name].classes)
        else:
            assert table == plain.train[other]
    gold = [(row.id, row.texts, row.label) for row in plain.train[name].examples]
    assert [(row.id, row.texts, row.label) for row in found.train[name].examples] == gold
    assert found.alone == {}
    assert found.sha256 == {**plain.sha256, file.name: file_sha256(file)}
    assert found.soft[file.name] == {
        **{"task": name, "file": FILES[name]["train"], "rows": 48, "with_gold": 48},
        "teacher": TEACHER,
    }
    assert_says(told[-1], parameter=file.name, found=("48 rows", "48 with gold"))


def test_rows_without_gold_train_alone_and_dev_rows_never(folder: Path) -> None:
    file = soften(folder / "extra" / "more.csv", folder / "more.safetensors", "sentiment")
    found, _ = loaded(folder, [file])
    alone = found.alone["sentiment"].examples
    assert_softened(alone, 5)
    assert {row.label for row in alone} == {None}
    counts = {k: v for k, v in found.soft[file.name].items() if isinstance(v, int)}
    distinct = len({pair_hash(row.texts) for row in alone})
    assert counts == {
        **{"rows": 23, "with_gold": 1, "held_out": 1, "repeated": 22 - distinct},
        "alone": distinct,
    }
    assert len(alone) == distinct
    dev = {pair_hash(row.texts) for row in found.dev["sentiment"].examples}
    assert not dev & {pair_hash(row.texts) for row in alone}
    assert found.sha256["extra/more.csv"] == file_sha256(folder / "extra" / "more.csv")
    both = [row for row in found.train["sentiment"].examples if isinstance(row, SoftExample)]
    assert [row.id for row in both] == [found.train["sentiment"].examples[0].id]
    trained = found.trained["sentiment"]
    assert trained == [*found.train["sentiment"].examples, *alone]


def test_phrases_have_soft_labels_too_and_short_ones_do_not_train_alone(folder: Path) -> None:
    file = soften(folder / "sst-trees" / "train.txt", folder / "trees.safetensors", "sentiment")
    found, _ = loaded(folder, [file], sentiment_phrases=0.5)
    assert found.phrases is not None
    assert_softened(found.phrases.examples, 5)
    assert_softened(found.train["sentiment"].examples, 5)
    assert found.alone == {}
    without, _ = loaded(folder, [file])
    assert without.phrases is None
    assert without.alone == {}


def test_a_soft_label_serves_both_orders_and_survives_masking(folder: Path) -> None:
    name, file = "similarity", folder / "soft.safetensors"
    path = folder / FILES[name]["train"]
    rows = [("1", "The actress sleeps .", "A woman sleeps .", "4.0"), ("2", "A cat .", "It .", "1")]
    write_table(path, header(name), rows)
    soften(path, file, name)
    turned = [(row[0], row[2].upper(), row[1], row[3]) for row in rows]
    write_table(folder / "extra" / "sts-2012-2016.csv", header(name), turned)
    found, _ = loaded(folder, [file], mask_demographics=True)
    table = found.train[name].examples
    assert table[0].texts != rows[0][1:3], "masked"
    original = read_split(folder, name, "train").examples
    for row, before in zip(table, original, strict=True):
        assert isinstance(row, SoftExample)
        assert list(row.soft) == soft_of(before, 1)
    soften(folder / "extra" / "sts-2012-2016.csv", file, name)
    assert_softened(loaded(folder, [file])[0].train[name].examples, 1)


def test_a_soft_label_follows_its_row_through_mixtures_and_lengths(
    folder: Path, model: MultitaskBert
) -> None:
    files = [
        soften(folder / "extra" / "more.csv", folder / "more.safetensors", "sentiment"),
        soften(folder / "sst-trees" / "train.txt", folder / "trees.safetensors", "sentiment"),
    ]
    config = TrainConfig(sentiment_phrases=0.5, batch_examples=4, unlabelled_share=0.4)
    tables, _ = loaded(folder, files, sentiment_phrases=0.5)
    stream = make_streams(model, tables, config)[0]
    assert isinstance(stream, MixedStream)
    assert (stream.share, len(stream.data)) == (0.4, 48)
    assert isinstance(stream.own, MixedStream)
    by_ids: dict[tuple[int, ...], tuple[list[float], float | None]] = {}
    assert model.tokenizer is not None
    for row in tables.trained["sentiment"]:
        (pieces,) = model.tokenizer.pieces([row.texts[0]])
        by_ids[tuple(model.tokenizer.single(pieces, 48).ids)] = (soft_of(row, 5), row.label)
    kinds = set()
    for _ in range(60):
        batch = stream.next()
        assert batch.soft is not None
        for ids, mask, soft, label in zip(
            batch.inputs.input_ids,
            batch.inputs.attention_mask,
            batch.soft,
            batch.labels,
            strict=True,
        ):
            wanted, gold = by_ids[tuple(ids[mask == 1].tolist())]
            assert soft.tolist() == wanted
            assert (None if label.isnan() else label.item()) == gold
        kinds.add(bool(batch.labels.isnan().all()))
        assert batch.labels.isnan().all() or not batch.labels.isnan().any()
    assert kinds == {True, False}
    state = stream.state()
    again = make_streams(model, tables, config)[0]
    again.restore(state)
    assert torch.equal(again.next().inputs.input_ids, stream.next().inputs.input_ids)
    assert batch.to(torch.device("cpu")).soft is not None


def test_without_soft_labels_a_batch_has_none(model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    rows = [Example(str(n), (f"a film {n}",), 1.0) for n in range(4)]
    mixed = [*rows[:3], SoftExample("3", ("a film 3",), None, (0.5,) * 5)]
    task = TASKS["sentiment"]
    batches = [
        BatchStream(
            encode_task(task, found, model.tokenizer, model.config, siamese=False),
            0,
            examples=9,
            tokens=999,
        ).gather(range(4))
        for found in (rows, mixed)
    ]
    assert batches[0].soft is None
    assert batches[1].soft is not None
    assert batches[1].soft.isnan().all(dim=1).tolist() == [True, True, True, False]
    assert batches[1].labels.isnan().tolist() == [False, False, False, True]
    assert batches[1].soft[3].tolist() == [0.5] * 5


def test_labels_of_another_state_of_the_file_are_refused(folder: Path) -> None:
    source = folder / FILES["sentiment"]["train"]
    file = soften(source, folder / "soft.safetensors", "sentiment")
    kept = source.read_bytes()
    source.write_bytes(kept.replace(b"park", b"lake"))
    with pytest.raises(DataError) as refused:
        loaded(folder, [file])
    assert_says(refused.value, parameter=(str(file), source.name), found="another file")
    source.write_bytes(kept)
    labels = read_soft_labels(file)
    moved = dataclasses.replace(labels.labelled, file="elsewhere.csv")
    dataclasses.replace(labels, labelled=moved).write(file)
    with pytest.raises(DataError, match="no file of that name"):
        loaded(folder, [file])
    wrong = labels.hashes.clone()
    wrong[7] += 1
    dataclasses.replace(labels, hashes=wrong).write(file)
    with pytest.raises(DataError, match=r"Found none for row 's0-7'"):
        loaded(folder, [file])
    dataclasses.replace(labels, logits=labels.logits[:40]).write(file)
    with pytest.raises(DataError, match=r"row 's0-40'; .* isn't finished"):
        loaded(folder, [file])


def test_files_that_are_no_soft_labels_are_refused(folder: Path) -> None:
    file = soften(folder / FILES["sentiment"]["train"], folder / "soft.safetensors", "sentiment")
    labels = read_soft_labels(file)
    with pytest.raises(CheckpointError, match=r"none\.safetensors should exist"):
        loaded(folder, [Path("none.safetensors")])
    with pytest.raises(DataError, match=r"tasks that are trained: paraphrase. Found sentiment"):
        loaded(folder, [file], tasks="paraphrase")
    broken = labels.logits.clone()
    broken[5, 2] = math.nan
    dataclasses.replace(labels, logits=broken).write(file)
    with pytest.raises(DataError, match="NaN or infinity in 1 rows, the first 's0-5'"):
        loaded(folder, [file])
    dataclasses.replace(labels, logits=labels.logits[:, :4]).write(file)
    with pytest.raises(DataError, match=r"Found \(48, 4\) for 48 rows"):
        loaded(folder, [file])
    write_tensors(file, {"logits": labels.logits})
    with pytest.raises(DataError, match=r"should hold soft labels\. Found something else"):
        loaded(folder, [file])
    file.write_bytes(b"torn")
    with pytest.raises(CheckpointError, match="whole safetensors file"):
        loaded(folder, [file])


def test_a_file_is_looked_for_here_and_in_the_folder_of_data(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    soften(folder / FILES["sentiment"]["train"], folder / "soft.safetensors", "sentiment")
    found, _ = loaded(folder, [Path("soft.safetensors")])
    assert_softened(found.train["sentiment"].examples, 5)
    monkeypatch.chdir(folder)
    assert loaded(Path(), [Path("soft.safetensors")])[0].soft == found.soft


def test_further_pairs_are_read_on_the_task_s_scale(tmp_path: Path) -> None:
    rows = [("1", "A cat .", "A dog .", "1"), ("2", "A cat .", "The cat .", "5")]
    columns = ("id", "sentence1", "sentence2", "relatedness")
    path = write_table(tmp_path / "sick-train.csv", columns, rows)
    assert read_rows(path, TASKS["similarity"], labelled=True).labels == [0.0, 5.0]
    assert read_rows(path, TASKS["similarity"], labelled=False).labels == []
