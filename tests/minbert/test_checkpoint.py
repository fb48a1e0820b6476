"""Checkpoints: one key table, old spellings, torn files, and nothing half-written or silent."""

from __future__ import annotations

import json
import os
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
import transformers
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from safetensors.torch import load_file, save_file
from torch import Tensor

from minbert import checkpoint, files
from minbert.bert import BertModel
from minbert.checkpoint import CheckpointError, key_table, load_encoder
from minbert.multitask import MultitaskBert
from tests.support import (
    assert_close,
    random_batch,
    redraw,
    tiny_config,
    tiny_model,
    tiny_tokenizer,
)

CONFIG, WEIGHTS, PICKLED = "config.json", "model.safetensors", "pytorch_model.bin"
WORDS = "bert.embeddings.word_embeddings.weight"


def old_spelling(name: str) -> str:
    """Spell a key as the files of 2018 do."""
    name = name.replace("LayerNorm.weight", "LayerNorm.gamma")
    return name.replace("LayerNorm.bias", "LayerNorm.beta")


def old_weights() -> tuple[dict[str, Tensor], transformers.BertForPreTraining]:
    """Return weights named as in bert-base-uncased's file, and the model that they come from."""
    shape = transformers.BertConfig(**tiny_config().to_hf())
    shape._attn_implementation = "eager"
    model = transformers.BertForPreTraining(shape).eval()
    redraw(model, seed=6)
    weights = {old_spelling(name): tensor.clone() for name, tensor in model.state_dict().items()}
    weights["bert.embeddings.position_ids"] = torch.arange(64)[None]
    return weights, model


