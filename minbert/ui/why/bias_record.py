"""The stored record of bias: what `python -m trainer bias` wrote, and how the page tells it."""

from __future__ import annotations

from pathlib import Path

from minbert.files import CheckpointError, read_json
from minbert.records.bias import (
    COMMAND,
    DEV,
    FILE,
    OVERALL,
    Interval,
    ModelRecord,
    Record,
    read_record,
)
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.tables import simple_head, table

SWITCH_COMMAND = (
    "python -m trainer evaluate --model assets/models/mean --keep-trained --mask-demographics "
    "--json assets/results/mean-masked-dev.json"
)
TASKS = ("sentiment", "paraphrase", "similarity")
READ = (
    "How to read this: models measured on our sentences as above, without the switch. Spread is "
    "the standard deviation over the swapped terms, averaged over lists and sentences, with its "
    "95 % interval over sentences; dev scores are those of the model's own run, ± one standard "
    "error. What it can't tell: one seed each, so small differences are undecided."
)


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
