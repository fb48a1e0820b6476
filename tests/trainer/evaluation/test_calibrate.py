"""The command calibrate on a tiny model: the fit, the record, and that it changes nothing twice."""

from __future__ import annotations

import dataclasses
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.config import UNCALIBRATED, MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.storage.manifest import verify
from minbert.tables import DataError
from minbert.text import pad
from tests.support import assert_says, redraw, tiny_model
from tests.trainer.samples import header, task_rows, write_course_files, write_table
from trainer.cli import main
from trainer.data.course import FILES, read_split
from trainer.data.seen import write_trained_on
from trainer.evaluation import calibrate as module
from trainer.evaluation.calibrate import calibrate, raw_logits
from trainer.techniques.calibration import (
    class_log_probabilities,
    expected_calibration_error,
    losses,
    pair_log_probabilities,
)


@pytest.fixture
def checkpoint(model_folder: Path, tmp_path: Path) -> Path:
    """Give a checkpoint that a test may write into."""
    return Path(shutil.copytree(model_folder, tmp_path / "models" / "tiny"))


@pytest.fixture(scope="module")
def dev(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give data files with enough dev examples for a fit that means something."""
    return write_course_files(tmp_path_factory.mktemp("dev"), dev=60)


def run(folder: Path, data: Path, seed: int = 0) -> tuple[str, dict[str, Any], list[str]]:
    """Calibrate; return the table, the record and the lines told."""
    told: list[str] = []
    record = folder.parent / "record.json"
    table = calibrate(
        folder,
        data,
        seed=seed,
        device="cpu",
        precision="fp32",
        json_file=record,
        report=told.append,
    )
    return table, json.loads(record.read_text(encoding="utf-8")), told


def config_of(folder: Path) -> MultitaskConfig:
    return MultitaskConfig.from_dict(json.loads((folder / "config.json").read_text()))


def test_the_command_from_end_to_end(
    checkpoint: Path, dev: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weights = (checkpoint / "model.safetensors").read_bytes()
    before = config_of(checkpoint)
    record = tmp_path / "record.json"
    arguments = ["calibrate", "--model", str(checkpoint), "--data", str(dev), "--device", "cpu"]
    assert main([*arguments, "--json", str(record), "--seed", "3"]) == 0
    said = json.loads(record.read_text(encoding="utf-8"))
    fitted = {name: said["tasks"][name] for name in ("sentiment", "paraphrase")}
    config = config_of(checkpoint)
    assert config.sentiment_temperature == fitted["sentiment"]["temperature"] != 1
    assert config.paraphrase_temperature == fitted["paraphrase"]["temperature"] != 1
    assert config.paraphrase_offset == fitted["paraphrase"]["offset"] != 0
    assert dataclasses.replace(config, **UNCALIBRATED) == before
    assert (checkpoint / "model.safetensors").read_bytes() == weights
    assert verify(checkpoint)
    assert (said["model"], said["seed"], said["folds"], said["bins"]) == ("models/tiny", 3, 5, 15)
    assert {"commit", "machine", "threads", "precision"} <= set(said)
    for told in fitted.values():
        assert (told["n"], told["split"], told["left_out"]) == (60, "dev", 0)
        assert len(told["fold_fits"]) == 5
        assert len({each["temperature"] for each in told["fold_fits"]}) == 5
    printed = capsys.readouterr().out
    for told in fitted.values():
        errors = [f"{told[when]['ece']['value']:.3f}" for when in ("before", "after")]
        accuracies = [f"{told[when]['accuracy']['value']:.3f} ± " for when in ("before", "after")]
        assert_says(printed, found=(*errors, *accuracies, f"{told['temperature']:.4f}"))


def test_a_second_run_changes_nothing(checkpoint: Path, dev: Path) -> None:
    first = run(checkpoint, dev)
    config = (checkpoint / "config.json").read_bytes()
    again = run(checkpoint, dev)
    assert again == first
    assert (checkpoint / "config.json").read_bytes() == config
    assert not list(checkpoint.glob("*.partial"))


def test_the_seed_deals_the_folds_and_leaves_the_fit(checkpoint: Path, dev: Path) -> None:
    _, one, _ = run(checkpoint, dev, 0)
    _, other, _ = run(checkpoint, dev, 1)
    for name in ("sentiment", "paraphrase"):
        a, b = one["tasks"][name], other["tasks"][name]
        assert (a["temperature"], a["offset"], a["before"]) == (
            *(b["temperature"], b["offset"], b["before"]),
        )
        assert a["fold_fits"] != b["fold_fits"]


@pytest.mark.parametrize("head", ["joint", "two_tower"])
def test_what_is_measured_is_what_the_predictor_answers(
    head: str, dev: Path, tmp_path: Path
) -> None:
    model = tiny_model(tmp_path / "words", paraphrase_head=head, pooling="cls")
    redraw(model, seed=5, std=0.3)
    model.save_pretrained(tmp_path / "model")
    rows = {name: read_split(dev, name, "dev").examples for name in ("sentiment", "paraphrase")}
    pairs = [(row.texts[0], row.texts[1]) for row in rows["paraphrase"]]
    texts = [row.texts[0] for row in rows["sentiment"]]
    yes = torch.tensor([row.label for row in rows["paraphrase"]]).long()

    raw = Predictor.from_pretrained(tmp_path / "model", "cpu")
    answers = torch.tensor([pair.paraphrase for pair in raw.pairs(pairs)])
    _, said, _ = run(tmp_path / "model", dev)
    wanted = expected_calibration_error(answers, yes)
    assert said["tasks"]["paraphrase"]["before"]["ece"]["value"] == pytest.approx(wanted, abs=1e-4)

    fitted = Predictor.from_pretrained(tmp_path / "model", "cpu")
    config = fitted.config
    logits = raw_logits(fitted, "paraphrase", rows["paraphrase"])
    assert torch.allclose(logits, raw_logits(raw, "paraphrase", rows["paraphrase"]))
    chances = pair_log_probabilities(
        logits, config.paraphrase_temperature, config.paraphrase_offset
    ).exp()
    found = torch.tensor([pair.paraphrase for pair in fitted.pairs(pairs)])
    assert torch.allclose(found.double(), chances[:, 1], atol=1e-5)
    loss = losses(chances.log(), yes).mean()
    unscaled = losses(pair_log_probabilities(logits, 1.0), yes).mean()
    assert loss < unscaled

    classes = raw_logits(fitted, "sentiment", rows["sentiment"])
    wanted_classes = class_log_probabilities(classes, config.sentiment_temperature).exp()
    probabilities = torch.tensor([each.probabilities for each in fitted.sentiment(texts)])
    assert torch.allclose(probabilities.double(), wanted_classes, atol=1e-5)


def test_raw_logits_are_the_heads_whatever_the_config_says(dev: Path, tmp_path: Path) -> None:
    model = tiny_model(
        tmp_path / "words", sentiment_temperature=3.0, paraphrase_temperature=3.0
    ).eval()
    redraw(model, seed=5, std=0.3)
    predictor = Predictor(model, "cpu", runtime="torch")
    (row,) = read_split(dev, "paraphrase", "dev").examples[:1]
    a, b = row.texts
    with torch.no_grad():
        wanted = [
            model.predict_paraphrase(pad(predictor.encode_joint([pair]))).item()
            for pair in ((a, b), (b, a))
        ]
    assert raw_logits(predictor, "paraphrase", [row])[0].tolist() == pytest.approx(wanted, abs=1e-5)


def test_pairs_that_trained_the_model_are_left_out(checkpoint: Path, dev: Path) -> None:
    rows = read_split(dev, "paraphrase", "dev").examples
    write_trained_on(checkpoint, {"quora-train.csv": "0"}, {"paraphrase": rows[:7]})
    _, said, told = run(checkpoint, dev)
    found = said["tasks"]["paraphrase"]
    assert found["left_out"] == len(rows) - found["n"] >= 7
    assert_says("\n".join(told), found=f"{found['left_out']} pairs trained the model: left out")
    assert (said["tasks"]["sentiment"]["n"], said["tasks"]["sentiment"]["left_out"]) == (60, 0)


def test_the_precision_is_passed_on(
    checkpoint: Path, dev: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(predictor: Predictor, *rest: Any) -> torch.Tensor:  # noqa: ANN401 - passed on
        seen.append(predictor.autocast)
        return raw_logits(predictor, *rest)

    monkeypatch.setattr(module, "raw_logits", spy)
    for precision, record in (("bf16", True), ("fp32", False), ("auto", False)):
        arguments = ["calibrate", "--model", str(checkpoint), "--data", str(dev)]
        assert main([*arguments, "--device", "cpu", "--precision", precision]) == 0
        assert seen == [record] * 2  # one pass a task
        seen.clear()


def refused(folder: Path, data: Path, message: str, seed: int = 0) -> None:
    """Calibrate in vain: the message is told and the config left as it was."""
    path = folder / "config.json"
    before = path.read_bytes() if path.exists() else b""
    with pytest.raises((ValueError, DataError), match=message):
        run(folder, data, seed)
    assert (path.read_bytes() if path.exists() else b"") == before


def test_a_hugging_face_id_is_no_folder_to_write_into(tmp_path: Path, dev: Path) -> None:
    refused(tmp_path / "none", dev, r"`--model` should be a checkpoint's folder.*copy the model")


def test_a_seed_is_0_at_least(checkpoint: Path, dev: Path) -> None:
    refused(checkpoint, dev, "`--seed` should be at least 0. Found -1", seed=-1)


@pytest.mark.parametrize(("kept", "label"), [(9, None), (30, "1")])
def test_too_few_examples_or_one_answer_are_refused(
    kept: int, label: str | None, checkpoint: Path, tmp_path: Path
) -> None:
    data = write_course_files(tmp_path / "data")
    rows = [(*row[:-1], label or row[-1]) for row in task_rows("paraphrase", kept, 1)]
    write_table(data / FILES["paraphrase"]["dev"], header("paraphrase"), rows)
    refused(checkpoint, data, "The dev file of paraphrase should hold 10 examples or more")


def test_two_classes_of_part_1_are_refused(dev: Path, tmp_path: Path) -> None:
    model: MultitaskBert = tiny_model(tmp_path / "words", sentiment_classes=2)
    model.save_pretrained(tmp_path / "model")
    refused(tmp_path / "model", dev, "five sentiment classes of SST")


def test_a_missing_file_is_told(
    checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = write_course_files(tmp_path / "data")
    (data / FILES["sentiment"]["dev"]).unlink()
    assert main(["calibrate", "--model", str(checkpoint), "--data", str(data)]) == 1
    assert FILES["sentiment"]["dev"] in capsys.readouterr().err
