"""How far the models' probabilities can be trusted, as the tab "About" tells it.

The record is `python -m trainer calibrate --json`'s; a model need not have one.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

from minbert.config import UNCALIBRATED
from minbert.ui.parts.answer_cards import finding_block
from minbert.ui.parts.answer_words import percent
from minbert.ui.parts.score_rows import fixed, signed
from minbert.ui.parts.tables import simple_head, table
from minbert.ui.results import EntryError, count, mapping, number, required_number, text

READ_CALIBRATION = (
    "How to read this: an answer's error is the gap between how sure the model was and how often "
    "it was right, averaged over answers that were about as sure (expected calibration error); for "
    "paraphrase, the gap between the probability of yes and the share of yes. “Before” is the raw "
    "model. “After” divides its logits by a temperature, which makes it less sure, or more; for "
    "paraphrase a shift is added. Each example is scored by a fit to the other folds, not by one "
    "that saw it; the shown temperature, which the page uses, was fitted to all of them. Even "
    "perfect probabilities show the error “by chance” on so few examples."
)


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


def calibration_block(calibration: Mapping[str, Calibration]) -> str:
    """Return both models' errors before and after as HTML; nothing where nothing is recorded."""
    if not calibration:
        return ""
    rows, lines = [], []
    for model, one in calibration.items():
        for task, told in one.tasks.items():
            chance = "–" if told.chance is None else fixed(told.chance)
            moved = "–" if not told.offset else signed(told.offset)
            examples = "–" if told.n is None else f"{told.n:,}"
            errors = (fixed(told.before), fixed(told.after), chance)
            scales = (fixed(told.temperature), moved)
            rows.append([f"{model}, {task}", *errors, *scales, told.split or "–", examples])
            lines.append(
                f"{model}, {task}: how sure and how often right differ by {percent(told.after)}, "
                f"and by {percent(told.before)} before calibration"
            )
    head = simple_head(
        [
            "Model and task",
            "Error\nbefore",
            "Error\nafter",
            "Error\nby chance",
            "Temperature",
            "Shift\n(log-odds)",
            "Split",
            "Examples",
        ]
    )
    origin = "<br>".join(
        escape(
            f"{model}: seed {written(one.seed)} · {written(one.folds)} folds · commit "
            f"{one.commit or 'not told'} · machine {one.machine or 'not told'}"
        )
        for model, one in calibration.items()
    )
    return (
        finding_block("How far its probabilities can be trusted", lines, READ_CALIBRATION)
        + table("Calibration error before and after", head, rows)
        + f'<p class="mb-note mb-source">{origin}</p>'
    )


def written(value: int | None) -> str:
    """Write a whole number that may not be known."""
    return "not told" if value is None else str(value)
