"""One interface for all methods, and how far they disagree."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minbert.explain import occlusion
from minbert.explain.gradients import gradient_times_input, integrated_gradients
from minbert.explain.ranked import METHODS, Explanation, disagreement, explain
from minbert.explain.rollout import attention_rollout
from minbert.explain.targets import Target, WordScores, embeddings_of, target_for
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import watch_encoder

A, B = "the film isn't good", "a dogs film"
FIRST, SECOND = ("the", "film", "isn", "'", "t", "good"), ("a", "dogs", "film")


@torch.inference_mode()
def value(predictor: Predictor, target: Target, *texts: str) -> float:
    items = [[each.item for each in target.readings(predictor, *texts)]]
    return target.of(predictor.model, embeddings_of(predictor, target, items)).item()


def without(words: tuple[str, ...], place: int) -> str:
    return " ".join(words[:place] + words[place + 1 :])


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("task", ["sentiment", "paraphrase", "similarity"])
def test_every_method_scores_every_word(method: str, task: str, build: Build) -> None:
    predictor = build(similarity_score="mean")
    pair = task != "sentiment"
    found = explain(predictor, A, B if pair else None, task, None, method)
    assert (found.method, found.target.task) == (method, task)
    assert found.first.words == FIRST
    assert found.second.words == (SECOND if pair else ())
    assert len(found.first.values) == 6
    assert len(found.second.values) == len(found.second.words)
    assert len(set(found.first.values)) == 6
    assert found.signed == (method != "rollout")
    assert found.skipped == 0


@pytest.mark.parametrize(
    ("task", "target"),
    [("paraphrase", "yes"), ("similarity", "siamese"), ("similarity", "mean")],
)
@pytest.mark.parametrize("head", ["joint", "two_tower"])
def test_occlusion_is_what_the_shortened_texts_give(
    head: str, task: str, target: str, build: Build
) -> None:
    predictor = build(std=0.3, paraphrase_head=head)
    found = explain(predictor, A, B, task, target, "occlusion")
    whole = value(predictor, found.target, A, B)
    first = [whole - value(predictor, found.target, without(FIRST, i), B) for i in range(6)]
    second = [whole - value(predictor, found.target, A, without(SECOND, j)) for j in range(3)]
    assert found.first.values == pytest.approx(first, abs=2e-4)
    assert found.second.values == pytest.approx(second, abs=2e-4)


def test_occlusion_of_a_class(build: Build) -> None:
    predictor = build(std=0.3)
    found = explain(predictor, A, target=3, method="occlusion")
    target = Target("sentiment", 3)
    wanted = [
        value(predictor, target, A) - value(predictor, target, without(FIRST, i)) for i in range(6)
    ]
    assert found.first.values == pytest.approx(wanted, abs=2e-4)


def test_gradients_are_those_of_their_own_functions(build: Build) -> None:
    predictor = build(std=0.3)
    for task, second in (("sentiment", None), ("similarity", B)):
        target = target_for(predictor, task, None, A, second)
        ours = explain(predictor, A, second, task, None, "integrated gradients")
        wanted = integrated_gradients(predictor, A, second, task=task)
        assert (ours.first, ours.second) == (wanted.first, wanted.second)
        plain = explain(predictor, A, second, task, None, "gradient")
        assert (plain.first, plain.second) == gradient_times_input(predictor, target, A, second)


def test_rollout_is_the_embedding_s_share_in_both_orders(build: Build) -> None:
    predictor = build()
    found = explain(predictor, "a dogs", "film", "paraphrase", None, "rollout")
    there = attention_rollout(predictor.attention("a dogs", "film").weights).mean(dim=0)
    back = attention_rollout(predictor.attention("film", "a dogs").weights).mean(dim=0)
    dogs = (there[2] + there[3] + back[4] + back[5]) / 2
    film = (there[5] + back[1]) / 2
    assert found.first.values[1] == pytest.approx(dogs.item(), abs=1e-5)
    assert found.second.values[0] == pytest.approx(film.item(), abs=1e-5)
    specials = (there[[0, 4, 6]].sum() + back[[0, 2, 6]].sum()).item() / 2
    total = sum(found.first.values) + sum(found.second.values)
    assert total == pytest.approx(1 - specials, abs=1e-5)


def test_rollout_follows_the_pooling_and_the_siamese_inputs(build: Build) -> None:
    predictor = build(pooling="cls")
    found = explain(predictor, A, B, "similarity", "siamese", "rollout")
    rolled = attention_rollout(predictor.attention(B).weights)[0]
    assert found.second.values[0] == pytest.approx(rolled[1].item(), abs=1e-5)
    assert found.second.values[2] == pytest.approx(rolled[4].item(), abs=1e-5)


@pytest.mark.parametrize("size", [0, 4])
def test_rollout_sees_the_task_s_pals(size: int, build: Build) -> None:
    predictor = build(pal_size=size)
    siamese = explain(predictor, A, B, "similarity", "siamese", "rollout").first.values
    mood = explain(predictor, A, None, "sentiment", 0, "rollout").first.values
    assert (siamese == pytest.approx(mood, abs=1e-6)) == (size == 0)


def test_a_long_text_s_further_words_are_counted(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(occlusion, "MOST_WORDS", 2)
    found = explain(build(), A, B, "paraphrase", None, "occlusion")
    assert (found.first.words, found.second.words) == (FIRST[:2], SECOND[:2])
    assert found.skipped == 4 + 1


def test_the_cost_of_an_explanation(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = build()
    rows: list[int] = []
    plain = watch_encoder(monkeypatch)

    def note(_module: object, inputs: tuple[Any, ...]) -> None:
        rows.append(len(inputs[0]))

    predictor.model.encoder.layers[0].register_forward_pre_hook(note)
    wanted = {"gradient": 2, "occlusion": 2 * 10, "rollout": 2, "integrated gradients": 2 * 33}
    for method, inputs in wanted.items():
        rows.clear()
        plain.clear()
        explain(predictor, A, B, "paraphrase", None, method)
        assert sum(rows) + sum(map(len, plain)) == inputs, method


def test_integrated_gradients_tell_how_far_they_are(build: Build) -> None:
    told: list[tuple[int, int]] = []
    explain(build(), A, target=0, progress=lambda *done: told.append(done))
    assert told == [(33, 65)]


# Disagreement


def given(method: str, first: list[float], second: list[float]) -> Explanation:
    words = tuple("abcdefgh"[: len(first)]), tuple("xyz"[: len(second)])
    sides = [WordScores(*each) for each in zip(words, (tuple(first), tuple(second)), strict=True)]
    return Explanation(method, Target("similarity", "joint"), sides[0], sides[1], signed=True)


def test_disagreement_by_hand() -> None:
    found = disagreement(
        [
            given("one", [0.9, -0.5, 0.1], [0.3]),  # sizes rank 1 2 4 3
            given("two", [1.0, 0.7, 0.2], [-0.4]),  # the same
            given("three", [0.1, 0.2, -0.9], [0.5]),  # 4 3 1 2
        ]
    )
    assert found.methods == ("one", "two", "three")
    assert found.correlations[("one", "two")] == pytest.approx(1.0)
    # d = 3, 1, 3, 1: 1 - 6 * 20 / 60
    assert found.correlations[("one", "three")] == pytest.approx(-1.0)
    assert set(found.correlations) == {("one", "two"), ("one", "three"), ("two", "three")}
    assert [(word.side, word.place, word.word) for word in found.words] == [
        *((0, 0, "a"), (0, 2, "c"), (0, 1, "b"), (1, 0, "x"))
    ]
    assert found.words[0].ranks == (1.0, 1.0, 4.0)
    assert [word.spread for word in found.words] == [3.0, 3.0, 1.0, 1.0]


def test_disagreement_of_one_word_is_undefined() -> None:
    found = disagreement([given("one", [1.0], []), given("two", [2.0], [])])
    assert found.correlations == {("one", "two"): None}
    assert disagreement([given("one", [], []), given("two", [], [])]).words == ()


def test_words_that_a_method_did_not_try_are_left_out() -> None:
    found = disagreement([given("one", [3.0, 2.0, 1.0], []), given("two", [1.0, 2.0], [])])
    assert len(found.words) == 2


def test_what_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match="`method` should be one of 'integrated gradients'"):
        explain(build(), A, method="lime")
    with pytest.raises(ValueError, match="of two or more methods"):
        disagreement([given("one", [1.0], [])])
    with pytest.raises(ValueError, match="of two or more methods"):
        disagreement([given("one", [1.0], []), given("one", [1.0], [])])
    other = Explanation(
        "two", Target("sentiment", 0), WordScores(("q",), (1.0,)), WordScores(), True
    )
    with pytest.raises(ValueError, match="should be of the same words"):
        disagreement([given("one", [1.0], []), other])
