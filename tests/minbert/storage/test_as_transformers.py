"""What transformers loads, load_encoder loads and computes alike, or refuses with the reason."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file, save_file

from minbert.bert import ACTIVATIONS, BertModel
from minbert.checkpoint import CheckpointError, load_encoder
from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from tests.minbert.folders import CONFIG, PICKLED, WEIGHTS
from tests.support import (
    assert_close,
    random_batch,
    redraw,
    tiny_config,
    tiny_tokenizer,
    tiny_vocabulary,
)

BATCH = random_batch((9, 4, 7, 2), seed=5)
INDEX = WEIGHTS + ".index.json"


def save_reference(folder: Path, shard_size: str = "1GB", **changes: Any) -> Path:  # noqa: ANN401 - any
    """Save a random BERT as transformers does, with the tiny tokenizer beside it."""
    shape = transformers.BertConfig(**{**tiny_config().to_hf(), **changes})
    reference = transformers.BertModel(shape)
    redraw(reference, seed=11, std=0.4)
    reference.save_pretrained(folder, max_shard_size=shard_size)
    tiny_tokenizer(folder)
    return folder


@torch.no_grad()
def difference(folder: Path, encoder: BertModel) -> float:
    """Return the largest difference of any layer's state and the pooler's from transformers'."""
    reference = transformers.BertModel.from_pretrained(folder, attn_implementation="eager").eval()
    types = BATCH.token_type_ids.clamp(max=encoder.config.type_vocab_size - 1)
    theirs = reference(
        input_ids=BATCH.input_ids,
        attention_mask=BATCH.attention_mask,
        token_type_ids=types,
        output_hidden_states=True,
    )
    ours = encoder.eval()(BATCH.input_ids, BATCH.attention_mask, types, keep_layer_states=True)
    real = BATCH.attention_mask.bool()
    pooled = encoder.pooler(ours.hidden, BATCH.attention_mask) - theirs.pooler_output
    states = zip(ours.layer_states, theirs.hidden_states, strict=True)
    found = [(a[real] - b[real]).abs().max().item() for a, b in states]
    return max(*found, pooled.abs().max().item())


SHAPES: dict[str, dict[str, Any]] = {
    "a vocabulary smaller than the table": {"vocab_size": len(tiny_vocabulary()) + 21},
    "one token type": {"type_vocab_size": 1},
    "five token types": {"type_vocab_size": 5},
    "another epsilon": {"layer_norm_eps": 1e-5},
    "one layer, one head": {"num_hidden_layers": 1, "num_attention_heads": 1},
    "no padding piece": {"pad_token_id": None},
    "shards": {"shard_size": "8KB"},
    **{f"activation {name}": {"hidden_act": name} for name in ACTIVATIONS},
}


@pytest.mark.parametrize("case", SHAPES)
def test_what_transformers_saves_is_computed_alike(case: str, tmp_path: Path) -> None:
    folder = save_reference(tmp_path, **SHAPES[case])
    assert (len(list(folder.glob("*.safetensors"))) > 2) is (case == "shards")
    encoder, tokenizer, report = load_encoder(folder)
    assert not report.fresh_pooler
    assert len(tokenizer) == len(tiny_vocabulary())
    assert difference(folder, encoder) < 1e-5


def test_another_activation_would_be_seen(tmp_path: Path) -> None:
    folder = save_reference(tmp_path, hidden_act="gelu_new")
    config = json.loads((folder / CONFIG).read_text())
    encoder, _, _ = load_encoder(folder)
    (folder / CONFIG).write_text(json.dumps({**config, "hidden_act": "gelu"}))
    assert difference(folder, encoder) > 1e-4


def test_an_architecture_stands_for_the_model_type(tmp_path: Path) -> None:
    folder = save_reference(tmp_path)
    config = json.loads((folder / CONFIG).read_text())
    assert config.pop("model_type") == "bert"
    assert config["architectures"] == ["BertModel"]
    (folder / CONFIG).write_text(json.dumps(config))
    assert difference(folder, load_encoder(folder)[0]) < 1e-5


def test_sharded_pickles_are_read(tmp_path: Path) -> None:
    folder = save_reference(tmp_path / "whole")
    wanted = load_encoder(folder)[0].state_dict()
    weights = load_file(folder / WEIGHTS)
    (folder / WEIGHTS).unlink()
    names = sorted(weights)
    shards = {"pytorch_model-1.bin": names[::2], "pytorch_model-2.bin": names[1::2]}
    for shard, held in shards.items():
        torch.save({name: weights[name] for name in held}, folder / shard)
    places = {name: shard for shard, held in shards.items() for name in held}
    (folder / (PICKLED + ".index.json")).write_text(json.dumps({"weight_map": places}))
    found = load_encoder(folder)[0].state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in wanted.items())


def lose_a_shard(folder: Path) -> None:
    """Take the first shard away."""
    min(folder.glob("model-*.safetensors")).unlink()


