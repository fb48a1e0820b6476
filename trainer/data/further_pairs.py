"""Pairs from further data sets that may be mixed into similarity's and paraphrase's training.

A row that is a dev or test pair of its task, in either order, is dropped and counted; so is one
that the training file holds already. A file that isn't there is left out, with one line.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import torch

from minbert.tables import Example, read_table
from minbert.tasks import PARAPHRASE, SIMILARITY, Task
from trainer.data.course import on_scale, pair_hash
from trainer.seeding import mix_seed

CAP_SEED = 21
Report = Callable[[str], None]


@dataclasses.dataclass(frozen=True)
class ExtraPairs:
    """One file of further training pairs."""

    file: str
    task: Task  # of what stands in the file: its columns, its scale
    serves: str  # name of the task that it is mixed into
    positives_only: bool = False

    def rescaled(self, label: float) -> float:
        """Return a label on the scale of the task that is served, by a straight line."""
        if self.serves != "similarity":
            return label
        share = (label - self.task.lowest) / (self.task.highest - self.task.lowest)
        return SIMILARITY.lowest + share * (SIMILARITY.highest - SIMILARITY.lowest)


RELATEDNESS = dataclasses.replace(SIMILARITY, target="relatedness", lowest=1)  # SICK's, 1 to 5
EXTRA_PAIRS: Mapping[str, ExtraPairs] = {
    "quora-mined": ExtraPairs("extra/quora-mined.csv", PARAPHRASE, "paraphrase"),  # by `mine`
    "sts-2012-2016": ExtraPairs("extra/sts-2012-2016.csv", SIMILARITY, "similarity"),
    "sick": ExtraPairs("extra/sick-train.csv", RELATEDNESS, "similarity"),
    "quora-duplicates": ExtraPairs(
        "extra/quora-duplicates.csv", PARAPHRASE, "paraphrase", positives_only=True
    ),
}


@dataclasses.dataclass(frozen=True)
class Mixture:
    """A task's training examples with further ones after them."""

    examples: list[Example]
    counts: dict[str, dict[str, int]]  # data set -> rows, held_out, repeated, capped, added


def names_of(task_name: str) -> str:
    """List the data sets that can be mixed into a task."""
    return ", ".join(name for name, extra in EXTRA_PAIRS.items() if extra.serves == task_name)


def chosen_names(setting: str, value: str, task_name: str) -> tuple[str, ...]:
    """Read a setting such as `sts-2012-2016,sick`.

    Raises:
        ValueError: a name that isn't one of the task's, or the same one twice.
    """
    names = tuple(name for name in value.split(",") if name)
    known = names_of(task_name).split(", ")
    if set(names) - set(known) or len(set(names)) < len(names):
        raise ValueError(
            f"`{setting}` should be names out of {', '.join(known)}, each once, with commas "
            f"between them. Found {value!r}."
        )
    return names


def mix_in(
    train: list[Example],
    held_out: Iterable[Example],
    names: Iterable[str],
    folder: Path,
    *,
    positives: float,
    seed: int,
    report: Report,
) -> Mixture:
    """Put the chosen data sets after a task's training examples.

    Args:
        train: the task's own training examples.
        held_out: its dev and test examples.
        names: of `EXTRA_PAIRS`, all of one task.
        folder: of the data files.
        positives: share of duplicates that a file of duplicates alone may lead to.
        seed: of the draw where such a file is cut down.
        report: takes one line a file.
    """
    forbidden = {pair_hash(row.texts) for row in held_out}
    known = {pair_hash(row.texts) for row in train}
    mixed, counts = list(train), {}
    for name in names:
        extra = EXTRA_PAIRS[name]
        path = folder / extra.file
        if not path.is_file():
            report(f"{extra.file} isn't there: {extra.serves} trains without {name}")
            continue
        table = on_scale(read_table(path, extra.task, labelled=True))
        kept, told = [], {"rows": len(table.examples), "held_out": 0, "repeated": 0, "capped": 0}
        for row in table.examples:
            key = pair_hash(row.texts)
            if key in forbidden:
                told["held_out"] += 1
            elif key in known:
                told["repeated"] += 1
            else:
                known.add(key)
                assert row.label is not None  # read as labelled
                kept.append(dataclasses.replace(row, label=extra.rescaled(row.label)))
        if extra.positives_only:
            room = positive_room(mixed, positives)
            told["capped"] = max(0, len(kept) - room)
            kept = draw(kept, room, mix_seed(seed, CAP_SEED))
        told["added"] = len(kept)
        counts[name] = told
        mixed += kept
        report(
            f"{extra.file}: {told['added']:,} of {told['rows']:,} rows added to {extra.serves}; "
            f"left out: {told['held_out']:,} dev or test pairs, {told['repeated']:,} repeated, "
            f"{told['capped']:,} for the share of duplicates"
        )
    return Mixture(mixed, counts)


def positive_room(examples: list[Example], share: float) -> int:
    """Return how many positives may be added until they are `share` of all; at least 0."""
    positive = sum(row.label == 1 for row in examples)
    if share == 1:
        return 2**62
    return max(0, math.floor((share * len(examples) - positive) / (1 - share) + 1e-9))


def draw(examples: list[Example], size: int, seed: int) -> list[Example]:
    """Return `size` examples drawn without replacement, in their order; all of fewer."""
    if size >= len(examples):
        return examples
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(len(examples), generator=generator)[:size].sort().values
    return [examples[row] for row in rows.tolist()]
