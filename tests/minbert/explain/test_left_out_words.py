"""Occlusion: each value is what the predictor says of the shortened text."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from minbert.explain import occlusion
from minbert.explain.occlusion import (
    leave_out,
    occlude_joint,
    occlude_sentiment,
    occlude_similarity,
)
from minbert.predictor import Predictor
from minbert.text import Encoded
from tests.minbert.explain.conftest import Build
from tests.support import watch_encoder

FIRST, SECOND = "the film isn't good", "a dogs film film"
FIRST_WORDS = ("the", "film", "isn", "'", "t", "good")
SECOND_WORDS = ("a", "dogs", "film", "film")
POOLINGS = ["cls", "mean", "max", "pooler", "attention"]


def without(words: tuple[str, ...], place: int) -> str:
    """Return the text of all words but one."""
    return " ".join(words[:place] + words[place + 1 :])


def shortened() -> list[tuple[str, str]]:
    """Return the pair without each word of A, then without each of B."""
    return [(without(FIRST_WORDS, i), SECOND) for i in range(6)] + [
        (FIRST, without(SECOND_WORDS, j)) for j in range(4)
    ]


# Against the shortened texts


@pytest.mark.parametrize("pooling", POOLINGS)
def test_the_siamese_score_of_the_shortened_texts(pooling: str, build: Build) -> None:
    predictor = build(pooling=pooling)
    found = occlude_similarity(predictor, FIRST, SECOND)
    assert (found.first, found.second) == (FIRST_WORDS, SECOND_WORDS)
    wanted = predictor.siamese([(FIRST, SECOND), *shortened()]).tolist()
    scores = [found.score, *found.without_first, *found.without_second]
    assert scores == pytest.approx(wanted, abs=2e-5)
    assert len({round(score, 4) for score in scores}) > 5, "a wrong order would show"
    assert found.skipped == (0, 0)


@pytest.mark.parametrize("pooling", POOLINGS)
@pytest.mark.parametrize("size", [0, 4])
def test_the_sentiment_of_the_shortened_texts(size: int, pooling: str, build: Build) -> None:
    predictor = build(pooling=pooling, pal_size=size)
    found = occlude_sentiment(predictor, FIRST)
    assert found.words == FIRST_WORDS
    whole, *rest = predictor.sentiment([FIRST, *(without(FIRST_WORDS, i) for i in range(6))])
    assert found.result.probabilities == pytest.approx(whole.probabilities, abs=1e-5)
    assert len(found.without) == len(rest)
    for result, wanted in zip(found.without, rest, strict=True):
        assert result.probabilities == pytest.approx(wanted.probabilities, abs=1e-5)
    changes = [result.expected - whole.expected for result in rest]
    told = [result.expected - found.result.expected for result in found.without]
    assert told == pytest.approx(changes, abs=1e-4)
    assert max(map(abs, changes)) > 1e-2
    assert found.skipped == 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"pooling": "cls", "pair_token_types": False},
        {"paraphrase_head": "two_tower"},
        {"pal_size": 4},
        {"pal_size": 4, "paraphrase_head": "two_tower", "similarity_head": "relu"},
    ],
)
def test_the_joint_answers_of_the_shortened_texts(options: dict[str, Any], build: Build) -> None:
    predictor = build(**options)
    found = occlude_joint(predictor, FIRST, SECOND)
    assert (found.first, found.second) == (FIRST_WORDS, SECOND_WORDS)
    wanted = predictor.pairs([(FIRST, SECOND), *shortened()])
    scores = [found.score, *found.without_first, *found.without_second]
    assert len(scores) == len(wanted)
    for score, pair in zip(scores, wanted, strict=True):
        assert score.paraphrase == pytest.approx(pair.paraphrase, abs=2e-5)
        assert score.similarity == pytest.approx(pair.joint, abs=4e-5)
    assert len({round(score.paraphrase, 4) for score in scores}) > 5, "a wrong order would show"


# Masked instead of removed


def test_leaving_out_by_hand() -> None:
    item = Encoded([2, 7, 8, 3, 9, 3], [0, 0, 0, 0, 1, 1], left_out=5)
    assert leave_out(item, (1, 2)) == Encoded([2, 3, 9, 3], [0, 0, 1, 1], 5)
    assert leave_out(item, (4,)) == Encoded([2, 7, 8, 3, 3], [0, 0, 0, 0, 1], 5)
    assert leave_out(item, (1, 2), mask=4) == Encoded([2, 4, 4, 3, 9, 3], item.token_types, 5)
    assert item == Encoded([2, 7, 8, 3, 9, 3], [0, 0, 0, 0, 1, 1], 5)


def test_a_masked_word_is_a_mask_for_each_piece(build: Build) -> None:
    predictor = build()
    found = occlude_sentiment(predictor, "the dogs", mode="mask")
    (item,) = predictor.encode_single(["the dogs"])
    mask = predictor.tokenizer.mask_id
    variant = Encoded([*item.ids[:2], mask, mask, item.ids[-1]], item.token_types)
    with torch.no_grad():
        logits = predictor.model.sentiment_logits(predictor.pooled([variant]))
    assert found.without[1].probabilities == pytest.approx(logits.softmax(-1)[0].tolist(), abs=1e-5)
    removed = occlude_sentiment(predictor, "the dogs")
    assert found.without[1].probabilities != pytest.approx(
        removed.without[1].probabilities, abs=1e-3
    )
    assert found.result.probabilities == pytest.approx(removed.result.probabilities, abs=1e-5)


def test_pairs_can_be_masked_too(build: Build) -> None:
    predictor = build()
    siamese = occlude_similarity(predictor, FIRST, SECOND, mode="mask")
    joint = occlude_joint(predictor, FIRST, SECOND, mode="mask")
    assert siamese.without_first != occlude_similarity(predictor, FIRST, SECOND).without_first
    assert joint.without_second != occlude_joint(predictor, FIRST, SECOND).without_second
    assert len(siamese.without_first) == len(joint.without_first) == 6


def test_an_unknown_mode_is_refused(build: Build) -> None:
    predictor = build()
    message = r"`mode` should be one of 'remove', 'mask'\. Found 'drop'\."
    with pytest.raises(ValueError, match=message):
        occlude_sentiment(predictor, FIRST, mode="drop")
    with pytest.raises(ValueError, match=message):
        occlude_similarity(predictor, FIRST, SECOND, mode="drop")
    with pytest.raises(ValueError, match=message):
        occlude_joint(predictor, FIRST, SECOND, mode="drop")


# Batches, limits, odd texts


def test_equal_inputs_are_encoded_once_and_all_in_batches(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = build()
    calls = watch_encoder(monkeypatch)
    occlude_similarity(predictor, FIRST, SECOND)
    assert [len(call) for call in calls] == [1 + 6 + 1 + 4 - 1], (
        "leaving out either of two equal neighbours is the same"
    )
    calls.clear()
    occlude_sentiment(predictor, FIRST)
    assert [len(call) for call in calls] == [1 + 6]
    calls.clear()
    occlude_joint(predictor, FIRST, SECOND)
    assert [len(call) for call in calls] == [2 * (1 + 6 + 4 - 1)], (
        "one encoding for both tasks, both orders"
    )


def test_one_word_leaves_an_empty_sentence_and_not_an_empty_input(build: Build) -> None:
    predictor = build()
    empty, words = predictor.pooled(
        predictor.single_inputs(predictor.tokenizer.pieces(["", SECOND])), "similarity"
    )
    score = predictor.model.siamese_similarity(empty[None], words[None]).item()
    assert occlude_similarity(predictor, "film", SECOND).without_first[0] == pytest.approx(
        score, abs=2e-5
    )
    (wanted,) = predictor.sentiment_of(empty[None])
    assert occlude_sentiment(predictor, "films").without[0].probabilities == pytest.approx(
        wanted.probabilities, abs=1e-5
    )
    assert len(occlude_joint(predictor, "film", "film").without_second) == 1


def test_odd_texts(build: Build) -> None:
    predictor = build()
    odd = "[SEP] (b)/ 🙂 \ud83d 日本"
    words = occlude_sentiment(predictor, odd).words
    assert words[:4] == ("[", "sep", "]", "(")
    assert len(occlude_joint(predictor, odd, "[CLS]").without_first) == len(words)
    assert len(occlude_similarity(predictor, odd, odd).without_second) == len(words)


@pytest.mark.parametrize("head", ["joint", "two_tower"])
def test_truncation_keeps_its_cut(head: str, build: Build) -> None:
    predictor = build(max_length=12, paraphrase_head=head)
    first, second = "film dog cat plot red slow", "good bad great dull funny fast"
    found = occlude_joint(predictor, first, second)
    # 9 pieces for both: 5 for the sentence in front and 4 for the other
    assert found.first == ("film", "dog", "cat", "plot", "red")
    assert found.second == ("good", "bad", "great", "dull", "funny")
    (whole,) = predictor.pairs([(first, second)])
    assert found.score.similarity == pytest.approx(whole.joint, abs=4e-5)
    there = predictor.joint([("film cat plot red", "good bad great dull")])[1].item()
    back = predictor.joint([("good bad great dull funny", "film cat plot")])[1].item()
    assert found.without_first[1].similarity == pytest.approx((there + back) / 2, abs=4e-5)
    there = predictor.joint([("film dog cat plot", "good bad great dull")])[1].item()
    back = predictor.joint([("good bad great dull funny", "film dog cat plot")])[1].item()
    assert found.without_first[4].similarity == pytest.approx((there + back) / 2, abs=4e-5)


def test_a_long_text_s_first_words_are_tried(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    assert occlusion.MOST_WORDS == 64
    monkeypatch.setattr(occlusion, "MOST_WORDS", 3)
    predictor = build()
    sentiment = occlude_sentiment(predictor, FIRST)
    assert (sentiment.words, sentiment.skipped) == (FIRST_WORDS[:3], 3)
    assert len(sentiment.without) == 3
    similarity = occlude_similarity(predictor, FIRST, "a dog")
    assert (len(similarity.without_first), len(similarity.without_second)) == (3, 2)
    assert similarity.skipped == (3, 0)
    joint = occlude_joint(predictor, "a dog", FIRST)
    assert (len(joint.without_first), len(joint.without_second), joint.skipped) == (2, 3, (0, 3))
    wanted = predictor.pairs([("a dog", without(FIRST_WORDS, 2))])[0]
    assert joint.without_second[2].similarity == pytest.approx(wanted.joint, abs=4e-5)


def test_a_real_negation_matters(real: Predictor) -> None:
    found = occlude_sentiment(real, "this film is not good")
    assert found.words == ("this", "film", "is", "not", "good")
    without_not = found.without[3].expected
    assert without_not - found.result.expected > 0.3, "without 'not' it is a better film"
