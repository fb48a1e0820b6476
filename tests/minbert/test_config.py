"""Configurations: what can't be honoured is refused, and nothing is lost on the way to disk."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import transformers

from minbert.bert import ACTIVATIONS
from minbert.config import (
    ACTIVATION_NAMES,
    MODEL_TYPE,
    BertConfig,
    MultitaskConfig,
    choice_error,
)
from tests.support import tiny_config

# What checkpoints written before these fields existed mean by leaving them out.
LATER_FIELDS = {"paraphrase_head": "joint", "sentiment_classes": 5, "pal_size": 0}


@pytest.mark.parametrize(
    "name",
    [
        "vocab_size",
        "hidden_size",
        "num_hidden_layers",
        "num_attention_heads",
        "intermediate_size",
        "max_position_embeddings",
        "type_vocab_size",
    ],
)
@pytest.mark.parametrize("size", [0, -1])
def test_sizes_are_positive(name: str, size: int) -> None:
    with pytest.raises(ValueError, match=f"`{name}` should be at least 1. Found {size}"):
        tiny_config(**{name: size})


@pytest.mark.parametrize("name", ["hidden_dropout_prob", "attention_probs_dropout_prob"])
@pytest.mark.parametrize("probability", [-0.1, 1.0])
def test_dropouts_are_probabilities_below_one(name: str, probability: float) -> None:
    with pytest.raises(ValueError, match=rf"`{name}` should lie in \[0, 1\)"):
        tiny_config(**{name: probability})
    assert getattr(tiny_config(**{name: 0.0}), name) == 0.0


def test_heads_divide_the_hidden_size() -> None:
    with pytest.raises(ValueError, match=r"should divide `hidden_size` \(16\)\. Found 3\."):
        tiny_config(num_attention_heads=3)


@pytest.mark.parametrize("activation", ["gelu_10", "prelu", "GELU"])
def test_an_activation_that_isn_t_computed_is_refused_by_name(activation: str) -> None:
    with pytest.raises(ValueError, match=f"`hidden_act` should be one of.*Found '{activation}'"):
        tiny_config(hidden_act=activation)


def test_the_names_of_activations_are_those_that_are_computed() -> None:
    assert set(ACTIVATIONS) == set(ACTIVATION_NAMES)


NO_NUMBER = (None, "3", [3], {}, True, float("nan"), float("inf"))


@pytest.mark.parametrize(
    ("name", "values"),
    [
        *(
            (name, (*NO_NUMBER, 2.5))
            for name in ("vocab_size", "num_hidden_layers", "pad_token_id")
        ),
        *((name, NO_NUMBER) for name in ("hidden_dropout_prob", "layer_norm_eps")),
        ("hidden_act", (None, 3, ["gelu"], True)),
    ],
)
def test_a_value_of_another_type_is_refused(name: str, values: tuple[object, ...]) -> None:
    for value in values:
        with pytest.raises(ValueError, match=f"`{name}` should be .*Found") as caught:
            tiny_config(**{name: value})
        assert repr(value)[:10] in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"),
    [("pair_token_types", 1), ("max_length", "48"), ("pooling", ["mean"]), ("pal_size", 4.0)],
)
def test_a_multitask_value_of_another_type_is_refused(name: str, value: Any) -> None:  # noqa: ANN401 - any
    with pytest.raises(ValueError, match=f"`{name}` should be .*Found"):
        MultitaskConfig(**{name: value})


@pytest.mark.parametrize("encoder", [None, 3, ["vocab_size"]])
def test_an_encoder_that_is_no_object_is_refused(encoder: object) -> None:
    values = {"model_type": MODEL_TYPE, "encoder": encoder}
    with pytest.raises(ValueError, match=r"`encoder` should be an object\. Found"):
        MultitaskConfig.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 10**12}, "`hidden_size` should be at most 100,000,000"),
        ({"layer_norm_eps": -1e-12}, "`layer_norm_eps` should be at least 0"),
        ({"initializer_range": -0.1}, "`initializer_range` should be at least 0"),
        ({"pad_token_id": 139}, "`pad_token_id` should be one of the 139 word pieces' ids"),
    ],
)
def test_a_number_that_no_encoder_has_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tiny_config(**changes)


def test_a_config_is_frozen() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        tiny_config().hidden_size = 3  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        MultitaskConfig().pooling = "max"  # type: ignore[misc]


def test_the_defaults_are_bert_base() -> None:
    theirs = transformers.BertConfig()
    for field in dataclasses.fields(BertConfig):
        assert getattr(BertConfig(), field.name) == getattr(theirs, field.name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "`model_type` in config.json should be 'bert'.*'roberta'"),
        (
            {"position_embedding_type": "relative_key"},
            "`position_embedding_type` in config.json should be 'absolute'.*'relative_key'",
        ),
        ({"is_decoder": True}, "`is_decoder` in config.json should be False. Found True"),
        ({"add_cross_attention": True}, "`add_cross_attention` in config.json should be False"),
        ({"pruned_heads": {"0": [1]}}, "`pruned_heads` in config.json should be {}"),
        ({"quantization_config": {"bits": 4}}, "`quantization_config` in config.json"),
        ({"num_attention_heads": 5}, "`num_attention_heads` should divide `hidden_size`"),
    ],
)
def test_another_architecture_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        BertConfig.from_hf({**tiny_config().to_hf(), **changes})


@pytest.mark.parametrize(
    "architectures",
    [None, [], "BertModel", ["RobertaModel"], ["BertGenerationEncoder"], ["NomicBertModel"]],
)
def test_a_config_without_model_type_is_refused(architectures: object) -> None:
    with pytest.raises(ValueError, match=r"`model_type` in config\.json should be 'bert'"):
        BertConfig.from_hf({"hidden_size": 16, "architectures": architectures})


@pytest.mark.parametrize("name", ["BertModel", "BertForMaskedLM", "BertForSequenceClassification"])
def test_a_config_that_names_a_bert_needs_no_model_type(name: str) -> None:
    values = {**tiny_config().to_hf(), "architectures": [name]}
    for absent in ({}, {"model_type": None}):
        told = {key: value for key, value in values.items() if key != "model_type"} | absent
        assert BertConfig.from_hf(told) == tiny_config()


@pytest.mark.parametrize("name", ["position_embedding_type", "pruned_heads", "pad_token_id"])
def test_null_is_a_field_left_out(name: str) -> None:
    assert BertConfig.from_hf({**tiny_config().to_hf(), name: None}) == tiny_config()


def test_unknown_fields_of_a_hugging_face_config_don_t_matter() -> None:
    values = {**tiny_config().to_hf(), "use_cache": True, "transformers_version": "4.8.2"}
    assert BertConfig.from_hf(values) == tiny_config()


def test_an_older_config_may_leave_the_position_type_out() -> None:
    values = tiny_config().to_hf()
    del values["position_embedding_type"]
    assert BertConfig.from_hf(values) == tiny_config()


def test_hugging_face_reads_what_we_write_and_we_read_what_it_writes() -> None:
    config = tiny_config(hidden_dropout_prob=0.3, layer_norm_eps=1e-7, type_vocab_size=1)
    theirs = transformers.BertConfig(**json.loads(json.dumps(config.to_hf())))
    assert theirs.hidden_dropout_prob == 0.3
    assert BertConfig.from_hf(theirs.to_dict()) == config


@pytest.mark.parametrize(
    ("name", "value", "listed"),
    [
        ("pooling", "avg", "'cls', 'pooler', 'mean', 'max', 'attention'"),
        ("paraphrase_head", "siamese", "'joint', 'two_tower'"),
        ("similarity_head", "sigmoid", "'linear', 'relu'"),
        ("cosine_scaling", "none", "'shifted', 'positive'"),
        ("similarity_score", "best", "'joint', 'siamese', 'mean'"),
    ],
)
def test_an_unknown_choice_lists_the_known_ones(name: str, value: str, listed: str) -> None:
    message = f"`{name}` should be one of {listed}. Found '{value}'."
    with pytest.raises(ValueError, match=message):
        MultitaskConfig(**{name: value})


@pytest.mark.parametrize("length", [7, 65])
def test_the_length_fits_the_positions(length: int) -> None:
    message = f"`max_length` should lie between 8 and the encoder's 64 positions. Found {length}"
    with pytest.raises(ValueError, match=message):
        MultitaskConfig(encoder=tiny_config(), max_length=length)
    assert MultitaskConfig(encoder=tiny_config(), max_length=64).max_length == 64
    assert MultitaskConfig(encoder=tiny_config(), max_length=8).max_length == 8


@pytest.mark.parametrize("classes", [1, 0, -2])
def test_sentiment_has_two_classes_at_least(classes: int) -> None:
    message = f"`sentiment_classes` should be at least 2. Found {classes}"
    with pytest.raises(ValueError, match=message):
        MultitaskConfig(sentiment_classes=classes)
    assert MultitaskConfig(sentiment_classes=2).sentiment_classes == 2


@pytest.mark.parametrize("size", [-12, 1, 102])
def test_the_heads_divide_the_pal_size(size: int) -> None:
    message = f"`pal_size` should be 0 or a positive multiple .* 12 heads. Found {size}"
    with pytest.raises(ValueError, match=message):
        MultitaskConfig(pal_size=size)
    assert MultitaskConfig(pal_size=96).pal_size == 96


def test_one_token_type_can_t_tell_two_sentences_apart() -> None:
    encoder = tiny_config(type_vocab_size=1)
    with pytest.raises(ValueError, match="`pair_token_types` should be False"):
        MultitaskConfig(encoder=encoder, max_length=32)
    assert (
        not MultitaskConfig(encoder=encoder, max_length=32, pair_token_types=False).max_length < 8
    )


def test_a_multitask_config_survives_json() -> None:
    config = MultitaskConfig(
        encoder=tiny_config(hidden_dropout_prob=0.2),
        pooling="attention",
        paraphrase_head="two_tower",
        sentiment_classes=2,
        pal_size=8,
        similarity_head="relu",
        cosine_scaling="positive",
        similarity_score="mean",
        pair_token_types=False,
        max_length=40,
    )
    assert MultitaskConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_a_config_from_before_the_later_fields_is_read(name: str) -> None:
    path = Path(__file__).parents[2] / "assets" / "models" / name / "config.json"
    values = json.loads(path.read_text(encoding="utf-8"))
    for later in LATER_FIELDS:
        values.pop(later, None)
    config = MultitaskConfig.from_dict(values)
    assert config.pooling == name
    assert {field: getattr(config, field) for field in LATER_FIELDS} == LATER_FIELDS


def test_reading_a_config_leaves_the_dictionary_alone() -> None:
    values = MultitaskConfig().to_dict()
    MultitaskConfig.from_dict(values)
    assert values == MultitaskConfig().to_dict()


def test_an_unknown_field_is_told() -> None:
    values = MultitaskConfig().to_dict()
    values["minbert"] |= {"zeal": 1, "colour": 2}
    with pytest.raises(ValueError, match=r"config\.json has unknown fields: colour, zeal"):
        MultitaskConfig.from_dict(values)


def test_the_choice_error_names_the_parameter_the_rule_and_the_finding() -> None:
    error = choice_error("mode", 3, ("a", "b"))
    assert str(error) == "`mode` should be one of 'a', 'b'. Found 3."


def test_an_unknown_field_of_the_encoder_is_told() -> None:
    values = {**MultitaskConfig().to_dict(), "zeal": 1}
    with pytest.raises(ValueError, match="unknown fields: zeal"):
        MultitaskConfig.from_dict(values)
    values = {"model_type": MODEL_TYPE, "encoder": {"zeal": 1}}
    with pytest.raises(ValueError, match="unknown fields: zeal"):
        MultitaskConfig.from_dict(values)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "`model_type` in config.json should be.*'roberta'"),
        ({"minbert": ["mean"]}, "`minbert` should be an object"),
        ({"position_embedding_type": "relative_key"}, "should be 'absolute'"),
        ({"minbert": {"encoder": {}}}, "unknown fields: encoder"),
    ],
)
def test_a_config_that_says_something_else_is_refused(changes: Any, message: str) -> None:  # noqa: ANN401 - any
    with pytest.raises(ValueError, match=message):
        MultitaskConfig.from_dict({**MultitaskConfig().to_dict(), **changes})
