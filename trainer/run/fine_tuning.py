"""The state of phase 2: model, optimizer, schedule, streams and counters.

Report: section 4.4. A step reads like a recipe: draw the task, batch, loss, gradients, clip,
step, record. Every step's random numbers are a function of (seed, step), so a resumed run repeats
an unbroken one bit for bit on the same CPU and thread count.

With gradient surgery (report 4.8) a step takes one batch of every task. Together with annealed
sampling, which then has no task to draw, task i's loss is weighted by K p_i instead: the same
share in expectation.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from minbert.multitask import MultitaskBert
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, TaskBatch
from trainer.data.mixtures import MixedStream
from trainer.run.distributed import World
from trainer.run.divergence import check_gradients, check_losses
from trainer.run.objective import Objective, tokens_read
from trainer.run.optimizer import make_optimizer
from trainer.seeding import mix_seed
from trainer.techniques.averaging import Average
from trainer.techniques.samplers import draw_task, task_probabilities
from trainer.techniques.surgery import (
    PairStatistics,
    combine,
    draw_orders,
    gram_matrix,
    pair_statistics,
    surgery_weights,
)

# keep the streams of random numbers apart
DRAW_SEED, DROPOUT_SEED, ORDER_SEED = 2, 3, 6


@dataclasses.dataclass(frozen=True)
class StepRecord:
    """What one step did."""

    losses: dict[str, dict[str, float]]  # task -> parts of its loss, by name
    pairs: dict[str, PairStatistics]  # "sentiment-paraphrase" -> conflict; empty without surgery


def learning_rate_at(before: int, after: int, config: TrainConfig) -> float:
    """Return a step's learning rate: linear warm-up, then linear decay to 0.

    Args:
        before: steps, or tokens where epochs are counted in tokens, that lie behind the step.
        after: the same once it is done.
        config: its `total` is the length of the run in that unit.
    """
    warmup = round(config.warmup * config.total)
    if before < warmup:
        return config.learning_rate * min(1.0, after / warmup)
    return config.learning_rate * (config.total - before) / (config.total - warmup)


class FineTuning:
    """Optimizer, schedule, streams and counters of phase 2, savable and restorable."""

    def __init__(
        self,
        model: MultitaskBert,
        streams: Sequence[BatchStream | MixedStream],
        config: TrainConfig,
        device: torch.device,
        world: World | None = None,
    ) -> None:
        """Set up step 0 for a model that is on `device`."""
        self.model = model
        self.streams = streams
        self.config = config
        self.device = device
        self.world = world or World()
        self.names = [stream.data.task.name for stream in streams]
        self.sizes = [len(stream.data) for stream in streams]
        self.step = 0
        self.tokens = 0
        self.best: dict[str, Any] = {"score": None, "epoch": None, "per_task": {}}
        model.encoder.embeddings.word.weight.requires_grad_(not config.freeze_word_embeddings)
        self.trained = {n: p for n, p in model.named_parameters() if p.requires_grad}
        self.shared = [p for name, p in self.trained.items() if is_shared(name)]
        self.optimizer = make_optimizer(self.trained, config, model.config.encoder)
        self.average = Average(self.trained, config.ema)
        self.objective: nn.Module = Objective(model, config, device)
        if config.compile:
            model.encoder.compile(dynamic=True)
        if self.world.size > 1:
            self.objective = DistributedDataParallel(
                self.objective,
                device_ids=[device.index] if device.type == "cuda" else None,
                find_unused_parameters=True,  # the other tasks' heads
            )
        self.switch_pals()

    @property
    def done(self) -> int:
        """Return how far the run is: tokens where epochs are counted in tokens, else steps."""
        return self.tokens if self.config.tokens_per_epoch else self.step

    @property
    def epochs_done(self) -> int:
        """Count the whole epochs that lie behind."""
        return min(self.done // self.config.epoch_length, self.config.epochs)

    @property
    def epoch(self) -> int:
        """Return the epoch that the next step belongs to (1-based)."""
        return min(self.epochs_done + 1, max(self.config.epochs, 1))

    @property
    def finished(self) -> bool:
        """Say whether all epochs are done."""
        return self.done >= self.config.total

    def switch_pals(self) -> None:
        """Switch the projected attention layers on in the last epochs, off before."""
        if self.config.pal_size:
            self.model.encoder.pals_on = self.epoch > self.config.epochs - self.config.pal_epochs

    def probabilities(self, epoch: int) -> tuple[float, ...]:
        """Return each task's share of an epoch (1-based)."""
        return task_probabilities(self.config.sampler, self.sizes, epoch, self.config.epochs)

    def train_step(self) -> StepRecord:
        """Train one batch of one task, or with surgery one of every task.

        Raises:
            DivergedError: a loss or a gradient isn't finite; the weights are as before the step.
        """
        self.switch_pals()
        self.model.train()
        self.optimizer.zero_grad(set_to_none=True)
        before, shares = self.done, self.probabilities(self.epoch)
        tasks = range(len(self.streams)) if self.config.surgery else [self.draw(shares)]
        batches = [self.next_batch(task) for task in tasks]
        self.seed_dropout()
        if self.config.surgery:
            record = self.surgical_gradients(batches, shares)
        else:
            record = StepRecord({batches[0].task.name: self.backward(batches[0])}, {})
        where = self.place(" and ".join(record.losses))
        self.step += 1
        gradients = [p for p in self.trained.values() if p.grad is not None]
        norm = torch.nn.utils.clip_grad_norm_(gradients, self.config.clip_norm)
        check_gradients(norm, self.trained, where, self.rate)
        for group in self.optimizer.param_groups:
            rate = learning_rate_at(before, self.done, self.config)
            group["lr"] = group.get("scale", 1.0) * rate
        self.optimizer.step()
        self.average.update(self.step)
        return record

    def draw(self, shares: tuple[float, ...]) -> int:
        """Draw the task of the next step."""
        seed = mix_seed(self.config.seed, DRAW_SEED)
        length = self.config.epoch_length
        done = self.done % length / length
        return draw_task(self.config.sampler, shares, seed, self.step, done=done)

    def next_batch(self, task: int) -> TaskBatch:
        """Take this process's own batch of a task, and count the tokens of every process's."""
        drawn = [self.streams[task].next() for _ in range(self.world.size)]
        self.tokens += sum(tokens_read(batch, self.config) for batch in drawn)
        return drawn[self.world.rank]

    def seed_dropout(self) -> None:
        """Seed this step's dropout masks, different ones in each process."""
        rank = (self.world.rank,) if self.world.rank else ()
        torch.manual_seed(mix_seed(self.config.seed, DROPOUT_SEED, self.step, *rank))

    def backward(self, batch: TaskBatch, weight: float = 1.0) -> dict[str, float]:
        """Add the gradients of a batch's weighted loss; return the loss's parts.

        Raises:
            DivergedError: a part isn't finite.
        """
        losses: dict[str, Tensor] = self.objective(batch)
        (losses["loss"] * weight).backward()  # type: ignore[no-untyped-call]  # torch's own
        found = {name: value.item() for name, value in losses.items()}
        check_losses(found, self.trained, self.place(batch.task.name), self.rate)
        return found

    def place(self, tasks: str) -> str:
        """Say which step is under way, and of what."""
        return f"{tasks} at step {self.step + 1:,} (epoch {self.epoch})"

    @property
    def rate(self) -> str:
        """Name the setting that decides the size of a step, with its value."""
        return f"`learning_rate` {self.config.learning_rate:g}"

    def surgical_gradients(self, batches: list[TaskBatch], shares: tuple[float, ...]) -> StepRecord:
        """Leave the combined gradients of all tasks: PCGrad on what they share, own on heads."""
        losses: dict[str, dict[str, float]] = {}
        gradients: list[list[Tensor | None]] = []
        for batch, share in zip(batches, shares, strict=True):
            losses[batch.task.name] = self.backward(batch, len(batches) * share)
            gradients.append([parameter.grad for parameter in self.shared])
            for parameter in self.shared:
                parameter.grad = None
        generator = torch.Generator().manual_seed(mix_seed(self.config.seed, ORDER_SEED, self.step))
        gram = gram_matrix(gradients)
        weights = surgery_weights(gram, draw_orders(len(batches), generator))
        for parameter, gradient in zip(self.shared, combine(gradients, weights), strict=True):
            parameter.grad = gradient
        pairs = {
            f"{self.names[i]}-{self.names[j]}": statistics
            for (i, j), statistics in pair_statistics(gram, weights).items()
        }
        return StepRecord(losses, pairs)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return tensors and counters of this safe point."""
        tensors = {f"model.{name}": t for name, t in self.model.state_dict().items()}
        for name, parameter in self.trained.items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"adamw.{key}.{name}"] = value
        tensors |= self.average.state()
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
        self.average.restore(tensors)
        self.step, self.tokens = counters["step"], counters["tokens"]
        self.best = counters["best"]
        for stream, state in zip(self.streams, counters["streams"], strict=True):
            stream.restore(state)
        self.switch_pals()


def is_shared(name: str) -> bool:
    """Say whether a parameter serves every task: not a head's, not a task's own attention's."""
    return not name.startswith("heads.") and ".pals." not in name
