"""The results of `python -m trainer reproduce`: runs and comparisons."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Any, ClassVar, get_args

from pydantic import Field, ValidationInfo, field_validator

from minbert.records.form import (
    TASKS,
    Count,
    Form,
    Metric,
    Name,
    NullText,
    Number,
    Record,
    Seed,
    Text,
    Undefined,
    Verdict,
)
from minbert.records.reading import read_entries

RUNS_FILE, COMPARISONS_FILE = "reproduction.json", "comparisons.json"
COMMAND = "python -m trainer reproduce"
TABLES = ("part1", "dev", "test", "ours", "controls")  # their order on the page
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
ENCODER_NOTE = (
    "all-MiniLM-L6-v2, the encoder, was itself trained with mean pooling and on Quora duplicates: "
    "comparisons of pooling are not even, and Paraphrase numbers start high."
)


class CurvePoint(Form):
    """Dev scores at the end of an epoch; epoch 0 is before fine-tuning."""

    epoch: Number
    tokens: Undefined = None
    minutes: Undefined = None
    normalised: Undefined = None
    sentiment: Undefined = None
    paraphrase: Undefined = None
    similarity: Undefined = None

    @property
    def scores(self) -> dict[str, float | None]:
        """Return the scores by task, and that of "normalised"."""
        return {name: getattr(self, name) for name in (*TASKS, "normalised")}


class Shares(Form):
    """Each task's share of an epoch's steps."""

    epoch: Number
    alpha: Undefined = None
    p: dict[str, Number]


class Conflict(Form):
    """How two tasks' gradients meet over an epoch, before and after surgery."""

    conflict_rate: Undefined = None
    cosine: Undefined = None
    conflict_rate_after: Undefined = None
    cosine_after: Undefined = None


class SurgeryEpoch(Form):
    """The conflicts of an epoch by task pair, such as "sentiment-paraphrase"."""

    epoch: Number
    steps: Seed = 0
    pairs: dict[str, Conflict]


class Run(Record):
    """One trained and evaluated row of a table, with one seed."""

    again: ClassVar[str] = f"Run `{COMMAND}` to write it."

    row: Name
    title: Annotated[Text, Field(validate_default=True)] = ""
    table: Name
    seed: Seed = 0
    profile: Text = ""
    metrics: dict[str, Metric]  # by "task metric"
    report: dict[str, Number] = Field(default_factory=dict)  # the report's own numbers of the row
    report_split: NullText = ""
    note: Text = ""  # where the row differs from the report's
    minutes: Undefined = None
    tokens: Undefined = None
    best_epoch: Count = None
    curve: tuple[CurvePoint, ...] = Field(default_factory=tuple)
    probabilities: tuple[Shares, ...] = Field(default_factory=tuple)
    surgery: tuple[SurgeryEpoch, ...] = Field(default_factory=tuple)
    config: dict[str, Any] = Field(default_factory=dict)

    @field_validator("title")
    @classmethod
    def _row_as_title(cls, title: str, info: ValidationInfo) -> str:
        return title or str(info.data.get("row", "")).replace("_", " ")

    @property
    def encoder(self) -> str:
        """Return the encoder that the run started from; empty where it isn't recorded."""
        return str(self.config.get("encoder") or "")


@dataclasses.dataclass(frozen=True)  # not a model, so that arithmetic makes it by place
class Difference:
    """A paired difference, a minus b, with its 95 % interval; None where it is undefined."""

    value: Undefined = None
    low: Undefined = None
    high: Undefined = None
    n: Count = None  # examples

    def __str__(self) -> str:
        """Write the value and its interval as `+.021 [+.003, +.039]`, or `undefined`."""
        if self.value is None:
            return "undefined"
        ends = (self.value, self.low, self.high)
        value, low, high = (
            "?" if x is None else f"{x:+.3f}".replace("0.", ".", 1) if abs(x) < 1 else f"{x:+.2f}"
            for x in ends
        )
        return f"{value} [{low}, {high}]"


class Comparison(Record):
    """A claim of the report and whether it held here."""

    again: ClassVar[str] = Run.again

    claim: Name
    says: Name
    a: Text = ""
    b: Text = ""  # one row or several, with commas between
    seeds: tuple[Seed, ...] = Field(default_factory=tuple)
    differences: dict[str, Difference] = Field(default_factory=dict)
    verdict: Verdict
    why: Text = ""
    caveat: Text = ""

    @property
    def rows(self) -> tuple[str, ...]:
        """Return the names of all rows that the claim compares."""
        return (self.a, *(row.strip() for row in self.b.split(",")))


@dataclasses.dataclass(frozen=True)
class Results:
    """The runs and comparisons of a folder, and a line for each that can't be read."""

    runs: tuple[Run, ...]
    comparisons: tuple[Comparison, ...]
    problems: tuple[str, ...]


def read_results(folder: Path) -> Results:
    """Return what a folder's reproduction.json and comparisons.json hold."""
    runs, run_problems = read_entries(folder / RUNS_FILE, Run)
    comparisons, other_problems = read_entries(folder / COMPARISONS_FILE, Comparison)
    return Results(runs, comparisons, (*run_problems, *other_problems))


def small_encoder(runs: Iterable[Run]) -> bool:
    """Return whether some run starts from all-MiniLM, or from an encoder that isn't recorded."""
    return any(not run.encoder or "minilm" in run.encoder.lower() for run in runs)