def write_folder(folder: Path, weights: dict[str, Tensor] | None = None, **changes: object) -> Path:
    """Write a Hugging Face folder: tokenizer, config with `changes`, weights (the old file's)."""
    tiny_tokenizer(folder)
    (folder / CONFIG).write_text(json.dumps({**tiny_config().to_hf(), **changes}))
    save_file(old_weights()[0] if weights is None else weights, folder / WEIGHTS)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Give a whole folder in the old spelling."""
    return write_folder(tmp_path / "old")


@pytest.fixture
def saved(tmp_path: Path, model: MultitaskBert) -> Path:
    """Give a whole folder of our own."""
    model.save_pretrained(tmp_path / "ours")
    return tmp_path / "ours"


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
    weights = load_file(saved / WEIGHTS)
    bias = weights.pop("heads.sentiment.linear.bias")
    if kind == "unknown":
        weights |= {"heads.sentiment.linear.bias": bias, "heads.irony.linear.bias": bias.clone()}
    if kind == "misshapen":
        weights["heads.sentiment.linear.bias"] = bias[:3].clone()
    save_file(weights, saved / WEIGHTS)
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
        ({"hidden_act": "gelu_new"}, "`hidden_act` should be 'gelu'"),
        ({"vocab_size": 140}, "`vocab_size` in .* should be the tokenizer's 139. Found 140"),
    ],
)
def test_a_config_that_can_t_be_honoured(
    changes: dict[str, Any], message: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=message):
        load_encoder(write_folder(tmp_path, **changes))


def test_our_own_vocabulary_is_checked_too(saved: Path) -> None:
    config = json.loads((saved / CONFIG).read_text())
    config["encoder"]["vocab_size"] = 138
    (saved / CONFIG).write_text(json.dumps(config))
    with pytest.raises(CheckpointError, match=r"the tokenizer's 139\. Found 138"):
        MultitaskBert.from_pretrained(saved)


def test_a_plain_bert_isn_t_a_multitask_model(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"'minbert-multitask'\. Found 'bert'"):
        MultitaskBert.from_pretrained(folder)


# Torn files

LOADERS = pytest.mark.parametrize("load", [load_encoder, MultitaskBert.from_pretrained])


def folder_for(load: Callable[[Path], object], folder: Path, saved: Path) -> Path:
    """Return the folder that this loader takes."""
    return folder if load is load_encoder else saved


@LOADERS
@pytest.mark.parametrize("share", [0, 4, 8, 300, 0.5, -1])
def test_torn_weights_are_told(
    load: Callable[[Path], object], share: float, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / WEIGHTS
    whole = path.read_bytes()
    load(path.parent)
    end = int(len(whole) * share) if 0 < share < 1 else int(share)
    path.write_bytes(whole[:end])
    with pytest.raises(CheckpointError, match=rf"{re.escape(str(path))} should .* torn"):
        load(path.parent)


def test_weights_followed_by_rubbish_are_told(saved: Path) -> None:
    path = saved / WEIGHTS
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    with pytest.raises(CheckpointError, match="torn or damaged"):
        MultitaskBert.from_pretrained(saved)


@LOADERS
@pytest.mark.parametrize("content", [b"", b'{"model_type": "be', b"\xff\xfe{}"])
def test_a_torn_config_is_told(
    load: Callable[[Path], object], content: bytes, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / CONFIG
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{CONFIG} should be JSON. It is torn or damaged"):
        load(path.parent)


def test_a_config_that_is_a_list_is_told(folder: Path) -> None:
    (folder / CONFIG).write_text("[1, 2]")
    with pytest.raises(CheckpointError, match=r"should hold a JSON object\. Found list"):
        load_encoder(folder)


@LOADERS
@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file_is_told(
    load: Callable[[Path], object], name: str, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / name
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{re.escape(str(path))} should exist"):
        load(path.parent)


@LOADERS
@pytest.mark.parametrize("name", ["./nothing", "/no/such/folder", "~/nothing", "a/b/c"])
def test_no_such_folder_is_told_without_asking_the_hub(
    load: Callable[[str], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(CheckpointError, match=f"{name} should be a folder.*no such folder"):
        load(name)


# Saving


def test_a_model_survives_saving_bit_for_bit(model: MultitaskBert, saved: Path) -> None:
    again = MultitaskBert.from_pretrained(saved)
    assert not again.training
    assert again.config == model.config
    assert set(again.state_dict()) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert all(parameter.requires_grad for parameter in again.parameters())
    assert again.tokenizer is not None
    assert model.tokenizer is not None
    assert again.tokenizer.pieces(["the film [SEP]"]) == model.tokenizer.pieces(["the film [SEP]"])
    with torch.no_grad():
        assert_close(again.embed(random_batch()), model.embed(random_batch()))


def test_every_setting_survives_saving(tmp_path: Path) -> None:
    model = tiny_model(
        tmp_path / "tokenizer",
        pooling="max",
        similarity_head="relu",
        cosine_scaling="positive",
        similarity_score="mean",
        pair_token_types=False,
        max_length=20,
        hidden_dropout_prob=0.3,
    )
    model.save_pretrained(tmp_path / "saved")
    assert MultitaskBert.from_pretrained(tmp_path / "saved").config == model.config


def numbers_size(path: Path) -> int:
    """Return the bytes of a safetensors file after its header, which is names and places."""
    content = path.read_bytes()
    return len(content) - 8 - int.from_bytes(content[:8], "little")


def test_half_precision_halves_the_file(model: MultitaskBert, saved: Path, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    assert numbers_size(saved / WEIGHTS) == 2 * numbers_size(tmp_path / "half" / WEIGHTS)
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.75 * (saved / WEIGHTS).stat().st_size
    again = MultitaskBert.from_pretrained(tmp_path / "half")
    assert {parameter.dtype for parameter in again.parameters()} == {torch.float32}
    for name, tensor in model.state_dict().items():
        assert_close(again.state_dict()[name], tensor, 2e-3)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_saving_again_replaces_the_old_model(model: MultitaskBert, saved: Path) -> None:
    redraw(model, seed=8)
    model.save_pretrained(saved)
    again = MultitaskBert.from_pretrained(saved).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in model.state_dict().items())


def test_a_saved_folder_holds_no_pickle_and_no_leftover(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert {CONFIG, WEIGHTS, "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".partial"))]


def test_saving_without_tokenizer_is_told(model: MultitaskBert, tmp_path: Path) -> None:
    model.tokenizer = None
    with pytest.raises(ValueError, match=r"`tokenizer` should be set before saving\. Found"):
        model.save_pretrained(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def full_disk(_descriptor: int) -> None:
    """Fail as a disk without space does."""
    raise OSError(28, "No space left on device")


def test_a_write_that_dies_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "file"
    files.write_bytes(path, b"old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        files.write_bytes(path, b"new and longer")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


def test_a_save_that_dies_leaves_the_old_weights_whole(
    model: MultitaskBert, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (saved / WEIGHTS).read_bytes()
    redraw(model, seed=8)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        model.save_pretrained(saved)
    assert (saved / WEIGHTS).read_bytes() == before
    MultitaskBert.from_pretrained(saved)


def test_json_is_written_for_people(tmp_path: Path) -> None:
    files.write_json(tmp_path / "x.json", {"a": "é", "b": [1]})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "a": "é"')
    assert text.endswith("}\n")
    assert files.read_json(tmp_path / "x.json") == {"a": "é", "b": [1]}


def test_tensors_of_any_layout_are_written(tmp_path: Path) -> None:
    weight = torch.arange(6.0).reshape(2, 3).requires_grad_()
    files.write_tensors(tmp_path / "x", {"turned": weight.T, "plain": weight})
    again = files.read_tensors(tmp_path / "x")
    assert torch.equal(again["turned"], weight.detach().T)
    assert torch.equal(again["plain"], weight.detach())


# Pickled weights


def pickle_only(folder: Path, content: object) -> Path:
    """Replace the folder's safetensors by a pytorch_model.bin."""
    (folder / WEIGHTS).unlink()
    torch.save(content, folder / PICKLED)
    return folder


