"""Training that breaks down stops: the task, the step, the parameter and the likely cause."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from minbert.checkpoint import WEIGHTS_FILE
from minbert.predictor import Predictor
from minbert.storage.manifest import write_manifest
from minbert.tasks import TASKS
from tests.support import assert_says, redraw, spoil, tiny_model
from tests.trainer.samples import task_examples
from tests.trainer.tuning import tuning_of
from trainer.cli import main
from trainer.config import TrainConfig
from trainer.run.divergence import DivergedError, check_gradients, check_losses
from trainer.run.fine_tuning import FineTuning
from trainer.run.folder import Run
from trainer.run.heads import embed_examples, pretrain_head
from trainer.run.loop import score_and_keep

NAN, INFINITY = float("nan"), float("inf")
WEIGHT = "encoder.layers.1.output.weight"


def step_until(tuning: FineTuning, most: int = 12) -> None:
    """Train some steps."""
    for _ in range(most):
        tuning.train_step()


@pytest.mark.parametrize("surgery", [False, True])
@pytest.mark.parametrize("value", [NAN, INFINITY])
def test_a_weight_that_isn_t_finite_stops_the_first_step(
    value: float, surgery: bool, tmp_path: Path
) -> None:
    tuning = tuning_of(tmp_path, surgery=surgery)
    spoil(tuning.model, WEIGHT, value)
    with pytest.raises(DivergedError) as caught:
        step_until(tuning)
    assert_says(
        caught.value,
        parameter=("loss of ", " at step 1 (epoch 1)"),
        rule="a finite number",
        found=("Found nan", f"{WEIGHT} holds NaN or infinity"),
        step=("`learning_rate` 0.01", "lower one"),
    )
    assert any(task in str(caught.value) for task in TASKS)


def test_a_gradient_that_isn_t_finite_stops_before_the_step_is_taken(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    parameter = tuning.model.get_parameter(WEIGHT)
    parameter.register_hook(lambda gradient: gradient.fill_(INFINITY))
    before = {name: each.clone() for name, each in tuning.trained.items()}
    with pytest.raises(DivergedError) as caught:
        tuning.train_step()
    assert_says(
        caught.value,
        parameter=("gradients of ", " at step 1 (epoch 1)"),
        found=f"NaN or infinity at {WEIGHT}",
        step=("`learning_rate` 0.01", "label", "fp32"),
    )
    assert all(torch.equal(tuning.trained[name], each) for name, each in before.items())


def test_a_learning_rate_of_a_million_stops_soon(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, learning_rate=1e6)
    with pytest.raises(DivergedError) as caught:
        step_until(tuning)
    assert_says(caught.value, found=("Found ", "has grown to"), step="`learning_rate` 1e+06")


@pytest.mark.parametrize("rate", [1e-5, 1e-3, 1e-1])
def test_training_that_goes_on_is_let_go_on(rate: float, tmp_path: Path) -> None:
    step_until(tuning_of(tmp_path, learning_rate=rate))


@pytest.mark.parametrize(("value", "stops"), [(9999.0, False), (10001.0, True), (NAN, True)])
def test_the_largest_loss(value: float, stops: bool) -> None:
    def check() -> None:
        check_losses({"task": 1.0, "loss": value}, {"w": torch.ones(2)}, "x at step 3", "rate 1")

    if not stops:
        return check()
    with pytest.raises(DivergedError, match=r"The loss of x at step 3 should be .* up to 10,000"):
        check()
    return None


def test_a_norm_that_overflows_has_no_parameter_of_its_own() -> None:
    parameter = torch.nn.Parameter(torch.ones(2))
    parameter.grad = torch.full((2,), 3e38)
    norm = torch.nn.utils.clip_grad_norm_([parameter], 1.0)
    with pytest.raises(DivergedError, match="at all parameters together"):
        check_gradients(norm, {"w": parameter}, "x", "rate 1")


def test_a_head_that_diverges_is_told(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    redraw(model, seed=1)
    task, config = TASKS["similarity"], TrainConfig(head_epochs=3, head_learning_rate=1e6)
    rows = embed_examples(Predictor(model, "cpu"), task, task_examples(task.name, 40, 1))
    with pytest.raises(DivergedError) as caught:
        pretrain_head(model, task, rows, rows, config, lambda **_: None)
    assert_says(
        caught.value, parameter="similarity's head at epoch", step="`head_learning_rate` 1e+06"
    )


def test_a_validation_that_isn_t_finite_is_told_with_its_place(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    spoil(tuning.model, WEIGHT, NAN)

    def validate() -> dict[str, Any]:
        Predictor(tuning.model, "cpu").sentiment(["a good film"])
        return {}

    with pytest.raises(DivergedError, match=r"validation after epoch 2 \(step 0\).*" + WEIGHT):
        score_and_keep(tuning, Run(tmp_path), validate, lambda: None, 2)


# From the command line


def command(encoder: Path, data: Path, out: Path, *more: str) -> int:
    """Train a tiny run; return the exit code."""
    options = {
        "--encoder": str(encoder),
        "--data": str(data),
        "--out": str(out),
        "--epochs": "1",
        "--steps-per-epoch": "6",
        "--batch-examples": "8",
        "--head-epochs": "0",
        "--max-length": "48",
        "--device": "cpu",
    }
    return main(["train", "mean", *(part for pair in options.items() for part in pair), *more])


def test_a_run_that_diverges_ends_with_1_and_whole_json(
    data: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert command(encoder_folder, data, out, "--learning-rate", "1e6") == 1
    told = capsys.readouterr().err
    assert_says(told, parameter=" at step ", found="has grown to", step="`learning_rate` 1e+06")
    assert "The model is in" not in told
    assert not (out / "result.json").exists()
    for line in (out / "metrics.jsonl").read_text().splitlines():
        json.loads(line, parse_constant=pytest.fail)


def test_an_encoder_with_a_nan_ends_with_1(
    data: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    encoder = Path(shutil.copytree(encoder_folder, tmp_path / "encoder"))
    weights = load_file(encoder / WEIGHTS_FILE)
    weights["encoder.layer.1.output.dense.weight"][2, 3] = NAN
    save_file(weights, encoder / WEIGHTS_FILE)
    write_manifest(encoder)
    assert command(encoder, data, tmp_path / "run") == 1
    told = capsys.readouterr().err
    assert_says(told, parameter=str(encoder), found=("NaN", "layers.1.output.weight (1 of 512)"))


def test_a_run_that_keeps_its_start_says_so(
    data: Path, encoder_folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert command(encoder_folder, data, out, "--learning-rate", "1e-12") == 0
    told = capsys.readouterr().err
    kept = json.loads((out / "result.json").read_text())["best"]["epoch"]
    assert kept == 0, "a step this small changes no answer"
    assert_says(told, found="No epoch scored better", step=("`learning_rate` 1e-12", "metrics"))


def test_a_metric_that_isn_t_a_number_is_null_in_the_log(tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.log(phase="heads", loss=NAN, pearson=INFINITY)
    (line,) = (tmp_path / "metrics.jsonl").read_text().splitlines()
    found = json.loads(line, parse_constant=pytest.fail)
    assert (found["loss"], found["pearson"]) == (None, None)
