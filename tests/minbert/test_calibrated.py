"""One calibration for all: every probability and explanation is of the calibrated logits."""

from __future__ import annotations

import ast
import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.config import OURS, UNCALIBRATED, MultitaskConfig
from minbert.explain import (
    integrated_gradients,
    occlude_joint,
    occlude_sentiment,
    split_sentiment,
)
from minbert.explain.targets import Target, embeddings_of
from minbert.heads import calibrated
from minbert.predictor import Predictor
from minbert.text import pad
from tests.support import assert_close, redraw, tiny_model

A, B = "the film isn't good", "a dogs film"
FITTED = {
    "sentiment_temperature": 1.7,
    "paraphrase_temperature": 0.6,
    "paraphrase_offset": -0.8,
}
SOURCES = Path(__file__).parents[2] / "minbert"


def predictor_of(folder: Path, **changes: Any) -> Predictor:  # noqa: ANN401 - any field
    model = tiny_model(folder, **changes)
    redraw(model, seed=1, std=0.3)
    return Predictor(model, "cpu")


def test_the_defaults_change_nothing() -> None:
    values = MultitaskConfig().to_dict()["minbert"]
    assert {name: values[name] for name in UNCALIBRATED} == UNCALIBRATED
    logits = torch.randn(4, 5, generator=torch.Generator().manual_seed(1))
    assert torch.equal(calibrated(logits, 1.0), logits)


def test_a_calibrated_config_survives_json() -> None:
    config = MultitaskConfig(**FITTED)
    again = MultitaskConfig.from_dict(json.loads(json.dumps(config.to_dict())))
    assert again == config != MultitaskConfig()


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_a_checkpoint_from_before_is_not_calibrated(name: str) -> None:
    path = SOURCES.parent / "assets" / "models" / name / "config.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    for field in UNCALIBRATED:
        del stored[OURS][field]
    config = MultitaskConfig.from_dict(stored)
    assert {field: getattr(config, field) for field in UNCALIBRATED} == UNCALIBRATED


@pytest.mark.parametrize("name", list(UNCALIBRATED))
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, None, "1.0", True])
def test_a_calibration_is_a_finite_number(name: str, value: Any) -> None:  # noqa: ANN401 - no number
    with pytest.raises(ValueError, match=f"`{name}` should be a finite number. Found {value!r}"):
        MultitaskConfig(**{name: value})


@pytest.mark.parametrize("name", ["sentiment_temperature", "paraphrase_temperature"])
@pytest.mark.parametrize("value", [0, 0.0, -1.5])
def test_a_temperature_is_above_0(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"`{name}` should be above 0. Found {value!r}; .*anew"):
        MultitaskConfig(**{name: value})
    assert MultitaskConfig(paraphrase_offset=value).paraphrase_offset == value


def test_it_is_saved_and_loaded(tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, **FITTED)
    predictor.model.save_pretrained(tmp_path / "model")
    again = Predictor.from_pretrained(tmp_path / "model", "cpu")
    assert again.config == predictor.config
    assert again.pairs([(A, B)])[0].paraphrase == pytest.approx(
        predictor.pairs([(A, B)])[0].paraphrase, abs=1e-5
    )


@pytest.mark.parametrize("head", ["joint", "two_tower"])
def test_probabilities_by_hand(head: str, tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, paraphrase_head=head, **FITTED)
    model = predictor.model
    a, b = (pad(predictor.encode_single([text])) for text in (A, B))
    with torch.no_grad():
        classes = model.predict_sentiment(a)[0] / 1.7
        if head == "joint":
            inputs = (pad(predictor.encode_joint([pair])) for pair in ((A, B), (B, A)))
            there, back = (model.predict_paraphrase(each) for each in inputs)
        else:
            there = model.predict_two_tower_paraphrase(a, b)
            back = model.predict_two_tower_paraphrase(b, a)
        wanted = [torch.sigmoid(logit / 0.6 - 0.8).item() for logit in (there, back)]
    (result,), (pair,) = predictor.sentiment([A]), predictor.pairs([(A, B)])
    assert_close(torch.tensor(result.probabilities), classes.softmax(dim=-1))
    assert [pair.paraphrase_ab, pair.paraphrase_ba] == pytest.approx(wanted, abs=1e-5)
    assert predictor.joint([(A, B)])[0].item() == pytest.approx(wanted[0], abs=1e-5)


