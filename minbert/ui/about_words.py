"""What the tab "About" knows, read from the stored records, and its findings in plain words.

A file that is missing or broken is told, with what to run, and never stops the page.
"""

from __future__ import annotations

import dataclasses
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from minbert.metrics import normalised_mean
from minbert.ui.result_rows import fixed, metric_label, signed
from minbert.ui.results import (
    RUNS_FILE,
    EntryError,
    Metric,
    count,
    kind_of,
    mapping,
    number,
    read_metric,
    read_results,
    text,
)
from minbert.ui.words import percent

MODELS = ("mean", "cls")
MAIN = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")
TRAIN_MAJORITY, OWN_MAJORITY = "train's majority", "own majority"
LABELS = {
    TRAIN_MAJORITY: "always the training file's commonest answer",
    OWN_MAJORITY: "always the commonest answer of the scored file itself",
}
DATA_SETS = {"sentiment": "SST-5", "paraphrase": "Quora", "similarity": "STS"}

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
        "BERT-base",
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
    scores, training = {}, {}
    for model in MODELS:
        evaluate = f"python -m trainer evaluate --model {models.name}/{model} --keep-trained --json"
        said = read_record(results / f"{model}-dev.json", read_scores, evaluate, problems)
        ran = read_record(
            results / f"{model}.json", read_training, f"python -m trainer train {model}", problems
        )
        scores |= {model: said} if said else {}
        training |= {model: ran} if ran else {}
    return Records(card, scores, training, read_report(results, problems), tuple(problems))


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
    path: Path, read: Callable[[Mapping[str, Any]], Record], command: str, problems: list[str]
) -> Record | None:
    """Return a JSON object's record; None, and a problem told, if it can't be read."""
    again = f"Run `{command}` to write it"
    try:
        return read(mapping(json.loads(path.read_text(encoding="utf-8")), "it"))
    except FileNotFoundError:
        problems.append(f"{shown_path(path)} is not there. {again}.")
    except (EntryError, OverflowError) as error:
        problems.append(f"{shown_path(path)} is left out: {error} {again} anew.")
    except (OSError, ValueError, RecursionError) as error:
        problems.append(f"{shown_path(path)} can't be read ({error}). {again} anew.")
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
        Anchor(name, "test", "BERT-base", (scores[0], scores[1], scores[2]))
        for name, scores in [*named, *([best] if len(rows) > 1 else [])]
    )


def size_in_card(card: str, data_set: str) -> str:
    """Return how much of a data set the card says was trained on, such as "6,040 pairs"."""
    data = " ".join(card.partition("**Data**")[2].split())
    found = re.search(rf"\b{re.escape(data_set)}\b[^();,]*\(([^()]*\d[^()]*)\)", data)
    return found[1] if found else ""


def value_of(scores: Scores | None, metric: str) -> float | None:
    """Return a metric's value, or None where it isn't known."""
    found = scores.metrics.get(metric) if scores else None
    return found.value if found else None


def with_error(metric: Metric | None) -> str:
    """Write a score with its standard error."""
    if metric is None:
        return "–"
    return fixed(metric.value) + (f" ± {metric.se:.3f}" if metric.se is not None else "")


def name_of(metric: str) -> str:
    """Return a metric's name as shown."""
    task, _, measure = metric.partition(" ")
    return f"{task.capitalize()}, {LABELS[measure]}" if measure in LABELS else metric_label(metric)


def numbers_finding(scores: Mapping[str, Scores]) -> tuple[str, list[str]]:
    """Say in a title and lines what the first known model's scores mean."""
    model = next((name for name in MODELS if name in scores), "")
    if not model:
        return "Our own scores are not told", []
    ours = scores[model]
    right, near, pairs, follow = (
        value_of(ours, name)
        for name in ("sentiment accuracy", "sentiment within_one", *MAIN[1:])
    )
    lines, short = [], []
    if right is not None:
        close = f", at most one class beside it in {percent(near)}" if near is not None else ""
        lines.append(f"Sentiment: the right one of five classes in {percent(right)}{close}")
        lines[-1] += chance(ours, "sentiment")
        short.append(f"{percent(right)} of moods")
    if pairs is not None:
        lines.append(f"Paraphrase: the right answer for {percent(pairs)} of question pairs")
        lines[-1] += chance(ours, "paraphrase")
        short.append(f"{percent(pairs)} of paraphrases")
    title = f"The {model} model gets {' and '.join(short)} right"
    title = title if short else f"The {model} model's scores"
    if follow is not None:
        lines.append(
            f"Similarity: scores follow people's with a correlation (Pearson) of {fixed(follow)}; "
            "1 is perfect, 0 is chance"
        )
    return title, [*lines, *pooling_lines(scores)]


def chance(scores: Scores, task: str) -> str:
    """Say what always giving the commonest answer would reach."""
    share = value_of(scores, f"{task} {TRAIN_MAJORITY}")
    return "" if share is None else f"; always the commonest answer: {percent(share)}"


def pooling_lines(scores: Mapping[str, Scores]) -> list[str]:
    """Say by how much mean differs from CLS pooling, and whether that is more than noise."""
    if set(MODELS) - set(scores):
        return []
    parts = []
    for metric in MAIN:
        one, other = (scores[model].metrics.get(metric) for model in MODELS)
        if one is None or other is None or None in (one.value, other.value, one.se, other.se):
            continue
        gap, se = float(one.value or 0) - float(other.value or 0), math.hypot(
            one.se or 0, other.se or 0
        )
        told = "clear" if abs(gap) > 2 * se else "undecided"
        parts.append(f"{metric.split()[0]} {signed(gap)} ({told})")
    if not parts:
        return []
    return [
        f"Mean against CLS pooling: {', '.join(parts)}; “clear” is more than two standard errors, "
        "reckoned as if the two had been scored on different sentences"
    ]


def settings_finding(training: Mapping[str, Training]) -> str:
    """Say in which settings the two runs differ."""
    if set(MODELS) - set(training):
        return ""
    one, other = (training[model].config for model in MODELS)
    differing = [name for name in settings_of(training) if one.get(name) != other.get(name)]
    names = ", ".join(name.replace("_", " ") for name in differing) or "nothing"
    return f"Apart from their names, the two runs' settings differ in: {names}"


def settings_of(training: Mapping[str, Training]) -> Sequence[str]:
    """Return the names of all settings of the runs, without the runs' own names."""
    known = dict.fromkeys(name for one in training.values() for name in one.config)
    return [name for name in known if name != "name"]


def shown_value(value: object) -> str:
    """Write a setting."""
    simple = isinstance(value, str | int | float)
    return str(value) if simple else f"({kind_of(value)})"
