"""People's labels: numbers as any spreadsheet writes them, classes by name, and their scale.

A label that can't be read is never guessed; labels on another scale are told, not moved.
"""

from __future__ import annotations

import re

from minbert.tasks import Task

SPELLINGS = {  # other words for the classes' own names
    **{"neg": "negative", "pos": "positive"},
    **{word: "yes" for word in ("y", "true", "duplicate", "paraphrase", "same")},
    **{word: "no" for word in ("n", "false", "not duplicate", "non duplicate", "no duplicate")},
    **{word: "no" for word in ("not a duplicate", "not paraphrase", "not a paraphrase")},
    **{word: "no" for word in ("no paraphrase", "non paraphrase", "different")},
}
OWN_LABEL = Task(  # of people's own classes, any text: its names alone count, no number of it does
    name="label",
    kind="classes",
    pair=False,
    target="label",
    metric="accuracy",
    labels=(),
    lowest=0,
    highest=0,
    classes=0,
)
MANY = 10  # labels, from which on a share of them says something about a file's scale
OUTSIDE = 0.2  # a larger share of numbers outside the task's range: another scale
_DECIMAL_COMMA = re.compile(r"\s*[+-]?\d+,\d+\s*")


class LabelError(ValueError):
    """A label that can't be read as one of its task."""

    def __init__(self, reason: str, number: float | None = None) -> None:
        """Say why; `number` is what it was, where it was a number."""
        super().__init__(reason)
        self.number = number


def label_of(text: str, task: Task) -> float:
    """Read a label of a task: a number, with a point or a decimal comma, or a class's name.

    Raises:
        LabelError: neither, a number outside the task's range, or a class that is no whole number.
    """
    try:
        label = float(text)
    except ValueError:
        label = _named(text, task)
    if not task.lowest <= label <= task.highest:
        told = f"{task.target} {label:g} is not in {task.lowest:g} to {task.highest:g}"
        raise LabelError(told, label)
    if task.kind != "score" and label != int(label):
        raise LabelError(f"{task.target} {label:g} is not a class number", label)
    return label


def _named(text: str, task: Task) -> float:
    if _DECIMAL_COMMA.fullmatch(text):
        return float(text.replace(",", "."))
    name = re.sub(r"[\s_-]+", " ", text.strip().casefold())
    name = name if name in task.labels else SPELLINGS.get(name, name)
    if name in task.labels:
        return float(task.labels.index(name))
    classes = f", nor one of {', '.join(task.labels)}" if task.labels else ""
    raise LabelError(f"{task.target} is not a number: {text[:40]!r}{classes}")


class Scale:
    """The range of the labels seen, to tell whether they are on their task's scale."""

    def __init__(self, task: Task) -> None:
        """Begin without any label."""
        self.task = task
        self.count = self.outside = 0
        self.lowest, self.highest = float("inf"), float("-inf")

    def see(self, number: float) -> None:
        """Count a label, inside or outside the task's range; what is no number isn't counted."""
        if number != number:
            return
        self.count += 1
        self.outside += not self.task.lowest <= number <= self.task.highest
        self.lowest, self.highest = min(self.lowest, number), max(self.highest, number)

    def problem(self) -> str | None:
        """Say that the labels are on another scale, so that none may be scored or trained on."""
        task = self.task
        shifted = task.kind != "score" and self.highest == task.highest + 1
        if shifted and self.lowest >= task.lowest + 1:
            return self._told("They seem to be one too high: subtract 1 from each.")
        if self.count >= MANY and self.outside > OUTSIDE * self.count:
            return self._told("Bring them onto that scale first.")
        return None

    def doubt(self) -> str | None:
        """Say what the labels, all of them within the range, make look like another scale."""
        task = self.task
        if self.outside or self.count < 2 * MANY or self.highest > 1 or self.lowest < 0:
            return None
        if task.kind == "classes" and task.classes > 2:
            names = f"{task.labels[0]!r} and {task.labels[1]!r}"
            return self._told(f"They are read as {names}, which two classes may not mean.")
        return self._told("They may be on another scale.") if task.kind == "score" else None

    def _told(self, advice: str) -> str:
        low, high = f"{self.task.lowest:g}", f"{self.task.highest:g}"
        return (
            f"The labels in {self.task.target} run from {self.lowest:g} to {self.highest:g}, "
            f"where {low} to {high} is meant. {advice}"
        )