def test_a_folder_with_pickled_weights_loads(folder: Path) -> None:
    wanted = load_encoder(folder)[0].state_dict()
    found, _, report = load_encoder(pickle_only(folder, old_weights()[0]))
    assert "cls.predictions.bias" in report.ignored
    assert all(torch.equal(found.state_dict()[name], part) for name, part in wanted.items())


def test_safetensors_come_before_pickled_weights(folder: Path) -> None:
    (folder / PICKLED).write_bytes(b"not even a pickle")
    assert checkpoint.weights_file(folder) == folder / WEIGHTS
    load_encoder(folder)


class Intruder:
    """Something that runs a command of its author's when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        """Name a harmless stand-in for that command."""
        return os.mkdir, ("intruded",)


def test_a_pickle_can_t_run_anything(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle_only(folder, {WORDS: Intruder()})
    with pytest.raises((CheckpointError, pickle.UnpicklingError)):
        load_encoder(folder)
    assert not (tmp_path / "intruded").exists()


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_torn_pickle_is_told(share: float, folder: Path) -> None:
    path = pickle_only(folder, old_weights()[0]) / PICKLED
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match=f"{PICKLED} .* torn"):
        load_encoder(folder)


# The Hub


class FakeHub:
    """Stands for `huggingface_hub.snapshot_download`: remembers its calls, fills a folder."""

    def __init__(self, folder: Path, source: Path) -> None:
        """Serve the files of `source` into `folder`."""
        self.folder, self.source = folder, source
        self.calls: list[tuple[str, str | None, tuple[str, ...]]] = []

    def __call__(self, name: str, *, revision: str | None, allow_patterns: list[str]) -> str:
        """Copy the files asked for that there are, as the Hub does."""
        self.calls.append((name, revision, tuple(allow_patterns)))
        self.folder.mkdir(exist_ok=True)
        for path in self.source.iterdir():
            if path.name in allow_patterns:
                (self.folder / path.name).write_bytes(path.read_bytes())
        return str(self.folder)


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """Put the fake in the Hub's place, with the old folder on its shelf."""
    fake = FakeHub(tmp_path / "cache", folder)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fake)
    monkeypatch.chdir(tmp_path)
    return fake


def test_an_id_is_downloaded_with_its_safetensors_only(hub: FakeHub) -> None:
    (hub.source / PICKLED).write_bytes(b"large and not needed")
    encoder, _, _ = load_encoder("someone/tiny", revision="v2")
    assert torch.equal(encoder.embeddings.word.weight, old_weights()[0][WORDS])
    ((name, revision, patterns),) = hub.calls
    assert (name, revision) == ("someone/tiny", "v2")
    assert {CONFIG, WEIGHTS, "tokenizer.json", "vocab.txt"} <= set(patterns)
    assert PICKLED not in patterns


def test_pickled_weights_are_fetched_only_where_there_are_no_others(hub: FakeHub) -> None:
    pickle_only(hub.source, old_weights()[0])
    encoder, _, _ = load_encoder("someone/tiny", revision="v2")
    assert torch.equal(encoder.embeddings.word.weight, old_weights()[0][WORDS])
    assert [(name, revision) for name, revision, _ in hub.calls] == [("someone/tiny", "v2")] * 2
    assert WEIGHTS in hub.calls[0][2]
    assert PICKLED not in hub.calls[0][2]
    assert hub.calls[1][2] == (PICKLED,)


def test_a_multitask_model_is_downloaded_too(hub: FakeHub, saved: Path) -> None:
    hub.source = saved
    wanted = MultitaskBert.from_pretrained(saved).state_dict()
    found = MultitaskBert.from_pretrained("someone", revision="main").state_dict()
    assert hub.calls[0][:2] == ("someone", "main")
    assert all(torch.equal(found[name], part) for name, part in wanted.items())


def test_a_folder_comes_before_an_id(hub: FakeHub, folder: Path) -> None:
    assert checkpoint.resolve_folder(folder) == folder
    assert checkpoint.resolve_folder(folder.name) == Path(folder.name)
    assert hub.calls == []


def not_found() -> RepositoryNotFoundError:
    """Return the error of an id that the Hub doesn't know."""
    answer = SimpleNamespace(headers={}, request=None)
    return RepositoryNotFoundError("no such repository", response=answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        not_found(),
        LocalEntryNotFoundError("offline and not cached"),
        HFValidationError("that is no id"),
        OSError("no network"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_hub_is_told(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    message = f"'someone/tiny' should be a folder or a Hugging Face id.*Hub says: .*{error}"
    with pytest.raises(CheckpointError, match=message) as caught:
        load_encoder("someone/tiny")
    assert caught.value.__cause__ is error
