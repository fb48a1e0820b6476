"""Loading an encoder: one key table, old spellings, and nothing that doesn't fit."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file
from torch import Tensor

from minbert import checkpoint
from minbert.bert import BertModel
from minbert.checkpoint import CheckpointError, key_table, load_encoder
from minbert.multitask import MultitaskBert
from minbert.storage.model_folder import HEADS_FILE
from tests.minbert.folders import (
    CONFIG,
    WORDS,
    old_weights,
    unlisted,
    write_folder,
)
from tests.support import (
    assert_close,
    random_batch,
    redraw,
    tiny_config,
)

# The key table


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_the_key_table_is_one_to_one_and_whole(layers: int) -> None:
    config = tiny_config(num_hidden_layers=layers)
    table = key_table(layers)
    theirs = transformers.BertModel(transformers.BertConfig(**config.to_hf())).state_dict()
    assert len(set(table.values())) == len(table)
    assert set(table.values()) == set(BertModel(config).state_dict())
    assert set(table) == set(theirs)


def test_weights_survive_the_table_both_ways() -> None:
    encoder = BertModel(tiny_config())
    redraw(encoder, seed=3)
    there = checkpoint.encoder_state_to_hf(encoder)
    back, report = checkpoint.encoder_state_from_hf(there, encoder.config)
    assert report == checkpoint.LoadReport((), fresh_pooler=False)
    assert set(back) == set(encoder.state_dict())
    for name, tensor in encoder.state_dict().items():
        assert torch.equal(back[name], tensor)


# Older files


def test_an_old_file_loads_and_computes_the_same(folder: Path) -> None:
    _, reference = old_weights()
    encoder = load_encoder(folder)[0].eval()
    batch = random_batch()
    real = batch.attention_mask.bool()
    with torch.no_grad():
        ours = encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids).hidden
        theirs = reference.bert(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            token_type_ids=batch.token_type_ids,
        )
        assert_close(ours[real], theirs.last_hidden_state[real])
        assert_close(encoder.pooler(ours, batch.attention_mask), theirs.pooler_output)


def test_an_old_file_s_heads_are_listed(folder: Path) -> None:
    report = load_encoder(folder)[2]
    assert not report.fresh_pooler
    assert report.ignored == (
        "bert.embeddings.position_ids",
        "cls.predictions.bias",
        "cls.predictions.decoder.bias",
        "cls.predictions.decoder.weight",
        "cls.predictions.transform.LayerNorm.beta",
        "cls.predictions.transform.LayerNorm.gamma",
        "cls.predictions.transform.dense.bias",
        "cls.predictions.transform.dense.weight",
        "cls.seq_relationship.bias",
        "cls.seq_relationship.weight",
    )


def test_a_file_without_pooler_is_told(tmp_path: Path) -> None:
    weights = {name: part for name, part in old_weights()[0].items() if "pooler" not in name}
    encoder, _, report = load_encoder(write_folder(tmp_path, weights))
    assert report.fresh_pooler
    assert encoder.pooler.dense.weight.device.type == "cpu"
    assert 0.01 < encoder.pooler.dense.weight.std() < 0.03, "the fresh pooler's start is BERT's"
    assert not encoder.pooler.dense.bias.any()
    assert torch.equal(encoder.embeddings.word.weight, weights[WORDS])


def test_half_a_pooler_is_an_error(tmp_path: Path) -> None:
    weights = old_weights()[0]
    del weights["bert.pooler.dense.bias"]
    with pytest.raises(CheckpointError, match=r"Missing: pooler\.dense\.bias\."):
        load_encoder(write_folder(tmp_path, weights))


def test_half_precision_files_are_computed_in_float32(tmp_path: Path) -> None:
    weights = {
        name: part.half() if part.is_floating_point() else part
        for name, part in old_weights()[0].items()
    }
    encoder = load_encoder(write_folder(tmp_path, weights))[0]
    assert {parameter.dtype for parameter in encoder.parameters()} == {torch.float32}
    assert all(parameter.requires_grad for parameter in encoder.parameters())


def test_fields_of_the_config_can_be_set_differently(folder: Path) -> None:
    encoder = load_encoder(folder, hidden_dropout_prob=0.35)[0]
    assert encoder.config == tiny_config(hidden_dropout_prob=0.35)
    assert encoder.embeddings.dropout.p == 0.35


def test_an_unknown_field_to_set_is_an_error(folder: Path) -> None:
    with pytest.raises((TypeError, ValueError), match="hidden_dropuot_prob"):
        load_encoder(folder, hidden_dropuot_prob=0.35)


# Weights that don't fit

QUERY = "bert.encoder.layer.1.attention.self.query.bias"


def without(weights: dict[str, Tensor]) -> None:
    """Take one weight away."""
    del weights[QUERY]


def with_another(weights: dict[str, Tensor]) -> None:
    """Put a weight in that no BERT has."""
    weights["bert.encoder.layer.0.adapter.weight"] = torch.zeros(2)


def with_a_third_layer(weights: dict[str, Tensor]) -> None:
    """Put in a layer that config.json doesn't speak of."""
    weights["bert.encoder.layer.2.output.dense.bias"] = torch.zeros(16)


