"""The records of scores and of training, and the scores of others to hold them against."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from pydantic import Field, StrictBool

from minbert.metrics import normalised_mean
from minbert.records.form import (
    Count,
    Form,
    Metric,
    Metrics,
    NullText,
    Record,
    Text,
    Undefined,
    flat,
)
from minbert.records.reading import read_known, shown
from minbert.records.runs import RUNS_FILE, Run, read_results

BERT_BASE = "BERT-base\n(110 M parameters)"
MAIN = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")
Range = tuple[float, float]  # lowest and highest; the same where one number is known


class Scores(Record):
    """What `python -m trainer evaluate` measured of one model."""

    again: ClassVar[str] = "`python -m trainer evaluate --json` writes it."

    normalised: Undefined = None
    metrics: Metrics
    left_out: dict[str, Count] = Field(default_factory=dict)  # examples that trained the model
    masked: StrictBool = False  # demographic terms were masked

    @property
    def flat(self) -> dict[str, Metric]:
        """Return the metrics by "task metric"."""
        return flat(self.metrics)


class NewScore(Form):
    """The main metric on the dev rows none of whose texts occurs in training."""

    metric: Text = ""
    value: Undefined = None
    se: Undefined = None
    n: Count = 0


class Leak(Form):
    """What one task's training rows share with dev and test, in rows."""

    rows: Count = None
    dev_in_training: Count = None
    test_in_training: Count = None  # None: no test file
    new: NewScore = NewScore()


class Best(Form):
    """The epoch that was kept, by the normalised mean on dev."""

    score: Undefined = None
    epoch: Count = None
    per_task: dict[str, Any] = Field(default_factory=dict)


class Training(Record):
    """The result of one run or, with `stages`, of a chain of them."""

    again: ClassVar[str] = "It is the result.json of a run of `python -m trainer train`."

    stage: Text = ""  # of a chain: the name of its folder
    recipe: NullText = ""
    seed: Count = None
    minutes: Undefined = None
    tokens: Undefined = None
    best: Best = Field(default_factory=Best)
    normalised: Undefined = None
    metrics: Metrics = Field(default_factory=dict)
    config: dict[str, Any] = Field(default_factory=dict)
    files: dict[str, str] = Field(default_factory=dict)  # SHA-256 by name
    encoder_sha256: Text = ""
    extra_data: dict[str, Any] = Field(default_factory=dict)
    soft_labels: dict[str, Any] = Field(default_factory=dict)  # by file: its rows, its teacher
    leaks: dict[str, Leak] = Field(default_factory=dict)  # by task
    started_from: dict[str, Any] = Field(default_factory=dict)
    stages: tuple[Training, ...] = Field(default_factory=tuple)

    @property
    def encoder(self) -> str:
        """Return the encoder that the run started from, without its owner."""
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


def metrics_in(path: Path) -> dict[str, Metric]:
    """Return an evaluation's metrics by "task metric"; empty where the file can't be read."""
    scores = read_known(path, Scores, lambda _: None)
    return scores.flat if scores else {}


def read_report(folder: Path, report: Callable[[str], Any]) -> tuple[Anchor, ...]:
    """Return the report's test rows that have all three scores, and the best of each column.

    Args:
        folder: of the results.
        report: takes a line where there is no such row.
    """
    rows = {
        run.row: tuple((run.report[name], run.report[name]) for name in MAIN)
        for run in read_results(folder).runs
        if run.report_split == "test" and set(MAIN) <= set(run.report)
    }
    if not rows:
        report(
            f"The report's numbers can't be shown: {shown(folder / RUNS_FILE)} holds no row of "
            f"its test table. {Run.again}"
        )
        return ()
    columns = list(zip(*rows.values(), strict=True))
    best = "report: best of each column", tuple(max(column) for column in columns)
    named = [(f"report: {row.replace('_', ' ')}", scores) for row, scores in rows.items()]
    return tuple(
        Anchor(name, "test", BERT_BASE, (scores[0], scores[1], scores[2]))
        for name, scores in [*named, *([best] if len(rows) > 1 else [])]
    )
