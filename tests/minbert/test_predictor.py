"""The predictor: order kept, no answer depends on its neighbours, both orders of a pair."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minbert.answers import PairResult, SentimentResult
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import SIMILARITY_BANDS
from minbert.text import TEXTS_PER_BATCH, TOKENS_PER_BATCH, Encoded, length_batches, pad
from tests.support import assert_attention_rows, assert_close, redraw, tiny_model

TEXTS = (
    "the film is good, the plot is dull, and it is not funny, not this actor in this slow story",
    ".",
    "a dog",
    "how do i learn python quickly?",
    "film",
    "the cat sleeps 🙂 [SEP] on the sofa",
    "zebra crossings " * 40,
    "what is the language of the story?",
)
PAIRS = tuple(zip(TEXTS, reversed(TEXTS), strict=True))
CAT, DOG = "the cat sleeps in the garden.", "a red dog runs to the park, and it is great fun"


@pytest.fixture
def predictor(model: MultitaskBert) -> Predictor:
    """Give a predictor whose answers differ from text to text."""
    return Predictor(model, device="cpu")


def numbers(result: PairResult | SentimentResult) -> torch.Tensor:
    """Return all of a result's numbers."""
    values = dataclasses.astuple(result)
    return torch.tensor(values[0] if isinstance(result, SentimentResult) else values)


# Order and neighbours


def test_embeddings_keep_their_order_whatever_the_lengths(predictor: Predictor) -> None:
    together = predictor.embed(TEXTS)
    assert together.shape == (len(TEXTS), 16)
    for row, text in enumerate(TEXTS):
        assert_close(predictor.embed([text])[0], together[row])
    distances = torch.cdist(together, together) + torch.eye(len(TEXTS)) * 9
    assert distances.min() > 0.1, "a wrong order would show"


def test_order_holds_over_several_batches(predictor: Predictor) -> None:
    words = ("film", "plot", "dull", "good", "red", "slow", "cat", "park")
    texts = [" ".join(words[(i + j) % 8] for j in range(1 + i % 11)) for i in range(150)]
    together = predictor.embed(texts)
    for row in (0, 10, 63, 64, 65, 100, 149):
        assert_close(predictor.embed([texts[row]])[0], together[row])


def test_a_sentiment_alone_is_what_it_is_in_a_crowd(predictor: Predictor) -> None:
    together = predictor.sentiment(TEXTS)
    assert len(together) == len(TEXTS)
    for text, result in zip(TEXTS, together, strict=True):
        (alone,) = predictor.sentiment([text])
        assert_close(numbers(alone), numbers(result))
        assert sum(result.probabilities) == pytest.approx(1.0, abs=1e-5)
        assert len(result.probabilities) == 5
    assert len({result.probabilities for result in together}) == len(TEXTS)


def test_a_pair_alone_is_what_it_is_in_a_crowd(predictor: Predictor) -> None:
    together = predictor.pairs(PAIRS)
    assert len(together) == len(PAIRS)
    for pair, result in zip(PAIRS, together, strict=True):
        (alone,) = predictor.pairs([pair])
        assert_close(numbers(alone), numbers(result), 2e-5)
    assert len({result.joint_ab for result in together}) == len(PAIRS)


def test_no_texts_give_no_results(predictor: Predictor) -> None:
    assert predictor.sentiment([]) == []
    assert predictor.pairs([]) == []
    assert predictor.embed([]).shape == (0, 16)


def test_the_lists_given_stay_as_they_were(predictor: Predictor) -> None:
    texts, pairs = list(TEXTS), list(PAIRS)
    predictor.sentiment(texts)
    predictor.pairs(pairs)
    assert texts == list(TEXTS)
    assert pairs == list(PAIRS)


# What each answer is


def test_an_answer_is_sentiment_and_pairs(predictor: Predictor) -> None:
    sentiments, pair = predictor.answer(CAT, DOG)
    for found, wanted in zip(sentiments, predictor.sentiment([CAT, DOG]), strict=True):
        assert_close(numbers(found), numbers(wanted))
    assert_close(numbers(pair), numbers(predictor.pairs([(CAT, DOG)])[0]))


def test_sentiment_is_the_softmax_of_the_model_s_logits(predictor: Predictor) -> None:
    (result,) = predictor.sentiment([CAT])
    with torch.no_grad():
        logits = predictor.model.predict_sentiment(pad(predictor.encode_single([CAT])))
    assert_close(numbers(result), (logits.exp() / logits.exp().sum())[0])


def test_a_pair_s_joint_scores_are_the_model_s(predictor: Predictor) -> None:
    (result,) = predictor.pairs([(CAT, DOG)])
    with torch.no_grad():
        there, back = (pad(predictor.encode_joint([pair])) for pair in ((CAT, DOG), (DOG, CAT)))
        model = predictor.model
        wanted = torch.cat(
            [
                1 / (1 + (-model.predict_paraphrase(there)).exp()),
                1 / (1 + (-model.predict_paraphrase(back)).exp()),
                model.predict_similarity(there),
                model.predict_similarity(back),
            ]
        )
    assert_close(numbers(result)[:4], wanted)
    probabilities, scores = predictor.joint([(CAT, DOG), (DOG, CAT)])
    assert_close(torch.cat([probabilities, scores]), wanted)


