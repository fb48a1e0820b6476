"""Rows of the result tables: one row's runs over its seeds, and how names and numbers are shown."""

from __future__ import annotations

import dataclasses
import math
import statistics
from collections.abc import Iterable, Mapping, Sequence

from minbert.records.form import TASKS
from minbert.records.runs import ENCODER_NOTE, TABLES, Run
from minbert.records.scores import MAIN, Scores
from minbert.records.shipped import MODELS, Records
from minbert.ui.parts.numbers import fixed

Z = 1.96  # half a 95 % interval, in standard errors
MAIN_METRICS = (
    "sentiment accuracy",
    "cfimdb accuracy",
    "paraphrase accuracy",
    "similarity pearson",
)
NORMALISED = "normalised"
TABLE_NAMES = {
    "part1": "Part 1",
    "dev": "Report's dev table",
    "test": "Report's test table",
    "ours": "Ours",
    "controls": "Controls",
}
MEASURES = {
    "accuracy": "accuracy",
    "within_one": "within one class",
    "f1": "F1",
    "pearson": "Pearson",
    "spearman": "Spearman",
    "joint_pearson": "Pearson of the joint score",
    "siamese_pearson": "Pearson of the Siamese score",
    "zero_share": "share of scores cut to 0",
}


@dataclasses.dataclass(frozen=True)
class Score:
    """One metric of a row: the mean over its seeds."""

    value: float | None  # None: undefined for every seed
    half: float | None  # half the 95 % interval, from the seeds' mean standard error
    sd: float | None  # over the seeds; None with a single one
    seeds: int  # with a defined value
    n: int | None
    split: str


@dataclasses.dataclass(frozen=True)
class Row:
    """The runs of one row that differ in their seed alone."""

    row: str
    title: str
    table: str
    profile: str
    runs: tuple[Run, ...]
    label: str  # the title, with the profile where two rows have the same title
    name: str  # the short name, likewise

    def score(self, metric: str) -> Score | None:
        """Return a metric's score, or None where no run of the row has it."""
        found = [run.metrics[metric] for run in self.runs if metric in run.metrics]
        if not found:
            return None
        values = [one.value for one in found if one.value is not None]
        errors = [one.se for one in found if one.value is not None and one.se is not None]
        return Score(
            value=statistics.fmean(values) if values else None,
            half=Z * statistics.fmean(errors) if errors else None,
            sd=statistics.stdev(values) if len(values) > 1 else None,
            seeds=len(values),
            n=found[0].n,
            split=found[0].split,
        )

    def reported(self, metric: str) -> float | None:
        """Return the report's own number, or None where it gives none."""
        return next((run.report[metric] for run in self.runs if metric in run.report), None)


def group_rows(runs: Iterable[Run]) -> list[Row]:
    """Return rows in the tables' order, within a table in the file's."""
    groups: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        groups.setdefault((run.table, run.row, run.profile), []).append(run)
    names = [(table, row) for table, row, _ in groups]
    rows = []
    for (table, row, profile), members in groups.items():
        profiles = f" [{profile}]" if names.count((table, row)) > 1 else ""
        rows.append(
            Row(
                row,
                members[0].title,
                table,
                profile,
                tuple(members),
                members[0].title + profiles,
                row.replace("_", " ") + profiles,
            )
        )
    return sorted(rows, key=lambda row: table_place(row.table))


def table_place(table: str) -> int:
    """Return a table's place on the page; one that isn't known comes last."""
    return TABLES.index(table) if table in TABLES else len(TABLES)


def table_names(rows: Sequence[Row]) -> dict[str, str]:
    """Return the tables that have rows: as shown to as stored."""
    tables = dict.fromkeys(row.table for row in rows)
    return {TABLE_NAMES.get(table, table.replace("_", " ")): table for table in tables}


def metrics_of(rows: Iterable[Row]) -> list[str]:
    """Return the metrics that some run has: the report's first, then in the files' order."""
    found = dict.fromkeys(name for row in rows for run in row.runs for name in run.metrics)
    return sorted(found, key=lambda name: (name not in MAIN_METRICS, place_of_task(name)))


def main_metrics(rows: Iterable[Row]) -> list[str]:
    """Return the report's own metrics, as far as some row has them."""
    return [name for name in metrics_of(rows) if name in MAIN_METRICS]


def task_of(metric: str) -> str:
    """Return a metric's task: its first word."""
    return metric.split(" ")[0]


def place_of_task(metric: str) -> int:
    """Return the place of a metric's task; what is of no single task comes last."""
    tasks = ("sentiment", "cfimdb", *TASKS[1:])
    return tasks.index(task_of(metric)) if task_of(metric) in tasks else len(tasks)


def metric_label(metric: str) -> str:
    """Return a metric's name as shown."""
    metric, against, row = metric.partition(" against ")
    task, _, measure = metric.partition(" ")
    task = {"cfimdb": "CFIMDB", NORMALISED: "Normalised mean"}.get(task, task.capitalize())
    label = f"{task} {MEASURES.get(measure, measure)}".strip()
    return (label + against + row).replace("_", " ")


def seeds_of(runs: Iterable[Run]) -> str:
    """Name the seeds of some runs."""
    return named_seeds(run.seed for run in runs)


def named_seeds(seeds: Iterable[int]) -> str:
    """Write a list of seeds."""
    listed = sorted(set(seeds))
    word = "seed" if len(listed) == 1 else "seeds"
    return f"{word} {', '.join(map(str, listed))}" if listed else "no seed told"


def value_of(scores: Scores | None, metric: str) -> float | None:
    """Return a metric's value, or None where it isn't known."""
    found = scores.flat.get(metric) if scores else None
    return found.value if found else None


def pair_in(known: Mapping[str, object]) -> tuple[str, ...]:
    """Return the names of the two models that can be compared, mean before CLS; empty without."""
    names = MODELS if set(MODELS) <= set(known) else tuple(known)
    return names if len(names) == len(MODELS) else ()


def pooling_gaps(scores: Mapping[str, Scores]) -> dict[str, tuple[float, bool]]:
    """Return the first model's score less the second's by main metric, and whether it is clear.

    Of the shipped pair mean is the first, CLS the second. Clear is more than two standard errors,
    reckoned as if the two models had been scored on different sentences.
    """
    names = pair_in(scores)
    if not names:
        return {}
    gaps = {}
    for metric in MAIN:
        one, other = (scores[model].flat.get(metric) for model in names)
        if one is None or other is None or None in (one.value, other.value, one.se, other.se):
            continue
        gap = (one.value or 0) - (other.value or 0)
        gaps[metric] = gap, abs(gap) > 2 * math.hypot(one.se or 0, other.se or 0)
    return gaps


def encoder_notes(records: Records) -> list[str]:
    """Return what the models' encoder had seen before; empty of one known to be another."""
    unknown = not records.own  # the shipped models' is all-MiniLM, recorded or not
    names = records.encoders or [""]
    small = any("minilm" in name.lower() or (unknown and not name) for name in names)
    return [ENCODER_NOTE] if small else []


def spread_of(score: Score) -> str:
    """Write a score with its interval."""
    return fixed(score.value) + (f" ± {score.half:.3f}" if score.half is not None else "")
