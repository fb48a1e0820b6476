"""Tiny encoders of transformers that are no BERT, with their tokenizers; and taught ones."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from tests.support import redraw, seeded, tiny_vocabulary
from trainer.config import TeachConfig
from trainer.data.course import FILES
from trainer.teacher.teach import Limits, teach

SETTINGS: dict[str, Any] = {
    "max_length": 48,
    "batch_tokens": 160,
    "batch_examples": 16,
    "learning_rate": 3e-3,
}


def mpnet_folder(folder: Path, seed: int = 0) -> Path:
    """Write a tiny MPNet: other special tokens, no token types, positions after the padding's."""
    words = [word for word in tiny_vocabulary() if not (word[0] == "[" and len(word) > 1)]
    pieces = ["<s>", "<pad>", "</s>", "<unk>", "<mask>", *words, "[UNK]"]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    transformers.MPNetTokenizer(vocab=vocabulary).save_pretrained(folder)
    config = transformers.MPNetConfig(
        vocab_size=len(pieces),
        hidden_size=16,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=32,
        max_position_embeddings=66,
    )
    return write(transformers.MPNetModel(config), folder, seed)


def distilbert_folder(folder: Path, seed: int = 0) -> Path:
    """Write a tiny DistilBERT: other names of modules and settings, no token types."""
    pieces = {piece: number for number, piece in enumerate(tiny_vocabulary())}
    transformers.DistilBertTokenizer(vocab=pieces).save_pretrained(folder)
    config = transformers.DistilBertConfig(
        vocab_size=len(pieces),
        dim=16,
        n_layers=2,
        n_heads=4,
        hidden_dim=32,
        max_position_embeddings=64,
    )
    return write(transformers.DistilBertModel(config), folder, seed)


def write(model: transformers.PreTrainedModel, folder: Path, seed: int) -> Path:
    """Write a model with weights that all count."""
    redraw(model, seed=seed, std=0.2)
    model.save_pretrained(folder)
    return folder


def taught(
    base: Path,
    data: Path,
    out: Path,
    task: str = "sentiment",
    **changes: Any,  # noqa: ANN401
) -> list[str]:
    """Teach on the course's own files to the end; return the lines told."""
    told: list[str] = []
    torch.set_num_threads(1)
    with seeded(0):
        finished = teach(
            TeachConfig(task=task, teacher=str(base), **{**SETTINGS, **changes}),
            [data / FILES[task]["train"]],
            data / FILES[task]["dev"],
            out,
            resume=True,
            limits=Limits(),
            device_name="cpu",
            report=told.append,
        )
    assert finished
    return told