def test_the_siamese_score_is_the_cosine_of_the_embeddings(predictor: Predictor) -> None:
    first, second = predictor.embed([CAT, DOG])
    wanted = 2.5 * (first @ second / (first.norm() * second.norm()) + 1)
    (result,) = predictor.pairs([(CAT, DOG)])
    assert result.siamese == pytest.approx(wanted.item(), abs=1e-5)
    assert_close(predictor.siamese([(CAT, DOG)]), wanted[None])
    assert predictor.siamese([(CAT, CAT)]).item() == pytest.approx(5.0, abs=1e-5)


def test_swapping_a_pair_swaps_its_orders(predictor: Predictor) -> None:
    (there,), (back,) = predictor.pairs([(CAT, DOG)]), predictor.pairs([(DOG, CAT)])
    assert there.joint_ab == pytest.approx(back.joint_ba, abs=1e-5)
    assert there.joint_ba == pytest.approx(back.joint_ab, abs=1e-5)
    assert there.paraphrase_ab == pytest.approx(back.paraphrase_ba, abs=1e-5)
    assert there.paraphrase_ba == pytest.approx(back.paraphrase_ab, abs=1e-5)
    assert there.siamese == pytest.approx(back.siamese, abs=1e-5)
    assert there.similarity == pytest.approx(back.similarity, abs=1e-5)
    assert abs(there.joint_ab - there.joint_ba) > 1e-2, "the joint score isn't symmetric"
    assert abs(there.paraphrase_ab - there.paraphrase_ba) > 1e-3


@pytest.mark.parametrize("score", ["joint", "siamese", "mean"])
def test_the_headline_is_the_config_s(score: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, similarity_score=score)
    redraw(model, seed=1)
    (result,) = Predictor(model, "cpu").pairs([(CAT, DOG)])
    assert abs(result.joint - result.siamese) > 0.1, "the three scores differ"
    wanted = {
        "joint": result.joint,
        "siamese": result.siamese,
        "mean": (result.joint + result.siamese) / 2,
    }[score]
    assert result.similarity == pytest.approx(wanted, abs=1e-5)


def test_a_pair_s_means_and_band_by_hand() -> None:
    result = PairResult(0.2, 0.4, 3.0, 5.0, 1.0, 4.2)
    assert result.paraphrase == pytest.approx(0.3)
    assert result.joint == pytest.approx(4.0)
    assert result.band == SIMILARITY_BANDS[4]
    assert dataclasses.replace(result, similarity=-9.0).band == SIMILARITY_BANDS[0]
    assert dataclasses.replace(result, similarity=9.0).band == SIMILARITY_BANDS[5]


@pytest.mark.parametrize(
    ("similarity", "score"), [(5.33, 5.0), (-0.2, 0.0), (5.0, 5.0), (0.0, 0.0), (4.2, 4.2)]
)
def test_a_pair_s_score_is_within_its_scale_and_the_raw_one_beside_it(
    similarity: float, score: float
) -> None:
    result = PairResult(0.2, 0.4, 6.0, 6.0, -1.0, similarity)
    assert (result.score, result.raw, result.similarity) == (score, similarity, similarity)


def test_a_sentiment_s_label_and_expectation_by_hand() -> None:
    result = SentimentResult((0.1, 0.2, 0.1, 0.5, 0.1))
    assert result.label == "positive"
    assert result.expected == pytest.approx(2.3)


# Token types, counts


@pytest.mark.parametrize("token_types", [True, False])
def test_pairs_are_encoded_with_the_config_s_token_types(token_types: bool, tmp_path: Path) -> None:
    predictor = Predictor(tiny_model(tmp_path, pair_token_types=token_types), "cpu")
    (item,) = predictor.encode_joint([("the film", "a dog runs")])
    spelt = ["[CLS]", "the", "film", "[SEP]", "a", "dog", "runs", "[SEP]"]
    assert predictor.tokenizer.tokens(item.ids) == spelt
    assert item.token_types == [0, 0, 0, 0, *[int(token_types)] * 4]


@pytest.mark.parametrize(
    ("text", "tokens", "left_out", "unknown"),
    [
        ("", 2, 0, 0),
        ("the film", 4, 0, 0),
        ("the 🙂 film 🙂", 6, 0, 2),
        ("the films [SEP]", 10, 0, 0),  # the film ##s [ s ##e ##p ]
        ("the [MASK] film", 5, 0, 0),
        ("film " * 10, 12, 0, 0),
        ("film " * 11, 13, 1, 0),
        ("film " * 10_000, 10_002, 9_990, 0),
        ("film " * 12 + "🙂", 15, 3, 1),
    ],
)
def test_tokens_are_counted(
    text: str, tokens: int, left_out: int, unknown: int, tmp_path: Path
) -> None:
    predictor = Predictor(tiny_model(tmp_path, max_length=12), "cpu")
    count = predictor.count_tokens(text)
    assert (count.tokens, count.left_out, count.unknown) == (tokens, left_out, unknown)
    assert count.masked == text.count("[MASK]")
    (item,) = predictor.single_inputs(predictor.tokenizer.pieces([text]))
    assert item.left_out == left_out


