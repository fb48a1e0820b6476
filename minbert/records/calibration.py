"""The record of how probabilities were calibrated."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minbert.config import UNCALIBRATED
from minbert.records.runs import EntryError, count, mapping, number, required_number, text


@dataclasses.dataclass(frozen=True)
class TaskCalibration:
    """One task's calibration; errors from 0 to 1."""

    temperature: float
    offset: float | None
    before: float
    after: float
    chance: float | None
    split: str
    n: int | None


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What `python -m trainer calibrate` said of one model."""

    tasks: Mapping[str, TaskCalibration]  # by task
    folds: int | None
    seed: int | None
    commit: str
    machine: str


def read_calibration(stored: Mapping[str, Any], config: Path) -> Calibration:
    """Read a record.

    Args:
        stored: the record.
        config: the model's config.json; where it is readable, the record has to tell its fit.

    Raises:
        EntryError: a field is missing or of another kind, or the fit is another than the model's.
    """
    tasks = {
        task: read_task(mapping(told, f"`tasks` of {task!r}"))
        for task, told in mapping(stored.get("tasks"), "`tasks`").items()
    }
    for task, told in tasks.items():
        for field in ("temperature", "offset"):
            found, wanted = getattr(told, field), scale_in(config, f"{task}_{field}")
            if wanted is not None and found != wanted:
                raise EntryError(
                    f"`{field}` of {task!r} should be the model's own, {wanted}. Found {found}."
                )
    return Calibration(
        tasks,
        count(stored, "folds"),
        count(stored, "seed"),
        text(stored, "commit"),
        text(stored, "machine"),
    )


def read_task(stored: Mapping[str, Any]) -> TaskCalibration:
    """Read one task's part of a record."""
    before, after = (
        required_number(
            mapping(mapping(stored.get(when), f"`{when}`").get("ece"), "`ece`"), "value"
        )
        for when in ("before", "after")
    )
    return TaskCalibration(
        required_number(stored, "temperature"),
        number(stored, "offset"),
        before,
        after,
        number(stored, "ece_by_chance"),
        text(stored, "split"),
        count(stored, "n"),
    )


def scale_in(config: Path, name: str) -> float | None:
    """Return a field of a config.json's calibration; None where there is nothing to compare."""
    if name not in UNCALIBRATED:
        return None
    try:
        values = json.loads(config.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return None
    return number(values, name) if name in values else UNCALIBRATED[name]
