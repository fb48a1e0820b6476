"""Fine-tuning of a tiny model, set up for a test."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import torch

from minbert.multitask import MultitaskBert
from minbert.tasks import TASKS
from tests.support import redraw, tiny_model
from tests.trainer.samples import task_examples
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, encode_task
from trainer.run.fine_tuning import FineTuning

CPU = torch.device("cpu")
CONFIG = TrainConfig(
    epochs=2,
    steps_per_epoch=6,
    batch_examples=8,
    batch_tokens=200,
    learning_rate=1e-2,
    warmup=0.25,
    hidden_dropout=0.2,
    head_epochs=0,
)


def streams_of(model: MultitaskBert, *, siamese: bool = True, count: int = 40) -> list[BatchStream]:
    """Stream small tables of all three tasks."""
    assert model.tokenizer is not None
    streams = []
    for place, task in enumerate(TASKS.values()):
        examples = task_examples(task.name, count, place)
        sides = siamese and task.name == "similarity"
        data = encode_task(task, examples, model.tokenizer, model.config, siamese=sides)
        streams.append(BatchStream(data, 50 + place, examples=8, tokens=200))
    return streams


def tuning_of(folder: Path, seed: int = 1, **changes: Any) -> FineTuning:  # noqa: ANN401 - any field
    """Set up fine-tuning of a tiny model with dropout."""
    config = dataclasses.replace(CONFIG, **changes)
    model = tiny_model(
        folder, hidden_dropout_prob=0.2, attention_probs_dropout_prob=0.2, pooling=config.pooling
    )
    redraw(model, seed=seed, std=0.3)
    return FineTuning(model, streams_of(model), config, CPU)
