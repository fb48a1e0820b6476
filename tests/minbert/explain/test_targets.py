"""Targets: the numbers that are explained are those behind the page's answers."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch

from minbert.explain.targets import (
    EXPECTED,
    Target,
    embeddings_of,
    gather,
    mean_log_odds,
    target_for,
)
from minbert.predictor import Predictor
from minbert.tasks import similarity_band
from tests.minbert.explain.conftest import Build

A, B = "the film isn't good", "a dogs film"
OPTIONS: list[dict[str, Any]] = [
    {"similarity_score": "mean"},
    {"pooling": "cls", "similarity_score": "siamese"},
    {"paraphrase_head": "two_tower", "cosine_scaling": "positive"},
    {"pal_size": 4, "similarity_score": "mean", "pooling": "attention"},
    {"sentiment_temperature": 1.7, "paraphrase_temperature": 0.6, "paraphrase_offset": -0.8},
]


@torch.inference_mode()
def value(predictor: Predictor, target: Target, *texts: str) -> float:
    readings = target.readings(predictor, *texts)
    variants = [[reading.item for reading in readings]]
    return target.of(predictor.model, embeddings_of(predictor, target, variants)).item()


def log_odds(probability: float) -> float:
    return math.log(probability / (1 - probability))


@pytest.mark.parametrize("options", OPTIONS)
def test_sentiment_is_the_class_s_log_odds(options: dict[str, Any], build: Build) -> None:
    predictor = build(std=0.3, **options)
    probabilities = predictor.sentiment([A])[0].probabilities
    for label, probability in enumerate(probabilities):
        found = value(predictor, Target("sentiment", label), A)
        assert found == pytest.approx(log_odds(probability), abs=1e-3)
    expected = value(predictor, Target("sentiment", EXPECTED), A)
    assert expected == pytest.approx(predictor.sentiment([A])[0].expected, abs=1e-4)
    assert target_for(predictor, "sentiment", None, A, None).score == probabilities.index(
        max(probabilities)
    )


@pytest.mark.parametrize("options", OPTIONS)
def test_pairs_are_what_the_page_shows(options: dict[str, Any], build: Build) -> None:
    predictor = build(std=0.3, **options)
    (pair,) = predictor.pairs([(A, B)])
    assert abs(pair.paraphrase_ab - pair.paraphrase_ba) > 1e-3, "both orders must count"
    yes = target_for(predictor, "paraphrase", None, A, B)
    assert value(predictor, yes, A, B) == pytest.approx(log_odds(pair.paraphrase), abs=1e-4)
    wanted = {"joint": pair.joint, "siamese": pair.siamese}
    wanted["mean"] = (pair.joint + pair.siamese) / 2
    for name, score in wanted.items():
        assert value(predictor, Target("similarity", name), A, B) == pytest.approx(score, abs=1e-4)
    reported = target_for(predictor, "similarity", None, A, B)
    assert value(predictor, reported, A, B) == pytest.approx(pair.similarity, abs=1e-4)


def test_answers_are_the_page_s(build: Build) -> None:
    predictor = build(std=0.3, similarity_score="mean")
    pairs = [(A, B), (B, "not good"), ("film", "film")]
    results = predictor.pairs(pairs)
    for task in ("paraphrase", "similarity"):
        target = target_for(predictor, task, None, A, B)
        inputs = [[each.item for each in target.readings(predictor, *pair)] for pair in pairs]
        with torch.inference_mode():
            found = target.answers(predictor.model, embeddings_of(predictor, target, inputs))
        for answer, result in zip(found, results, strict=True):
            if task == "paraphrase":
                assert answer.value == pytest.approx(result.paraphrase, abs=1e-5)
                assert answer.label == ("yes" if result.paraphrase > 0.5 else "no")
            else:
                assert answer.value == pytest.approx(result.similarity, abs=1e-4)
                assert answer.label == similarity_band(result.similarity)
    target = Target("sentiment", 0)
    inputs = [[each.item for each in target.readings(predictor, text)] for text in (A, B)]
    with torch.inference_mode():
        moods = target.answers(predictor.model, embeddings_of(predictor, target, inputs))
    for mood, result in zip(moods, predictor.sentiment([A, B]), strict=True):
        assert (mood.label, mood.value) == (result.label, pytest.approx(result.expected, abs=1e-4))


def test_the_mean_of_two_probabilities_by_hand() -> None:
    first, second = torch.tensor([0.0, 3.0, 400.0]), torch.tensor([0.0, -2.0, 500.0])
    found = mean_log_odds(first, second).tolist()
    assert found[0] == pytest.approx(0.0, abs=1e-6)
    mean = (1 / (1 + math.exp(-3)) + 1 / (1 + math.exp(2))) / 2
    assert found[1] == pytest.approx(log_odds(mean), abs=1e-5)
    assert found[2] == pytest.approx(400 + math.log(2), abs=1e-3), "no infinity"


def test_gathering_sums_over_the_inputs_of_both_orders(build: Build) -> None:
    predictor = build()
    target = Target("similarity", "joint")
    readings = target.readings(predictor, "a dogs", "cat")
    # [CLS] a dog ##s [SEP] cat [SEP], then [CLS] cat [SEP] a dog ##s [SEP]
    there = torch.tensor([100.0, 1, 2, 3, 100, 4, 100])
    back = torch.tensor([100.0, 10, 100, 20, 30, 40, 100])
    a, b = gather(predictor, readings, [there, back])
    assert (a.words, a.values) == (("a", "dogs"), (21.0, 75.0))
    assert (b.words, b.values) == (("cat",), (14.0,))
    a, _ = gather(predictor, readings, [there, back], pieces=True)
    assert (a.words, a.values) == (("a", "dog", "##s"), (21.0, 32.0, 43.0))


def test_gathering_keeps_the_words_that_one_order_lost(build: Build) -> None:
    predictor = build(max_length=12)
    readings = Target("paraphrase", "yes").readings(
        predictor, "film dog cat plot red slow", "good bad great dull funny fast"
    )
    ones = [torch.ones(12), torch.ones(12)]
    a, b = gather(predictor, readings, ones)
    assert (a.words, a.values) == (("film", "dog", "cat", "plot", "red"), (2, 2, 2, 2, 1))
    assert (b.words, b.values) == (("good", "bad", "great", "dull", "funny"), (2, 2, 2, 2, 1))


@pytest.mark.parametrize(
    ("task", "target", "second", "message"),
    [
        ("mood", None, None, "`task` should be one of"),
        ("sentiment", 5, None, r"`target` of 'sentiment' should be one of 0, .*Found 5"),
        ("sentiment", True, None, r"Found True"),
        ("sentiment", None, B, r"`second` should fit 'sentiment'"),
        ("paraphrase", None, None, r"which takes both sentences\. Found None"),
        ("paraphrase", "no", B, r"should be one of 'yes'\. Found 'no'"),
        ("similarity", "cosine", B, r"'joint', 'siamese', 'mean'\. Found 'cosine'"),
    ],
)
def test_what_is_refused(
    task: str, target: int | str | None, second: str | None, message: str, build: Build
) -> None:
    with pytest.raises(ValueError, match=message):
        target_for(build(), task, target, A, second)
