"""The records of scores and of the training of the shipped models."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from minbert.metrics import normalised_mean
from minbert.records.runs import (
    RUNS_FILE,
    EntryError,
    Metric,
    count,
    mapping,
    number,
    read_metric,
    read_results,
    text,
)

BERT_BASE = "BERT-base\n(110 M parameters)"
MAIN = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")
Record = TypeVar("Record")
Range = tuple[float, float]  # lowest and highest; the same where one number is known


@dataclasses.dataclass(frozen=True)
class Scores:
    """What `python -m trainer evaluate` said of one model."""

    normalised: float | None
    metrics: Mapping[str, Metric]  # by "task metric"
    left_out: Mapping[str, int | None]  # examples not scored since the model was trained on them
    commit: str
    machine: str


@dataclasses.dataclass(frozen=True)
class Training:
    """What one training run says of itself."""

    recipe: str
    seed: int | None
    minutes: float | None
    tokens: float | None
    commit: str
    machine: str
    threads: int | None
    config: Mapping[str, Any]

    @property
    def encoder(self) -> str:
        """Name the encoder that the run started from, without its owner."""
        return str(self.config.get("encoder", "")).split("/")[-1]


@dataclasses.dataclass(frozen=True)
class Anchor:
    """Somebody else's scores; a range where several entries are meant."""

    name: str
    split: str
    encoder: str
    scores: tuple[Range, Range, Range]  # sentiment, paraphrase, similarity

    @property
    def normalised(self) -> Range:
        """Return the course's aggregate of the lowest and of the highest scores."""
        low, high = (normalised_mean(*(score[end] for score in self.scores)) for end in (0, 1))
        assert low is not None
        assert high is not None
        return low, high


PUBLIC = (
    Anchor(
        "public: best single shared\nBERT-base seen (2023)",
        "test",
        BERT_BASE,
        ((0.533, 0.533), (0.883, 0.883), (0.885, 0.885)),
    ),
    Anchor(
        "public: best entry of three models,\nto the board's highest (2024)",
        "test",
        "three models",
        ((0.557, 0.557), (0.892, 0.900), (0.871, 0.891)),
    ),
)


def read_record(
    path: Path, read: Callable[[Mapping[str, Any]], Record], again: str, problems: list[str]
) -> Record | None:
    """Return a JSON object's record; None, and a problem told, if it can't be read."""
    try:
        return read(mapping(json.loads(path.read_text(encoding="utf-8")), "it"))
    except FileNotFoundError:
        problems.append(f"{shown_path(path)} is not there. {again}")
    except (EntryError, OverflowError) as error:
        problems.append(f"{shown_path(path)} is left out: {error} {again}")
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{shown_path(path)} can't be read ({error}). {again}")
    return None


def read_scores(stored: Mapping[str, Any]) -> Scores:
    """Read what `evaluate` wrote."""
    tasks = mapping(stored.get("metrics"), "`metrics`")
    left_out = mapping(stored.get("left_out") or {}, "`left_out`")
    return Scores(
        normalised=number(stored, "normalised"),
        metrics={
            f"{task} {name}": read_metric(f"{task} {name}", metric)
            for task, metrics in tasks.items()
            for name, metric in mapping(metrics, f"`metrics` of {task!r}").items()
        },
        left_out={task: count(left_out, task) for task in left_out},
        commit=text(stored, "commit"),
        machine=text(stored, "machine"),
    )


def read_training(stored: Mapping[str, Any]) -> Training:
    """Read a run's own record."""
    return Training(
        recipe=text(stored, "recipe"),
        seed=count(stored, "seed"),
        minutes=number(stored, "minutes"),
        tokens=number(stored, "tokens"),
        commit=text(stored, "commit"),
        machine=text(stored, "machine"),
        threads=count(stored, "threads"),
        config=mapping(stored.get("config") or {}, "`config`"),
    )


def read_report(folder: Path, problems: list[str]) -> tuple[Anchor, ...]:
    """Return the report's test rows that have all three scores, and the best of each column."""
    rows = {
        run.row: tuple((run.report[name], run.report[name]) for name in MAIN)
        for run in read_results(folder).runs
        if run.report_split == "test" and set(MAIN) <= set(run.report)
    }
    if not rows:
        problems.append(
            f"The report's numbers can't be shown: {shown_path(folder / RUNS_FILE)} holds no row "
            "of its test table. Run `python -m trainer reproduce` to write it."
        )
        return ()
    columns = list(zip(*rows.values(), strict=True))
    best = "report: best of each column", tuple(max(column) for column in columns)
    named = [(f"report: {row.replace('_', ' ')}", scores) for row, scores in rows.items()]
    return tuple(
        Anchor(name, "test", BERT_BASE, (scores[0], scores[1], scores[2]))
        for name, scores in [*named, *([best] if len(rows) > 1 else [])]
    )


def shown_path(path: Path) -> str:
    """Name a file by the end of its path."""
    return "/".join(path.parts[-3:])
