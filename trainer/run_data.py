"""What a run reads: the train and dev tables of its tasks, masked and cut down as it asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import torch

from minbert.demographics import mask_examples
from minbert.tables import Example, Table
from minbert.tasks import TASKS
from trainer.config import TrainConfig
from trainer.data import file_name, file_sha256, read_split
from trainer.samplers import mix_seed

SUBSET_SEED = 5
Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class RunData:
    """The tables of all tasks, and what is taken of them."""

    train: dict[str, Table]
    dev: dict[str, Table]
    watched: dict[str, list[Example]]  # dev examples that are scored at each epoch
    sha256: dict[str, str]  # of each file, by name


def load_data(config: TrainConfig, folder: Path, report: Report) -> RunData:
    """Read the train and dev files, tell broken rows, mask, choose what is watched."""
    names = {
        split: [name for name in TASKS if name in wanted]
        for split, wanted in (("train", config.trained_tasks), ("dev", config.scored))
    }
    tables = {
        split: {name: read_split(folder, name, split, config.sentiment_data) for name in wanted}
        for split, wanted in names.items()
    }
    for split in tables.values():
        for table in split.values():
            report(table.summary())
    if config.mask_demographics:
        tables["train"] = {
            name: mask_table(table, report) for name, table in tables["train"].items()
        }
    watched = {
        name: subset(table.examples, config.dev_examples, config.seed)
        for name, table in tables["dev"].items()
    }
    files = {
        file_name(name, split, config.sentiment_data) for split in names for name in names[split]
    }
    sha256 = {name: file_sha256(folder / name) for name in sorted(files)}
    return RunData(tables["train"], tables["dev"], watched, sha256)


def mask_table(table: Table, report: Report) -> Table:
    """Abstract the demographic terms of a training table (report section 8)."""
    examples, changed = mask_examples(table.examples)
    report(f"{table.path.name}: demographic terms masked in {changed:,} texts")
    return dataclasses.replace(table, examples=examples)


def subset(examples: list[Example], size: int, seed: int) -> list[Example]:
    """Return `size` examples drawn without replacement, in file order; all of them for 0."""
    if not 0 < size < len(examples):
        return examples
    generator = torch.Generator().manual_seed(mix_seed(seed, SUBSET_SEED))
    rows = torch.randperm(len(examples), generator=generator)[:size].sort().values
    return [examples[row] for row in rows.tolist()]
