"""Integrated gradients against captum, by their sums, and by what they leave untouched."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from minbert.explain import gradients
from minbert.explain.gradients import (
    baseline_ids,
    gradient_times_input,
    integrated_gradients,
)
from minbert.explain.targets import Target, target_for
from minbert.pooling import pooler_for
from minbert.predictor import Predictor
from minbert.serving import ModelQueue
from minbert.serving import served as served_by
from tests.minbert.explain.conftest import Build, by_our_rule
from tests.support import redraw, tiny_model

with warnings.catch_warnings():  # matplotlib, which captum imports, warns of its own parser
    warnings.simplefilter("ignore")
    from captum.attr import LayerIntegratedGradients

A, B = "the film isn't good", "a dogs film"
TARGETS: list[tuple[str, int | str]] = [
    ("sentiment", 1),
    ("sentiment", "expected"),
    ("paraphrase", "yes"),
    ("similarity", "joint"),
    ("similarity", "siamese"),
    ("similarity", "mean"),
]
POOLINGS = ["cls", "mean", "max", "pooler", "attention"]


def texts(task: str) -> tuple[str, ...]:
    return (A,) if task == "sentiment" else (A, B)


def by_captum(
    predictor: Predictor, target: Target, baseline: str, steps: int
) -> tuple[list[Tensor], float]:
    """Return captum's attributions of each reading's tokens, (T,), and its own gap.

    All readings lie in one long row of ids, so that the word embeddings are looked up once. The
    points of the line are ours, since captum doesn't have that rule.
    """
    model = predictor.model
    readings = target.readings(predictor, *texts(target.task))
    sizes = [len(reading.item) for reading in readings]
    pool = pooler_for(model.config.pooling, model.encoder, model.attention_pooling)

    def score(ids: Tensor) -> Tensor:
        words = model.encoder.embeddings.word(ids)
        embeddings = []
        for reading, part in zip(readings, words.split(sizes, dim=1), strict=True):
            types = torch.tensor(reading.item.token_types).expand(len(ids), -1)
            mask = torch.ones_like(types)
            hidden = model.encoder.embeddings.from_words(part, types)
            embeddings.append(pool(model.encoder.encode(hidden, mask, target.task).hidden, mask))
        return target.of(model, embeddings)

    ids = torch.tensor([[index for reading in readings for index in reading.item.ids]])
    blank = [i for each in readings for i in baseline_ids(predictor, each.item, baseline)]
    method = LayerIntegratedGradients(score, model.encoder.embeddings.word)
    with by_our_rule():
        found, gap = method.attribute(
            ids, torch.tensor([blank]), n_steps=steps + 1, return_convergence_delta=True
        )
    return list(found.sum(dim=-1)[0].split(sizes)), gap.item()


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize(("task", "score"), TARGETS)
def test_equal_to_captum(task: str, score: int | str, pooling: str, build: Build) -> None:
    predictor = build(std=0.2, pooling=pooling)
    baseline = "mask" if pooling == "cls" else "pad"
    found = integrated_gradients(
        predictor, *texts(task), task=task, target=score, baseline=baseline
    )
    wanted, gap = by_captum(predictor, found.target, baseline, found.steps)
    readings = found.target.readings(predictor, *texts(task))
    a, b = gradients.gather(predictor, readings, wanted)
    assert found.first.words == a.words == ("the", "film", "isn", "'", "t", "good")
    assert found.first.values == pytest.approx(a.values, abs=1e-4)
    assert (found.second.words, found.second.values) == (b.words, pytest.approx(b.values, abs=1e-4))
    assert max(map(abs, found.first.values)) > 1e-2, "a zero would show nothing"
    assert found.gap == pytest.approx(gap, abs=1e-4)


@pytest.mark.parametrize("options", [{"paraphrase_head": "two_tower"}, {"pal_size": 4}])
def test_equal_to_captum_with_other_parts(options: dict[str, Any], build: Build) -> None:
    predictor = build(std=0.2, **options)
    found = integrated_gradients(predictor, A, B, task="paraphrase")
    wanted, _ = by_captum(predictor, found.target, "pad", found.steps)
    a, b = gradients.gather(predictor, found.target.readings(predictor, A, B), wanted)
    assert found.first.values == pytest.approx(a.values, abs=1e-4)
    assert found.second.values == pytest.approx(b.values, abs=1e-4)


@pytest.mark.parametrize(("task", "score"), TARGETS)
def test_attributions_make_the_difference(task: str, score: int | str, build: Build) -> None:
    predictor = build(std=0.2)
    found = integrated_gradients(predictor, *texts(task), task=task, target=score)
    assert found.gap == pytest.approx(0.0, abs=2e-3)
    assert abs(found.value - found.baseline_value) > 2e-2
    total = sum(found.first.values) + sum(found.second.values)
    assert total == pytest.approx(found.total, abs=1e-6), "[CLS] and [SEP] have none"
    assert found.gap == found.total - (found.value - found.baseline_value)
    pieces = found.first_pieces
    assert sum(pieces.values) == pytest.approx(sum(found.first.values), abs=1e-6)
    if task != "sentiment":
        assert found.second_pieces.words == ("a", "dog", "##s", "film")
        assert found.second.words == ("a", "dogs", "film")


def test_both_ends_are_what_the_model_says(build: Build) -> None:
    predictor = build(std=0.3)
    found = integrated_gradients(predictor, A, task="sentiment", target="expected", baseline="mask")
    assert found.value == pytest.approx(predictor.sentiment([A])[0].expected, abs=1e-4)
    (item,) = predictor.encode_single([A])
    masks = [predictor.tokenizer.mask_id] * (len(item) - 2)
    blank = type(item)([item.ids[0], *masks, item.ids[-1]], item.token_types)
    with torch.no_grad():
        logits = predictor.model.sentiment_logits(predictor.pooled([blank]))
    wanted = (logits.softmax(-1)[0] @ torch.arange(5.0)).item()
    assert found.baseline_value == pytest.approx(wanted, abs=1e-4)


def test_gradient_times_input_by_hand(build: Build) -> None:
    predictor = build(std=0.3)
    target = Target("sentiment", 2)
    model = predictor.model
    (item,) = predictor.encode_single(["a dogs film"])
    seen: list[Tensor] = []

    def keep(_module: object, _inputs: object, output: Tensor) -> None:
        output.retain_grad()
        seen.append(output)

    handle = model.encoder.embeddings.word.register_forward_hook(keep)
    with torch.enable_grad():
        batch = torch.tensor([item.ids])
        hidden = model.encoder(batch, torch.ones_like(batch), torch.zeros_like(batch)).hidden
        target.of(model, [hidden.mean(dim=1)]).sum().backward()
    handle.remove()
    assert seen[0].grad is not None
    by_token = (seen[0].grad * seen[0]).sum(-1)[0].tolist()
    model.zero_grad()
    wanted = [by_token[1], by_token[2] + by_token[3], by_token[4]]
    a, b = gradient_times_input(predictor, target, "a dogs film")
    assert (a.words, b.words) == (("a", "dogs", "film"), ())
    assert a.values == pytest.approx(wanted, abs=1e-4)
    beside = integrated_gradients(predictor, "a dogs film", task="sentiment", target=2, steps=2)
    assert beside.gradient[0].values == pytest.approx(wanted, abs=1e-4)


def test_the_model_is_left_as_it_was(build: Build) -> None:
    predictor = build()
    before = {name: part.clone() for name, part in predictor.model.state_dict().items()}
    with torch.inference_mode():
        integrated_gradients(predictor, A, B, task="similarity", target="mean", steps=2)
    assert not predictor.model.training
    for name, parameter in predictor.model.named_parameters():
        assert parameter.grad is None
        assert parameter.requires_grad, name
    for name, part in predictor.model.state_dict().items():
        assert torch.equal(part, before[name])


def test_special_tokens_keep_their_place_in_the_baseline(build: Build) -> None:
    predictor = build()
    (item,) = predictor.encode_joint([("a dogs", "film")])
    tokenizer = predictor.tokenizer
    cls, sep, pad, mask = (
        tokenizer.cls_id,
        tokenizer.sep_id,
        tokenizer.pad_id,
        tokenizer.mask_id,
    )
    assert baseline_ids(predictor, item, "pad") == [cls, pad, pad, pad, sep, pad, sep]
    assert baseline_ids(predictor, item, "mask") == [cls, mask, mask, mask, sep, mask, sep]


def test_points_run_in_small_batches_on_the_model_s_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = tiny_model(tmp_path, similarity_score="mean")
    redraw(model, seed=1, std=0.2)
    queue = ModelQueue()
    plain, served = Predictor(model, "cpu"), served_by(model, "cpu", queue)
    rows, threads, told = [], set(), []
    encode: Callable[..., Any] = model.encoder.encode

    def noted(hidden: Tensor, *arguments: Any, **options: Any) -> Any:  # noqa: ANN401
        rows.append(len(hidden))
        threads.add(threading.current_thread().name)
        return encode(hidden, *arguments, **options)

    wanted = integrated_gradients(plain, A, B, task="similarity")
    model.encoder.encode = noted  # type: ignore[method-assign]
    monkeypatch.setattr(gradients, "TOKENS_PER_CALL", 160)
    found = integrated_gradients(
        served, A, B, task="similarity", progress=lambda *done: told.append(done)
    )
    assert found.first.values == pytest.approx(wanted.first.values, abs=1e-5)
    assert threads == {"model"}
    tokens = sum(len(each.item) for each in found.target.readings(plain, A, B))
    assert max(rows) == 4 * (160 // tokens), "four inputs a point"
    assert sum(rows) == 4 * 33
    assert (told[0], told[-1]) == ((160 // tokens, 65), (33, 65))


def test_a_wide_gap_doubles_the_points(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    few = integrated_gradients(build(std=0.4), A, task="sentiment", target="expected")
    monkeypatch.setattr(gradients, "GAP", 0.0)
    many = integrated_gradients(build(std=0.4), A, task="sentiment", target="expected", steps=128)
    assert (few.steps, many.steps) == (32, 128)
    assert abs(many.gap) < 1e-5
    assert few.first.values == pytest.approx(many.first.values, abs=0.02)


@pytest.mark.parametrize("steps", [2, 16, 64])
def test_the_rule_s_points(steps: int) -> None:
    where, shares = torch.tensor(gradients.places(steps)).double(), gradients.weights(steps)
    for power in range(steps + 1):  # exact for all polynomials of that degree
        assert (shares @ where**power).item() == pytest.approx(1 / (power + 1), abs=1e-6)
    assert gradients.places(2 * steps)[::2] == gradients.places(steps)


def test_what_is_refused(build: Build) -> None:
    predictor = build()
    with pytest.raises(ValueError, match=r"`baseline` should be one of 'pad', 'mask'"):
        integrated_gradients(predictor, A, task="sentiment", baseline="zero")
    for steps in (0, 48):
        with pytest.raises(ValueError, match=rf"`steps` should be one of 2, .*512. Found {steps}"):
            integrated_gradients(predictor, A, task="sentiment", steps=steps)


def test_real_words_matter(real: Predictor) -> None:
    text = "a dull plot, but a wonderful ending"
    found = integrated_gradients(real, text, task="sentiment", target="expected")
    scores = dict(zip(found.first.words, found.first.values, strict=True))
    assert max(scores, key=lambda word: scores[word]) == "wonderful"
    assert abs(found.gap) < 0.02
    assert target_for(real, "sentiment", None, text, None).task == "sentiment"
