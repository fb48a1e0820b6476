"""Input reduction: every step keeps the answer and takes the least important word."""

from __future__ import annotations

from typing import Any, cast

import pytest
import torch

from minbert.explain import reduction
from minbert.explain.reduction import NEAR, Reduction, _stays, reduce_input
from minbert.explain.targets import Answer
from minbert.heads import LinearHead
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build

A, B = "the film is not good", "a dogs film"
SEEDS = range(1, 9)


def undecided(predictor: Predictor) -> Predictor:
    """Centre the sentiment logits around those of the words, so that each word may tip them."""
    embedded = predictor.embed(A.split(), "sentiment").mean(dim=0)
    linear = cast(LinearHead, predictor.model.heads["sentiment"]).linear
    with torch.no_grad():
        linear.bias.copy_(-(linear.weight @ embedded))
    return predictor


def decided(predictor: Predictor) -> Predictor:
    """Let the sentiment be class 2 whatever is read."""
    with torch.no_grad():
        cast(LinearHead, predictor.model.heads["sentiment"]).linear.bias[2] += 100.0
    return predictor


def check_words(found: Reduction, removable: int) -> None:
    """Assert that each step lacks one word of the step before, and says which."""
    for before, after in zip(found.steps, found.steps[1:], strict=False):
        (gone,) = set(before.left) - set(after.left)
        words = (found.steps[0].first, found.steps[0].second)
        assert after.removed == words[gone[0]][gone[1]]
        assert len(after.first) + len(after.second) == len(after.left)
        assert after.first == tuple(words[0][place] for side, place in after.left if side == 0)
        assert after.second == tuple(words[1][place] for side, place in after.left if side == 1)
    assert found.steps[0].removed is None
    assert len(found.steps) - 1 <= removable


@pytest.mark.parametrize("seed", SEEDS)
def test_sentiment_keeps_its_class_and_goes_greedily(seed: int, build: Build) -> None:
    predictor = undecided(build(seed=seed, std=0.3))
    found = reduce_input(predictor, A, task="sentiment")
    (whole,) = predictor.sentiment([A])
    label = whole.probabilities.index(max(whole.probabilities))
    words = A.split()
    for number, step in enumerate(found.steps):
        assert step.first == tuple(words)
        (result,) = predictor.sentiment([" ".join(words)])
        assert step.answer.label == result.label == whole.label
        assert step.answer.value == pytest.approx(result.expected, abs=1e-4)
        shorter = [" ".join(words[:i] + words[i + 1 :]) for i in range(len(words))]
        results = predictor.sentiment(shorter) if len(words) > 1 else []
        kept = [i for i, each in enumerate(results) if each.label == whole.label]
        if number == len(found.steps) - 1:
            assert len(words) == 1 or not kept
            if len(words) > 1:
                assert [each.label for each in found.next_answers] == [e.label for e in results]
            break
        best = max(kept, key=lambda i: results[i].probabilities[label])
        words.pop(best)
    check_words(found, 4)


def test_some_reductions_end_before_one_word_and_some_at_one(build: Build) -> None:
    lengths = {
        len(reduce_input(undecided(build(seed=seed, std=0.3)), A, task="sentiment").shortest.left)
        for seed in SEEDS
    }
    assert 1 in lengths
    assert max(lengths) > 1


@pytest.mark.parametrize("options", [{}, {"paraphrase_head": "two_tower"}, {"pal_size": 4}])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_paraphrase_keeps_its_label(seed: int, options: dict[str, Any], build: Build) -> None:
    predictor = build(seed=seed, std=0.3, **options)
    found = reduce_input(predictor, A, B, task="paraphrase")
    label = predictor.pairs([(A, B)])[0].paraphrase > 0.5
    chances = []
    for step in found.steps:
        (pair,) = predictor.pairs([(" ".join(step.first), " ".join(step.second))])
        assert step.answer.value == pytest.approx(pair.paraphrase, abs=1e-4)
        assert (step.answer.label == "yes") == (pair.paraphrase > 0.5) == label
        chances.append(pair.paraphrase)
        assert step.first
        assert step.second, "each sentence keeps a word"
    if len(found.steps) > 1:  # the first removal leaves the model surest of its label
        words = (A.split(), B.split())
        tried = [(" ".join(words[0][:i] + words[0][i + 1 :]), B) for i in range(len(words[0]))] + [
            (A, " ".join(words[1][:j] + words[1][j + 1 :])) for j in range(len(words[1]))
        ]
        results = [pair.paraphrase for pair in predictor.pairs(tried)]
        assert chances[1] == pytest.approx(max(results) if label else min(results), abs=1e-4)
    check_words(found, 6)


@pytest.mark.parametrize("target", ["joint", "siamese", "mean"])
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_similarity_stays_near(seed: int, target: str, build: Build) -> None:
    predictor = build(seed=seed, std=0.2)
    found = reduce_input(predictor, A, B, task="similarity", target=target)

    def score(first: str, second: str) -> float:
        (pair,) = predictor.pairs([(first, second)])
        both = (pair.joint + pair.siamese) / 2
        return {"joint": pair.joint, "siamese": pair.siamese, "mean": both}[target]

    for step in found.steps:
        now = score(" ".join(step.first), " ".join(step.second))
        assert step.answer.value == pytest.approx(now, abs=1e-4)
        assert abs(now - score(A, B)) <= NEAR + 1e-4
    for answer in found.next_answers:
        assert abs(answer.value - found.steps[0].answer.value) > NEAR
    check_words(found, 6)


def test_only_the_first_words_may_go(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reduction, "MOST_WORDS", 2)
    found = reduce_input(decided(build()), A, task="sentiment")
    assert found.skipped == 3
    assert set(found.shortest.left) == {(0, 2), (0, 3), (0, 4)}


def test_each_step_is_told_and_may_stop_it(build: Build) -> None:
    told: list[tuple[int, int]] = []
    reduce_input(decided(build()), A, task="sentiment", progress=lambda *now: told.append(now))
    assert told == [(1, 5), (2, 5), (3, 5), (4, 5)]

    def stop(_done: int, _most: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        reduce_input(decided(build()), A, task="sentiment", progress=stop)


def test_nothing_to_leave_out(build: Build) -> None:
    predictor = build()
    found = reduce_input(predictor, "film", task="sentiment")
    assert (len(found.steps), found.next_answers, found.skipped) == (1, (), 0)
    found = reduce_input(predictor, "a", "film", task="similarity")
    assert (found.shortest.first, found.shortest.second) == (("a",), ("film",))


def test_what_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"`target` of 'sentiment' should be None.*Found 2"):
        reduce_input(build(), A, task="sentiment", target=2)
    with pytest.raises(ValueError, match="`target` of 'similarity' should be one of"):
        reduce_input(build(), A, B, task="similarity", target="cosine")


def test_a_real_reduction_is_short(real: Predictor) -> None:
    found = reduce_input(real, "the story is a complete and utter mess", task="sentiment")
    assert len(found.shortest.left) <= 3
    assert found.shortest.answer.label == found.steps[0].answer.label


def test_a_score_stays_within_half_a_point() -> None:
    whole = Answer("x", 2.5)
    for value, stays in ((2.0, True), (3.0, True), (1.95, False), (3.05, False)):
        assert _stays("similarity", Answer("y", value), whole) == stays
    assert _stays("sentiment", Answer("x", 9.0), whole)
    assert not _stays("paraphrase", Answer("y", 2.5), whole)
