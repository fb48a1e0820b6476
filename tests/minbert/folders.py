"""Hugging Face folders spelled as the files of 2018 are, for the tests of checkpoints."""

from __future__ import annotations

import json
from pathlib import Path

import torch
import transformers
from safetensors.torch import save_file
from torch import Tensor

from minbert.storage.manifest import MANIFEST_FILE
from tests.support import (
    redraw,
    tiny_config,
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


def unlisted(folder: Path) -> Path:
    """Take the manifest out of a folder of ours, so that what else is wrong with it is told."""
    (folder / MANIFEST_FILE).unlink()
    return folder


def write_folder(folder: Path, weights: dict[str, Tensor] | None = None, **changes: object) -> Path:
    """Write a Hugging Face folder: tokenizer, config with `changes`, weights (the old file's)."""
    tiny_tokenizer(folder)
    (folder / CONFIG).write_text(json.dumps({**tiny_config().to_hf(), **changes}))
    save_file(old_weights()[0] if weights is None else weights, folder / WEIGHTS)
    return folder
