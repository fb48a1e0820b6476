"""The stored record of bias: what `python -m trainer bias` wrote, and how the page tells it."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from minbert.files import CheckpointError, read_json
from minbert.ui.parts.answer_cards import finding_block
from minbert.ui.parts.tables import simple_head, table

FILE = "bias.json"
COMMAND = "python -m trainer bias --model DIR --against DIR --out assets/results/bias.json"
SWITCH_COMMAND = (
    "python -m trainer evaluate --model assets/models/mean --keep-trained --mask-demographics "
    "--json assets/results/mean-masked-dev.json"
)
OVERALL = "all lists"
TASKS = ("sentiment", "paraphrase", "similarity")
DEV = {  # the record's name of a score -> the page's
    "sentiment accuracy": "SST-5 accuracy",
    "paraphrase accuracy": "Quora accuracy",
    "similarity pearson": "STS Pearson",
}
READ = (
    "How to read this: models measured on our sentences as above, without the switch. Spread is "
    "the standard deviation over the swapped terms, averaged over lists and sentences, with its "
    "95 % interval over sentences; dev scores are those of the model's own run, ± one standard "
    "error. What it can't tell: one seed each, so small differences are undecided."
)


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


def switch_line(results: Path) -> str:
    """Say what the switch costs the mean model on dev, or how to measure it."""
    plain, masked = (
        _main_scores(results / name) for name in ("mean-dev.json", "mean-masked-dev.json")
    )
    if plain is None or masked is None:
        return f"What the switch itself costs on dev was not measured: {SWITCH_COMMAND}"
    costs = [
        f"{DEV[name]} {masked[name][0]:.3f} ± {masked[name][1]:.3f} against "
        f"{plain[name][0]:.3f} ± {plain[name][1]:.3f}"
        for name in DEV
    ]
    return f"The switch above costs the page's own model on dev: {', '.join(costs)}."


def _main_scores(path: Path) -> dict[str, tuple[float, float]] | None:
    """Read the main scores, with standard errors, of an evaluation; None if they can't be read."""
    try:
        metrics = read_json(path)["metrics"]
        found = {name: metrics[name.split()[0]][name.split()[1]] for name in DEV}
        return {name: (float(one["value"]), float(one["se"])) for name, one in found.items()}
    except (CheckpointError, KeyError, TypeError, ValueError):
        return None


def record_block(results: Path) -> str:
    """Return the record's findings and table, or say that there is none."""
    try:
        record = read_record(results)
    except CheckpointError as error:
        return finding_block("The stored record can't be read", [str(error)], READ)
    if record is None or not record.models:
        lines = [
            f"Nobody has measured it yet: {FILE} is not among the results.",
            f"To measure it: {COMMAND}, first a model trained with masked texts "
            "(python -m trainer train masked), then a plain one.",
            switch_line(results),
        ]
        return finding_block("What masking in training costs and gains is not known", lines, READ)
    title, lines = record_finding(record)
    lines.insert(2, switch_line(results))
    heads = ["Model", "Texts in training", "Seed", *(f"Spread, {task}" for task in TASKS)]
    heads += list(DEV.values())
    rows = [_row(model) for model in record.models]
    more = table("Spread over swapped terms, and dev scores", simple_head(heads), rows)
    return finding_block(title, lines, READ, more)


def record_finding(record: Record) -> tuple[str, list[str]]:
    """Say whether masking in training narrowed the spread, and what it cost."""
    first, *rest = record.models
    lines = [f"Measured with the code of commit {record.commit}."]
    if not rest or not record.difference:
        spread = first.spread["sentiment"][OVERALL]
        return capital(f"{first.called} spreads the expected rating by {spread}"), lines
    other = rest[0]
    one, another = first.called, other.called
    if one == another:
        one, another = first.name, other.name
    told = [
        f"{task} {found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}), {verdict(found)}"
        for task, found in record.difference.items()
    ]
    lines.insert(0, f"Spread of {one} less that of {another}: {'; '.join(told)}.")
    costs = [
        f"{DEV[name]} {first.dev[name][0]:.3f} against {other.dev[name][0]:.3f}"
        for name in DEV
        if name in first.dev and name in other.dev
    ]
    if costs:
        lines.insert(1, f"What it costs on dev: {', '.join(costs)}.")
    narrower = sum(found.high < 0 for found in record.difference.values())
    wider = sum(found.low > 0 for found in record.difference.values())
    count = len(record.difference)
    title = f"{one} treats people more alike than {another} in {narrower} of {count} tasks"
    return capital(title) + (f", less alike in {wider}" if wider else ""), lines


def capital(text: str) -> str:
    """Begin a sentence."""
    return text[:1].upper() + text[1:]


def verdict(found: Interval) -> str:
    """Say what an interval of a difference decides."""
    if found.high < 0:
        return "narrower"
    return "wider" if found.low > 0 else "undecided"


def _row(model: ModelRecord) -> list[str]:
    masked = {True: "masked", False: "as they are", None: "not told"}[model.masked]
    spreads = [str(model.spread[task][OVERALL]) if task in model.spread else "" for task in TASKS]
    scores = []
    for name in DEV:
        value, error = model.dev.get(name, (None, None))
        told = "" if value is None else f"{value:.3f}"
        scores.append(told + (f" ± {error:.3f}" if told and error is not None else ""))
    return [model.name, masked, "" if model.seed is None else str(model.seed), *spreads, *scores]
