"""Fine-tuning of a tiny model as any settings say: in a test, or in one of several processes."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from minbert.files import write_json, write_tensors
from minbert.metrics import Metric
from minbert.tasks import TASKS
from tests.support import redraw, tiny_model
from tests.trainer.samples import task_examples
from tests.trainer.tuning import CONFIG, CPU
from trainer import cli
from trainer.data.batches import BatchStream, TaskBatch, encode_task, reads_of
from trainer.evaluation.scores import Scores
from trainer.run.distributed import World
from trainer.run.fine_tuning import FineTuning, StepRecord
from trainer.run.folder import Run
from trainer.run.loop import fine_tune

SIZES = {"sentiment": 20, "paraphrase": 60, "similarity": 40}
STEPS = 5
PLAIN: dict[str, Any] = {  # no dropout, no clipping: what differs is what several processes do
    "hidden_dropout": 0.0,
    "attention_dropout": 0.0,
    "clip_norm": 1e9,
    "learning_rate": 0.05,
    "warmup": 0.0,
    "batch_examples": 4,  # divides all of SIZES: equal shards
    "batch_tokens": 9999,
}
CASES: dict[str, dict[str, Any]] = {
    "a task a step": {**PLAIN, "tokens_per_epoch": 900},
    "surgery": {**PLAIN, "surgery": True},
    "surgery and pals": {**PLAIN, "surgery": True, "pal_size": 8, "pal_epochs": 2},
}


class Joined(BatchStream):
    """Two batches in one: what two processes see together."""

    rows: list[int]

    def next(self) -> TaskBatch:
        """Return the rows of the next two batches as one batch."""
        self.rows = []
        super().next()
        super().next()
        return super().gather(self.rows)

    def gather(self, rows: Sequence[int]) -> TaskBatch:
        """Pad the given rows into a batch, and remember them."""
        self.rows += rows
        return super().gather(rows)


def tuning_with(
    folder: Path,
    seed: int = 1,
    world: World | None = None,
    stream: type[BatchStream] = BatchStream,
    **changes: Any,  # noqa: ANN401 - any field
) -> FineTuning:
    """Set up fine-tuning of a tiny model as the settings say, on tables of unlike sizes."""
    config = dataclasses.replace(CONFIG, **changes)
    model = tiny_model(
        folder,
        hidden_dropout_prob=config.hidden_dropout,
        attention_probs_dropout_prob=config.attention_dropout,
        similarity_head=config.similarity_head,
        pal_size=config.pal_size,
    )
    redraw(model, seed=seed, std=0.3)
    assert model.tokenizer is not None
    for name, parameter in model.named_parameters():
        if ".pals." in name and name.endswith("up.weight"):
            parameter.data.zero_()  # V_D, as it starts
    streams = []
    for place, task in enumerate(TASKS.values()):
        if task.name in config.trained_tasks and config.epochs:
            examples = task_examples(task.name, SIZES[task.name], place)
            sides = reads_of(task, config).sides
            data = encode_task(task, examples, model.tokenizer, model.config, siamese=sides)
            limits = {"examples": config.batch_examples, "tokens": config.batch_tokens}
            streams.append(stream(data, 50 + place, **limits))
    return FineTuning(model, streams, config, CPU, world)


def gradients_of(tuning: FineTuning) -> dict[str, Tensor]:
    """Return the gradients that are there, by name."""
    found = tuning.model.named_parameters()
    return {name: p.grad.clone() for name, p in found if p.grad is not None}


def kept(tuning: FineTuning) -> dict[str, Tensor]:
    """Return copies of all weights."""
    return {name: t.detach().clone() for name, t in tuning.model.state_dict().items()}


def scored(task_names: Sequence[str] = tuple(TASKS)) -> dict[str, Scores]:
    """Make scores with only the main metrics."""
    return {name: {TASKS[name].metric: Metric(0.5, 0.01, 50)} for name in task_names}


def fine_tuned(tuning: FineTuning, folder: Path) -> tuple[list[dict[str, Any]], list[StepRecord]]:
    """Fine-tune to the end; return what was logged and what each step returned."""
    run = Run(folder / "run")
    run.folder.mkdir()
    records: list[StepRecord] = []
    train_step = tuning.train_step

    def watched() -> StepRecord:
        records.append(train_step())
        return records[-1]

    tuning.train_step = watched  # type: ignore[method-assign]
    names = tuning.config.scored
    fine_tune(tuning, run, lambda: scored(names), lambda: tuning.model.save_pretrained(run.best))
    text = (run.folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()], records


def descend(tuning: FineTuning) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Take a few steps of plain gradient descent.

    Returns:
        Every step's gradients and the weights at the end, by name; and what else is comparable.
    """
    tuning.optimizer = torch.optim.SGD(tuning.trained.values(), lr=1.0)
    tensors: dict[str, Tensor] = {}
    pairs, conflicts = [], 0
    for step in range(STEPS):
        record = tuning.train_step()
        tensors |= {f"gradient.{step}.{name}": g for name, g in gradients_of(tuning).items()}
        pairs.append({name: pair.cosine for name, pair in record.pairs.items()})
        conflicts += sum(pair.conflict for pair in record.pairs.values())
    tensors |= {f"weight.{name}": weight for name, weight in kept(tuning).items()}
    return tensors, {"tokens": tuning.tokens, "cosines": pairs, "conflicts": conflicts}


def both(folder: Path, arguments: list[str]) -> int:
    """Train every case as one of several processes, then run the trainer's command."""
    world = World.join()
    own = folder / str(world.rank)
    for name, changes in CASES.items():
        # Each process draws other weights: they start alike because the first one's are sent.
        tensors, told = descend(tuning_with(own, 1 + world.rank, world, **changes))
        write_tensors(own / f"{name}.safetensors", tensors)
        write_json(own / f"{name}.json", {**told, "size": world.size})
    return cli.main(arguments)
