"""The three tasks as plain values: what goes in, what comes out, how it is scored."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from minbert.config import choice_error


@dataclasses.dataclass(frozen=True)
class Task:
    """One task of the report (section 5.1 and 5.2)."""

    name: str
    kind: Literal["classes", "binary", "score"]
    pair: bool  # two sentences in, not one
    target: str  # column that holds the label in the course's files
    metric: str  # the metric a model is selected by
    labels: tuple[str, ...]  # class names; empty for a score
    lowest: float  # smallest valid target
    highest: float  # largest valid target
    classes: int  # outputs of the head

    @property
    def text_columns(self) -> tuple[str, ...]:
        """Return the columns of the course's files that hold the text."""
        return ("sentence1", "sentence2") if self.pair else ("sentence",)


SENTIMENT = Task(
    name="sentiment",
    kind="classes",
    pair=False,
    target="sentiment",
    metric="accuracy",
    labels=("very negative", "negative", "neutral", "positive", "very positive"),
    lowest=0,
    highest=4,
    classes=5,
)
PARAPHRASE = Task(
    name="paraphrase",
    kind="binary",
    pair=True,
    target="is_duplicate",
    metric="accuracy",
    labels=("no", "yes"),
    lowest=0,
    highest=1,
    classes=1,
)
SIMILARITY = Task(
    name="similarity",
    kind="score",
    pair=True,
    target="similarity",
    metric="pearson",
    labels=(),
    lowest=0,
    highest=5,
    classes=1,
)
TASKS = {task.name: task for task in (SENTIMENT, PARAPHRASE, SIMILARITY)}

SIMILARITY_BANDS = (
    "different topics",
    "different, but on the same topic",
    "not the same, some details shared",
    "roughly the same, important details differ",
    "mostly the same, small details differ",
    "the same meaning",
)


def task_named(name: str) -> Task:
    """Return the task called `name`.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    if name not in TASKS:
        raise choice_error("task", name, tuple(TASKS))
    return TASKS[name]


def clamped(score: float) -> float:
    """Return a similarity within its scale, 0 to 5; a model's own number may lie outside."""
    return min(max(score, 0.0), 5.0)


def similarity_band(score: float) -> str:
    """Say in words what a similarity of 0 to 5 means (SemEval's scale, reworded)."""
    return SIMILARITY_BANDS[math.floor(clamped(score) + 0.5)]
