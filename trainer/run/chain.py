"""A chain of runs: stage after stage, each resumable, the last one's model kept at the top.

run.json          the recipe and its stages
1-phrases/        a run's folder, as `trainer.run.folder` tells
2-multitask/      the next, begun with 1-phrases/model
model/            the last stage's model
result.json       what came out, stage by stage
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minbert.device import choose_device
from minbert.files import read_json, write_json
from minbert.records.reading import read_record
from minbert.records.scores import Leak, Training
from minbert.tables import Example
from minbert.tasks import SENTIMENT
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, EncodedTask
from trainer.data.run_data import load_data
from trainer.evaluation.leaks import answers_of, leak_checks, row_key
from trainer.recipes.row import Chain, Stage
from trainer.run.fine_tuning import FineTuning
from trainer.run.folder import Run
from trainer.run.train import build_model, train

Report = Callable[[str], None]
TIMED_STEPS = 3


@dataclasses.dataclass(frozen=True)
class Plan:
    """The stages that can be run with the data at hand, each with its folder."""

    name: str
    stages: tuple[tuple[Stage, Path], ...]

    @property
    def tokens(self) -> int:
        """Return the tokens of all stages' fine-tuning."""
        return sum(most_tokens(stage.config) for stage, _ in self.stages)

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""
        return {"recipe": self.name, "stages": [folder.name for _, folder in self.stages]}


def plan(chain: Chain, data: Path, out: Path, report: Report) -> Plan:
    """Leave out the stages whose data isn't there, and let each begin with the one before.

    Raises:
        ValueError: no stage is left.
    """
    stages: list[tuple[Stage, Path]] = []
    for number, stage in enumerate(chain.stages, start=1):
        missing = [name for name in stage.needs if not (data / name).is_file()]
        if missing:
            report(f"{', '.join(missing)} isn't there: stage {stage.name} is left out")
            continue
        config = stage.config
        if stages:
            before = stages[-1][1] / "model"
            config = dataclasses.replace(config, start_from=str(before))
        folder = out / f"{number}-{stage.name}"
        stages.append((dataclasses.replace(stage, config=config), folder))
    if not stages:
        raise ValueError(
            f"`--data` should hold the files of one of {chain.name}'s stages. Found none in {data}."
        )
    return Plan(chain.name, tuple(stages))


def train_chain(
    chain: Chain, data: Path, out: Path, *, resume: bool, device_name: str, report: Report
) -> Path:
    """Train, or continue, all stages; return the folder of the last one's model.

    A finished stage is skipped, the one that was cut off goes on at its last safe point.

    Raises:
        DataError: a data file is missing or unreadable.
        RunError: `out` holds another run, or another process trains in it.
        CheckpointError: a model can't be loaded, or a state is torn.
        ValueError: more than one process.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ValueError(
            f"{chain.name} should be trained by one process. Found {os.environ['WORLD_SIZE']}; "
            "train its stages as runs of their own under torchrun."
        )
    planned = plan(chain, data, out, report)
    with Run(out) as run:
        run.prepare(planned, {}, resume=resume)
        if run.result.exists():
            report(f"{run.model} is finished already.")
        else:
            train_stages(planned, run, data, device_name, report)
        return run.model


def train_stages(planned: Plan, run: Run, data: Path, device_name: str, report: Report) -> None:
    """Train the stages that are left, in a prepared folder, and write the chain's model."""
    left = [(stage, folder) for stage, folder in planned.stages if not is_finished(folder)]
    if left:
        report(cost_line(planned, left, device_name))
    for number, (stage, folder) in enumerate(planned.stages, start=1):
        report(f"Stage {number} of {len(planned.stages)}, {stage.name}:")
        train(stage.config, data, folder, resume=True, device_name=device_name, report=report)
    last = planned.stages[-1][1]
    partial = run.folder / "model.partial"
    shutil.rmtree(partial, ignore_errors=True)
    shutil.rmtree(run.model, ignore_errors=True)
    shutil.copytree(last / "model", partial)
    partial.replace(run.model)
    write_json(run.result, chain_result(planned, data).to_dict())


