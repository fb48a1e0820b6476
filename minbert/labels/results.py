"""What a comparison finds, as plain values."""

from __future__ import annotations

import dataclasses

from minbert.labels.examples import LabelledTexts
from minbert.labels.intervals import Difference, Interval
from minbert.labels.probe import Probe


@dataclasses.dataclass(frozen=True)
class Progress:
    """How far a comparison is."""

    what: str  # as in "Reading the sentences, mean pooling: 64 of 300"
    share: float  # 0 to 1, of the whole


@dataclasses.dataclass(frozen=True)
class Mistake:
    """A row whose answer, by a regression that hadn't seen it, isn't its label."""

    row: int  # place in the examples, from 0
    answer: int  # place in the classes
    probability: float  # of the answer
    of_label: float  # probability of the row's own label


@dataclasses.dataclass(frozen=True)
class CurvePoint:
    """What so many labels are worth: tested on all rows, each by a fold that hadn't seen it."""

    rows: int  # learned from; of the last point the mean of the folds
    accuracy: Interval  # mean of the draws; the interval tells the chance of the tested rows


@dataclasses.dataclass(frozen=True)
class Side:
    """One pooling's results, of the N rows when each was tested."""

    name: str  # of the model, as in the comparison's models
    called: str  # as in "mean pooling"
    accuracy: Interval  # Wilson's
    macro_f1: Interval  # by bootstrap
    confusion: tuple[tuple[int, ...], ...]  # (C, C) rows by label and answer
    answers: tuple[int, ...]  # N, places in the classes
    mistakes: tuple[Mistake, ...]  # the surest first
    curve: tuple[CurvePoint, ...]  # by rows; the last one has the accuracy above
    curve_told: str  # how many labels it takes, in words
    cut: int  # texts that are longer than the model reads
    probe: Probe  # fitted to all rows, to take along


@dataclasses.dataclass(frozen=True)
class Baseline:
    """What always answering the most frequent class would get."""

    label: int  # place in the classes; the first among equals
    accuracy: Interval


@dataclasses.dataclass(frozen=True)
class Comparison:
    """One or two poolings on somebody's labels."""

    examples: LabelledTexts
    sides: tuple[Side, ...]  # in the order of the models
    difference: Difference | None  # the second side less the first; None: there is one side
    verdict: str  # in words
    baseline: Baseline
    folds: int
    notes: tuple[str, ...]  # the examples', and how many texts were cut

    def side(self, name: str) -> Side:
        """Return the side of a model.

        Raises:
            KeyError: there is none of that name.
        """
        return {side.name: side for side in self.sides}[name]