# Attention


def test_attention_of_a_sentence(predictor: Predictor) -> None:
    result = predictor.attention("the films")
    assert result.tokens == ["[CLS]", "the", "film", "##s", "[SEP]"]
    assert result.segments == [0, 0, 0, 0, 0]
    assert result.layers == (0, 1)
    assert result.weights.shape == (2, 4, 5, 5)
    assert_attention_rows(result.weights, torch.ones(2, 5))
    assert result.left_out == 0


def test_attention_of_a_pair(predictor: Predictor) -> None:
    result = predictor.attention("the film", "a [SEP] dog")
    assert result.tokens == (
        ["[CLS]", "the", "film", "[SEP]", "a", "[", "s", "##e", "##p", "]", "dog", "[SEP]"]
    )
    assert result.segments == [0] * 4 + [1] * 8
    assert_attention_rows(result.weights, torch.ones(2, 12))


def test_attention_of_some_layers(predictor: Predictor) -> None:
    every = predictor.attention(CAT, DOG)
    last = predictor.attention(CAT, DOG, layers=[1])
    assert last.layers == (1,)
    assert last.weights.shape[0] == 1
    assert_close(last.weights[0], every.weights[1])
    both = predictor.attention(CAT, DOG, layers=[1, 0, 1])
    assert both.layers == (0, 1)
    assert_close(both.weights, every.weights)
    assert (every.weights[0] - every.weights[1]).abs().max() > 0.1
    with pytest.raises(ValueError, match=r"`maps_of` should name layers 0 to 1\. Found \[2\]"):
        predictor.attention(CAT, layers=[2])


def test_attention_tells_what_was_left_out(predictor: Predictor) -> None:
    result = predictor.attention("film " * 100, "dog " * 100)
    assert len(result.tokens) == 48
    assert result.left_out == 155
    assert result.segments == [0] * 25 + [1] * 23
    assert result.tokens[24] == result.tokens[47] == "[SEP]"


# Eval mode, device


def test_dropout_is_off(model: MultitaskBert) -> None:
    predictor = Predictor(model.train(), device="cpu")
    assert not any(part.training for part in predictor.model.modules())
    assert predictor.answer(CAT, DOG) == predictor.answer(CAT, DOG)
    assert torch.equal(predictor.attention(CAT).weights, predictor.attention(CAT).weights)


def test_answers_carry_no_gradient(predictor: Predictor) -> None:
    assert not predictor.embed([CAT]).requires_grad
    assert not predictor.attention(CAT).weights.requires_grad


def test_a_saved_model_answers_as_before(predictor: Predictor, tmp_path: Path) -> None:
    predictor.model.save_pretrained(tmp_path / "saved")
    again = Predictor.from_pretrained(tmp_path / "saved", device="cpu")
    for found, wanted in zip(again.sentiment(TEXTS), predictor.sentiment(TEXTS), strict=True):
        assert_close(numbers(found), numbers(wanted))
    assert_close(numbers(again.answer(CAT, DOG)[1]), numbers(predictor.answer(CAT, DOG)[1]))


def test_a_model_without_tokenizer_is_told(model: MultitaskBert) -> None:
    model.tokenizer = None
    with pytest.raises(ValueError, match=r"`model\.tokenizer` should be set\. Found None"):
        Predictor(model)


def test_an_unknown_device_is_told(model: MultitaskBert) -> None:
    with pytest.raises(ValueError, match="`device` should be one of 'auto'"):
        Predictor(model, device="gpu")


# Batches by length


@settings(derandomize=True, max_examples=60, database=None, deadline=None)
@given(st.lists(st.one_of(st.integers(1, 40), st.integers(1, 9000)), max_size=300))
def test_length_batches_cover_every_row_once_within_the_limits(lengths: list[int]) -> None:
    inputs = [Encoded([7] * length, [0] * length) for length in lengths]
    batches = list(length_batches(inputs))
    assert sorted(row for batch in batches for row in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[row] for row in batch)
        assert 1 <= len(batch) <= TEXTS_PER_BATCH == 64
        assert len(batch) == 1 or len(batch) * longest <= TOKENS_PER_BATCH == 4096
    in_order = [lengths[row] for batch in batches for row in batch]
    assert in_order == sorted(in_order), "rows of similar length go together"


def test_length_batches_are_full() -> None:
    inputs = [Encoded([7] * 10, [0] * 10)] * 130
    assert [len(batch) for batch in length_batches(inputs)] == [64, 64, 2]
    long = [Encoded([7] * 128, [0] * 128)] * 40
    assert [len(batch) for batch in length_batches(long)] == [32, 8]


def test_attention_of_no_layer_is_refused(model: MultitaskBert) -> None:
    with pytest.raises(ValueError, match="`layers` should name at least one layer"):
        Predictor(model, "cpu").attention("a film", layers=())
