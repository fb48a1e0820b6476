"""A saved model's folder in minbert and transformers; `make test-ecosystem` has the other two."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers
from safetensors.torch import load_file
from torch import Tensor

from minbert.checkpoint import CONFIG_FILE, WEIGHTS_FILE, load_encoder
from minbert.config import MODEL_TYPE, OURS
from minbert.files import CheckpointError, write_json, write_tensors
from minbert.multitask import MultitaskBert
from minbert.storage import manifest
from minbert.storage.manifest import ONNX_FILE, POOLING_FILE
from minbert.storage.model_folder import HEADS_FILE, MODULES_FILE, change_config
from tests.served import ROOT
from tests.support import assert_close, random_batch, redraw, tiny_model
from trainer.cli import main

FOR_SENTENCES = {
    *(MODULES_FILE, "sentence_bert_config.json", "config_sentence_transformers.json"),
    POOLING_FILE,
}


@pytest.fixture
def model(tmp_path: Path) -> MultitaskBert:
    """Return a tiny model of float16's numbers, as the trainer's finished ones are."""
    model = tiny_model(tmp_path / "words", max_length=20).eval()
    redraw(model, seed=3, std=0.3)
    model.half().float()
    return model


@pytest.fixture
def saved(model: MultitaskBert, tmp_path: Path) -> Path:
    """Give the model's folder."""
    model.save_pretrained(tmp_path / "saved", dtype=None)
    return tmp_path / "saved"


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Give what is logged, by transformers too, whose loggers keep it from the others."""
    logger = logging.getLogger("transformers")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


def values_of(path: Path) -> dict[str, Any]:
    """Return a JSON file's values."""
    values: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return values


