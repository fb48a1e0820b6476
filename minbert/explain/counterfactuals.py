"""Which single word, replaced by another, changes the answer most.

Related: Ribeiro et al. 2018, "Semantically Equivalent Adversarial Rules" (ACL 2018); Wachter et al.
2018, "Counterfactual Explanations without Opening the Black Box" (arXiv 1711.00399). Differs from
both: no search and no optimisation; the words to try are a short list of ours
(`minbert.explain.replacements`), one word is replaced at a time, all tries are one batch. A
replacement may change what the sentence means, and then the answer ought to change.
"""

from __future__ import annotations

import dataclasses
import re

import torch

from minbert.explain.replacements import replacements_for
from minbert.explain.targets import Answer, Target, embeddings_of, target_for
from minbert.predictor import Predictor

MOST_TRIES = 200
_WORD = re.compile(r"\w+(?:['’]\w+)*")


@dataclasses.dataclass(frozen=True)
class Counterfactual:
    """One replaced word, and the answer to what comes of it."""

    side: int  # 0: in A, 1: in B
    start: int  # where the word begins in the sentence, in characters
    word: str
    replacement: str
    kind: str  # group of words: 'negation', 'number', ...
    text: str  # the sentence with the replacement
    answer: Answer
    change: float  # of the answer's value
    flips: bool  # another label than before


@dataclasses.dataclass(frozen=True)
class Counterfactuals:
    """All tries, largest change first."""

    target: Target
    answer: Answer  # to the sentences as they are
    tries: tuple[Counterfactual, ...]
    left_out: int  # tries beyond the cap

    @property
    def by_word(self) -> tuple[Counterfactual, ...]:
        """Return the strongest replacement of each word, largest change first."""
        best: dict[tuple[int, int], Counterfactual] = {}
        for each in self.tries:
            best.setdefault((each.side, each.start), each)
        return tuple(best.values())


@torch.inference_mode()
def counterfactuals(
    predictor: Predictor,
    first: str,
    second: str | None = None,
    *,
    task: str,
    target: str | None = None,
    most: int = MOST_TRIES,
) -> Counterfactuals:
    """Replace one word at a time by each word of its groups, and rank by how the answer changes.

    The change is in the page's units: expected rating (0 to 4), probability of yes, or similarity
    (0 to 5).

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B, or None for sentiment.
        task: 'sentiment', 'paraphrase' or 'similarity'.
        target: of similarity 'joint', 'siamese' or 'mean'; else None.
        most: tries, at least 1; more are left out evenly over the sentences' words, and counted.

    Raises:
        ValueError: an unknown task or target, a sentence too few or too many, no tries.
    """
    if most < 1:
        raise ValueError(f"`most` should be at least 1. Found {most}.")
    asked = target_for(predictor, task, target, first, second)
    sides = (first,) if second is None else (first, second)
    every = [found for side, text in enumerate(sides) for found in _tries(side, text)]
    kept = sorted(every, key=lambda found: found[0])[:most]  # each word's first replacements first
    texts = [sides, *(_with(sides, *found[1:]) for found in kept)]
    variants = [[reading.item for reading in asked.readings(predictor, *each)] for each in texts]
    before, *after = asked.answers(predictor.model, embeddings_of(predictor, asked, variants))
    tries = []
    for (_, side, word, _, replacement), text, answer in zip(kept, texts[1:], after, strict=True):
        tries.append(
            Counterfactual(
                side=side,
                start=word.start(),
                word=word[0],
                replacement=replacement,
                kind=kept[len(tries)][3],
                text=text[side],
                answer=answer,
                change=answer.value - before.value,
                flips=answer.label != before.label,
            )
        )
    tries.sort(key=lambda each: -abs(each.change))
    return Counterfactuals(asked, before, tuple(tries), len(every) - len(kept))


_Try = tuple[int, int, re.Match[str], str, str]  # round, side, word, kind, replacement


def _tries(side: int, text: str) -> list[_Try]:
    """Return every replacement of every word; a word's first one has round 0, and so on."""
    return [
        (number, side, word, kind, replacement)
        for word in _WORD.finditer(text)
        for number, (kind, replacement) in enumerate(replacements_for(word[0]))
    ]


def _with(
    sides: tuple[str, ...], side: int, word: re.Match[str], _kind: str, replacement: str
) -> tuple[str, ...]:
    text = sides[side]
    changed = text[: word.start()] + replacement + text[word.end() :]
    return tuple(changed if place == side else other for place, other in enumerate(sides))
