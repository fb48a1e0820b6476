"""A teacher's soft labels: their file, and how they come to a run's training rows.

A file is safetensors: `logits` float16, one row for each row of the data file in its order
(sentiment (N, 5) logits; paraphrase (N,) logits; similarity (N,) scores 0-5), `hashes` int64 (N,)
of the rows' texts, and as metadata the task, the data file, the rows' ids and the teacher.

A training row takes the soft label of its text, wherever it comes from, and keeps it through
masking, mixing and batching. Rows of a file that has no gold labels for a run, such as unlabelled
sentences, train on their soft labels alone; what is a dev or test row is left out and counted.
"""

from __future__ import annotations

import dataclasses
import glob
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from torch import Tensor

from minbert.files import json_text, read_tensors, write_tensors
from minbert.tables import DataError, Example, Table
from minbert.tasks import TASKS, Task
from trainer.data.course import file_sha256, pair_hash
from trainer.data.task_rows import read_rows, trains_with_gold

VERSION = 1
Report = Callable[[str], None]
Found = dict[int, tuple[float, ...]]  # by the hash of a row's texts


@dataclasses.dataclass(frozen=True)
class SoftExample(Example):
    """A row that a teacher has scored."""

    soft: tuple[float, ...]  # five logits, one logit, or a score 0-5


@dataclasses.dataclass(frozen=True)
class Labelled:
    """What was labelled, and by whom; kept in the file as JSON."""

    task: str
    file: str  # name of the data file
    file_sha256: str
    teacher: dict[str, Any]  # name, weights_sha256, base_sha256, seed, dev
    ids: list[str]  # of the rows in the file's order


@dataclasses.dataclass(frozen=True)
class SoftLabels:
    """A file of soft labels, read; the first rows alone while it is being made."""

    labelled: Labelled
    logits: Tensor  # (n, 5) or (n,)
    hashes: Tensor  # (N,)

    def write(self, path: Path) -> None:
        """Write the file, whole or not at all; logits as float16."""
        tensors = {"logits": self.logits.half(), "hashes": self.hashes}
        told = {"version": VERSION, **dataclasses.asdict(self.labelled)}
        write_tensors(path, tensors, {"soft_labels": json_text(told)})


def hashes_of(examples: Iterable[Example]) -> Tensor:
    """Return a 64-bit hash of each row's texts, (N,); the same in any order and case."""
    return torch.tensor([pair_hash(row.texts) for row in examples], dtype=torch.int64)


def read_soft_labels(path: Path) -> SoftLabels:
    """Read a file of soft labels; while it is being made it may hold the first rows alone.

    Raises:
        CheckpointError: the file is missing or torn.
        DataError: it is something else, or its numbers are not finite.
    """
    tensors = read_tensors(path)
    with safe_open(path, framework="pt") as file:
        told = json.loads((file.metadata() or {}).get("soft_labels", "null"))
    if not isinstance(told, dict) or told.pop("version", None) != VERSION:
        raise DataError(
            f"{path} should hold soft labels. Found something else; `python -m trainer label` "
            "writes such a file."
        )
    labelled = Labelled(**told)
    logits, hashes = tensors["logits"].float(), tensors["hashes"]
    task = TASKS[labelled.task]
    shape = (len(logits), task.classes) if task.classes > 1 else (len(logits),)
    if logits.shape != shape or not len(logits) <= len(hashes) == len(labelled.ids):
        raise DataError(
            f"{path} should hold a soft label of {task.name} for each row. Found "
            f"{tuple(logits.shape)} for {len(labelled.ids)} rows; label the file again."
        )
    wrong = (~logits.reshape(len(logits), -1).isfinite().all(dim=1)).nonzero()
    if len(wrong):
        raise DataError(
            f"The soft labels in {path} should be finite numbers. Found NaN or infinity in "
            f"{len(wrong)} rows, the first {labelled.ids[int(wrong[0])]!r}; label the file again."
        )
    return SoftLabels(labelled, logits, hashes)


@dataclasses.dataclass(frozen=True)
class Softened:
    """What soft labels add to a run."""

    found: dict[str, Found]  # by task
    alone: dict[str, Table]  # rows with a soft label alone, by task
    sha256: dict[str, str]  # of the files, by name
    told: dict[str, dict[str, Any]]  # by the soft labels' file: its teacher and counts, for records

    def soften(self, task_name: str, examples: list[Example]) -> list[Example]:
        """Return examples with the soft labels that their texts have."""
        found = self.found.get(task_name)
        return [softened(row, found) for row in examples] if found else examples


def softened(row: Example, found: Found) -> Example:
    """Return a row with its soft label, where there is one."""
    soft = found.get(pair_hash(row.texts))
    return row if soft is None else SoftExample(row.id, row.texts, row.label, soft)


