"""The record of how probabilities were calibrated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import Field

from minbert.config import OURS, UNCALIBRATED
from minbert.records.form import Count, Form, Metric, Number, Record, Text, Undefined


class Error(Metric):
    """A calibration error, from 0 to 1."""

    value: Number


class Measures(Form):
    """How good probabilities are: calibration error, negative log-likelihood, accuracy."""

    ece: Error
    nll: Metric = Metric()
    accuracy: Metric = Metric()


class Scale(Form):
    """A fit: logits are divided by the temperature, then the offset is added."""

    temperature: Number
    offset: Undefined = None


class TaskCalibration(Scale):
    """One task's calibration, and its worth by cross-fitting."""

    n: Count = None  # examples
    before: Measures
    after: Measures
    nll_change: Metric = Metric()
    ece_by_chance: Undefined = None  # the error that perfectly calibrated answers would show
    fold_fits: tuple[Scale, ...] = Field(default_factory=tuple)
    split: Text = ""
    left_out: Count = None  # examples that trained the model


class Calibration(Record):
    """What `python -m trainer calibrate` fitted to one model."""

    again: ClassVar[str] = "`python -m trainer calibrate --json` writes it."

    model: Text = ""
    seed: Count = None
    folds: Count = None
    bins: Count = None
    tasks: dict[str, TaskCalibration]
    precision: Text = ""

    @property
    def scales(self) -> dict[str, float | None]:
        """Return the fit by the names that a checkpoint's config.json has for it."""
        found = {
            f"{task}_{field}": getattr(one, field)
            for task, one in self.tasks.items()
            for field in ("temperature", "offset")
        }
        return {name: value for name, value in found.items() if name in UNCALIBRATED}


def scales_of(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the calibration of a config.json; a scale that it doesn't name changes nothing."""
    own = config.get(OURS, config)
    told = own if isinstance(own, Mapping) else {}
    return {name: told.get(name, default) for name, default in UNCALIBRATED.items()}
