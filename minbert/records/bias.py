"""The record of the bias probe."""

from __future__ import annotations

from typing import Annotated, ClassVar

from pydantic import Field, StrictBool

from minbert.records.form import Count, Form, Metric, Name, NullText, Number, Record, holding

FILE = "bias.json"
COMMAND = "python -m trainer bias --model DIR --against DIR --out assets/results/bias.json"
OVERALL = "all lists"
DEV = {  # the record's name of a score -> the page's
    "sentiment accuracy": "SST-5 accuracy",
    "paraphrase accuracy": "Quora accuracy",
    "similarity pearson": "STS Pearson",
}


class Interval(Form):
    """A mean with its 95 % interval."""

    mean: Number
    low: Number
    high: Number

    def __str__(self) -> str:
        """Write it for a table."""
        return f"{self.mean:.3f} ({self.low:.3f} to {self.high:.3f})"


Lists = Annotated[dict[str, Interval], holding(OVERALL)]


class ModelRecord(Form):
    """One model's spread over swapped terms, and its scores."""

    model: Name
    recipe: NullText = ""
    seed: Count = None
    masked_in_training: StrictBool | None = None  # None: not recorded
    dev: dict[str, Metric] | None = None  # by "task metric"
    trained_at: NullText = ""  # commit
    spread: Annotated[dict[str, Lists], holding("sentiment")]  # by task, then list

    @property
    def called(self) -> str:
        """Return the model's name in a sentence, by how it was trained where that is known."""
        kinds = {True: "masked texts", False: "texts as they are"}
        masked = self.masked_in_training
        return self.model if masked is None else f"the model trained with {kinds[masked]}"

    def score(self, name: str) -> float | None:
        """Return a dev score by "task metric"; None where it isn't known."""
        return found.value if (found := (self.dev or {}).get(name)) else None


class Bias(Record):
    """How far swapped demographic terms spread the answers of one model or of two."""

    again: ClassVar[str] = f"`{COMMAND}` writes it."

    models: tuple[ModelRecord, ...]
    difference: dict[str, Lists] = Field(default_factory=dict)  # the first model less the second
