"""The exact split of the sentiment logits."""

from __future__ import annotations

import pytest
import torch

from minbert.explain.splits import leaning_weights, split_sentiment
from minbert.predictor import Predictor
from minbert.text import pad
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

FILM = "the films weren't good, and it is not funny"
TEXTS = (FILM, ".", "film", "[SEP] <b>& 🙂 \ud83d", "the films sleeping " * 60)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("classes", [5, 2])
def test_bias_and_contributions_are_the_model_s_logits(
    seed: int, classes: int, build: Build
) -> None:
    predictor = build(seed=seed, sentiment_classes=classes)
    for text in TEXTS:
        split = split_sentiment(predictor, text)
        with torch.no_grad():
            (logits,) = predictor.model.predict_sentiment(pad(predictor.encode_single([text])))
        assert split.contributions.shape == (len(split.words), classes)
        assert_close((split.bias + split.contributions.sum(dim=0)).float(), logits)
        assert_close(split.logits, logits)
        assert split.residual < 1e-5
        (result,) = predictor.sentiment([text])
        assert split.probabilities == pytest.approx(result.probabilities, abs=1e-5)
        assert split.bias.abs().max() > 0.1, "a forgotten bias would show"


def test_with_pals_it_is_the_sentiment_s_own_encoding(build: Build) -> None:
    predictor = build(pal_size=4)
    split = split_sentiment(predictor, FILM)
    assert split.residual < 1e-5
    (result,) = predictor.sentiment([FILM])
    assert split.probabilities == pytest.approx(result.probabilities, abs=1e-5)


def test_a_contribution_is_a_token_s_share(build: Build) -> None:
    predictor = build()
    split = split_sentiment(predictor, FILM, pieces=True)
    (hidden,) = predictor.hidden(predictor.encode_single([FILM]))
    head = predictor.model.heads["sentiment"].linear
    wanted = (hidden[3] @ head.weight[4].detach()) / len(hidden)
    assert split.contributions[3, 4].item() == pytest.approx(wanted.item(), abs=1e-6)


@pytest.mark.parametrize("classes", [5, 2])
def test_weights_of_the_leaning_give_each_token_s_part(classes: int, build: Build) -> None:
    predictor = build(sentiment_classes=classes, sentiment_temperature=1.5)
    leaning = split_sentiment(predictor, FILM, pieces=True).leaning
    weights, bias = leaning_weights(predictor)
    (hidden,) = predictor.hidden(predictor.encode_single([FILM]))
    parts = (hidden.double() @ weights / len(hidden)).tolist()
    assert parts == pytest.approx(leaning.values, abs=1e-6)
    assert bias == pytest.approx(leaning.bias)
    with pytest.raises(ValueError, match="should be 'mean' for an exact split"):
        leaning_weights(build(pooling="cls"))


def test_words_have_their_pieces_sum(build: Build) -> None:
    predictor = build()
    words, pieces = (split_sentiment(predictor, FILM, pieces=flag) for flag in (False, True))
    assert words.words.labels[:3] == ("[CLS]", "the", "films")
    assert pieces.words.labels[:4] == ("[CLS]", "the", "film", "##s")
    assert_close(words.contributions[2], pieces.contributions[2:4].sum(dim=0))
    assert_close(words.contributions.sum(dim=0), pieces.contributions.sum(dim=0))


def test_relative_contributions_tell_the_classes_apart_alone(build: Build) -> None:
    split = split_sentiment(build(), FILM)
    assert_close(split.relative.sum(dim=1), torch.zeros(len(split.words), dtype=torch.float64))
    differences = split.contributions[:, 3] - split.contributions[:, 1]
    assert_close(split.relative[:, 3] - split.relative[:, 1], differences)


@pytest.mark.parametrize("pooling", ["cls", "max", "pooler", "attention"])
def test_a_model_of_another_pooling_is_refused(pooling: str, build: Build) -> None:
    with pytest.raises(ValueError, match=rf"Found '{pooling}'; leave its words out"):
        split_sentiment(build(pooling=pooling), FILM)


def test_a_long_text_tells_what_is_left_out(build: Build) -> None:
    split = split_sentiment(build(max_length=12), "film " * 14)
    assert (split.left_out, len(split.words)) == (4, 12)


def test_the_real_model_s_logits(real: Predictor) -> None:
    for text in TEXTS:
        split = split_sentiment(real, text)
        assert split.residual < 2e-5
        (result,) = real.sentiment([text])
        assert split.probabilities == pytest.approx(result.probabilities, abs=1e-5)
