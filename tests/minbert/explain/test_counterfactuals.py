"""Counterfactuals: each try is what the model says to the changed sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from minbert.backends.unpadded import TOKENS_TOGETHER
from minbert.demographics.terms_in_text import in_case_of
from minbert.explain.counterfactuals import find_counterfactuals
from minbert.explain.replacements import replacements_for, word_groups
from minbert.files import CheckpointError
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import watch_encoder

A, B = "The film isn't good", "a slow film"


def test_sentiment_of_every_changed_sentence(build: Build) -> None:
    predictor = build(std=0.3)
    found = find_counterfactuals(predictor, A, task="sentiment")
    (before,) = predictor.sentiment([A])
    assert (found.answer.label, found.left_out) == (before.label, 0)
    words = {(each.word, each.replacement) for each in found.tries}
    assert {("film", "movie"), ("isn't", "is"), ("good", "terrible")} <= words
    for each, result in zip(
        found.tries, predictor.sentiment([each.text for each in found.tries]), strict=True
    ):
        assert each.text == A.replace(each.word, each.replacement)
        assert A[each.start :].startswith(each.word)
        assert each.answer.label == result.label
        assert each.change == pytest.approx(result.expected - before.expected, abs=1e-4)
        assert each.flips == (result.label != before.label)
    sizes = [abs(each.change) for each in found.tries]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] > 1e-2


@pytest.mark.parametrize("target", ["joint", "siamese", "mean"])
def test_similarity_of_pairs(target: str, build: Build) -> None:
    predictor = build(std=0.3)
    found = find_counterfactuals(predictor, A, B, task="similarity", target=target)
    assert {each.side for each in found.tries} == {0, 1}
    for each in found.tries:
        (pair,) = predictor.pairs([(each.text, B) if each.side == 0 else (A, each.text)])
        wanted = {"joint": pair.joint, "siamese": pair.siamese}
        wanted["mean"] = (pair.joint + pair.siamese) / 2
        assert each.answer.value == pytest.approx(wanted[target], abs=1e-4)


def test_paraphrase_of_pairs(build: Build) -> None:
    predictor = build(std=0.3)
    found = find_counterfactuals(predictor, A, B, task="paraphrase")
    each = found.tries[0]
    (pair,) = predictor.pairs([(each.text, B) if each.side == 0 else (A, each.text)])
    assert each.answer.value == pytest.approx(pair.paraphrase, abs=1e-4)


def test_the_strongest_of_each_word(build: Build) -> None:
    found = find_counterfactuals(build(std=0.3), A, B, task="similarity", target="joint")
    best = found.by_word
    places = [(each.side, each.start) for each in best]
    assert len(places) == len(set(places))
    assert set(places) == {(each.side, each.start) for each in found.tries}
    assert best[0] == found.tries[0]
    for each in best:
        same = [t for t in found.tries if (t.side, t.start) == (each.side, each.start)]
        assert abs(each.change) == max(abs(t.change) for t in same)


def test_the_cap_leaves_every_word_a_try(build: Build) -> None:
    predictor = build()
    every = find_counterfactuals(predictor, A, B, task="similarity")
    words = {(each.side, each.start) for each in every.tries}
    found = find_counterfactuals(predictor, A, B, task="similarity", most=len(words))
    assert {(each.side, each.start) for each in found.tries} == words
    assert found.left_out == len(every.tries) - len(words) > 0


def test_few_batches(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    predictor = build()
    calls = watch_encoder(monkeypatch)
    found = find_counterfactuals(predictor, B, task="sentiment")
    first, *rest = (len(call) for call in calls)
    assert first == 1, "the class to explain, then everything at once"
    assert sum(rest) == 1 + len(found.tries)
    assert all(sum(map(len, call)) > TOKENS_TOGETHER // 2 for call in calls[1:-1])


def test_no_word_of_ours(build: Build) -> None:
    found = find_counterfactuals(build(), "zzz 日本", task="sentiment")
    assert (found.tries, found.by_word, found.left_out) == ((), (), 0)


def test_no_tries_are_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"`most` should be at least 1\. Found 0"):
        find_counterfactuals(build(), A, task="sentiment", most=0)


# The words


def test_replacements_keep_the_case() -> None:
    assert ("thing", "movie") in replacements_for("film")
    assert ("thing", "Movie") in replacements_for("Film")
    assert ("thing", "MOVIE") in replacements_for("FILM")
    assert ("negation", "isn't") in replacements_for("is")
    assert ("negation", "is") in replacements_for("isn’t")
    assert replacements_for("zebra") == []
    assert (in_case_of("a", "I"), in_case_of("an", "i")) == ("A", "an")


def test_a_word_of_two_groups_has_the_words_of_both_once() -> None:
    found = [word for _, word in replacements_for("slow")]
    assert {"exciting", "fast"} <= set(found)
    assert len(found) == len(set(found))
    assert "slow" not in found


def test_the_groups_are_fit_to_edit() -> None:
    for kind, groups in word_groups().items():
        for group in groups:
            assert len(group) >= 2, kind
            assert len(set(group)) == len(group), group
            assert all(word == word.lower().strip() for word in group), group


@pytest.mark.parametrize("values", [{"a": "good"}, {"a": ["good"]}, {"a": [["good", 1]]}, {"a": 1}])
def test_groups_of_another_form_are_refused(values: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "replacements.json"
    with pytest.raises(CheckpointError, match="should exist"):
        word_groups(path)
    path.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(CheckpointError, match="each group a list of words"):
        word_groups(path)


def test_a_real_negation_matters(real: Predictor) -> None:
    found = find_counterfactuals(real, "This is a good film.", task="sentiment")
    best = {each.word: each for each in found.by_word}
    assert best["good"].change < -0.5
    assert best["good"].flips
    assert abs(best["good"].change) > abs(best["film"].change)