def load_soft_labels(
    files: Iterable[str],
    folder: Path,
    train: dict[str, list[Example]],
    held_out: Callable[[str], list[Example]],
    *,
    phrase_words: int,
    report: Report,
) -> Softened:
    """Read files of soft labels and the data files that they belong to.

    Args:
        files: of `label`; from here, else from `folder`.
        folder: of the data files; those that were labelled lie in it, or one folder deeper.
        train: the rows with gold labels of each task that is trained.
        held_out: gives a task's dev and test examples.
        phrase_words: of the treebank's phrases, where one was labelled.
        report: takes a line for each file.

    Raises:
        CheckpointError: a file is missing or torn.
        DataError: it is of a task that isn't trained, or of a data file that has changed.
    """
    made = Softened({}, {}, {}, {})
    gold = {name: set(hashes_of(rows).tolist()) for name, rows in train.items()}
    taken = {name: set(hashes) for name, hashes in gold.items()}
    forbidden: dict[str, set[int]] = {}
    for name in files:
        path = Path(name) if Path(name).exists() else folder / name
        labels = read_soft_labels(path)
        task = TASKS[labels.labelled.task]
        if task.name not in train:
            raise DataError(
                f"`soft_labels` should be of the tasks that are trained: {', '.join(train)}. "
                f"Found {task.name} in {path}; leave it out, or train that task too."
            )
        source = source_of(labels.labelled, path, folder)
        rows = softened_rows(labels, path, source, task, phrase_words)
        made.found.setdefault(task.name, {}).update({pair_hash(r.texts): r.soft for r in rows})
        own = sum(pair_hash(row.texts) in gold[task.name] for row in rows)
        counts = {"rows": len(rows), "with_gold": own}
        if not trains_with_gold(source, task):
            if task.name not in forbidden:
                forbidden[task.name] = set(hashes_of(held_out(task.name)).tolist())
            counts |= add_alone(made, rows, source, task, taken[task.name], forbidden[task.name])
        made.sha256[path.name] = file_sha256(path)
        made.sha256[source.relative_to(folder).as_posix()] = labels.labelled.file_sha256
        made.told[path.name] = {
            **{"task": task.name, "file": labels.labelled.file, **counts},
            "teacher": labels.labelled.teacher,
        }
        report(f"{path.name}: soft labels of {task.name}: {counted(counts)}")
    return made


def counted(counts: dict[str, int]) -> str:
    """Write counts as one text."""
    return ", ".join(f"{value:,} {name.replace('_', ' ')}" for name, value in counts.items())


def source_of(labelled: Labelled, path: Path, folder: Path) -> Path:
    """Find the data file that was labelled in the folder of data, or one folder deeper.

    Raises:
        DataError: it isn't there, or isn't as it was.
    """
    name = glob.escape(labelled.file)
    places = [place for place in (*folder.glob(name), *folder.glob(f"*/{name}")) if place.is_file()]
    for place in sorted(places):
        if file_sha256(place) == labelled.file_sha256:
            return place
    found = f"another file in {places[0]}" if places else "no file of that name"
    raise DataError(
        f"{path} labels {labelled.file} (SHA-256 {labelled.file_sha256[:12]}...), which should "
        f"lie in {folder} or in a folder of it. Found {found}; bring the file that was labelled, "
        "or label this one."
    )


def softened_rows(
    labels: SoftLabels, path: Path, source: Path, task: Task, phrase_words: int
) -> list[SoftExample]:
    """Return a data file's rows with their soft labels, and no others.

    Raises:
        DataError: a row has none.
    """
    rows = read_rows(source, task, labelled=False, phrase_words=phrase_words).examples
    values = labels.logits.reshape(len(labels.logits), -1).tolist()
    found = dict(zip(labels.hashes.tolist(), map(tuple, values), strict=False))
    made = []
    for row in rows:
        soft = found.get(pair_hash(row.texts))
        if soft is None:
            raise DataError(
                f"{path} should hold a soft label for each row of {source}. Found none for row "
                f"{row.id!r}; the file has changed, or its labelling isn't finished: run "
                "`python -m trainer label` again."
            )
        made.append(SoftExample(row.id, row.texts, None, soft))
    return made


def add_alone(
    made: Softened,
    rows: list[SoftExample],
    source: Path,
    task: Task,
    taken: set[int],
    forbidden: set[int],
) -> dict[str, int]:
    """Add rows without a gold label to those that train on soft ones alone; count them."""
    kept: list[Example] = []
    counts = {"held_out": 0, "repeated": 0}
    for row in rows:
        key = pair_hash(row.texts)
        if key in forbidden:
            counts["held_out"] += 1
        elif key in taken:
            counts["repeated"] += 1
        else:
            taken.add(key)
            kept.append(row)
    if kept:
        earlier = made.alone[task.name].examples if task.name in made.alone else []
        made.alone[task.name] = Table(source, [*earlier, *kept], [])
    return {**counts, "alone": len(kept)}
