"""Phase 2: multitask fine-tuning of the whole model.

Report: section 4.4. Reads like a recipe: draw the task, batch, loss, gradients, clip, step,
record. Every step's random numbers are a function of (seed, step), so a resumed run repeats an
unbroken one bit for bit on the same CPU and thread count.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from tqdm import tqdm

from minbert.multitask import MultitaskBert
from trainer import metrics
from trainer.batches import BatchStream, TaskBatch
from trainer.config import TrainConfig
from trainer.evaluate import Scores, normalised, plain
from trainer.losses import LOSSES
from trainer.precision import autocast
from trainer.runs import Run
from trainer.samplers import draw_task, mix_seed, task_probabilities
from trainer.stages import head_output

DRAW_SEED, DROPOUT_SEED, STREAM_SEED = 2, 3, 4  # keep the streams of random numbers apart

Validate = Callable[[], dict[str, Scores]]


def process_batch(
    model: MultitaskBert,
    batch: TaskBatch,
    *,
    siamese_weight: float = 0.0,
    precision: contextlib.AbstractContextManager[Any] | None = None,
) -> Tensor:
    """Return the loss of one batch: its task's own, plus the Siamese one for similarity.

    Args:
        model: in training mode, on the batch's device.
        batch: of one task.
        siamese_weight: weight of the mean squared error of the Siamese score (report 4.5).
        precision: lower precision for the encoder; heads and losses stay in float32.
    """
    with precision or contextlib.nullcontext():
        joint = model.embed(batch.inputs)
        sides = model.embed(batch.sides) if batch.sides and siamese_weight else None
    loss = LOSSES[batch.task.name](head_output(model, batch.task, joint), batch.labels)
    if sides is not None:
        first, second = sides.chunk(2)
        scores = model.siamese_similarity(first, second)
        loss = loss + siamese_weight * LOSSES["similarity"](scores, batch.labels)
    return loss


def learning_rate_at(step: int, config: TrainConfig) -> float:
    """Return the learning rate of a step (0-based): linear warm-up, then linear decay to 0."""
    warmup = round(config.warmup * config.total_steps)
    if step < warmup:
        return config.learning_rate * (step + 1) / warmup
    return config.learning_rate * (config.total_steps - step) / (config.total_steps - warmup)


class FineTuning:
    """Optimizer, schedule, streams and counters of phase 2, savable and restorable."""

    def __init__(
        self,
        model: MultitaskBert,
        streams: list[BatchStream],
        config: TrainConfig,
        device: torch.device,
    ) -> None:
        """Set up step 0 for a model that is on `device`."""
        self.model = model
        self.streams = streams
        self.config = config
        self.device = device
        self.sizes = [len(stream.data) for stream in streams]
        self.step = 0
        self.tokens = 0
        self.best: dict[str, Any] = {"normalised": None, "epoch": None, "per_task": {}}
        model.encoder.embeddings.word.weight.requires_grad_(not config.freeze_word_embeddings)
        self.trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.optimizer = torch.optim.AdamW(
            [
                {
                    "params": [p for p in self.trained.values() if p.dim() > 1],
                    "weight_decay": config.weight_decay,
                },
                {"params": [p for p in self.trained.values() if p.dim() == 1], "weight_decay": 0.0},
            ],
            lr=config.learning_rate,
            fused=True,
        )

    def probabilities(self, epoch: int) -> tuple[float, ...]:
        """Return each task's share of the steps of an epoch (1-based)."""
        return task_probabilities(self.config.sampler, self.sizes, epoch, self.config.epochs)

    def train_step(self) -> tuple[str, float]:
        """Train one batch of one task; return the task's name and the loss."""
        epoch = self.step // self.config.steps_per_epoch + 1
        seed = mix_seed(self.config.seed, DRAW_SEED)
        task = draw_task(self.config.sampler, self.probabilities(epoch), seed, self.step)
        batch = self.streams[task].next()
        torch.manual_seed(mix_seed(self.config.seed, DROPOUT_SEED, self.step))
        self.model.train()
        loss = process_batch(
            self.model,
            batch.to(self.device),
            siamese_weight=self.config.siamese_weight,
            precision=autocast(self.config.precision, self.device),
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]  # torch leaves it untyped
        torch.nn.utils.clip_grad_norm_(self.trained.values(), self.config.clip_norm)
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate_at(self.step, self.config)
        self.optimizer.step()
        self.step += 1
        self.tokens += batch.tokens
        return batch.task.name, loss.item()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and counters of this safe point."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        for name, parameter in self.trained.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"adamw.{key}.{name}"] = value
        counters = {
            "step": self.step,
            "tokens": self.tokens,
            "best": self.best,
            "streams": [stream.state() for stream in self.streams],
        }
        return tensors, counters

    def restore(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Continue from what `state` returned."""
        for name, value in self.model.state_dict().items():
            value.copy_(tensors[f"model.{name}"])
        for name, parameter in self.trained.items():
            kept = {
                key: tensors[f"adamw.{key}.{name}"]
                for key in ("step", "exp_avg", "exp_avg_sq")
                if f"adamw.{key}.{name}" in tensors
            }
            if kept:
                self.optimizer.state[parameter] = {
                    key: value.to(self.device) for key, value in kept.items()
                }
        self.step, self.tokens = counters["step"], counters["tokens"]
        self.best = counters["best"]
        for stream, state in zip(self.streams, counters["streams"], strict=True):
            stream.restore(state)


def fine_tune(
    tuning: FineTuning, run: Run, validate: Validate, save_best: Callable[[], None]
) -> None:
    """Train to the last epoch: validate, keep the best, save safe points."""
    config = tuning.config
    if tuning.best["epoch"] is None:
        record_validation(tuning, run, validate, save_best, epoch=0)
        save_point(tuning, run)
    recent: dict[str, list[float]] = {}
    with progress(config.total_steps, tuning.step) as bar:
        tokens_before = tuning.tokens
        while tuning.step < config.total_steps:
            name, loss = tuning.train_step()
            recent.setdefault(name, []).append(loss)
            bar.update(1)
            rate = (tuning.tokens - tokens_before) / max(bar.format_dict["elapsed"], 1e-9)
            bar.set_postfix_str(f"{rate:,.0f} tokens/s, {name} {loss:.3f}", refresh=False)
            epoch_ends = tuning.step % config.steps_per_epoch == 0
            if epoch_ends or tuning.step % config.checkpoint_every == 0:
                log_training(tuning, run, recent)
                recent = {}
            if epoch_ends:
                epoch = tuning.step // config.steps_per_epoch
                record_validation(tuning, run, validate, save_best, epoch=epoch)
            if epoch_ends or tuning.step % config.checkpoint_every == 0:
                save_point(tuning, run)


def log_training(tuning: FineTuning, run: Run, recent: dict[str, list[float]]) -> None:
    """Log mean losses, task counts and shares since the last safe point."""
    epoch = (tuning.step - 1) // tuning.config.steps_per_epoch + 1
    names = [stream.data.task.name for stream in tuning.streams]
    run.log(
        phase="fine-tuning",
        step=tuning.step,
        epoch=epoch,
        tokens=tuning.tokens,
        learning_rate=learning_rate_at(tuning.step - 1, tuning.config),
        loss={name: sum(values) / len(values) for name, values in sorted(recent.items())},
        steps={name: len(values) for name, values in sorted(recent.items())},
        probabilities=dict(zip(names, tuning.probabilities(epoch), strict=True)),
    )


def record_validation(
    tuning: FineTuning, run: Run, validate: Validate, save_best: Callable[[], None], *, epoch: int
) -> None:
    """Validate, log the scores, and keep the model if its normalised mean is the best."""
    scores = validate()
    mean = normalised(scores)
    if epoch > 0:
        main = {
            "sentiment": scores["sentiment"]["accuracy"].value,
            "paraphrase": scores["paraphrase"]["accuracy"].value,
            "similarity": scores["similarity"]["pearson"].value,
        }
        per_task = tuning.best["per_task"]
        for name, value in main.items():
            if metrics.better(value, per_task.get(name, {}).get("value")):
                per_task[name] = {"value": value, "epoch": epoch}
    run.log(phase="validation", epoch=epoch, normalised=mean, scores=plain(scores, "dev"))
    if tuning.best["epoch"] is None or metrics.better(mean, tuning.best["normalised"]):
        tuning.best.update(normalised=mean, epoch=epoch)
        save_best()


def save_point(tuning: FineTuning, run: Run) -> None:
    """Write a resumable state."""
    tensors, counters = tuning.state()
    run.save_state(tensors, {"phase": "fine-tuning", **counters})


@contextlib.contextmanager
def progress(total: int, done: int) -> Iterator[tqdm[Any]]:
    """Show a progress bar on a terminal, and a line every half minute in a log file."""
    interval = 0.5 if sys.stderr.isatty() else 30.0
    with tqdm(
        total=total, initial=done, unit="step", mininterval=interval, maxinterval=interval * 2
    ) as bar:
        yield bar
