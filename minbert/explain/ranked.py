"""One interface for explanations that give each word a number, and how far they disagree.

Krishna et al. 2022, "The Disagreement Problem in Explainable Machine Learning" (arXiv
2202.01602), section 4, compares methods by rank correlation; so does `disagreement`, on the sizes
of the numbers, because a rollout has no sign. Differs from the paper: all words are ranked, not
those of a chosen feature set.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Callable, Sequence

import torch

from minbert.config import choice_error
from minbert.explain.gradients import (
    Progress,
    gradient_times_input,
    integrated_gradients,
)
from minbert.explain.occlusion import trials, words_to_try
from minbert.explain.rollout import attention_rollout, pooled_rollout
from minbert.explain.targets import Target, WordScores, embeddings_of, gather, target_for
from minbert.metrics import average_ranks, spearman
from minbert.predictor import Predictor

Method = Callable[[Predictor, Target, str, str | None, Progress | None], "Explanation"]


@dataclasses.dataclass(frozen=True)
class Explanation:
    """A number for each word of A and B."""

    method: str
    target: Target
    first: WordScores
    second: WordScores  # empty for sentiment
    signed: bool  # True: above 0 speaks for the target; False: shares that sum to 1 at most
    skipped: int = 0  # further words, not tried


@dataclasses.dataclass(frozen=True)
class Ranked:
    """One word, and its rank under each method."""

    side: int  # 0: of A, 1: of B
    place: int  # 0-based, among the sentence's words
    word: str
    ranks: tuple[float, ...]  # by method, 1 for the largest size; equal ones share their mean

    @property
    def spread(self) -> float:
        """Return how far apart the methods rank the word."""
        return max(self.ranks) - min(self.ranks)


@dataclasses.dataclass(frozen=True)
class Disagreement:
    """How alike methods rank the same words."""

    methods: tuple[str, ...]
    correlations: dict[tuple[str, str], float | None]  # Spearman's, by pair; None: undefined
    words: tuple[Ranked, ...]  # ranked most differently first


def explain(
    predictor: Predictor,
    first: str,
    second: str | None = None,
    task: str = "sentiment",
    target: int | str | None = None,
    method: str = "integrated gradients",
    progress: Progress | None = None,
) -> Explanation:
    """Give each word of A and B a number, by one method.

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B, or None for sentiment.
        task: 'sentiment', 'paraphrase' or 'similarity'.
        target: what is explained, see `minbert.explain.targets`; None takes what the page says.
        method: one of `METHODS`.
        progress: told of each batch of integrated gradients, which take longest; may raise to stop.

    Raises:
        ValueError: an unknown method, task or target, or a sentence too few or too many.
    """
    if method not in METHODS:
        raise choice_error("method", method, tuple(METHODS))
    asked = target_for(predictor, task, target, first, second)
    return METHODS[method](predictor, asked, first, second, progress)


def _integrated(
    predictor: Predictor,
    target: Target,
    first: str,
    second: str | None,
    progress: Progress | None = None,
) -> Explanation:
    found = integrated_gradients(
        predictor, first, second, task=target.task, target=target.score, progress=progress
    )
    return Explanation("integrated gradients", target, found.first, found.second, signed=True)


def _gradient(
    predictor: Predictor,
    target: Target,
    first: str,
    second: str | None,
    _progress: Progress | None = None,
) -> Explanation:
    a, b = gradient_times_input(predictor, target, first, second)
    return Explanation("gradient", target, a, b, signed=True)


@torch.inference_mode()
def _occlusion(
    predictor: Predictor,
    target: Target,
    first: str,
    second: str | None,
    _progress: Progress | None = None,
) -> Explanation:
    """Return by how much the target is larger with the word than without it."""
    readings = target.readings(predictor, first, second)
    words: list[tuple[str, ...]] = [(), ()]
    beyond = [0, 0]
    for reading in readings:  # of a long pair truncation keeps most of the sentence in front
        if 0 in reading.places:
            side = reading.places.index(0)
            if not words[side]:
                words[side], beyond[side] = words_to_try(predictor, reading.item)
    counts = [len(side) for side in words]
    tried = [trials(predictor, reading.item, reading.places, counts, None) for reading in readings]
    variants = list(zip(*tried, strict=True))  # E times R inputs
    values = target.of(predictor.model, embeddings_of(predictor, target, variants))
    whole, *without = values.double().tolist()
    changes = tuple(whole - value for value in without)
    a, b = (
        WordScores(words[0], changes[: counts[0]]),
        WordScores(words[1], changes[counts[0] :]),
    )
    return Explanation("occlusion", target, a, b, signed=True, skipped=sum(beyond))


def _rollout(
    predictor: Predictor,
    target: Target,
    first: str,
    second: str | None,
    _progress: Progress | None = None,
) -> Explanation:
    """Return each word's share in the pooled embedding: its mean over the inputs that hold it."""
    readings = target.readings(predictor, first, second)
    shares = []
    for reading in readings:
        rolled = attention_rollout(
            predictor.backend.maps(
                reading.item, range(predictor.config.encoder.num_hidden_layers), target.task
            )
        )
        shares.append(pooled_rollout(rolled, predictor.config.pooling).double())
    sides = []
    for side, found in enumerate(gather(predictor, readings, shares)):
        holding = sum(reading.places[side] is not None for reading in readings)
        sides.append(WordScores(found.words, tuple(value / holding for value in found.values)))
    return Explanation("rollout", target, sides[0], sides[1], signed=False)


METHODS: dict[str, Method] = {
    "integrated gradients": _integrated,
    "gradient": _gradient,
    "occlusion": _occlusion,
    "rollout": _rollout,
}


def disagreement(explanations: Sequence[Explanation]) -> Disagreement:
    """Compare how methods rank the same words by the sizes of their numbers.

    Args:
        explanations: at least two, of the same sentences; words that one of them didn't try are
            left out.

    Raises:
        ValueError: fewer than two, a method twice, or explanations of different words.
    """
    methods = tuple(each.method for each in explanations)
    if len(methods) < 2 or len(set(methods)) < len(methods):
        raise ValueError(f"`explanations` should be of two or more methods. Found {methods}.")
    entries, sizes = [], []  # all words of A, then of B
    for side in (0, 1):
        rows = [(each.first, each.second)[side] for each in explanations]
        count = min(len(row.words) for row in rows)
        if len({row.words[:count] for row in rows}) > 1:
            raise ValueError(
                "`explanations` should be of the same words. Found different ones; explain the "
                "same sentences and the same target."
            )
        entries += [(side, place, rows[0].words[place]) for place in range(count)]
        sizes += [tuple(abs(row.values[place]) for row in rows) for place in range(count)]
    by_method = [list(column) for column in zip(*sizes, strict=True)] or [[] for _ in methods]
    correlations = {
        (methods[i], methods[j]): spearman(by_method[i], by_method[j]).value
        for i, j in itertools.combinations(range(len(methods)), 2)
    }
    ranks = [average_ranks([-size for size in column]).tolist() for column in by_method]
    words = [
        Ranked(*entry, tuple(column[row] for column in ranks)) for row, entry in enumerate(entries)
    ]
    words.sort(key=lambda word: -word.spread)  # stable: of equal ones the first in the text
    return Disagreement(methods, correlations, tuple(words))
