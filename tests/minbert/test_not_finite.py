"""NaN and infinity are noticed: when a checkpoint is loaded or saved, and when it answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from minbert import files
from minbert.answers import NotFiniteError
from minbert.checkpoint import CheckpointError, load_encoder
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.storage.manifest import MANIFEST_FILE
from minbert.storage.weights import check_finite
from tests.minbert.folders import WEIGHTS
from tests.support import assert_says, spoil

NAN, INFINITY = float("nan"), float("inf")


# Answering

ASKED: dict[str, Callable[[Predictor], object]] = {
    "sentiment": lambda predictor: predictor.sentiment(["a good film"]),
    "pairs": lambda predictor: predictor.pairs([("a film", "the film")]),
    "siamese": lambda predictor: predictor.siamese([("a film", "the film")]),
    "answer": lambda predictor: predictor.answer("a film", "the film"),
    "embed": lambda predictor: predictor.embed(["a film"]),
    "hidden": lambda predictor: predictor.hidden(predictor.encode_single(["a film"])),
    "attention": lambda predictor: predictor.attention("a film"),
}


@pytest.mark.parametrize("asked", ASKED)
def test_no_answer_is_nan(asked: str, model: MultitaskBert) -> None:
    name = "encoder.layers.0.attention.query.weight"
    spoil(model, name, NAN)
    with pytest.raises(NotFiniteError) as caught:
        ASKED[asked](Predictor(model, "cpu"))
    assert_says(caught.value, rule="finite", found=f"{name} holds NaN", step="load a whole")


@pytest.mark.parametrize("task", ["sentiment", "paraphrase", "similarity"])
def test_a_head_s_nan_is_told(task: str, model: MultitaskBert) -> None:
    spoil(model, f"heads.{task}.linear.weight", NAN)
    with pytest.raises(NotFiniteError, match=rf"heads\.{task}\.linear\.weight holds NaN"):
        Predictor(model, "cpu").answer("a film", "the film")


def test_numbers_that_overflow_are_told(model: MultitaskBert) -> None:
    spoil(model, "heads.sentiment.linear.weight", 3e38)
    spoil(model, "encoder.layers.1.output_norm.weight", 1e30)
    with pytest.raises(NotFiniteError, match="All weights are finite, but so large"):
        Predictor(model, "cpu").sentiment(["a good film"])


# Loading and saving

OURS, THEIRS = "encoder.layers.1.output.weight", "bert.encoder.layer.1.output.dense.weight"


@pytest.mark.parametrize("value", [NAN, INFINITY, -INFINITY])
@pytest.mark.parametrize(
    ("kind", "name"), [("saved", THEIRS.removeprefix("bert.")), ("folder", THEIRS)]
)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_checkpoint_that_isn_t_finite_is_not_loaded(
    kind: str, name: str, value: float, dtype: torch.dtype, request: pytest.FixtureRequest
) -> None:
    folder: Path = request.getfixturevalue(kind)
    (folder / MANIFEST_FILE).unlink(missing_ok=True)
    weights = {key: tensor.to(dtype) for key, tensor in load_file(folder / WEIGHTS).items()}
    weights[name].view(-1)[3:5] = value
    save_file(weights, folder / WEIGHTS)
    load = MultitaskBert.from_pretrained if kind == "saved" else load_encoder
    with pytest.raises(CheckpointError) as caught:
        load(folder)
    assert_says(
        caught.value,
        parameter=(str(folder), "layers.1.output.weight (2 of 512)"),
        rule="finite",
        found="NaN or infinity",
        step=("lower learning rate", "download it again"),
    )


def test_finite_weights_whose_sum_overflows_are_no_fault() -> None:
    check_finite({"large": torch.full((4,), 3e38)}, "x")
    with pytest.raises(CheckpointError, match=r"large \(1 of 4\)"):
        check_finite({"large": torch.tensor([3e38, 3e38, 3e38, NAN])}, "x")


def test_a_model_that_isn_t_finite_is_not_saved(model: MultitaskBert, tmp_path: Path) -> None:
    spoil(model, OURS, 1e6)
    with pytest.raises(ValueError, match=r"float16.*" + OURS):
        model.save_pretrained(tmp_path / "half", torch.float16)
    assert not (tmp_path / "half").exists()
    model.save_pretrained(tmp_path / "whole")
    spoil(model, OURS, NAN)
    with pytest.raises(ValueError, match=r"float32.*" + OURS):
        model.save_pretrained(tmp_path / "whole")
    MultitaskBert.from_pretrained(tmp_path / "whole")


# JSON


def test_what_isn_t_finite_is_null_in_json(tmp_path: Path) -> None:
    values = {"a": NAN, "b": [1.5, INFINITY, (-INFINITY, {"c": NAN})], "d": "NaN", "e": True}
    files.write_json(tmp_path / "x.json", values)
    found = json.loads((tmp_path / "x.json").read_text(), parse_constant=pytest.fail)
    assert found == {"a": None, "b": [1.5, None, [None, {"c": None}]], "d": "NaN", "e": True}
