"""The engine refuses what can't be answered and tells what was cut."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from minbert.checkpoint import export_encoder
from minbert.predictor import Predictor
from minbert.ui.engine import Engine
from minbert.ui.question import LONGEST_TEXT, InputError
from tests.read_html import numbers_in
from tests.support import redraw, tiny_model


@pytest.mark.parametrize("text", [None, "", "  ", "\n\t"])
def test_an_empty_first_sentence_is_told(engine: Engine, text: str | None) -> None:
    with pytest.raises(InputError, match="Sentence A is empty"):
        engine.ask(text, "something")


def test_invisible_and_endless_texts_are_told_by_name(engine: Engine) -> None:
    with pytest.raises(InputError, match="Sentence B has only invisible"):
        engine.ask("good", "\u200b\u200d")
    with pytest.raises(InputError, match=f"{LONGEST_TEXT + 1:,} characters"):
        engine.ask("x" * (LONGEST_TEXT + 1), "")


def test_texts_are_stripped_and_b_may_be_missing(engine: Engine) -> None:
    assert engine.ask("  good film \n", None).texts == ("good film", "")


def test_an_answer_without_b_has_no_pair(engine: Engine) -> None:
    answer = engine.answer(engine.mean, engine.ask("good film", ""))
    assert len(answer.sentiments) == 1
    assert answer.pair is None


def test_the_two_models_answer_differently(engine: Engine) -> None:
    mean = engine.answer(engine.mean, engine.ask("good film", "bad film"))
    cls = engine.answer(engine.cls, engine.ask("good film", "bad film"))
    assert mean.pair is not None
    assert cls.pair is not None
    assert mean.pair.siamese != cls.pair.siamese


def test_notices_count_cut_and_unknown_pieces(engine: Engine) -> None:
    limit = engine.mean.config.max_length
    told = engine.ask("a " * (limit + 8), "🎉").notices
    assert numbers_in(told[0]) == [str(limit + 10), str(limit), "10"], "tokens, read, left out"
    assert numbers_in(told[1]) == ["3", "1"], "tokens, not in the vocabulary"
    assert numbers_in(told[2]) == [str(limit), "12"], "60 of both with three marks"
    assert list(map(numbers_in, engine.ask("a b", "").notices)) == [["4"], []]


@pytest.mark.parametrize("layer", [0, 3])
def test_a_layer_outside_the_encoder_is_refused(engine: Engine, layer: int) -> None:
    with pytest.raises(InputError, match=f"from 1 to 2. Found {layer}"):
        engine.attention("good", "", [layer])


def test_attention_is_of_the_layer_asked_for(engine: Engine) -> None:
    for layer in (1, 2):
        page = engine.attention("good film", "bad", [layer])
        direct = engine.mean.attention("good film", "bad")
        assert torch.allclose(page.weights[0], direct.weights[layer - 1], atol=1e-6)


def test_a_missing_model_says_where_it_should_be(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="should be a folder"):
        Engine.load(tmp_path / "nowhere")


def test_a_two_class_model_is_refused(tmp_path: Path) -> None:
    for name in ("mean", "cls"):
        tiny_model(tmp_path / name, sentiment_classes=2).save_pretrained(tmp_path / name)
    with pytest.raises(ValueError, match=r"`sentiment_classes` in .* should be 5. Found 2"):
        Engine.load(tmp_path, "cpu")


def test_the_encoder_before_fine_tuning_is_there_on_request(tmp_path: Path) -> None:
    for pooling in ("mean", "cls"):
        tiny_model(tmp_path / pooling, pooling=pooling).save_pretrained(tmp_path / pooling)
    source = tiny_model(tmp_path / "source")
    redraw(source, seed=5)
    assert source.tokenizer is not None
    export_encoder(source.encoder, source.tokenizer, tmp_path / "encoder")
    assert set(Engine.load(tmp_path, "cpu").models) == {"mean", "cls"}
    engine = Engine.load(tmp_path, "cpu", encoder=str(tmp_path / "encoder"))
    assert engine.untuned is not None
    found = engine.attention("good film", "bad", [2], "untuned")
    direct = Predictor(source, "cpu").attention("good film", "bad", [1])
    assert torch.allclose(found.weights, direct.weights, atol=1e-6)
    assert engine.untuned.config.max_length == engine.mean.config.max_length
