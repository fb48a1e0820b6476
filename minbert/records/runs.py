"""Read the stored results of `python -m trainer reproduce`: runs and comparisons, typed.

A file that is missing or broken is told, with what to run, and never stops the page. One broken
entry is told too, and the others are read.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, TypeVar

RUNS_FILE, COMPARISONS_FILE = "reproduction.json", "comparisons.json"
COMMAND = "python -m trainer reproduce"
TABLES = ("part1", "dev", "test", "ours", "controls")  # their order on the page
TASKS = ("sentiment", "paraphrase", "similarity")
VERDICTS = ("held", "did not hold", "undecided")

Entry = TypeVar("Entry")
ENCODER_NOTE = (
    "all-MiniLM-L6-v2, the encoder, was itself trained with mean pooling and on Quora duplicates: "
    "comparisons of pooling are not even, and Paraphrase numbers start high."
)


class EntryError(ValueError):
    """An entry that can't be read; the message names the field, the rule and what was found."""


@dataclasses.dataclass(frozen=True)
class Metric:
    """One number of one run; a value of None is undefined, say the correlation of a constant."""

    value: float | None
    se: float | None  # standard error over the examples
    n: int | None  # examples
    split: str


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """Dev scores at the end of an epoch; epoch 0 is before fine-tuning."""

    epoch: float
    tokens: float | None
    minutes: float | None
    scores: Mapping[str, float | None]  # by task, and "normalised"


@dataclasses.dataclass(frozen=True)
class Shares:
    """Each task's share of an epoch's steps."""

    epoch: float
    alpha: float | None
    p: Mapping[str, float]


@dataclasses.dataclass(frozen=True)
class Conflict:
    """How two tasks' gradients meet over an epoch, before and after surgery."""

    conflict_rate: float | None
    cosine: float | None
    conflict_rate_after: float | None
    cosine_after: float | None


@dataclasses.dataclass(frozen=True)
class SurgeryEpoch:
    """The conflicts of an epoch by task pair, such as "sentiment-paraphrase"."""

    epoch: float
    steps: float
    pairs: Mapping[str, Conflict]


@dataclasses.dataclass(frozen=True)
class Run:
    """One trained and evaluated row of a table, with one seed."""

    row: str
    title: str
    table: str
    seed: int
    profile: str
    metrics: Mapping[str, Metric]  # by "task metric"
    report: Mapping[str, float]  # the report's own numbers of that row
    report_split: str
    minutes: float | None
    tokens: float | None
    commit: str
    machine: str
    curve: tuple[CurvePoint, ...]
    probabilities: tuple[Shares, ...]
    surgery: tuple[SurgeryEpoch, ...]
    encoder: str
    note: str  # where the row differs from the report's


@dataclasses.dataclass(frozen=True)
class Difference:
    """A paired difference, a minus b, with its 95 % interval."""

    value: float
    low: float | None
    high: float | None
    n: int | None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """A claim of the report and whether it held here."""

    claim: str
    says: str
    a: str
    b: str  # one row or several, with commas between
    seeds: tuple[int, ...]
    differences: Mapping[str, Difference]
    verdict: str
    why: str
    caveat: str

    @property
    def rows(self) -> tuple[str, ...]:
        """Name every row that the claim compares."""
        return (self.a, *(row.strip() for row in self.b.split(",")))


@dataclasses.dataclass(frozen=True)
class Results:
    """Everything that could be read, and what could not."""

    runs: tuple[Run, ...]
    comparisons: tuple[Comparison, ...]
    problems: tuple[str, ...]


def read_results(folder: Path) -> Results:
    """Read both files of a folder; what is missing or broken is told in `problems`."""
    runs, run_problems = read_entries(folder / RUNS_FILE, read_run)
    comparisons, other_problems = read_entries(folder / COMPARISONS_FILE, read_comparison)
    return Results(tuple(runs), tuple(comparisons), (*run_problems, *other_problems))


def read_entries(
    path: Path, read: Callable[[Mapping[str, Any]], Entry]
) -> tuple[list[Entry], list[str]]:
    """Return a file's readable entries and its problems."""
    name = "/".join(path.parts[-3:])
    again = f"Run `{COMMAND}` to write it"
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return [], [f"{name} is not there. {again}."]
    except (OSError, ValueError, RecursionError) as error:
        return [], [f"{name} can't be read ({error}). {again} anew."]
    if not isinstance(stored, list):
        return [], [f"{name} should be a list. Found {kind_of(stored)}. {again} anew."]
    entries, problems = [], []
    for place, entry in enumerate(stored, start=1):
        try:
            entries.append(read(mapping(entry, "it")))
        except (EntryError, OverflowError) as error:
            problems.append(f"{name}, entry {place} is left out: {error} {again} anew.")
    return entries, problems


def read_run(stored: Mapping[str, Any]) -> Run:
    """Read one run.

    Raises:
        EntryError: a field is missing or of another kind than the format's.
    """
    row = text(stored, "row", required=True)
    metrics = mapping(stored.get("metrics"), "`metrics`")
    return Run(
        row=row,
        title=text(stored, "title") or row.replace("_", " "),
        table=text(stored, "table", required=True),
        seed=int(number(stored, "seed") or 0),
        profile=text(stored, "profile"),
        metrics={name: read_metric(name, value) for name, value in metrics.items()},
        report=numbers(stored.get("report") or {}, "`report`"),
        report_split=text(stored, "report_split"),
        minutes=number(stored, "minutes"),
        tokens=number(stored, "tokens"),
        commit=text(stored, "commit"),
        machine=text(stored, "machine"),
        curve=tuple(map(read_point, items(stored, "curve"))),
        probabilities=tuple(map(read_shares, items(stored, "probabilities"))),
        surgery=tuple(map(read_surgery, items(stored, "surgery"))),
        encoder=text(mapping(stored.get("config") or {}, "`config`"), "encoder"),
        note=text(stored, "note"),
    )


