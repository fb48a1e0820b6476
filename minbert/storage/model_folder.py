"""A model's folder, which minbert, transformers and sentence-transformers load.

config.json and model.safetensors are a plain BERT's, as transformers' `BertModel` reads them. What
is ours lies under one key and in a file of its own: heads, attention pooling, PALs. Where
sentence-transformers has the pooling, its files tell it: an encoder and a pooling, compared by
cosine (Reimers & Gurevych 2019, "Sentence-BERT", section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from minbert.checkpoint import CONFIG_FILE, WEIGHTS_FILE, key_table
from minbert.config import OURS, MultitaskConfig
from minbert.files import read_json, read_tensors, write_json, write_tensors
from minbert.storage.manifest import ONNX_FILE, POOLING_FILE, write_manifest
from minbert.text import Tokenizer

HEADS_FILE = "heads.safetensors"
MODULES_FILE = "modules.json"
MODES = ("cls_token", "mean_tokens", "max_tokens", "mean_sqrt_len_tokens")  # of their Pooling
POOLINGS = {"cls": "cls_token", "mean": "mean_tokens", "max": "max_tokens"}  # ours -> theirs


def write_folder(
    folder: Path, config: MultitaskConfig, state: Mapping[str, Tensor], tokenizer: Tokenizer
) -> None:
    """Write a model's files, and their manifest last; an ONNX file of other weights is removed.

    Args:
        folder: where to; made if it isn't there.
        config: of the model.
        state: its state dictionary, in the number format to store.
        tokenizer: its tokenizer.
    """
    names = _names_of_encoder(config)
    encoder = {names[name]: tensor for name, tensor in state.items() if name in names}
    heads = {name: tensor for name, tensor in state.items() if name not in names}
    tokenizer.save(folder)
    write_tensors(folder / WEIGHTS_FILE, encoder)
    write_tensors(folder / HEADS_FILE, heads)
    write_json(folder / CONFIG_FILE, config.to_dict())
    _write_pooling(folder, config)
    (folder / ONNX_FILE).unlink(missing_ok=True)
    write_manifest(folder)


def read_state(
    folder: Path, config: MultitaskConfig, weights: Mapping[str, Tensor]
) -> dict[str, Tensor]:
    """Return a model's state dictionary, complete or not, of what model.safetensors holds.

    A folder from before the heads had a file of their own has all in that one, by our names.

    Raises:
        CheckpointError: the heads' file is missing or torn.
    """
    if OURS not in read_json(folder / CONFIG_FILE):
        return dict(weights)
    ours = {theirs: name for name, theirs in _names_of_encoder(config).items()}
    encoder = {ours.get(name, name): tensor for name, tensor in weights.items()}
    return read_tensors(folder / HEADS_FILE) | encoder


def _names_of_encoder(config: MultitaskConfig) -> dict[str, str]:
    """Return a model's name -> transformers' name, for each weight that its BERT has."""
    table = key_table(config.encoder.num_hidden_layers)
    return {f"encoder.{ours}": theirs for theirs, ours in table.items()}


def lossless_dtype(state: Mapping[str, Tensor]) -> torch.dtype:
    """Return float16 where that holds every number exactly, as of our own checkpoints; float32."""
    exact = all(torch.equal(tensor.half().float(), tensor.float()) for tensor in state.values())
    return torch.float16 if exact else torch.float32


def change_config(folder: Path, changes: Mapping[str, float]) -> None:
    """Change fields of ours in a folder's config.json; an ONNX file, which has them too, goes.

    Raises:
        CheckpointError: the file is missing or torn.
    """
    values = read_json(folder / CONFIG_FILE)
    values.get(OURS, values).update(changes)
    write_json(folder / CONFIG_FILE, values)
    (folder / ONNX_FILE).unlink(missing_ok=True)


def check_pooling(config: MultitaskConfig) -> None:
    """See that sentence-transformers can embed as the model does.

    Raises:
        ValueError: the model has PALs, or a pooling that the library lacks.
    """
    if config.pal_size:
        raise ValueError(
            f"`pal_size` should be 0 for a plain BERT. Found {config.pal_size}; the encoder's "
            "layers differ by task. Export a model that was trained without PALs."
        )
    if config.pooling not in POOLINGS:
        raise ValueError(
            f"`pooling` should be one that sentence-transformers has, {', '.join(POOLINGS)}. "
            f"Found {config.pooling!r}; export a model that was trained with one of these."
        )


def _write_pooling(folder: Path, config: MultitaskConfig) -> None:
    """Write what sentence-transformers reads; nothing where it can't embed as the model does."""
    if config.pal_size or config.pooling not in POOLINGS:
        (folder / MODULES_FILE).unlink(missing_ok=True)  # of another model
        return
    modules = [
        {"idx": idx, "name": str(idx), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for idx, (kind, path) in enumerate(
            [("Transformer", ""), ("Pooling", str(Path(POOLING_FILE).parent))]
        )
    ]
    write_json(folder / MODULES_FILE, modules)
    write_json(folder / "sentence_bert_config.json", {"max_seq_length": config.max_length})
    write_json(folder / "config_sentence_transformers.json", {"similarity_fn_name": "cosine"})
    write_json(
        folder / POOLING_FILE,
        {"word_embedding_dimension": config.encoder.hidden_size}
        | {f"pooling_mode_{mode}": mode == POOLINGS[config.pooling] for mode in MODES},
    )
