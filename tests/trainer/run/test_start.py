"""A run that begins with a finished run's model: its encoder, its heads, its record."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.config import UNCALIBRATED
from minbert.files import CheckpointError, read_tensors, write_tensors
from minbert.multitask import MultitaskBert
from minbert.storage.manifest import write_manifest
from tests.support import assert_says
from trainer.config import TrainConfig
from trainer.data.course import file_sha256, pair_hash, read_split
from trainer.data.seen import read_trained_on
from trainer.run.folder import RunError
from trainer.run.start import load_start, started_from, tasks_trained
from trainer.run.train import train

TINY = TrainConfig(
    name="tiny",
    max_length=48,
    precision="fp32",
    head_epochs=1,
    epochs=1,
    steps_per_epoch=4,
    batch_examples=8,
    learning_rate=3e-3,
)


def run(config: TrainConfig, data: Path, out: Path, *, resume: bool = False) -> list[str]:
    """Train; return the lines told."""
    told: list[str] = []
    train(config, data, out, resume=resume, device_name="cpu", report=told.append)
    return told


@pytest.fixture(scope="module")
def first(data: Path, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a finished run of sentiment and its head alone; nobody writes there."""
    torch.set_num_threads(1)
    out = tmp_path_factory.mktemp("runs") / "first"
    config = dataclasses.replace(TINY, encoder=str(encoder_folder), tasks="sentiment")
    run(dataclasses.replace(config, scored_tasks="sentiment"), data, out)
    return out


def starting(folder: Path, **changes: Any) -> TrainConfig:  # noqa: ANN401 - any field
    """Return the settings of a run that begins with a folder's model."""
    return dataclasses.replace(TINY, start_from=str(folder / "model"), **changes)


def test_a_calibration_stays_behind(first: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(first, tmp_path / "calibrated"))
    stored = MultitaskBert.from_pretrained(folder / "model")
    stored.config = dataclasses.replace(
        stored.config,
        sentiment_temperature=2.0,
        paraphrase_temperature=0.5,
        paraphrase_offset=1.0,
    )
    stored.save_pretrained(folder / "model")
    found = load_start(starting(folder)).config
    assert {name: getattr(found, name) for name in UNCALIBRATED} == UNCALIBRATED


def test_encoder_and_heads_come_over_to_the_bit(first: Path) -> None:
    wanted = MultitaskBert.from_pretrained(first / "model")
    found = load_start(
        starting(first, hidden_dropout=0.33, attention_dropout=0.07, similarity_score="mean")
    )
    assert {name for name in wanted.state_dict() if name.startswith("heads.")}
    for name, value in wanted.state_dict().items():
        assert torch.equal(found.state_dict()[name], value), name
        assert found.state_dict()[name].dtype == torch.float32
    shape = found.config.encoder
    assert (shape.hidden_dropout_prob, shape.attention_probs_dropout_prob) == (0.33, 0.07)
    assert found.config.similarity_score == "mean"
    assert {m.p for m in found.modules() if isinstance(m, torch.nn.Dropout)} <= {0.33, 0.07}


def test_a_run_without_steps_keeps_the_loaded_heads(
    first: Path, data: Path, tmp_path: Path
) -> None:
    told = run(starting(first, head_epochs=0, epochs=0), data, tmp_path / "second")
    assert_says("\n".join(told), found=f"the encoder and the heads of {first / 'model'}")
    wanted, found = (
        MultitaskBert.from_pretrained(path / "model").state_dict()
        for path in (first, tmp_path / "second")
    )
    assert wanted.keys() == found.keys()
    assert all(torch.equal(value, found[name]) for name, value in wanted.items())