def read_metric(name: str, stored: object) -> Metric:
    """Read one number of a run."""
    fields = mapping(stored, f"`metrics` of {name!r}")
    return Metric(
        number(fields, "value"), number(fields, "se"), count(fields, "n"), text(fields, "split")
    )


def read_point(stored: Mapping[str, Any]) -> CurvePoint:
    """Read one point of a training curve."""
    scores = {name: number(stored, name) for name in (*TASKS, "normalised")}
    return CurvePoint(
        required_number(stored, "epoch"),
        number(stored, "tokens"),
        number(stored, "minutes"),
        scores,
    )


def read_shares(stored: Mapping[str, Any]) -> Shares:
    """Read one epoch's shares."""
    return Shares(
        required_number(stored, "epoch"), number(stored, "alpha"), numbers(stored.get("p"), "`p`")
    )


def read_surgery(stored: Mapping[str, Any]) -> SurgeryEpoch:
    """Read one epoch's conflicts."""
    names = [field.name for field in dataclasses.fields(Conflict)]
    pairs = {}
    for pair, values in mapping(stored.get("pairs"), "`pairs`").items():
        fields = mapping(values, f"`pairs` of {pair!r}")
        pairs[pair] = Conflict(*(number(fields, name) for name in names))
    return SurgeryEpoch(
        required_number(stored, "epoch"), max(number(stored, "steps") or 0, 0), pairs
    )


def read_comparison(stored: Mapping[str, Any]) -> Comparison:
    """Read one claim.

    Raises:
        EntryError: a field is missing or of another kind than the format's.
    """
    differences = {}
    for name, values in mapping(stored.get("differences") or {}, "`differences`").items():
        fields = mapping(values, f"`differences` of {name!r}")
        if number(fields, "value") is not None:
            differences[name] = Difference(
                required_number(fields, "value"),
                number(fields, "low"),
                number(fields, "high"),
                count(fields, "n"),
            )
    verdict = text(stored, "verdict", required=True)
    if verdict not in VERDICTS:
        known = ", ".join(repr(name) for name in VERDICTS)
        raise EntryError(f"`verdict` should be one of {known}. Found {verdict!r}.")
    seeds = stored.get("seeds") or []
    if not isinstance(seeds, list) or not all(is_number(seed) for seed in seeds):
        raise EntryError(f"`seeds` should be a list of numbers. Found {kind_of(seeds)}.")
    return Comparison(
        claim=text(stored, "claim", required=True),
        says=text(stored, "says", required=True),
        a=text(stored, "a"),
        b=text(stored, "b"),
        seeds=tuple(int(seed) for seed in seeds),
        differences=differences,
        verdict=verdict,
        why=text(stored, "why"),
        caveat=text(stored, "caveat"),
    )


def is_number(value: object) -> bool:
    """Say whether a value is a finite number, which True is not."""
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def kind_of(value: object) -> str:
    """Name what was found, in JSON's words."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), "a number")


def mapping(value: object, name: str) -> Mapping[str, Any]:
    """Return an object's fields."""
    if not isinstance(value, dict):
        raise EntryError(f"{name} should be an object. Found {kind_of(value)}.")
    return value


def items(stored: Mapping[str, Any], name: str) -> Iterable[Mapping[str, Any]]:
    """Return a list of objects; a missing one is empty."""
    value = stored.get(name) or []
    if not isinstance(value, list):
        raise EntryError(f"`{name}` should be a list. Found {kind_of(value)}.")
    return [mapping(item, f"`{name}`'s item") for item in value]


def text(stored: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    """Return a text field; a missing one is empty unless it is required."""
    value = stored.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise EntryError(f"`{name}` should be a text. Found {kind_of(value)}.")
    return value


def number(stored: Mapping[str, Any], name: str) -> float | None:
    """Return a number field; missing, null, NaN and infinite are None."""
    value = stored.get(name)
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if not is_number(value):
        raise EntryError(f"`{name}` should be a number or null. Found {kind_of(value)}.")
    return float(value)


def required_number(stored: Mapping[str, Any], name: str) -> float:
    """Return a number field that has to be there."""
    value = number(stored, name)
    if value is None:
        raise EntryError(f"`{name}` should be a number. Found nothing.")
    return value


def count(stored: Mapping[str, Any], name: str) -> int | None:
    """Return a number of examples."""
    value = number(stored, name)
    return None if value is None else int(value)


def numbers(value: object, name: str) -> dict[str, float]:
    """Return an object's numbers by name, without its nulls."""
    fields = mapping(value, name)
    return {key: required_number(fields, key) for key in fields if number(fields, key) is not None}


def small_encoder(runs: Iterable[Run]) -> bool:
    """Say whether some run starts from all-MiniLM, or doesn't tell its encoder."""
    return any(not run.encoder or "minilm" in run.encoder.lower() for run in runs)
