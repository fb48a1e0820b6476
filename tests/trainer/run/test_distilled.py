"""A run with a teacher's soft labels: what it learns of them, and what its record tells."""

from __future__ import annotations

import dataclasses
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.files import read_tensors
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from tests.support import assert_close
from tests.trainer.samples import OPINIONS, header, sentiment_rows, write_table
from trainer.config import TrainConfig
from trainer.data.course import FILES, file_sha256
from trainer.data.seen import read_trained_on
from trainer.data.soft_labels import Labelled, SoftLabels, hashes_of, read_soft_labels
from trainer.data.task_rows import read_rows
from trainer.recipes import RECIPES
from trainer.run.folder import RunError
from trainer.run.train import train

TEACHER = {"teacher": "turned", "weights_sha256": "1" * 64}
TINY: dict[str, Any] = {
    **{"tasks": "sentiment", "scored_tasks": "sentiment", "max_length": 48, "precision": "fp32"},
    **{"head_epochs": 0, "epochs": 1, "steps_per_epoch": 8, "batch_examples": 8},
    **{"learning_rate": 5e-3, "hidden_dropout": 0.1},
}
Train = Callable[..., Path]


def taught_class(text: str) -> int:
    """Return what the teacher of these tests says: the opposite of the gold label."""
    return 4 - next(n for n, word in enumerate(OPINIONS) if f" {word} " in text)


def soften(source: Path, target: Path) -> Path:
    """Write the soft labels of a teacher that is sure of the opposite."""
    rows = read_rows(source, TASKS["sentiment"], labelled=False).examples
    classes = torch.tensor([taught_class(row.texts[0]) for row in rows])
    logits = 6 * torch.nn.functional.one_hot(classes, 5).float()
    told = Labelled(
        "sentiment", source.name, file_sha256(source), TEACHER, [row.id for row in rows]
    )
    SoftLabels(told, logits, hashes_of(rows)).write(target)
    return target


