"""The bias probe: what changes when only a demographic term does.

Report section 8 asks whether demographic information moves the predictions. Each sentence is
answered once for every term in the same place; the spread is the standard deviation (n - 1) of
those answers, not their range, because a range grows with the number of terms. The mean over
sentences gets a percentile bootstrap over the sentences (Efron & Tibshirani 1993, chapter 13):
what other sentences of the kind might have shown. Related: Kiritchenko & Mohammad 2018, "Examining
Gender and Race Bias in Two Hundred Sentiment Analysis Systems" (arXiv 1805.04508), section 3.
Differs from it: spread over many terms, not a difference of two; sentences and terms are ours.

A spread isn't proof of harm, and none isn't proof of fairness: it is what these sentences show.
"""

from __future__ import annotations

import dataclasses
import statistics
from collections.abc import Sequence

import numpy as np
import torch

from minbert.checks import check_texts
from minbert.config import choice_error
from minbert.demographics.terms_in_text import FoundTerm, find_terms, in_case_of
from minbert.explain.bias_templates import (
    Template,
    probe_templates,
    probe_terms,
    with_article,
)
from minbert.explain.targets import EXPECTED, Answer, Target, embeddings_of, target_for
from minbert.predictor import Predictor

DRAWS = 2000
LEVEL = 0.95
MOST_SWAPS = 12  # other terms that are tried for one term of a sentence
PRONOUNS = {  # (pronoun, its placeholder) -> the other gender's
    ("he", "they"): "she",
    ("she", "they"): "he",
    ("her", "their"): "his",
    ("her", "them"): "him",
    ("his", "their"): "her",
    ("his", "theirs"): "hers",
    ("him", "them"): "her",
    ("hers", "theirs"): "his",
    ("himself", "themselves"): "herself",
    ("herself", "themselves"): "himself",
}
PROPER = ("nationality", "ethnicity", "religion")  # their terms are written with capitals
Texts = tuple[str, str | None]


@dataclasses.dataclass(frozen=True)
class Swaps:
    """One place for a term, and the answers with each term in it."""

    shown: str  # the sentence with its slot, or as it was written
    category: str
    terms: tuple[str, ...]  # of a written sentence its own term first
    texts: tuple[Texts, ...]
    answers: tuple[Answer, ...]

    @property
    def spread(self) -> float:
        """Return the standard deviation (n - 1) of the answers' values; 0 for one term."""
        values = [answer.value for answer in self.answers]
        return statistics.stdev(values) if len(values) > 1 else 0.0

    @property
    def lowest(self) -> str:
        """Return the term with the lowest value."""
        return min(zip(self.answers, self.terms, strict=True), key=lambda each: each[0].value)[1]

    @property
    def highest(self) -> str:
        """Return the term with the highest value."""
        return max(zip(self.answers, self.terms, strict=True), key=lambda each: each[0].value)[1]


@dataclasses.dataclass(frozen=True)
class BiasProbe:
    """A category's spread over all templates."""

    category: str
    task: str
    swaps: tuple[Swaps, ...]  # by template
    mean_spread: float  # expected rating 0-4, probability of yes, or similarity 0-5
    low: float  # ends of the 95 % interval of the mean
    high: float


@torch.inference_mode()
def probe_bias(
    predictor: Predictor,
    category: str,
    task: str = "sentiment",
    *,
    templates: Sequence[Template] | None = None,
    terms: Sequence[str] | None = None,
) -> BiasProbe:
    """Put each term of a category into each template that fits the task, and measure the spread.

    All texts are one batch. With the masking switch (`minbert.demographics.masking`) on the
    predictor the spread is 0, but for rounding, wherever masking finds the term.

    Args:
        predictor: of a model with any pooling.
        category: one of `probe_terms()`, or any name where `terms` are given.
        task: 'sentiment' takes templates of one sentence, the others those of two.
        templates: sentences with a slot, or None for `probe_templates()`.
        terms: at least two, or None for the category's own.

    Raises:
        ValueError: an unknown category or task, fewer than two terms, or no template that fits.
    """
    if terms is None:
        if category not in probe_terms():
            raise choice_error("category", category, tuple(probe_terms()))
        terms = probe_terms()[category]
    terms = check_texts(terms, "terms")
    if len(terms) < 2:
        raise ValueError(f"`terms` should be at least two. Found {len(terms)}.")
    pair = task != "sentiment"
    templates = probe_templates() if templates is None else templates
    fitting = [each for each in templates if (each.second is not None) == pair]
    if not fitting:
        raise ValueError(
            f"`templates` should hold one for {task!r}, of {'two' if pair else 'one'} "
            "sentence(s). Found none."
        )
    texts = [template.fill(term) for template in fitting for term in terms]
    answers = _answers(predictor, _target(predictor, task), texts)
    swaps = []
    for number, template in enumerate(fitting):
        rows = slice(number * len(terms), (number + 1) * len(terms))
        shown, found = template.first, (tuple(texts[rows]), tuple(answers[rows]))
        swaps.append(Swaps(shown, category, tuple(terms), *found))
    spreads = [each.spread for each in swaps]
    low, high = bootstrap_mean(spreads)
    return BiasProbe(category, task, tuple(swaps), statistics.fmean(spreads), low, high)


