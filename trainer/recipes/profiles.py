"""What a profile changes in a recipe, in one place.

`report` changes nothing: bert-base-uncased and the report's settings, for a GPU. `cpu` is what
two CPU cores can do in minutes a row; its changes are printed with every result.
"""

import dataclasses
from collections.abc import Callable
from typing import Any

from trainer.config import TrainConfig


def cpu(config: TrainConfig) -> dict[str, Any]:
    """Return what two CPU cores change: a fifth of the encoder, a higher rate, short epochs."""
    changes: dict[str, Any] = {
        "encoder": "sentence-transformers/all-MiniLM-L6-v2",  # 23 M parameters, not 110 M
        "precision": "bf16",  # autocast; fp32 takes about 1.7 times as long
        "head_examples": 8192,  # a task, in phase 1
        "epochs": (config.epochs + 1) // 2,  # 10 -> 5
        "tokens_per_epoch": 120_000,  # every fine-tuned row reads as many tokens
        "learning_rate": 1e-4,  # a small encoder and few steps want more than 1e-5
        "batch_tokens": 4096,
        "freeze_word_embeddings": True,  # half of all parameters
        "dev_examples": 500,  # a task, at each epoch; the final scores are on all
    }
    if config.pal_size:
        changes["pal_size"] = 96  # 204 of 768 units, scaled to 384 and a multiple of 12 heads
    return changes


PROFILES: dict[str, Callable[[TrainConfig], dict[str, Any]]] = {
    "report": lambda config: {},  # noqa: ARG005 - a profile's signature
    "cpu": cpu,
}


def with_profile(config: TrainConfig, profile: str) -> TrainConfig:
    """Return the recipe as a profile changes it."""
    return dataclasses.replace(config, **PROFILES[profile](config))


def changes_of(config: TrainConfig, profile: str) -> str:
    """Say what a profile changes in a recipe, in one line; empty for nothing."""
    changed = {
        name: value
        for name, value in PROFILES[profile](config).items()
        if getattr(config, name) != value
    }
    return ", ".join(f"{name} {getattr(config, name)} -> {changed[name]}" for name in changed)
