"""Teaching: any encoder, every task, a run that goes on to the same bits, and what is refused."""

from __future__ import annotations

import dataclasses
import json
import math
import shutil
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from minbert.files import CheckpointError, read_tensors, write_tensors
from minbert.tables import DataError, Example
from minbert.tasks import TASKS
from minbert.text import pad
from tests.support import assert_close, assert_says
from tests.trainer.run.processes import start
from tests.trainer.samples import header, task_examples, write_table, write_trees
from tests.trainer.teacher.tiny_teachers import (
    SETTINGS,
    distilbert_folder,
    mpnet_folder,
    taught,
)
from trainer.cli import main
from trainer.config import TeachConfig
from trainer.data.course import FILES, file_sha256, read_split
from trainer.run.divergence import DivergedError
from trainer.run.folder import RunError
from trainer.teacher import model
from trainer.teacher import teach as module
from trainer.teacher.model import Teacher, load, load_taught
from trainer.teacher.rows import read_training
from trainer.teacher.teach import Limits, Teaching, teach


@pytest.fixture(scope="module")
def mpnet(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return mpnet_folder(tmp_path_factory.mktemp("base") / "tiny-mpnet")


@pytest.fixture(scope="module")
def distilbert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return distilbert_folder(tmp_path_factory.mktemp("base") / "tiny-distilbert")


@pytest.fixture(scope="module")
def unbroken(mpnet: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a finished teacher of sentiment; nobody writes there."""
    out = tmp_path_factory.mktemp("taught") / "sentiment"
    taught(mpnet, data, out)
    return out


def told_of(out: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((out / "teacher.json").read_text(encoding="utf-8"))
    return found


def teach_in(
    out: Path,
    base: Path,
    data: Path,
    limits: Limits | None = None,
    report: Callable[[str], Any] = lambda _: None,
    **changes: Any,  # noqa: ANN401 - any setting
) -> bool:
    """Teach sentiment, or go on with it."""
    config = TeachConfig(teacher=str(base), **{**SETTINGS, **changes})
    files = [data / FILES[config.task][split] for split in ("train", "dev")]
    return teach(
        config,
        files[:1],
        files[1],
        out,
        resume=True,
        limits=limits or Limits(),
        device_name="cpu",
        report=report,
    )


@pytest.mark.parametrize("name", TASKS)
def test_a_teacher_of_any_task_is_a_model_that_transformers_loads(
    name: str, distilbert: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "teacher"
    told = taught(distilbert, data, out, name)
    kinds = {
        "sentiment": {"accuracy", "within_one"},
        "paraphrase": {"accuracy", "f1"},
        "similarity": {"pearson", "spearman"},
    }
    found, files = told_of(out), FILES[name]
    assert set(found["dev"]) == kinds[name]
    assert {metric["n"] for metric in found["dev"].values()} == {16}
    assert (found["task"], found["teacher"], found["seed"]) == (name, "tiny-distilbert", 0)
    assert found["base_sha256"] == file_sha256(distilbert / "model.safetensors")
    assert found["weights_sha256"] == file_sha256(out / "model.safetensors")
    assert found["files"] == {
        files[split]: file_sha256(data / files[split]) for split in ("train", "dev")
    }
    assert found["leaks"]["rows"] == 48
    assert {"commit", "machine", "threads", "torch", "minutes"} <= set(found)
    assert found["tokens"] > found["steps"] > 1
    assert_says(told[-1], found=f"{found['dev'][TASKS[name].metric]['value']:.3f}")
    theirs = AutoModelForSequenceClassification.from_pretrained(out).eval()
    assert theirs.config.num_labels == TASKS[name].classes
    teacher, _ = load_taught(out)
    rows = read_split(data, name, "dev").examples
    texts = [list(side) for side in zip(*(row.texts for row in rows), strict=True)]
    with torch.no_grad():
        logits = theirs(**teacher.tokenizer(*texts, padding=True, return_tensors="pt")).logits
    scale = 5.0 if name == "similarity" else 1.0
    assert_close(teacher.outputs(rows), scale * logits.squeeze(-1))
    left = {path.name for path in out.iterdir()}
    assert {"config.json", "tokenizer.json", "model.safetensors"} <= left
    assert not left & {"state.safetensors", "model.partial", ".lock"}


def test_a_stopped_teacher_goes_on_to_the_same_bits(
    unbroken: Path, mpnet: Path, data: Path, tmp_path: Path
) -> None:
    out, calls = tmp_path / "broken", 0
    while not teach_in(out, mpnet, data, Limits(minutes=0.0)):
        calls += 1
        torch.manual_seed(calls)
    assert calls == told_of(unbroken)["steps"] - 1 > 2, "each call took one step"
    assert (out / "model.safetensors").read_bytes() == (unbroken / "model.safetensors").read_bytes()
    clock = {"minutes", "minutes_scoring", "commit"}
    found, wanted = told_of(out), told_of(unbroken)
    assert {k: v for k, v in found.items() if k not in clock} == {
        k: v for k, v in wanted.items() if k not in clock
    }


class KilledError(Exception):
    """Stands for a kill."""


@pytest.mark.parametrize("stop", ["step 4,", "Scoring", "save", "write_json"])
def test_a_killed_teacher_goes_on_from_its_last_safe_point(
    unbroken: Path,
    mpnet: Path,
    data: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    stop: str,
) -> None:
    out = tmp_path / "killed"

    def report(line: str) -> None:
        if line.startswith(stop):  # told before the safe point of that step is written
            raise KilledError

    def save(*_: object) -> None:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(module, "LOGGED_STEPS", 2)
        if stop in ("save", "write_json"):  # before the model's files stand there, and after
            patch.setattr(*((Teacher, "save") if stop == "save" else (model, "write_json")), save)
        with pytest.raises(KilledError):
            teach_in(out, mpnet, data, Limits(save_minutes=0.0), report)
    assert not (out / "teacher.json").exists()
    told: list[str] = []
    assert teach_in(out, mpnet, data, report=told.append)
    steps = told_of(unbroken)["steps"]
    at = 3 if stop == "step 4," else steps
    assert [line for line in told if line.startswith("Continuing")] == [f"Continuing at step {at}."]
    assert file_sha256(out / "model.safetensors") == told_of(unbroken)["weights_sha256"]


def test_the_command_killed_in_the_middle_of_a_file_goes_on(
    unbroken: Path, mpnet: Path, data: Path, tmp_path: Path
) -> None:
    out, files = tmp_path / "killed", FILES["sentiment"]
    settings = {
        **{"--teacher": mpnet, "--train": data / files["train"], "--dev": data / files["dev"]},
        **{"--output": out, "--save-minutes": 0, "--threads": 1, "--device": "cpu"},
        **{f"--{name.replace('_', '-')}": value for name, value in SETTINGS.items()},
    }
    flat = [str(part) for pair in settings.items() for part in pair]
    process = start(
        tmp_path / "told.txt", main, ["teach", "sentiment", *flat], stop="state.safetensors:2:torn"
    )
    process.join(120)
    assert process.exitcode == -signal.SIGKILL, (tmp_path / "told.txt").read_text()
    assert not (out / "teacher.json").exists()
    assert teach_in(out, mpnet, data)
    assert file_sha256(out / "model.safetensors") == told_of(unbroken)["weights_sha256"]
    assert not list(out.glob("*.partial"))


def test_frozen_word_embeddings_stay_and_all_else_learns(
    unbroken: Path, mpnet: Path, data: Path, tmp_path: Path
) -> None:
    start = read_tensors(mpnet / "model.safetensors")
    frozen = read_tensors(unbroken / "model.safetensors")
    taught(mpnet, data, tmp_path / "free", freeze_word_embeddings=False)
    free = read_tensors(tmp_path / "free" / "model.safetensors")

    def unchanged(found: dict[str, torch.Tensor]) -> set[str]:
        return {n for n in start if torch.equal(start[n], found.get(f"mpnet.{n}", start[n] + 1))}

    assert unchanged(frozen) == {"embeddings.word_embeddings.weight"}
    assert unchanged(free) == set()


def test_a_teacher_learns_what_its_rows_say(mpnet: Path, data: Path, tmp_path: Path) -> None:
    taught(mpnet, data, tmp_path / "long", epochs=40.0, learning_rate=1e-2)
    teacher, told = load_taught(tmp_path / "long")
    rows = read_split(data, "sentiment", "train").examples
    right = teacher.outputs(rows).argmax(dim=1) == torch.tensor([row.label for row in rows])
    assert right.float().mean() > 0.8
    assert told["dev"]["accuracy"]["value"] > 0.5


def test_the_seed_and_the_budget_decide(
    unbroken: Path, mpnet: Path, data: Path, tmp_path: Path
) -> None:
    taught(mpnet, data, tmp_path / "other", seed=1, tokens=300)
    found = told_of(tmp_path / "other")
    assert 300 <= found["tokens"] < 300 + SETTINGS["batch_tokens"]
    assert found["weights_sha256"] != told_of(unbroken)["weights_sha256"]
    lengths = [
        len(item)
        for item in load_taught(unbroken)[0].encode(read_split(data, "sentiment", "train").examples)
    ]
    assert told_of(unbroken)["tokens"] == sum(lengths), "one pass"


def test_the_rate_rises_and_falls_with_the_tokens(mpnet: Path) -> None:
    teacher = load(mpnet, TASKS["sentiment"], 48)
    rows = task_examples("sentiment", 12, 1)
    config = TeachConfig(learning_rate=0.4, warmup=0.25, tokens=100, max_length=48)
    teaching = Teaching(config, teacher, rows)
    rates = []
    for behind in (0, 20, 40, 60, 99):
        teaching.tokens = behind
        rates.append(teaching.rate_of(10) / 0.4)
    assert rates == pytest.approx([10 / 25, 1.0, 60 / 75, 40 / 75, 1 / 75])


def test_similarity_is_learned_on_zero_to_one(mpnet: Path) -> None:
    rows = task_examples("similarity", 6, 1)
    teaching = Teaching(TeachConfig(task="similarity"), load(mpnet, TASKS["similarity"], 48), rows)
    teacher = teaching.teacher
    teacher.model.train(mode=False)
    inputs = pad(teacher.encode(rows), teacher.pad_id)
    labels = torch.tensor([row.label for row in rows], dtype=torch.float32)
    raw = teacher.model(
        input_ids=inputs.input_ids, attention_mask=inputs.attention_mask
    ).logits.squeeze(-1)
    assert_close(teacher.forward(inputs), 5 * raw)
    assert_close(teaching.loss(inputs, labels), ((raw - labels / 5) ** 2).mean())


def test_a_stage_begins_with_the_weights_of_a_finished_one(
    unbroken: Path, mpnet: Path, distilbert: Path, data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "second"
    taught(mpnet, data, out, start=str(unbroken), learning_rate=1e-12)
    found, wanted = (read_tensors(f / "model.safetensors") for f in (out, unbroken))
    for name, tensor in wanted.items():
        assert_close(found[name], tensor, 1e-7)
    assert told_of(out)["start_sha256"] == told_of(unbroken)["weights_sha256"]
    for base, task in ((distilbert, "sentiment"), (mpnet, "paraphrase")):
        with pytest.raises(CheckpointError) as refused:
            teach_in(tmp_path / "x", base, data, start=str(unbroken), task=task)
        assert_says(refused.value, parameter="`start`", found=("tiny-mpnet", "sentiment"))
    with pytest.raises(CheckpointError, match="finished stage"):
        teach_in(tmp_path / "x", mpnet, data, start=str(mpnet))
    head = "classifier.out_proj.weight"
    taught(unbroken, data, tmp_path / "fresh", "paraphrase", learning_rate=1e-12)
    fresh = read_tensors(tmp_path / "fresh" / "model.safetensors")
    assert fresh[head].shape == (1, 16), "another task's head is drawn anew"


def test_a_finished_teacher_says_so_and_another_one_is_refused(
    unbroken: Path, mpnet: Path, data: Path, tmp_path: Path
) -> None:
    out = Path(shutil.copytree(unbroken, tmp_path / "copy"))
    told: list[str] = []
    assert teach_in(out, mpnet, data, report=told.append)
    assert told == [f"The teacher in {out} is finished already."]
    with pytest.raises(RunError, match=r"config\.seed: 0 then, 4 now"):
        teach_in(out, mpnet, data, seed=4)


def test_rows_of_dev_and_test_are_left_out_of_further_files(data: Path, tmp_path: Path) -> None:
    task = TASKS["similarity"]
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    dev = read_split(folder, "similarity", "dev")
    test = read_split(folder, "similarity", "test").examples[0]
    official = folder / FILES["similarity"]["train"]
    first = read_split(folder, "similarity", "train").examples[0]
    rows = [
        ("a", *dev.examples[0].texts[::-1], "2"),
        ("b", *(text.upper() for text in test.texts), "5"),
        ("c", *first.texts, "3"),
        ("d", "A red sofa .", "The sofa is red .", "1"),
        ("e", "the sofa is red .", "a red sofa .", "4"),
    ]
    columns = ("id", "sentence1", "sentence2", "relatedness")
    sick = write_table(tmp_path / "sick-train.csv", columns, rows)  # on its scale, 1 to 5
    told: list[str] = []
    kept, counts = read_training([official, sick], task, dev, 3, told.append)
    assert counts["sick-train.csv"] == {"rows": 5, "held_out": 2, "repeated": 2}
    assert counts[official.name] == {"rows": 48, "held_out": 0, "repeated": 0}
    assert kept[48:] == [Example("d", ("A red sofa .", "The sofa is red ."), 0.0)]
    assert_says(told[-1], parameter="sick-train.csv", found=("2 dev or test", "2 repeated"))


def test_the_treebank_s_phrases_may_be_learned_from(data: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(data, tmp_path / "data"))
    trees, task = write_trees(folder), TASKS["sentiment"]
    dev = read_split(folder, "sentiment", "dev")
    official = folder / FILES["sentiment"]["train"]
    both, counts = read_training([official, trees], task, dev, 3, lambda _: None)
    assert counts["train.txt"]["repeated"] > 0, "the sentences themselves"
    assert len(both) > 48
    shorter, _ = read_training([trees], task, dev, 1, lambda _: None)
    longer, _ = read_training([trees], task, dev, 3, lambda _: None)
    assert len(shorter) > len(longer)


def test_files_that_are_missing_or_named_twice_are_refused(
    mpnet: Path, data: Path, tmp_path: Path
) -> None:
    config = TeachConfig(teacher=str(mpnet))
    train, dev = (data / FILES["sentiment"][split] for split in ("train", "dev"))
    for files, found in (([tmp_path / "none.csv"], "none.csv"), ([train, train], "twice")):
        with pytest.raises(DataError) as refused:
            teach(
                config,
                files,
                dev,
                tmp_path / "out",
                resume=False,
                limits=Limits(),
                device_name="cpu",
                report=print,
            )
        assert_says(refused.value, found=found)
    unlabelled = write_table(
        tmp_path / "rows.csv", header("sentiment", labelled=False), [("1", "A film .")]
    )
    with pytest.raises(DataError, match="Missing: sentiment"):
        read_training(
            [unlabelled], TASKS["sentiment"], read_split(data, "sentiment", "dev"), 3, print
        )


def test_a_folder_that_is_no_encoder_is_refused(mpnet: Path, tmp_path: Path) -> None:
    task = TASKS["sentiment"]
    with pytest.raises(ValueError, match="at most the 64 tokens"):
        load(mpnet, task, 65)
    copy = Path(shutil.copytree(mpnet, tmp_path / "copy"))
    weights = read_tensors(copy / "model.safetensors")
    write_tensors(
        copy / "model.safetensors", {n: t for n, t in weights.items() if "layer.1" not in n}
    )
    with pytest.raises(CheckpointError, match=r"every weight of its encoder.*layer\.1"):
        load(copy, task, 48)
    weights["encoder.layer.0.output.dense.bias"][0] = math.nan
    write_tensors(copy / "model.safetensors", weights)
    with pytest.raises(CheckpointError, match="NaN or infinity"):
        load(copy, task, 48)
    (copy / "config.json").write_text("{}", encoding="utf-8")
    with pytest.raises(CheckpointError, match="that transformers loads"):
        load(copy, task, 48)
    with pytest.raises(CheckpointError, match="Found no such folder"):
        load(tmp_path / "nowhere" / "at" / "all", task, 48)


def test_a_teacher_that_diverges_stops_where_it_does(
    mpnet: Path, data: Path, tmp_path: Path
) -> None:
    with pytest.raises(DivergedError, match="`learning_rate` 1e\\+30"):
        teach_in(tmp_path / "out", mpnet, data, learning_rate=1e30, clip_norm=1e30)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("epochs", 0.0), ("learning_rate", math.inf), ("clip_norm", math.nan), ("warmup", 1.0)],
        *[("max_length", 7), ("batch_tokens", 7), ("batch_examples", 0), ("phrase_words", 0)],
        *[("tokens", -1), ("weight_decay", -0.1), ("task", "other"), ("precision", "half")],
    ],
)
def test_a_setting_out_of_its_range_is_refused(name: str, value: Any) -> None:  # noqa: ANN401
    with pytest.raises(ValueError, match=f"`{name}` should"):
        dataclasses.replace(TeachConfig(), **{name: value})
