"""A teacher's soft labels for any file that the readers can read, in parts that can be resumed.

Beside the output lies, until all rows are done, a file of the same form with the first rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minbert.device import choose_device
from minbert.files import CheckpointError
from minbert.tables import DataError, Table
from trainer.data.course import file_sha256
from trainer.data.soft_labels import Labelled, SoftLabels, hashes_of, read_soft_labels
from trainer.data.task_rows import read_rows
from trainer.run.loop import progress
from trainer.teacher.model import TOKENS_AT_ONCE, Teacher, load_taught
from trainer.techniques.precision import lowered

PART = 2048  # rows between two safe points
Report = Callable[[str], None]


def label_file(
    folder: Path,
    source: Path,
    target: Path,
    *,
    device_name: str,
    precision: str,
    report: Report,
    part: int = PART,
    tokens: int = TOKENS_AT_ONCE,
) -> None:
    """Write a teacher's soft labels of a file's rows, in their order.

    Args:
        folder: of a finished teacher, as `teach` leaves it.
        source: a table of the teacher's task, or for sentiment a file of trees; labels in it are
            not looked at, and rows that do not parse are left out and told.
        target: of the soft labels, safetensors.
        device_name: where the teacher runs.
        precision: auto, fp32 or bf16.
        report: takes a line at a time.
        part: rows between two safe points.
        tokens: most tokens a batch, padding counted.

    Raises:
        CheckpointError: the teacher isn't finished, or its outputs are not finite.
        DataError: the source is missing or of another task; or `target` holds other labels.
    """
    device = choose_device(device_name)
    teacher, told = load_taught(folder)
    teacher.model.to(device)  # type: ignore[arg-type]  # transformers wraps it untyped
    table = read_rows(source, teacher.task, labelled=False)
    report(table.summary())
    lower = "bf16" if lowered(precision, device) else "fp32"
    labelled = described(told, source, table, lower)
    if target.exists():
        if earlier_rows(target, labelled) is None:
            raise DataError(
                f"`--output` should name a fresh file. Found soft labels of another file, or by "
                f"another teacher, in {target}; name another file."
            )
        report(f"{target} is finished already.")
        return
    begun = target.with_name(f"{target.name}.begun")
    done = earlier_rows(begun, labelled) if begun.exists() else None
    if begun.exists():
        report(
            f"{begun} is of another file or teacher; beginning anew."
            if done is None
            else f"Continuing at row {len(done):,}."
        )
    label_parts(teacher, table, labelled, begun, done, lower, part=part, tokens=tokens)
    begun.replace(target)
    report(f"{target}: soft labels of {len(table.examples):,} rows")


def label_parts(
    teacher: Teacher,
    table: Table,
    labelled: Labelled,
    begun: Path,
    done: torch.Tensor | None,
    precision: str,
    *,
    part: int,
    tokens: int,
) -> None:
    """Label the rows that are left, and write what there is after each part."""
    rows = table.examples
    hashes = hashes_of(rows)
    logits = teacher.outputs([]) if done is None else done
    with progress(len(rows), len(logits), "row") as bar:
        while len(logits) < len(rows):
            some = rows[len(logits) : len(logits) + part]
            found = teacher.outputs(some, precision=precision, tokens=tokens)
            logits = torch.cat([logits, found])
            SoftLabels(labelled, logits, hashes).write(begun)
            bar.update(len(some))


def described(told: dict[str, Any], source: Path, table: Table, precision: str) -> Labelled:
    """Return what a file of soft labels tells of itself.

    Args:
        told: the teacher's teacher.json.
        source: the data file.
        table: its rows.
        precision: of the outputs.
    """
    kept = ("teacher", "base_sha256", "weights_sha256", "seed", "tokens", "dev", "commit")
    teacher = {name: told.get(name) for name in kept} | {"precision": precision}
    ids = [row.id for row in table.examples]
    return Labelled(told["task"], source.name, file_sha256(source), teacher, ids)


def earlier_rows(path: Path, labelled: Labelled) -> torch.Tensor | None:
    """Return the outputs in an earlier file, if it is of this teacher and this data; else None."""
    try:
        earlier = read_soft_labels(path)
    except (CheckpointError, DataError):
        return None
    same = dataclasses.asdict(earlier.labelled) == dataclasses.asdict(labelled)
    return earlier.logits if same else None
