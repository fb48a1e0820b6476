"""Whether a lesson's claims hold, and by how much.

A claim holds with a margin of .10 of what its quantity spans: .10 in a probability or a share of
the attention, .40 on ratings from 0 to 4, .50 on similarities from 0 to 5. A class of sentiment
has to lead every other (or, for `is not`, trail the leading one) by .10 in probability. So another
checkpoint makes a test fail before it makes a lesson false.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import cast

from minbert.answers import SentimentResult
from minbert.lessons.lesson import Claim, Lesson
from minbert.lessons.quantities import DIFFERENCE, Facts, Quantity
from minbert.predictor import Predictor
from minbert.tasks import SENTIMENT

MARGIN = 0.10  # of a quantity's span
ROUNDING = 1e-9


@dataclasses.dataclass(frozen=True)
class Verdict:
    """What was measured of a claim."""

    claim: Claim
    found: float | str  # the quantity, or the most probable class
    margin: float  # beyond the threshold, in parts of the span; below 0 the claim is false

    @property
    def holds(self) -> bool:
        """Say whether the claim is true with the margin it needs."""
        return self.margin >= MARGIN - ROUNDING

    def __str__(self) -> str:
        """Write claim, value and verdict on a line."""
        found = self.found if isinstance(self.found, str) else f"{self.found:.3f}"
        told = "holds" if self.holds else "DOES NOT HOLD"
        return f"{self.claim}: {found}, {told} (margin {self.margin:+.2f} of {MARGIN:.2f})"


class Judge:
    """Measures claims on a mean and a CLS model; each text is answered once by each."""

    def __init__(self, models: Mapping[str, Predictor]) -> None:
        """Use these models, `mean` and `cls`."""
        self._models = models
        self._facts: dict[tuple[str, str, str], Facts] = {}

    def judge(self, lesson: Lesson) -> list[Verdict]:
        """Return a verdict on each of the lesson's claims.

        Raises:
            LessonError: a claim names a layer or a head that the model doesn't have.
        """
        return [self._verdict(claim, lesson) for claim in lesson.claims]

    def _verdict(self, claim: Claim, lesson: Lesson) -> Verdict:
        quantity, texts = claim.quantity, (lesson.first, lesson.second)
        if quantity.span is None:
            result = cast("SentimentResult", quantity.read(self._of(quantity.model, texts)))
            return Verdict(claim, result.label, lead_of(claim, result.probabilities))
        value = self._number(quantity, texts)
        if claim.less is not None:
            value -= self._number(quantity, claim.less)
        beyond = (value - float(claim.threshold)) / quantity.span
        return Verdict(claim, value, beyond if claim.comparison == "above" else -beyond)

    def _number(self, quantity: Quantity, texts: tuple[str, str]) -> float:
        read = cast("Callable[[Facts], float]", quantity.read)
        if quantity.model != DIFFERENCE:
            return read(self._of(quantity.model, texts))
        return read(self._of("mean", texts)) - read(self._of("cls", texts))

    def _of(self, model: str, texts: tuple[str, str]) -> Facts:
        key = (model, *texts)
        if key not in self._facts:
            self._facts[key] = Facts(self._models[model], *texts)
        return self._facts[key]


def lead_of(claim: Claim, probabilities: tuple[float, ...]) -> float:
    """Return by how much a claim's class leads all others, or trails the leading one."""
    named = SENTIMENT.labels.index(str(claim.threshold))
    if claim.comparison == "is not":
        return max(probabilities) - probabilities[named]
    others = (p for place, p in enumerate(probabilities) if place != named)
    return probabilities[named] - max(others)