def most_tokens(config: TrainConfig) -> int:
    """Return the tokens of a stage's fine-tuning; where it counts steps, those of full batches."""
    return config.total if config.tokens_per_epoch else config.total * config.batch_tokens


def is_finished(folder: Path) -> bool:
    """Say whether a stage is done."""
    return Run(folder).result.exists()


def cost_line(planned: Plan, left: list[tuple[Stage, Path]], device_name: str) -> str:
    """Say what the stages that are not done cost: tokens, and minutes at today's speed."""
    tokens = sum(most_tokens(stage.config) for stage, _ in left)
    config = left[0][0].config
    speed = tokens_per_second(config, choose_device(device_name))
    return (
        f"{planned.name}: {len(left)} of {len(planned.stages)} stages, about {tokens:,} tokens; "
        f"about {tokens / speed / 60:,.0f} minutes of steps at the {speed:,.0f} tokens a second of "
        "a try just now. Heads and scoring come on top: about a third."
    )


def tokens_per_second(config: TrainConfig, device: torch.device) -> float:
    """Time training steps of one full batch of sentences of 32 tokens."""
    model = build_model(config, lambda _: None).to(device)
    tokenizer = model.tokenizer
    assert tokenizer is not None  # build_model loads one
    length = min(32, config.max_length)
    words = tokenizer.single([tokenizer.unknown_id] * (length - 2), length)
    rows = max(1, min(config.batch_examples, config.batch_tokens // length))
    data = EncodedTask(SENTIMENT, [words] * rows, [], torch.zeros(rows))
    stream = BatchStream(data, 0, examples=rows, tokens=rows * length)
    settings = dataclasses.replace(config, surgery=False, tokens_per_epoch=0)
    tuning = FineTuning(model, [stream], settings, device)
    tuning.train_step()  # the first is slower
    before, started = tuning.tokens, time.monotonic()
    for _ in range(TIMED_STEPS):
        tuning.train_step()
    return (tuning.tokens - before) / (time.monotonic() - started)


def chain_result(planned: Plan, data: Path) -> Training:
    """Return the record of a chain: the last stage's with the cost and the data of all.

    `stages` holds each one's own record.
    """
    stages = [
        read_record(folder / "result.json", Training).model_copy(update={"stage": folder.name})
        for _, folder in planned.stages
    ]
    last = stages[-1].to_dict()
    of_all = {
        "recipe": planned.name,
        "minutes": round(sum(stage.minutes or 0 for stage in stages), 1),
        "tokens": sum(stage.tokens or 0 for stage in stages),
        "files": {name: digest for stage in stages for name, digest in stage.files.items()},
        "encoder_sha256": stages[0].encoder_sha256,
        "extra_data": {name: told for stage in stages for name, told in stage.extra_data.items()},
        "leaks": leaks_of_all(planned, data),
        "stages": stages,
    }
    if soft := {name: told for stage in stages for name, told in stage.soft_labels.items()}:
        of_all["soft_labels"] = soft
    own = ("version", "stage", "started_from")
    kept = {name: value for name, value in last.items() if name not in own}
    return Training.model_validate({**kept, **of_all})


def leaks_of_all(planned: Plan, data: Path) -> dict[str, Leak]:
    """Hold the last stage's answers to dev against what all stages have read."""
    train: dict[str, dict[int | str, Example]] = {}
    for stage, _ in planned.stages:
        tables = load_data(stage.config, data, lambda _: None)
        for name, rows in tables.trained.items():
            train.setdefault(name, {}).update((row_key(row), row) for row in rows)
    answers = answers_of(read_json(Run(planned.stages[-1][1]).predictions))
    distinct = {name: list(rows.values()) for name, rows in train.items()}
    return leak_checks(distinct, tables.dev, answers)
