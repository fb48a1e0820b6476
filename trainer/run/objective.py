"""What one batch of a task costs: its own loss, the Siamese one, the contrastive one.

Report: sections 4.1 (losses), 4.3 (`process_batch`), 4.5 (Siamese similarity), 4.6 (SimCSE for
every task's sentences). Differs from the report: each part has a weight. A part with weight 0
costs nothing: what only it would read is not encoded.
"""

from __future__ import annotations

import contextlib
import functools
from typing import Any

import torch
from torch import Tensor, nn

from minbert.multitask import MultitaskBert
from trainer.config import TrainConfig
from trainer.data.batches import TaskBatch, reads_of
from trainer.run.heads import head_output
from trainer.techniques.contrastive import CONTRASTIVE_LOSSES, same_sentences
from trainer.techniques.distillation import SOFT_LOSSES, mixed_loss
from trainer.techniques.losses import LOSSES, Loss, sentiment_loss
from trainer.techniques.precision import autocast


def tokens_read(batch: TaskBatch, config: TrainConfig) -> int:
    """Count the real tokens that the encoder reads in this batch."""
    reads = reads_of(batch.task, config)
    sides = batch.sides.tokens if batch.sides else 0
    sentences = sides if batch.task.pair else batch.inputs.tokens
    return reads.inputs * batch.inputs.tokens + reads.sides * sides + reads.twice * sentences


def process_batch(
    model: MultitaskBert,
    batch: TaskBatch,
    config: TrainConfig,
    precision: contextlib.AbstractContextManager[Any] | None = None,
) -> dict[str, Tensor]:
    """Return the losses of one batch.

    Args:
        model: in training mode, on the batch's device.
        batch: of one task; with its sides where `reads_of` says so.
        config: the weights of the losses.
        precision: lower precision for the encoder; heads and losses stay in float32.

    Returns:
        loss: what is minimised. Beside it, for the log: task, the task's own loss; contrastive;
        zero_share, the share of outputs at which the report's ReLU * 5 head is exactly 0.
    """
    reads, name = reads_of(batch.task, config), batch.task.name
    if reads.sides and batch.sides is None:
        raise ValueError(f"`batch.sides` of {name} should be there for this loss. Found None.")
    with precision or contextlib.nullcontext():
        inputs = model.embed(batch.inputs, name) if reads.inputs else None
        sides = model.embed(batch.sides, name) if reads.sides and batch.sides else None
        sentences = batch.sides if batch.task.pair else batch.inputs
        again = model.embed(sentences, name) if reads.twice and sentences else None
    losses = task_losses(model, batch, config, inputs, sides)
    if again is not None and sentences is not None:
        first = sides if batch.task.pair else inputs
        same = same_sentences(sentences.input_ids, sentences.attention_mask)
        losses["contrastive"] = CONTRASTIVE_LOSSES[config.contrastive](
            first,
            again,
            temperature=config.contrastive_temperature,
            same=same if config.contrastive_mask_same else None,
        )
        losses["loss"] = losses["loss"] + config.contrastive_weight * losses["contrastive"]
    return losses


def task_losses(
    model: MultitaskBert,
    batch: TaskBatch,
    config: TrainConfig,
    inputs: Tensor | None,
    sides: Tensor | None,
) -> dict[str, Tensor]:
    """Return a task's own loss from the embeddings of its inputs (B, D) and sides (2B, D)."""
    task = batch.task
    if task.name != "similarity":
        features = inputs
        if task.name == "paraphrase" and config.paraphrase_head == "two_tower":
            assert sides is not None  # reads_of asks for them
            features = model.paraphrase_features(*sides.chunk(2))
        assert features is not None  # reads_of asks for them
        value = own_loss(head_output(model, task, features), batch, config)
        return {"loss": value, "task": value}
    total = batch.labels.new_zeros(())
    found: dict[str, Tensor] = {}
    if inputs is not None:
        scores = head_output(model, task, inputs)
        total = total + config.joint_weight * own_loss(scores, batch, config)
        if config.similarity_head == "relu":
            found["zero_share"] = (scores.detach() == 0).float().mean()
    if sides is not None and config.siamese_weight > 0:
        first, second = sides.chunk(2)
        cosine_scores = model.siamese_similarity(first, second)
        total = total + config.siamese_weight * own_loss(cosine_scores, batch, config)
    return {"loss": total, "task": total, **found}


def own_loss(output: Tensor, batch: TaskBatch, config: TrainConfig) -> Tensor:
    """Return the loss of a head's output (B, C) or (B,) against a batch's labels, gold and soft."""
    name = batch.task.name
    gold: Loss = LOSSES[name]
    if name == "sentiment":
        gold = functools.partial(sentiment_loss, smoothing=config.label_smoothing)
    if batch.soft is None:
        return gold(output, batch.labels)

    def soft(output: Tensor, teacher: Tensor) -> Tensor:
        return SOFT_LOSSES[name](output, teacher, config.distillation_temperature)

    return mixed_loss(gold, soft, output, batch.labels, batch.soft, config.distillation_weight)


class Objective(nn.Module):
    """Model and losses as one module, so that DistributedDataParallel sees its forward pass."""

    def __init__(self, model: MultitaskBert, config: TrainConfig, device: torch.device) -> None:
        """Wrap a model that is on `device`."""
        super().__init__()
        self.model = model
        self.config = config
        self.device = device

    def forward(self, batch: TaskBatch) -> dict[str, Tensor]:
        """Return `process_batch`'s losses of a batch, in the precision asked for."""
        precision = autocast(self.config.precision, self.device)
        return process_batch(self.model, batch.to(self.device), self.config, precision)
