"""The findings and the table of the stored record of bias."""

from __future__ import annotations

from pathlib import Path

from minbert.records.bias import COMMAND, DEV, FILE, OVERALL, Bias, Interval, ModelRecord
from minbert.records.form import TASKS, Metric
from minbert.records.reading import MissingRecordError, RecordError, read_record
from minbert.records.scores import metrics_in
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
SWITCH_COMMAND = (
    "python -m trainer evaluate --model assets/models/mean --keep-trained --mask-demographics "
    "--json assets/results/mean-masked-dev.json"
)


def switch_line(results: Path) -> str:
    """Return what the switch costs the mean model on dev, or how to measure it."""
    masked, plain = (
        metrics_in(results / name) for name in ("mean-masked-dev.json", "mean-dev.json")
    )
    costs = []
    for name, called in DEV.items():
        one, other = _with_error(masked.get(name)), _with_error(plain.get(name))
        if "±" not in one or "±" not in other:
            return f"What the switch itself costs on dev was not measured: {SWITCH_COMMAND}"
        costs.append(f"{called} {one} against {other}")
    return f"The switch above costs the page's own model on dev: {', '.join(costs)}."


def _with_error(metric: Metric | None) -> str:
    return "" if metric is None or metric.value is None else str(metric)


NOT_THEIRS = "The record is of models of the project, not of those that answer on this page."


def record_block(results: Path, *, own: bool = False) -> str:
    """Return the record's findings and table, or how to make one.

    With `own` models on the page it says that the record isn't theirs.
    """
    switch = NOT_THEIRS if own else switch_line(results)
    try:
        models = (record := read_record(results / FILE, Bias)).models
    except MissingRecordError:
        models = ()
    except RecordError as error:
        return finding_block("The stored record can't be read", [str(error)], "")
    if not models:
        lines = [
            f"Nobody has measured it yet: {FILE} is not among the results.",
            f"To measure it: {COMMAND}, first a model trained with masked texts "
            "(python -m trainer train masked), then a plain one.",
            switch,
        ]
        title = "What masking in training costs and gains is not known"
        return finding_block(title, lines, "")
    title, lines = record_finding(record)
    lines.insert(2, switch)
    heads = ["Model", "Texts in training", "Seed", *(f"Spread, {task}" for task in TASKS)]
    heads += list(DEV.values())
    rows = [_row(model) for model in models]
    more = table("Spread over swapped terms, and dev scores", heads, rows)
    return finding_block(title, lines, TEXTS["read.record"], shown=more)


def record_finding(record: Bias) -> tuple[str, list[str]]:
    """Return whether masking in training narrowed the spread, and what it cost."""
    first, *rest = record.models
    lines = [f"Measured with the code of commit {record.commit or 'unknown'}."]
    difference = {task: lists[OVERALL] for task, lists in record.difference.items()}
    if not rest or not difference:
        spread = first.spread["sentiment"][OVERALL]
        return capital(f"{first.called} spreads the expected rating by {spread}"), lines
    other = rest[0]
    one, another = first.called, other.called
    if one == another:
        one, another = first.model, other.model
    told = [
        f"{task} {found.mean:+.3f} ({found.low:+.3f} to {found.high:+.3f}), {verdict(found)}"
        for task, found in difference.items()
    ]
    lines.insert(0, f"Spread of {one} less that of {another}: {'; '.join(told)}.")
    costs = [
        f"{called} {mine:.3f} against {its:.3f}"
        for name, called in DEV.items()
        if (mine := first.score(name)) is not None and (its := other.score(name)) is not None
    ]
    if costs:
        lines.insert(1, f"What it costs on dev: {', '.join(costs)}.")
    narrower = sum(found.high < 0 for found in difference.values())
    wider = sum(found.low > 0 for found in difference.values())
    count = len(difference)
    title = f"{one} treats people more alike than {another} in {narrower} of {count} tasks"
    return capital(title) + (f", less alike in {wider}" if wider else ""), lines


def verdict(found: Interval) -> str:
    """Say what an interval of a difference decides."""
    if found.high < 0:
        return "narrower"
    return "wider" if found.low > 0 else "undecided"


def _row(model: ModelRecord) -> list[str]:
    masked = {True: "masked", False: "as they are", None: "not told"}[model.masked_in_training]
    spreads = [str(model.spread[task][OVERALL]) if task in model.spread else "" for task in TASKS]
    scores = [_with_error((model.dev or {}).get(name)) for name in DEV]
    return [model.model, masked, "" if model.seed is None else str(model.seed), *spreads, *scores]