def tear_a_shard(folder: Path) -> None:
    """Cut the last shard."""
    path = max(folder.glob("model-*.safetensors"))
    path.write_bytes(path.read_bytes()[:-9])


def rewrite_index(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """Return what replaces the index by what `change` makes of it."""

    def rewrite(folder: Path) -> None:
        index = json.loads((folder / INDEX).read_text())
        (folder / INDEX).write_text(json.dumps(change(index)))

    return rewrite


def elsewhere(index: dict[str, Any]) -> dict[str, Any]:
    """Name a file outside the folder."""
    return {"weight_map": dict.fromkeys(index["weight_map"], "../model.safetensors")}


def one_left_out(index: dict[str, Any]) -> dict[str, Any]:
    """Name one shard alone."""
    shard = max(index["weight_map"].values())
    return {"weight_map": {n: s for n, s in index["weight_map"].items() if s == shard}}


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lose_a_shard, r"model-00001-of-\d+\.safetensors should exist.*nothing there"),
        (tear_a_shard, r"model-\d+-of-\d+\.safetensors should be a whole .* torn"),
        (rewrite_index(elsewhere), r"`weight_map` in .*beside it\. Found '\.\./model"),
        (rewrite_index(lambda _: {}), "`weight_map` in .*Found none"),
        (rewrite_index(lambda _: {"weight_map": 3}), "`weight_map` in .*Found none"),
        (rewrite_index(lambda index: [index]), "should hold a JSON object"),
        (rewrite_index(one_left_out), "Missing: .*config.json and the weights belong together"),
    ],
)
def test_broken_shards_are_told(
    spoil: Callable[[Path], None], message: str, tmp_path: Path
) -> None:
    folder = save_reference(tmp_path, shard_size="8KB")
    spoil(folder)
    with pytest.raises(CheckpointError, match=message):
        load_encoder(folder)


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "activation": ({"hidden_act": "relu2"}, "`hidden_act` should be one of .*Found 'relu2'"),
    "decoder": ({"is_decoder": True}, "`is_decoder` in config.json should be False"),
    "positions": ({"position_embedding_type": "relative_key"}, "should be 'absolute'"),
    "small table": ({"vocab_size": 100}, "at least the tokenizer's 139. Found 100"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_isn_t_computed_alike_is_refused(case: str, tmp_path: Path) -> None:
    changes, message = REFUSED[case]
    with pytest.raises(CheckpointError, match=f"config.json.*{message}|{message}"):
        load_encoder(save_reference(tmp_path, **changes))


def test_whole_numbers_for_weights_are_refused(tmp_path: Path) -> None:
    folder = save_reference(tmp_path)
    weights = load_file(folder / WEIGHTS)
    weights["pooler.dense.bias"] = weights["pooler.dense.bias"].to(torch.int8)
    save_file(weights, folder / WEIGHTS)
    with pytest.raises(CheckpointError, match=r"pooler\.dense\.bias should be floating.*int8"):
        load_encoder(folder)


def test_a_tokenizer_of_another_kind_is_refused(tmp_path: Path) -> None:
    folder = save_reference(tmp_path)
    (folder / "vocab.txt").unlink()
    tokens = {token: index for index, token in enumerate(tiny_vocabulary())}
    bpe = {"type": "BPE", "vocab": tokens, "merges": [], "unk_token": "[UNK]"}
    (folder / "tokenizer.json").write_text(json.dumps({"version": "1.0", "model": bpe}))
    with pytest.raises(CheckpointError, match=r"tokenizer\.json.*WordPiece"):
        load_encoder(folder)


def test_an_id_past_the_table_is_refused_though_the_count_fits(tmp_path: Path) -> None:
    folder = save_reference(tmp_path)
    tiny_tokenizer(folder).save(folder)
    path = folder / "tokenizer.json"
    stored = json.loads(path.read_text())
    stored["model"]["vocab"]["red"] = 500
    path.write_text(json.dumps(stored))
    with pytest.raises(CheckpointError, match=r"at least the tokenizer's 501\. Found 139"):
        load_encoder(folder)


def test_a_smaller_vocabulary_serves_our_own_models_too(tmp_path: Path) -> None:

    changes = {"vocab_size": len(tiny_vocabulary()) + 21, "type_vocab_size": 1}
    encoder, tokenizer, _ = load_encoder(save_reference(tmp_path / "theirs", **changes))
    config = MultitaskConfig(encoder=encoder.config, pair_token_types=False, max_length=32)
    model = MultitaskBert(config, tokenizer, encoder)
    model.save_pretrained(tmp_path / "ours")
    before, after = Predictor(model, "cpu"), Predictor.from_pretrained(tmp_path / "ours", "cpu")
    assert_close(after.embed(["a good film"]), before.embed(["a good film"]))
    pair = ("a good film", "the plot is slow")
    assert after.pairs([pair])[0].joint == pytest.approx(before.pairs([pair])[0].joint, abs=1e-5)