def misshapen(weights: dict[str, Tensor]) -> None:
    """Cut the table of positions."""
    name = "bert.embeddings.position_embeddings.weight"
    weights[name] = weights[name][:50].contiguous()


def transposed(weights: dict[str, Tensor]) -> None:
    """Turn a matrix, which keeps its number of elements."""
    name = "bert.encoder.layer.0.intermediate.dense.weight"
    weights[name] = weights[name].T.contiguous()


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (without, r"Missing: layers\.1\.attention\.query\.bias\. Unknown: none"),
        (with_another, r"Missing: none\. Unknown: bert\.encoder\.layer\.0\.adapter\.weight"),
        (with_a_third_layer, r"2-layer BERT.*Unknown: bert\.encoder\.layer\.2\.output\.dense"),
        (misshapen, r"embeddings\.position\.weight should be \(64, 16\), found \(50, 16\)"),
        (transposed, r"layers\.0\.intermediate\.weight should be \(32, 16\), found \(16, 32\)"),
    ],
)
def test_a_weight_that_doesn_t_fit_is_named(
    spoil: Callable[[dict[str, Tensor]], None], message: str, tmp_path: Path
) -> None:
    weights = old_weights()[0]
    spoil(weights)
    with pytest.raises(CheckpointError, match=message):
        load_encoder(write_folder(tmp_path, weights))


def test_a_long_list_of_missing_weights_is_cut(tmp_path: Path) -> None:
    weights = {name: part for name, part in old_weights()[0].items() if ".layer.1." not in name}
    with pytest.raises(CheckpointError, match=r"Missing: (layers\.1\.[\w.]+, ){7}.* and 8 more"):
        load_encoder(write_folder(tmp_path, weights))


@pytest.mark.parametrize("kind", ["missing", "unknown", "misshapen"])
def test_our_own_weights_are_as_strict(kind: str, saved: Path) -> None:
    weights = load_file(unlisted(saved) / HEADS_FILE)
    bias = weights.pop("heads.sentiment.linear.bias")
    if kind == "unknown":
        weights |= {"heads.sentiment.linear.bias": bias, "heads.irony.linear.bias": bias.clone()}
    if kind == "misshapen":
        weights["heads.sentiment.linear.bias"] = bias[:3].clone()
    save_file(weights, saved / HEADS_FILE)
    message = {
        "missing": r"heads\.sentiment\.linear\.bias is missing",
        "unknown": r"heads\.irony\.linear\.bias is unknown",
        "misshapen": r"heads\.sentiment\.linear\.bias should be \(5,\), found \(3,\)",
    }[kind]
    with pytest.raises(CheckpointError, match=message):
        MultitaskBert.from_pretrained(saved)


# Configs that can't be honoured


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "roberta"}, "`model_type` in config.json should be 'bert'"),
        ({"model_type": "minbert-multitask"}, "`model_type` in config.json should be 'bert'"),
        ({"position_embedding_type": "relative_key_query"}, "should be 'absolute'"),
        ({"hidden_act": "prelu"}, "`hidden_act` should be one of 'gelu', .*Found 'prelu'"),
        ({"vocab_size": 140}, r"embeddings\.word\.weight should be \(140, 16\), found \(139, 16\)"),
        ({"vocab_size": 138}, "`vocab_size` in .* at least the tokenizer's 139. Found 138"),
    ],
)
def test_a_config_that_can_t_be_honoured(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(CheckpointError, match=message):
        load_encoder(write_folder(tmp_path, **changes))


def test_our_own_vocabulary_is_checked_too(saved: Path) -> None:
    config = json.loads((unlisted(saved) / CONFIG).read_text())
    config["vocab_size"] = 138
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"the tokenizer's 139\. Found 138"):
        MultitaskBert.from_pretrained(saved)


def test_a_plain_bert_isn_t_a_multitask_model(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"or 'bert' with the key 'minbert'\. Found 'bert'"):
        MultitaskBert.from_pretrained(folder)
