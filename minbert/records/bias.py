"""The record of the bias probe."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minbert.files import CheckpointError, read_json

FILE = "bias.json"
COMMAND = "python -m trainer bias --model DIR --against DIR --out assets/results/bias.json"
OVERALL = "all lists"
DEV = {  # the record's name of a score -> the page's
    "sentiment accuracy": "SST-5 accuracy",
    "paraphrase accuracy": "Quora accuracy",
    "similarity pearson": "STS Pearson",
}


@dataclasses.dataclass(frozen=True)
class Interval:
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float

    def __str__(self) -> str:
        """Write it for a table."""
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


@dataclasses.dataclass(frozen=True)
class ModelRecord:
    """One model's spread and scores."""

    name: str
    masked: bool | None  # trained with masked texts; None: not told
    seed: int | None
    spread: Mapping[str, Mapping[str, Interval]]  # by task, then list
    dev: Mapping[str, tuple[float, float | None]]  # value and standard error

    @property
    def called(self) -> str:
        """Name it in a sentence, by how it was trained where that is told."""
        kinds = {True: "masked texts", False: "texts as they are"}
        return self.name if self.masked is None else f"the model trained with {kinds[self.masked]}"


@dataclasses.dataclass(frozen=True)
class Record:
    """What was measured, and by which code."""

    models: tuple[ModelRecord, ...]
    difference: Mapping[str, Interval]  # the first model less the second, by task
    commit: str


def read_record(results: Path) -> Record | None:
    """Read the record; None where there is none.

    Raises:
        CheckpointError: it is there and can't be read.
    """
    path = results / FILE
    if not path.is_file():
        return None
    told = read_json(path)
    try:
        models = tuple(_model(entry) for entry in told["models"])
        apart = {
            str(task): _interval(lists[OVERALL])
            for task, lists in told.get("difference", {}).items()
        }
        return Record(models, apart, str(told.get("commit") or "unknown"))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise CheckpointError(
            f"{FILE} should be what `{COMMAND}` writes. Found something else ({error!r})."
        ) from error


def _model(entry: Mapping[str, Any]) -> ModelRecord:
    spread = {
        str(task): {str(name): _interval(found) for name, found in lists.items()}
        for task, lists in entry["spread"].items()
    }
    dev = {
        name: (float(found["value"]), None if found.get("se") is None else float(found["se"]))
        for name, found in (entry.get("dev") or {}).items()
        if name in DEV and found.get("value") is not None
    }
    masked, seed = entry.get("masked_in_training"), entry.get("seed")
    return ModelRecord(
        str(entry["model"]),
        None if masked is None else bool(masked),
        None if seed is None else int(seed),
        spread,
        dev,
    )


def _interval(found: Mapping[str, Any]) -> Interval:
    return Interval(float(found["mean"]), float(found["low"]), float(found["high"]))