@pytest.fixture(scope="module")
def folder(data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the course's files, unlabelled sentences, and soft labels of both; nobody writes."""
    folder = Path(shutil.copytree(data, tmp_path_factory.mktemp("distilled") / "data"))
    rows = [row[:2] for row in sentiment_rows(40, 5)]
    more = write_table(folder / "more.csv", header("sentiment", labelled=False), rows)
    soften(more, folder / "more.safetensors")
    soften(folder / FILES["sentiment"]["train"], folder / "train.safetensors")
    return folder


@pytest.fixture(scope="module")
def trained(folder: Path, encoder_folder: Path) -> Train:
    """Give a function that trains sentiment in a folder and returns the model's."""

    def run(out: Path, report: Callable[[str], Any] = lambda _: None, **changes: Any) -> Path:  # noqa: ANN401
        torch.set_num_threads(1)
        settings = {**TINY, "encoder": str(encoder_folder), **changes}
        config = dataclasses.replace(RECIPES["mean"], **settings)
        return train(config, folder, out, resume=False, device_name="cpu", report=report)

    return run


def agreement(model: Path, folder: Path) -> float:
    """Return the share of unlabelled sentences of which a model says what the teacher says."""
    texts = [
        row.texts[0]
        for row in read_rows(folder / "more.csv", TASKS["sentiment"], labelled=False).examples
    ]
    found = Predictor(MultitaskBert.from_pretrained(model), "cpu").sentiment(texts)
    classes = [max(range(5), key=each.probabilities.__getitem__) for each in found]
    return sum(map(lambda c, t: c == taught_class(t), classes, texts)) / len(texts)


def test_soft_labels_raise_the_agreement_with_the_teacher(
    trained: Train, folder: Path, tmp_path: Path
) -> None:
    long: dict[str, Any] = {"steps_per_epoch": 120, "learning_rate": 1e-2, "ema": 0.0}
    # dev says the opposite of the teacher, so the model of the last step is read, not the best
    gold = trained(tmp_path / "gold", **long)
    both = {"soft_labels": "train.safetensors,more.safetensors", "distillation_weight": 1.0}
    trained(tmp_path / "soft", **long, **both)
    state = read_tensors(tmp_path / "soft" / "state.safetensors")
    student = MultitaskBert.from_pretrained(tmp_path / "soft" / "model")
    student.load_state_dict(
        {n.removeprefix("model."): t for n, t in state.items() if n.startswith("model.")}
    )
    student.save_pretrained(tmp_path / "last")
    assert agreement(gold, folder) < 0.3
    assert agreement(tmp_path / "last", folder) > 0.6


def test_without_weight_a_run_is_the_run_without_soft_labels_bit_for_bit(
    trained: Train, tmp_path: Path
) -> None:
    changes: dict[str, dict[str, Any]] = {
        "plain": {},
        "off": {"distillation_weight": 0.9, "distillation_temperature": 7.0},
        "zero": {"soft_labels": "train.safetensors", "distillation_weight": 0.0},
        "some": {"soft_labels": "train.safetensors", "distillation_weight": 0.5},
    }
    for name, settings in changes.items():
        trained(tmp_path / name, **settings)
    plain, *others = (read_tensors(tmp_path / name / "state.safetensors") for name in changes)
    same = [all(torch.equal(plain[n], other[n]) for n in plain) for other in others]
    assert same == [True, True, False]


def test_a_run_records_its_teachers_and_rows(trained: Train, folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    out = tmp_path / "run"
    trained(out, told.append, soft_labels="train.safetensors,more.safetensors")
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert result["config"]["soft_labels"] == "train.safetensors,more.safetensors"
    found = result["soft_labels"]
    assert {name: entry["teacher"] for name, entry in found.items()} == {
        "train.safetensors": TEACHER,
        "more.safetensors": TEACHER,
    }
    assert found["train.safetensors"]["with_gold"] == 48
    alone = found["more.safetensors"]["alone"]
    assert 0 < alone <= 40
    assert result["leaks"]["sentiment"]["rows"] == 48 + alone
    for name in ("train.safetensors", "more.safetensors", "more.csv"):
        assert result["files"][name] == file_sha256(folder / name)
        assert read_trained_on(out / "model")[0][name] == file_sha256(folder / name)
    assert any(line.startswith("more.safetensors: soft labels of sentiment") for line in told)


def test_a_run_goes_on_with_the_very_soft_labels_it_began_with(
    folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    data = Path(shutil.copytree(folder, tmp_path / "data"))
    settings = {**TINY, "encoder": str(encoder_folder), "soft_labels": "train.safetensors"}
    config = TrainConfig(**settings)

    def go_on(config: TrainConfig) -> Path:
        return train(
            config, data, tmp_path / "run", resume=True, device_name="cpu", report=lambda _: None
        )

    model = go_on(config)
    assert go_on(config) == model
    labels = read_soft_labels(data / "train.safetensors")
    dataclasses.replace(labels, logits=-labels.logits).write(data / "train.safetensors")
    with pytest.raises(RunError, match=r"files\.train\.safetensors"):
        go_on(config)


@pytest.mark.parametrize("name", ["paraphrase", "similarity"])
def test_pairs_learn_from_soft_labels_alone(
    name: str, folder: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    data, task = Path(shutil.copytree(folder, tmp_path / "data")), TASKS[name]
    rows = [(str(n), "the cat sleeps", f"the film is {word}") for n, word in enumerate(OPINIONS)]
    source = write_table(data / "pairs.csv", header(name, labelled=False), rows)
    found = read_rows(source, task, labelled=False).examples
    wanted = torch.arange(5.0) if name == "similarity" else torch.arange(-2.0, 3.0)
    told = Labelled(name, source.name, file_sha256(source), TEACHER, [row.id for row in found])
    SoftLabels(told, wanted, hashes_of(found)).write(data / "pairs.safetensors")
    settings = {**TINY, "tasks": name, "scored_tasks": name, "unlabelled_share": 0.99}
    settings |= {"steps_per_epoch": 100, "learning_rate": 2e-2, "warmup": 0.1}
    settings |= {"hidden_dropout": 0.0, "attention_dropout": 0.0}
    config = TrainConfig(**settings, encoder=str(encoder_folder), soft_labels="pairs.safetensors")
    out = tmp_path / "run"
    train(config, data, out, resume=False, device_name="cpu", report=lambda _: None)
    state = read_tensors(out / "state.safetensors")
    student = MultitaskBert.from_pretrained(out / "model")
    student.load_state_dict(
        {n.removeprefix("model."): t for n, t in state.items() if n.startswith("model.")}
    )
    probability, joint = Predictor(student, "cpu").joint([(r.texts[0], r.texts[1]) for r in found])
    answer = joint if name == "similarity" else torch.logit(probability)
    assert_close(answer, wanted, 0.8)
    assert set(read_trained_on(out / "model")[1][name]) >= set(hashes_of(found).tolist())