@torch.inference_mode()
def probe_sentence(
    predictor: Predictor, first: str, second: str | None = None, *, task: str = "sentiment"
) -> tuple[Swaps, ...]:
    """Swap each demographic term of a written sentence, one at a time, for others of its list.

    Of a pair the terms of A are swapped. Nothing else changes but "a" and "an": "he" may become
    "she" while a later "his" stays.

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B, or None for sentiment.
        task: 'sentiment', 'paraphrase' or 'similarity'.

    Returns:
        one entry for each term that has others in its place; none where there is no such term.

    Raises:
        ValueError: an unknown task, a sentence too few or too many.
    """
    target = target_for(predictor, task, EXPECTED if task == "sentiment" else None, first, second)
    places = [(term, others) for term in find_terms(first) if (others := others_of(first, term))]
    texts: list[list[Texts]] = [
        [(first, second), *((swapped(first, term, other), second) for other in others)]
        for term, others in places
    ]
    answers = iter(_answers(predictor, target, [text for group in texts for text in group]))
    return tuple(
        Swaps(
            shown=first,
            category=term.category,
            terms=(first[term.start : term.end], *others),
            texts=tuple(group),
            answers=tuple(next(answers) for _ in group),
        )
        for (term, others), group in zip(places, texts, strict=True)
    )


def others_of(text: str, term: FoundTerm) -> tuple[str, ...]:
    """Return terms to try in a term's place, at most 12, spread evenly over its list."""
    own = text[term.start : term.end]
    if term.category == "pronoun":
        other = PRONOUNS.get((own.lower(), term.placeholder))
        return () if other is None else (in_case_of(other, own),)
    others: Sequence[str] = term.others
    if not others and term.category == "gender":  # "actress" has "actor" alone
        others = (term.placeholder,)
    count = min(len(others), MOST_SWAPS)
    chosen = [others[number * len(others) // count] for number in range(count)]
    proper = term.category in PROPER and own[:1].isupper() and not own.isupper()
    return tuple(other.title() if proper else in_case_of(other, own) for other in chosen)


def swapped(text: str, term: FoundTerm, other: str) -> str:
    """Return the text with another term in a term's place."""
    return with_article(text[: term.start], other) + other + text[term.end :]


def bootstrap_mean(values: Sequence[float], *, draws: int = DRAWS) -> tuple[float, float]:
    """Return the ends of the mean's 95 % interval, by resampling the values; seed 0."""
    array = np.asarray(values, dtype=np.float64)
    rows = np.random.default_rng(0).integers(len(array), size=(draws, len(array)))
    tail = (1 - LEVEL) / 2
    low, high = np.quantile(array[rows].mean(axis=1), [tail, 1 - tail])
    return float(low), float(high)


def _target(predictor: Predictor, task: str) -> Target:
    """Return the number that the page shows, without a sentence to look at."""
    if task == "sentiment":
        return target_for(predictor, task, EXPECTED, "any", None)
    return target_for(predictor, task, None, "any", "any")


def _answers(predictor: Predictor, target: Target, texts: Sequence[Texts]) -> list[Answer]:
    if not texts:
        return []
    variants = [[each.item for each in target.readings(predictor, *text)] for text in texts]
    return target.answers(predictor.model, embeddings_of(predictor, target, variants))
