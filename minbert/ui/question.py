"""A question to the models: one or two texts that were checked, and what a model answers."""

from __future__ import annotations

import dataclasses

from minbert.answers import PairResult, SentimentResult
from minbert.explain.splits import SentimentSplit, SimilaritySplit

LONGEST_TEXT = 100_000  # characters of one box; the model reads far fewer
FIELDS = {"A": "first", "B": "second"}


class InputError(ValueError):
    """Something typed that can't be answered; the message is for the person who typed it."""

    def __init__(self, message: str, field: str | None = None) -> None:
        """Say what is wrong, and with which of the inputs: first, second."""
        super().__init__(message)
        self.field = field


@dataclasses.dataclass(frozen=True)
class Question:
    """One or two texts, checked, and tokenised once for both models."""

    first: str
    second: str  # empty for A alone
    pieces: tuple[tuple[int, ...], ...]  # word-piece ids of A, and of B
    notices: tuple[str, ...]  # lengths, what was cut, what the vocabulary doesn't have

    @property
    def texts(self) -> tuple[str, str]:
        """Return A and B."""
        return self.first, self.second


@dataclasses.dataclass(frozen=True)
class Answer:
    """All that one model answers about A, and about B where there is one."""

    sentiments: tuple[SentimentResult, ...]  # of A, and of B
    pair: PairResult | None


@dataclasses.dataclass(frozen=True)
class Splits:
    """What each word adds, exactly; below 200 kB."""

    moods: tuple[SentimentSplit, ...]  # of A, and of B
    similarity: SimilaritySplit | None  # None without B, and of sentences too long to keep it


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question with the models' answers, as one visitor's page keeps it."""

    question: Question
    answer: Answer  # of the mean model
    other: Answer | None = None  # of the CLS model, where there is one
    # None: the answering model's pooling has no exact split
    splits: Splits | None = dataclasses.field(default=None, compare=False, repr=False)

    @property
    def pin(self) -> Asked:
        """Return what a pin keeps of it; what each word adds is shown of the present one alone."""
        return dataclasses.replace(self, splits=None)

    @property
    def first(self) -> str:
        """Return A."""
        return self.question.first

    @property
    def second(self) -> str:
        """Return B; empty for A alone."""
        return self.question.second
