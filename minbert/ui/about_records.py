"""What the tab "About" knows: the model card, both models' records, the anchors beside them.

A file that is missing or broken is told, with what to run, and never stops the page.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

from minbert.checkpoint import CONFIG_FILE
from minbert.metrics import normalised_mean
from minbert.ui.about.calibration import Calibration, read_calibration
from minbert.ui.results import (
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
MODELS = ("mean", "cls")
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


@dataclasses.dataclass(frozen=True)
class Records:
    """Everything that could be read, and what could not."""

    card: str  # the model card's Markdown
    scores: Mapping[str, Scores]  # by model
    training: Mapping[str, Training]  # by model
    calibration: Mapping[str, Calibration]  # by model; of those that were calibrated
    report: tuple[Anchor, ...]
    problems: tuple[str, ...]

    @property
    def encoders(self) -> list[str]:
        """Name each encoder that a shipped model started from; empty where it isn't told."""
        return list(dict.fromkeys(one.encoder for one in self.training.values()))


def read_records(models: Path, results: Path) -> Records:
    """Read the model card and both models' records; what can't be read is in `problems`."""
    problems: list[str] = []
    card = read_card(models / "README.md", problems)
    scores: dict[str, Scores] = {}
    training: dict[str, Training] = {}
    calibration: dict[str, Calibration] = {}
    for model in MODELS:
        path = results / f"{model}-dev.json"
        evaluate = (
            f"`python -m trainer evaluate --model {shown_path(models / model)} --keep-trained "
            f"--json {shown_path(path)}` writes it."
        )
        train = f"It is the result.json of a run of `python -m trainer train {model}`."
        said = read_record(path, read_scores, evaluate, problems)
        ran = read_record(results / f"{model}.json", read_training, train, problems)
        scores |= {model: said} if said else {}
        training |= {model: ran} if ran else {}
        fitted = calibration_of(model, models, results, problems)
        calibration |= {model: fitted} if fitted else {}
    report = read_report(results, problems)
    return Records(card, scores, training, calibration, report, tuple(problems))


def calibration_of(
    model: str, models: Path, results: Path, problems: list[str]
) -> Calibration | None:
    """Return what is recorded of a model's calibration; a model need not be calibrated."""
    path = results / f"{model}-calibration.json"
    if not path.is_file():
        return None
    again = (
        f"`python -m trainer calibrate --model {shown_path(models / model)} "
        f"--json {shown_path(path)}` writes it."
    )
    config = models / model / CONFIG_FILE
    return read_record(path, lambda stored: read_calibration(stored, config), again, problems)


def read_card(path: Path, problems: list[str]) -> str:
    """Return the model card's text, empty if it can't be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        problems.append(
            f"The model card {shown_path(path)} is not there. It tells data, limits and ethics; "
            "the repository has it."
        )
    except (OSError, ValueError) as error:
        problems.append(f"The model card {shown_path(path)} can't be read ({error}).")
    return ""


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


def shown_path(path: Path) -> str:
    """Name a file by the end of its path."""
    return "/".join(path.parts[-3:])


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
