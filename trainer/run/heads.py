"""Phase 1: individual head pretraining on a frozen encoder.

Report: section 4.3. Differs from the report: the encoder is frozen, so its pooled output is
computed once and reused; its own dropout is off while it is, the heads' dropout is on. The
report's form, encoder dropout on at every step, is `head_encoder_dropout`. The heads don't depend
on one another, so training them one after the other is the report's cycling through the tasks.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from minbert import metrics
from minbert.files import read_tensors, write_tensors
from minbert.metrics import Metric
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tables import Example
from minbert.tasks import TASKS, Task
from trainer.config import TrainConfig
from trainer.run.divergence import check_losses
from trainer.seeding import mix_seed
from trainer.techniques.losses import LOSSES

HEADS_SEED = 1  # keeps this phase's random numbers apart from fine-tuning's


@dataclasses.dataclass(frozen=True)
class StoredEmbeddings:
    """Examples of one task as pooled embeddings."""

    embeddings: Tensor  # (N, D); for the two-tower head (N, 4D)
    labels: Tensor  # (N,)

    def rows(self, index: Tensor) -> Tensor:
        """Return the embeddings of some rows (B,) as (B, D)."""
        return self.embeddings[index]


@dataclasses.dataclass(frozen=True)
class FreshEmbeddings:
    """Examples of one task, encoded anew each time they are asked for, with dropout on."""

    predictor: Predictor
    task: Task
    examples: list[Example]
    labels: Tensor  # (N,)

    def rows(self, index: Tensor) -> Tensor:
        """Return embeddings of some rows (B,) under fresh dropout masks: (B, D)."""
        self.predictor.model.train()
        return embed(self.predictor, self.task, [self.examples[row] for row in index.tolist()])


def head_output(model: MultitaskBert, task: Task, embedding: Tensor) -> Tensor:
    """Apply a task's head to embeddings (B, D): logits (B, 5), logits (B,) or scores (B,)."""
    heads: dict[str, Callable[[Tensor], Tensor]] = {
        "sentiment": model.sentiment_logits,
        "paraphrase": model.paraphrase_logits,
        "similarity": model.joint_similarity,
    }
    return heads[task.name](embedding)


def labels_of(examples: list[Example]) -> Tensor:
    """Return the labels of labelled examples, (N,)."""
    return torch.tensor([row.label for row in examples], dtype=torch.float32)


def embed(predictor: Predictor, task: Task, examples: list[Example]) -> Tensor:
    """Return what the task's head reads: (N, D), for the two-tower head (N, 4D)."""
    if not task.pair:
        inputs = predictor.encode_single([row.texts[0] for row in examples])
    elif task.name == "paraphrase" and predictor.config.paraphrase_head == "two_tower":
        singles = predictor.embed([text for row in examples for text in row.texts], task.name)
        return predictor.model.paraphrase_features(singles[0::2], singles[1::2]).clone()
    else:
        inputs = predictor.encode_joint([(row.texts[0], row.texts[1]) for row in examples])
    return predictor.pooled(inputs, task.name).clone()  # clone: out of inference mode


def embed_examples(
    predictor: Predictor, task: Task, examples: list[Example], cache: Path | None = None
) -> StoredEmbeddings:
    """Embed examples once with the frozen encoder, dropout off.

    Args:
        predictor: of the model as it stands.
        task: says what is encoded.
        examples: labelled.
        cache: folder where embeddings are kept, and taken from when everything they depend on
            is the same; None keeps none.
    """
    if cache is None:
        return StoredEmbeddings(embed(predictor, task, examples), labels_of(examples))
    path = cache / f"{fingerprint(predictor, task, examples)}.safetensors"
    if path.exists():
        return StoredEmbeddings(read_tensors(path)["embeddings"], labels_of(examples))
    embeddings = embed(predictor, task, examples)
    cache.mkdir(parents=True, exist_ok=True)
    write_tensors(path, {"embeddings": embeddings})
    return StoredEmbeddings(embeddings, labels_of(examples))


def fingerprint(predictor: Predictor, task: Task, examples: list[Example]) -> str:
    """Return a hash of what decides embeddings, but for rounding: encoder, settings, texts."""
    digest = hashlib.blake2b(digest_size=16)
    for name, tensor in predictor.model.state_dict().items():
        if not name.startswith("heads."):
            digest.update(tensor.cpu().numpy().tobytes())
    settings = {**predictor.config.to_dict(), "task": task.name, "autocast": predictor.autocast}
    texts = [row.texts for row in examples]
    digest.update(json.dumps([settings, texts], allow_nan=False).encode())
    return digest.hexdigest()


def pretrain_head(
    model: MultitaskBert,
    task: Task,
    train: StoredEmbeddings | FreshEmbeddings,
    dev: StoredEmbeddings,
    config: TrainConfig,
    log: Callable[..., None],
) -> None:
    """Train one head alone and leave it at its best epoch by its own dev metric.

    Where that metric is undefined in every epoch, the head stays as the last one left it.

    Raises:
        DivergedError: a loss that isn't finite.
    """
    head = model.heads[task.name]
    learning_rate = config.head_learning_rate
    optimizer = torch.optim.AdamW(head.parameters(), lr=learning_rate)
    parameters, rate = dict(head.named_parameters()), f"`head_learning_rate` {learning_rate:g}"
    best_score: float | None = None
    best_weights = {name: tensor.clone() for name, tensor in head.state_dict().items()}
    for epoch in range(1, config.head_epochs + 1):
        seed = mix_seed(config.seed, HEADS_SEED, list(TASKS).index(task.name), epoch)
        torch.manual_seed(seed)
        head.train()
        order = torch.randperm(len(train.labels))
        total = 0.0
        for rows in torch.split(order, config.head_batch):
            output = head_output(model, task, train.rows(rows))
            loss = LOSSES[task.name](output, train.labels[rows])
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
            optimizer.step()
            value = loss.item()
            check_losses({"loss": value}, parameters, f"{task.name}'s head at epoch {epoch}", rate)
            total += value * len(rows)
        head.eval()
        with torch.no_grad():
            scored = head_metric(task, head_output(model, task, dev.embeddings), dev.labels)
        if best_score is None or metrics.better(scored.value, best_score):
            best_score = scored.value
            best_weights = {name: tensor.clone() for name, tensor in head.state_dict().items()}
        log(
            phase="heads",
            task=task.name,
            epoch=epoch,
            loss=total / len(train.labels),
            **{task.metric: scored.value},
        )
    head.load_state_dict(best_weights)


def head_metric(task: Task, output: Tensor, labels: Tensor) -> Metric:
    """Score a head's raw output by its task's own metric."""
    if task.name == "sentiment":
        return metrics.accuracy(output.argmax(dim=-1).numpy(), labels.numpy())
    if task.name == "paraphrase":
        return metrics.accuracy((output > 0).numpy(), (labels > metrics.THRESHOLD).numpy())
    return metrics.pearson(output.numpy(), labels.numpy())
