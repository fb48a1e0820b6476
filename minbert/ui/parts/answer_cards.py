"""The cards of an answer: one model's as bars, the other's as marks on them."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from minbert.answers import PairResult
from minbert.tasks import SENTIMENT, clamped
from minbert.ui.parts.answer_words import POOLING_NAMES, disagreement, yes_no
from minbert.ui.parts.numbers import percent, shown
from minbert.ui.parts.templates import render
from minbert.ui.question import Answer


@dataclasses.dataclass(frozen=True)
class Bar:
    """One number as a bar, with the other model's as a mark."""

    name: str
    value: str  # as it is shown
    label: str  # what a screen reader hears
    place: float  # percent of the bar's width
    other: float | None = None
    best: bool = False


class Cards:
    """Makes the cards' bars from one model's answer, or from both."""

    def __init__(self, answer: Answer, other: Answer | None, names: Mapping[str, str]) -> None:
        """Take the main model's answer, the other one's, and what their poolings are called."""
        self._answer, self._other, self._names = answer, other, names

    def sentiment(self, place: int, within_one: float | None) -> dict[str, Any]:
        """Return what the card of one sentence shows."""
        result = self._answer.sentiments[place]
        other = None if self._other is None else self._other.sentiments[place]
        bars = [
            self._bar(
                label,
                (p, None if other is None else other.probabilities[index]),
                percent,
                best=label == result.label,
            )
            for index, (label, p) in enumerate(
                zip(SENTIMENT.labels, result.probabilities, strict=True)
            )
        ]
        return {
            "name": "AB"[place],
            "finding": result.label,
            "bars": bars,
            "expected": f"{result.expected:.1f}",
            "often": percent(within_one) if within_one else "",
        }

    def paraphrase(self, threshold: float) -> dict[str, Any]:
        """Return what the paraphrase's card shows: its decision at a threshold, both orders."""
        pair, other = self._pairs()
        shares = pair.paraphrase, None if other is None else other.paraphrase
        return {
            "finding": yes_no(pair, threshold),
            "bar": self._bar("paraphrase", shares, percent),
            "first": percent(pair.paraphrase_ab),
            "second": percent(pair.paraphrase_ba),
            "threshold": percent(threshold),
        }

    def similarity(self) -> dict[str, Any]:
        """Return what the similarity's card shows: the gauge, its band, both kinds of score."""
        pair, other = self._pairs()
        scores = pair.score, None if other is None else other.score
        return {
            "bar": self._bar("similarity", scores, shown, whole=5.0, unit=" of 5"),
            "band": pair.band,
            "which": which_score(pair),
            "raw": "" if pair.raw == pair.score else f"{pair.raw:.2f}",
            "joint": f"{clamped(pair.joint):.2f}",
            "first": f"{clamped(pair.joint_ab):.2f}",
            "second": f"{clamped(pair.joint_ba):.2f}",
            "siamese": f"{clamped(pair.siamese):.2f}",
        }

    def both(self) -> dict[str, str] | None:
        """Return the line above the cards: which colour is whose, where they disagree."""
        if self._other is None:
            return None
        return {
            "main": f"{self._names['mean']} pooling",
            "other": f"{self._names['cls']} pooling",
            "told": disagreement(self._other, self._answer, self._names),
        }

    def _pairs(self) -> tuple[PairResult, PairResult | None]:
        assert self._answer.pair is not None
        return self._answer.pair, None if self._other is None else self._other.pair

    def _bar(
        self,
        name: str,
        numbers: tuple[float, float | None],
        write: Any,  # noqa: ANN401 - a function of a number
        *,
        whole: float = 1.0,
        unit: str = "",
        best: bool = False,
    ) -> Bar:
        mine, other = numbers
        label = f"{name} {write(mine)}{unit}" if unit else f"{name}: {write(mine)}"
        if other is not None:
            names = self._names
            label = f"{name}: {names['mean']} {write(mine)}, {names['cls']} {write(other)}{unit}"
        places = [None if each is None else 100 * min(max(each / whole, 0), 1) for each in numbers]
        assert places[0] is not None
        return Bar(name, write(mine), label, places[0], places[1], best)


def which_score(pair: PairResult) -> str:
    """Name the score that the checkpoint reports."""
    if math.isclose(pair.similarity, pair.joint, abs_tol=1e-4):
        return "the joint score"
    if math.isclose(pair.similarity, pair.siamese, abs_tol=1e-4):
        return "the Siamese score"
    return "the mean of the joint and the Siamese score"


def answer_panel(
    answer: Answer,
    threshold: float = 0.5,
    within_one: float | None = None,
    *,
    other: Answer | None = None,
    names: Mapping[str, str] = POOLING_NAMES,
) -> str:
    """Return all cards of an answer.

    Args:
        answer: of the main model.
        threshold: paraphrase probability above which the answer is yes.
        within_one: how often the model's class is at most one step off, on the dev sentences.
        other: of the model it is compared with; None: of nobody.
        names: what the page calls the poolings of both.
    """
    cards = Cards(answer, other, names)
    pair = answer.pair and {
        "paraphrase": cards.paraphrase(threshold),
        "similarity": cards.similarity(),
    }
    return render(
        "parts/html/answer_cards.html",
        both=cards.both(),
        sentiments=[cards.sentiment(place, within_one) for place in range(len(answer.sentiments))],
        pair=pair,
    )


def change_panel(first: str, second: str, changes: Sequence[str]) -> str:
    """Return what was pinned, and how the present answer differs from it."""
    pinned = f"“{first}”" + (f" and “{second}”" if second else "")
    items = "".join(f"<li>{escape(change)}</li>" for change in changes)
    return (
        f'<section class="mb-card mb-findings"><h3>Pinned: {escape(pinned)}</h3>'
        f"<ul>{items}</ul></section>"
    )