def test_training_s_logits_stay_raw(tmp_path: Path) -> None:
    plain, fitted = predictor_of(tmp_path), predictor_of(tmp_path, **FITTED)
    single, joint = pad(plain.encode_single([A])), pad(plain.encode_joint([(A, B)]))
    with torch.no_grad():
        for name, batch in (("predict_sentiment", single), ("predict_paraphrase", joint)):
            one, other = (getattr(each.model, name)(batch) for each in (plain, fitted))
            assert torch.equal(one, other)
    assert plain.sentiment([A]) != fitted.sentiment([A])
    assert plain.sentiment([A])[0].label == fitted.sentiment([A])[0].label
    assert plain.pairs([(A, B)])[0].similarity == fitted.pairs([(A, B)])[0].similarity


@pytest.mark.parametrize("head", ["joint", "two_tower"])
def test_explained_numbers_are_the_page_s(head: str, tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, paraphrase_head=head, **FITTED)
    (result,), (pair,) = predictor.sentiment([A]), predictor.pairs([(A, B)])

    @torch.inference_mode()
    def value(target: Target, *texts: str) -> float:
        inputs = [[each.item for each in target.readings(predictor, *texts)]]
        return target.of(predictor.model, embeddings_of(predictor, target, inputs)).item()

    odds = value(Target("paraphrase", "yes"), A, B)
    assert 1 / (1 + math.exp(-odds)) == pytest.approx(pair.paraphrase, abs=1e-5)
    for label, probability in enumerate(result.probabilities):
        odds = value(Target("sentiment", label), A)
        assert 1 / (1 + math.exp(-odds)) == pytest.approx(probability, abs=1e-5)
    assert value(Target("sentiment", "expected"), A) == pytest.approx(result.expected, abs=1e-5)
    assert occlude_sentiment(predictor, A).result.probabilities == pytest.approx(
        result.probabilities, abs=1e-5
    )
    assert occlude_joint(predictor, A, B).score.paraphrase == pytest.approx(
        pair.paraphrase, abs=1e-5
    )


def test_the_exact_split_stays_exact(tmp_path: Path) -> None:
    plain, fitted = predictor_of(tmp_path), predictor_of(tmp_path, **FITTED)
    split, before = split_sentiment(fitted, A), split_sentiment(plain, A)
    assert split.residual < 1e-5
    assert split.probabilities == pytest.approx(fitted.sentiment([A])[0].probabilities, abs=1e-5)
    assert_close(split.logits.softmax(dim=-1), torch.tensor(split.probabilities))
    assert_close(split.contributions * 1.7, before.contributions)
    assert_close(split.bias * 1.7, before.bias)


@pytest.mark.parametrize(("task", "score"), [("sentiment", 1), ("paraphrase", None)])
def test_integrated_gradients_stay_complete(task: str, score: int | None, tmp_path: Path) -> None:
    predictor = predictor_of(tmp_path, **FITTED)
    texts = (A,) if task == "sentiment" else (A, B)
    found = integrated_gradients(predictor, *texts, task=task, target=score, steps=128)
    plain = predictor_of(tmp_path)
    other = integrated_gradients(plain, *texts, task=task, target=score, steps=128)
    assert abs(found.gap) < 1e-3
    assert abs(found.value - other.value) > 1e-2


def test_raw_logits_become_an_answer_in_one_place() -> None:
    """Nothing of minbert but the model itself asks for raw logits."""
    raw = {"sentiment_logits", "paraphrase_logits"}
    callers = {
        path.name
        for path in SOURCES.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in raw
    }
    assert callers == {"multitask.py"}


def test_fields_are_the_config_s() -> None:
    assert set(UNCALIBRATED) <= {field.name for field in dataclasses.fields(MultitaskConfig)}
