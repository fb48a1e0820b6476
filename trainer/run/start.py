"""Beginning a run with a finished run's model: its encoder and its heads."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minbert.checkpoint import CONFIG_FILE, WEIGHTS_FILE, read_config
from minbert.config import UNCALIBRATED, MultitaskConfig
from minbert.files import CheckpointError, read_json
from minbert.multitask import MultitaskBert
from minbert.storage import manifest
from minbert.storage.model_folder import HEADS_FILE
from trainer.config import SENTIMENT_DATA, TrainConfig
from trainer.data.course import FILES, sha256_of
from trainer.data.seen import read_trained_on
from trainer.data.treebank import TREES_FILE

KEPT = ("pooling", "similarity_head", "paraphrase_head", "pal_size")  # the weights' own meaning


def load_start(config: TrainConfig) -> MultitaskBert:
    """Load the model that `config.start_from` names, with the run's own dropout and scores.

    A calibration that was fitted to it is dropped.

    Raises:
        CheckpointError: no such folder, or a weight missing, unknown or misshapen.
        ValueError: a model of another pooling, head or number of sentiment classes.
    """
    folder = Path(config.start_from)
    if not (folder / CONFIG_FILE).is_file():
        raise CheckpointError(
            f"`start_from` should be a finished run's model folder, such as runs/mean-0/model. "
            f"Found no {CONFIG_FILE} in {folder}."
        )
    manifest.verify(folder)
    found = read_config(folder, MultitaskConfig.from_dict)
    wanted = {name: getattr(config, name) for name in KEPT}
    wanted["sentiment_classes"] = SENTIMENT_DATA[config.sentiment_data]
    for name, value in wanted.items():
        if getattr(found, name) != value:
            raise ValueError(
                f"`start_from` should be a model whose `{name}` is this run's, {value!r}. Found "
                f"{getattr(found, name)!r} in {folder}."
            )
    shape = dataclasses.replace(
        found,
        encoder=dataclasses.replace(
            found.encoder,
            hidden_dropout_prob=config.hidden_dropout,
            attention_probs_dropout_prob=config.attention_dropout,
        ),
        cosine_scaling=config.cosine_scaling,
        similarity_score=config.similarity_score,
        max_length=config.max_length,
        **UNCALIBRATED,  # it doesn't fit what training makes of the weights
    )
    return MultitaskBert.from_folder(folder, shape)


def start_files(config: TrainConfig) -> dict[str, str]:
    """Return the SHA-256 of the weights that the run begins with, named for the run's record."""
    if not config.start_from:
        return {}
    weights = Path(config.start_from) / WEIGHTS_FILE
    if not weights.is_file():
        raise CheckpointError(
            f"`start_from` should be a finished run's model folder. Found no {weights}."
        )
    return {"start_from": sha256_of(model_files(weights.parent))}


def model_files(folder: Path) -> list[Path]:
    """Return the files of a model's weights: the encoder's, and the heads' where it isn't in it."""
    heads = folder / HEADS_FILE
    return [folder / WEIGHTS_FILE, *([heads] if heads.is_file() else [])]


def trained_before(config: TrainConfig) -> tuple[dict[str, str], dict[str, set[int]]]:
    """Return the files and pairs that trained the model which the run begins with; else none."""
    return read_trained_on(Path(config.start_from)) if config.start_from else ({}, {})


def tasks_trained(files: Mapping[str, str]) -> set[str]:
    """Name the tasks whose training files are among `files`."""
    found = {name for name, splits in FILES.items() if splits["train"] in files}
    return found | ({"sentiment"} if TREES_FILE in files else set())


def started_from(folder: Path) -> dict[str, Any]:
    """Return what a run's result tells of the model that it began with."""
    told: dict[str, Any] = {"folder": str(folder), "sha256": sha256_of(model_files(folder))}
    result = folder.parent / "result.json"
    if result.is_file():
        earlier = read_json(result)
        kept = ("recipe", "seed", "tokens", "minutes", "commit", "config", "started_from")
        told |= {name: earlier[name] for name in kept if name in earlier}
    return told
