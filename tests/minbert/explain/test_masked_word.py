"""One word masked: the answers are those of the masked input, wherever the model reads the word."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from minbert.checkpoint import export_encoder
from minbert.explain.heads_summary import bare_model, example_heads, summarise_heads
from minbert.explain.masked import answer_masked, mask_word
from minbert.explain.occlusion import occlude_joint, occlude_sentiment, occlude_similarity
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from tests.support import assert_close

A, B = "the cat sleeps on the sofa", "a dog plays in the park"


@pytest.fixture
def predictor(model: MultitaskBert) -> Predictor:
    return Predictor(model, "cpu")


def test_each_piece_of_the_word_is_masked_and_nothing_else(predictor: Predictor) -> None:
    (item,) = predictor.encode_joint([("the catsing sits", B)])
    masked = mask_word(predictor, item, 0, 1)
    mask = predictor.tokenizer.mask_id
    changed = [place for place, index in enumerate(masked.ids) if index != item.ids[place]]
    assert changed == list(range(2, 2 + len(changed)))
    assert len(changed) > 1
    assert {masked.ids[place] for place in changed} == {mask}
    assert (
        mask_word(predictor, item, 1, 0).ids.index(mask)
        == item.ids.index(predictor.tokenizer.sep_id) + 1
    )
    assert mask_word(predictor, item, 1, 99) == item


@pytest.mark.parametrize(("sentence", "entry"), [(0, 1), (1, 2)])
def test_the_answers_are_those_of_occlusion(
    predictor: Predictor, sentence: int, entry: int
) -> None:
    sentiments, pair = answer_masked(predictor, A, B, sentence, entry)
    assert pair is not None
    alone = occlude_sentiment(predictor, (A, B)[sentence], mode="mask").without[entry]
    assert sentiments[sentence].probabilities == pytest.approx(alone.probabilities, abs=1e-5)
    untouched = predictor.sentiment([(A, B)[1 - sentence]])[0]
    assert sentiments[1 - sentence].probabilities == pytest.approx(
        untouched.probabilities, abs=1e-5
    )
    joint = occlude_joint(predictor, A, B, mode="mask")
    wanted = (joint.without_first, joint.without_second)[sentence][entry]
    assert pair.paraphrase == pytest.approx(wanted.paraphrase, abs=1e-5)
    assert pair.joint == pytest.approx(wanted.similarity, abs=1e-4)
    siamese = occlude_similarity(predictor, A, B, mode="mask")
    without = (siamese.without_first, siamese.without_second)[sentence][entry]
    assert pair.siamese == pytest.approx(without, abs=1e-4)


def test_one_sentence_has_no_pair_and_no_b(predictor: Predictor) -> None:
    sentiments, pair = answer_masked(predictor, A, "", 0, 0)
    assert len(sentiments) == 1
    assert pair is None
    with pytest.raises(ValueError, match="`sentence` should be 0"):
        answer_masked(predictor, A, "", 1, 0)


def test_an_encoded_input_has_the_attention_of_its_text(predictor: Predictor) -> None:
    (item,) = predictor.encode_joint([(A, B)])
    direct, encoded = predictor.attention(A, B), predictor.attention(item)
    assert encoded.segments == direct.segments
    assert_close(encoded.weights, direct.weights)


def test_example_heads_are_means_and_crossing_counts_pairs_alone(predictor: Predictor) -> None:
    means = example_heads(predictor, [(A, ""), (A, B), (B, A)])
    summaries = [summarise_heads(predictor.attention(*texts)) for texts in ((A,), (A, B), (B, A))]
    spread = torch.stack([one.entropy for one in summaries]).mean(dim=0)
    assert_close(torch.tensor(means["entropy"]), spread.float(), 6e-5)
    crossing = torch.stack([one.a_to_b for one in summaries[1:]]).mean(dim=0)
    assert_close(torch.tensor(means["a_to_b"]), crossing.float(), 6e-5)
    assert "a_to_b" not in example_heads(predictor, [(A, "")])
    with pytest.raises(ValueError, match="at least one sentence"):
        example_heads(predictor, [])


def test_a_bare_model_has_the_encoders_attention(predictor: Predictor, tmp_path: Path) -> None:
    export_encoder(predictor.model.encoder, predictor.tokenizer, tmp_path / "encoder")
    bare = Predictor(bare_model(tmp_path / "encoder"), "cpu")
    assert bare.config.max_length == predictor.config.encoder.max_position_embeddings
    assert_close(bare.attention(A, B).weights, predictor.attention(A, B).weights)