def test_heads_that_are_trained_already_skip_phase_one(
    first: Path, data: Path, tmp_path: Path
) -> None:
    told = run(starting(first), data, tmp_path / "second")
    begun = [line.split(":")[0] for line in told if line.startswith("Phase 1")]
    assert begun == ["Phase 1, paraphrase", "Phase 1, similarity"]
    result = json.loads((tmp_path / "second" / "result.json").read_text(encoding="utf-8"))
    earlier = json.loads((first / "result.json").read_text(encoding="utf-8"))
    start = result["started_from"]
    assert (start["folder"], start["tokens"]) == (str(first / "model"), earlier["tokens"])
    assert start["config"] == earlier["config"]
    assert len(start["sha256"]) == 64
    weights = file_sha256(first / "model" / "model.safetensors")
    assert result["encoder_sha256"] == weights != earlier["encoder_sha256"]
    assert "started_from" not in earlier
    files, pairs = read_trained_on(tmp_path / "second" / "model")
    assert set(files) == {"ids-sst-train.csv", "quora-train.csv", "sts-train.csv"}
    rows = read_split(data, "similarity", "train").examples
    assert pairs["similarity"] == {pair_hash(row.texts) for row in rows}


def test_what_trained_the_start_stays_on_record(first: Path, data: Path, tmp_path: Path) -> None:
    second, third = tmp_path / "second", tmp_path / "third"
    run(starting(first, tasks="paraphrase", scored_tasks="paraphrase"), data, second)
    run(starting(second, tasks="similarity", scored_tasks="similarity"), data, third)
    files, pairs = read_trained_on(third / "model")
    assert tasks_trained(files) == {"sentiment", "paraphrase", "similarity"}
    assert set(pairs) == {"paraphrase", "similarity"}
    rows = read_split(data, "paraphrase", "train").examples
    assert pairs["paraphrase"] == {pair_hash(row.texts) for row in rows}
    assert started_from(third / "model")["started_from"]["started_from"]["config"]["tasks"] == (
        "sentiment"
    )


@pytest.mark.parametrize("file", ["model.safetensors", "heads.safetensors"])
def test_other_weights_under_the_same_name_are_not_resumed(
    file: str, first: Path, data: Path, tmp_path: Path
) -> None:
    start = Path(shutil.copytree(first, tmp_path / "start"))
    config = starting(start, head_epochs=0, epochs=0)
    run(config, data, tmp_path / "second")
    weights = read_tensors(start / "model" / file)
    write_tensors(start / "model" / file, {name: value + 1 for name, value in weights.items()})
    with pytest.raises(RunError, match=r"files\.start_from"):
        run(config, data, tmp_path / "second", resume=True)


def test_trees_count_as_sentiment_s_training() -> None:
    assert tasks_trained({"sst-trees/train.txt": "1"}) == {"sentiment"}
    assert tasks_trained({"quora-train.csv": "1", "ids-sst-dev.csv": "2"}) == {"paraphrase"}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"pooling": "cls"}, "`start_from` should be a model whose `pooling` is this run's, 'cls'"),
        ({"similarity_head": "relu"}, "whose `similarity_head` is this run's, 'relu'"),
        ({"paraphrase_head": "two_tower"}, "whose `paraphrase_head` is this run's"),
        (
            {"sentiment_data": "cfimdb", "tasks": "sentiment", "scored_tasks": "sentiment"},
            "whose `sentiment_classes` is this run's, 2. Found 5",
        ),
        ({"pal_size": 8, "pal_epochs": 1}, "whose `pal_size` is this run's, 8. Found 0"),
    ],
)
def test_a_start_of_another_kind_is_refused(
    first: Path, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        load_start(starting(first, **changes))


def test_a_start_that_lacks_a_head_is_refused(first: Path, tmp_path: Path) -> None:
    start = Path(shutil.copytree(first, tmp_path / "start"))
    weights = read_tensors(start / "model" / "heads.safetensors")
    name = next(name for name in weights if name.startswith("heads.paraphrase"))
    kept = {key: value for key, value in weights.items() if key != name}
    write_tensors(start / "model" / "heads.safetensors", kept)
    with pytest.raises(CheckpointError, match=r"heads\.safetensors should have the SHA-256"):
        load_start(starting(start))
    write_manifest(start / "model")
    with pytest.raises(CheckpointError, match=re.escape(f"{name} is missing")):
        load_start(starting(start))


def test_a_folder_without_a_model_is_refused(data: Path, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"`start_from` should be a finished run's model"):
        load_start(starting(tmp_path))
    with pytest.raises(CheckpointError, match=r"Found no .*model\.safetensors"):
        run(starting(tmp_path), data, tmp_path / "second")