def names(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


@torch.inference_mode()
def test_transformers_has_our_hidden_states_without_a_word(
    model: MultitaskBert, saved: Path, told: pytest.LogCaptureFixture
) -> None:
    loaded, report = transformers.AutoModel.from_pretrained(saved, output_loading_info=True)
    assert type(loaded) is transformers.BertModel
    assert loaded.dtype == torch.float32
    assert not any(report.values())
    assert not told.records
    stored = load_file(saved / WEIGHTS_FILE)
    assert set(stored) == set(loaded.state_dict())
    assert {tensor.dtype for tensor in stored.values()} == {torch.float16}
    batch = random_batch()
    theirs = loaded(batch.input_ids, batch.attention_mask, batch.token_type_ids)
    ours = model.encoder(batch.input_ids, batch.attention_mask, batch.token_type_ids).hidden
    real = batch.attention_mask.bool()
    assert_close(theirs.last_hidden_state[real], ours[real], 1e-5)
    assert_close(theirs.pooler_output, model.encoder.pooler(ours, batch.attention_mask), 1e-5)
    tokens = transformers.AutoTokenizer.from_pretrained(saved)(["the dull film", "a cat"])
    assert model.tokenizer is not None
    assert tokens["input_ids"][0][1:-1] == model.tokenizer.pieces(["the dull film"])[0]


@pytest.mark.parametrize("name", ["mean", "cls"])
@torch.inference_mode()
def test_the_shipped_folders_are_such_ones(name: str) -> None:
    folder = ROOT / "assets" / "models" / name
    loaded, report = transformers.AutoModel.from_pretrained(folder, output_loading_info=True)
    assert type(loaded) is transformers.BertModel
    assert not any(report.values())
    ours = MultitaskBert.from_pretrained(folder)
    batch = random_batch(vocab_size=ours.config.encoder.vocab_size)
    given = (batch.input_ids, batch.attention_mask, batch.token_type_ids)
    real = batch.attention_mask.bool()
    hidden = ours.encoder(*given).hidden
    assert_close(loaded(*given).last_hidden_state[real], hidden[real], 1e-5)


@pytest.mark.parametrize(
    ("pooling", "mode"),
    [("mean", "mean_tokens"), ("cls", "cls_token"), ("max", "max_tokens")],
)
def test_sentence_transformers_is_told_the_pooling(pooling: str, mode: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pooling=pooling, max_length=20)
    model.save_pretrained(tmp_path / "out")
    assert names(tmp_path / "out") >= FOR_SENTENCES
    modes = values_of(tmp_path / "out" / POOLING_FILE)
    assert modes.pop("word_embedding_dimension") == model.config.encoder.hidden_size
    assert [name for name, on in modes.items() if on] == [f"pooling_mode_{mode}"]
    lengths = values_of(tmp_path / "out" / "sentence_bert_config.json")
    assert lengths == {"max_seq_length": 20}
    manifest_file = values_of(tmp_path / "out" / manifest.MANIFEST_FILE)
    assert set(manifest_file["sha256"]) == names(tmp_path / "out") - {manifest.MANIFEST_FILE}


@pytest.mark.parametrize(
    "changes",
    [{"pooling": "attention"}, {"pooling": "pooler"}, {"pal_size": 4}],
)
def test_what_the_libraries_can_t_do_is_not_told_them(
    changes: dict[str, Any], saved: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model = tiny_model(tmp_path / "words", **changes)
    redraw(model, seed=5)
    model.save_pretrained(saved)  # over the files of a model that they know
    assert MODULES_FILE not in names(saved)
    again = MultitaskBert.from_pretrained(saved)
    assert again.config == model.config
    assert all(torch.equal(again.state_dict()[n], t) for n, t in model.state_dict().items())
    if "pal_size" in changes:
        with pytest.raises(ValueError, match=MODEL_TYPE):
            transformers.AutoModel.from_pretrained(saved)
        with pytest.raises(CheckpointError, match=MODEL_TYPE):
            load_encoder(saved)
    else:
        assert type(transformers.AutoModel.from_pretrained(saved)) is transformers.BertModel
    out = tmp_path / "out"
    assert main(["export", str(saved), "--to", "sentence-transformers", f"--output={out}"]) != 0
    assert f"`{next(iter(changes))}` should be" in capsys.readouterr().err
    assert not out.exists()


def test_the_export_is_the_folder_in_half_where_that_loses_nothing(
    model: MultitaskBert, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    model.save_pretrained(tmp_path / "whole")
    out = tmp_path / "out"
    command = ["export", str(tmp_path / "whole"), "--to", "sentence-transformers"]
    assert main([*command, f"--output={out}"]) == 0
    assert f'SentenceTransformer("{out}")' in capsys.readouterr().err
    assert load_file(out / WEIGHTS_FILE)["pooler.dense.bias"].dtype == torch.float16
    assert_same(MultitaskBert.from_pretrained(out), model)
    redraw(model, seed=6)
    model.save_pretrained(tmp_path / "float32", dtype=None)
    assert_same(MultitaskBert.from_pretrained(tmp_path / "float32"), model)


def assert_same(found: MultitaskBert, wanted: MultitaskBert) -> None:
    """Assert that two models are equal to the bit."""
    assert found.config == wanted.config
    state: dict[str, Tensor] = found.state_dict()
    assert set(state) == set(wanted.state_dict())
    assert all(torch.equal(state[name], each) for name, each in wanted.state_dict().items())


def test_a_folder_of_one_file_still_loads_and_stays_so(
    model: MultitaskBert, saved: Path, tmp_path: Path
) -> None:
    """As the trainer wrote them before: all weights by our names, the encoder's config inside."""
    old = tmp_path / "old"
    old.mkdir()
    for name in manifest.TOKENIZER_FILES:
        if (saved / name).exists():
            (old / name).write_bytes((saved / name).read_bytes())
    now = values_of(saved / CONFIG_FILE)
    encoder = {n: now[n] for n in vars(model.config.encoder)}
    write_json(old / CONFIG_FILE, {"model_type": MODEL_TYPE, "encoder": encoder, **now[OURS]})
    write_tensors(old / WEIGHTS_FILE, model.state_dict())
    manifest.write_manifest(old)
    assert_same(MultitaskBert.from_pretrained(old), model)
    for folder in (old, saved):
        with manifest.rewriting(folder):
            change_config(folder, {"sentiment_temperature": 2.5})
        again = MultitaskBert.from_pretrained(folder)
        assert again.config.sentiment_temperature == 2.5
        assert vars(again.config) == {**vars(model.config), "sentiment_temperature": 2.5}


@pytest.mark.parametrize("file", [WEIGHTS_FILE, HEADS_FILE])
def test_loading_is_strict(file: str, saved: Path) -> None:
    weights = load_file(saved / file)
    (saved / manifest.MANIFEST_FILE).unlink()
    name = next(iter(weights))
    write_tensors(saved / file, {**weights, "cls.predictions.bias": torch.ones(2)})
    with pytest.raises(CheckpointError, match=r"cls\.predictions\.bias is unknown"):
        MultitaskBert.from_pretrained(saved)
    write_tensors(saved / file, {n: t for n, t in weights.items() if n != name})
    with pytest.raises(CheckpointError, match="is missing"):
        MultitaskBert.from_pretrained(saved)
    (saved / file).unlink()
    with pytest.raises(CheckpointError, match=f"{file} should exist"):
        MultitaskBert.from_pretrained(saved)


def test_an_onnx_file_of_other_numbers_doesn_t_stay(model: MultitaskBert, saved: Path) -> None:
    def put() -> None:
        (saved / ONNX_FILE).parent.mkdir(exist_ok=True)
        (saved / ONNX_FILE).write_bytes(b"graph")
        manifest.write_manifest(saved)

    put()
    (saved / ONNX_FILE).write_bytes(b"other")
    with pytest.raises(CheckpointError, match=rf"{ONNX_FILE} should have the SHA-256"):
        MultitaskBert.from_pretrained(saved)
    put()
    with manifest.rewriting(saved):
        change_config(saved, {"sentiment_temperature": 2.5})
    assert ONNX_FILE not in names(saved)
    put()
    model.save_pretrained(saved)
    assert ONNX_FILE not in names(saved)
    (saved / POOLING_FILE).unlink()  # as a download for minbert leaves it
    MultitaskBert.from_pretrained(saved)
