"""The fewest words that keep the answer.

Paper: Feng et al. 2018, "Pathologies of Neural Models Make Interpretations Difficult" (arXiv
1804.07781), section 2: leave out the least important word, step by step, as long as the answer
stays. What is left is often nonsense to a reader: then the model didn't need what a reader needs.
Differs from the paper: importance is not a gradient's guess but what the model says without the
word (all single removals of a step are one batch), there is no beam, so a still shorter text may
exist, and of a pair both sentences are shortened, each down to one word.

The answer stays: sentiment, the class; paraphrase, yes or no; similarity, within half a point of
the whole text's, because a score beside a band's edge would lose its band for nothing. The least
important word is the one without which the model is surest of the class or the label, or nearest
to the score. Words are taken out of the input as the model read it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from minbert.explain.occlusion import leave_out
from minbert.explain.targets import Answer, Reading, Target, embeddings_of, target_for
from minbert.explain.words import words_of
from minbert.predictor import Predictor
from minbert.text import Encoded

NEAR = 0.5  # of the similarity's 0 to 5
MOST_WORDS = 48  # of A and B together that may go: N words cost up to N (N + 1) / 2 variants
Word = tuple[int, int]  # side (0: A, 1: B) and place among the sentence's words
Progress = Callable[[int, int], None]  # words gone, and how many could go; may raise to stop


@dataclasses.dataclass(frozen=True)
class Step:
    """What is left after a step, and what the model says to it."""

    first: tuple[str, ...]  # A's words that are left
    second: tuple[str, ...]  # B's
    left: tuple[Word, ...]  # which of the whole text's words they are
    removed: str | None  # the word that this step took; None: the whole text
    answer: Answer


@dataclasses.dataclass(frozen=True)
class Reduction:
    """From the whole text to the fewest words; every step keeps the answer."""

    target: Target
    steps: tuple[Step, ...]  # the whole text first
    next_answers: tuple[Answer, ...]  # without one word more, whichever: why it ends here
    skipped: int  # words beyond the first ones, which were never left out

    @property
    def shortest(self) -> Step:
        """Return the last step."""
        return self.steps[-1]


@torch.inference_mode()
def reduce_input(
    predictor: Predictor,
    first: str,
    second: str | None = None,
    *,
    task: str,
    target: int | str | None = None,
    progress: Progress | None = None,
) -> Reduction:
    """Leave out the least important word, again and again, while the answer stays.

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B, or None for sentiment.
        task: 'sentiment', 'paraphrase' or 'similarity'.
        target: of similarity 'joint', 'siamese' or 'mean'; else None, the answer itself.
        progress: told after each step.

    Raises:
        ValueError: an unknown task or target, a sentence too few or too many, or a target that
            isn't the answer.
    """
    if target is not None and task != "similarity":
        raise ValueError(
            f"`target` of {task!r} should be None: the answer itself is kept. Found {target!r}."
        )
    asked = target_for(predictor, task, target, first, second)
    readings = asked.readings(predictor, first, second)
    words = _spellings(predictor, readings)
    every = tuple((side, place) for side in (0, 1) for place in range(len(words[side])))
    may_go = set(every[:MOST_WORDS])
    (whole, start), *_ = _answers(predictor, asked, readings, [every])
    steps, left, after = [_step(words, every, None, whole)], every, []
    while candidates := [word for word in left if word in may_go and _may_go(word, left)]:
        variants = [tuple(word for word in left if word != gone) for gone in candidates]
        found = _answers(predictor, asked, readings, variants)
        after = [answer for answer, _ in found]
        kept = [row for row, (answer, _) in enumerate(found) if _stays(task, answer, whole)]
        if not kept:
            break
        best = max(kept, key=lambda row: _sureness(asked, whole, found[row][1], start))
        side, place = candidates[best]
        left, after = variants[best], []
        steps.append(_step(words, left, words[side][place], found[best][0]))
        if progress is not None:
            progress(len(steps) - 1, len(may_go))
    return Reduction(asked, tuple(steps), tuple(after), len(every) - len(may_go))


def _may_go(word: Word, left: Sequence[Word]) -> bool:
    """Say whether the word's sentence has another one."""
    return any(other[0] == word[0] and other != word for other in left)


def _stays(task: str, answer: Answer, whole: Answer) -> bool:
    if task == "similarity":
        return abs(answer.value - whole.value) <= NEAR
    return answer.label == whole.label


def _sureness(target: Target, whole: Answer, value: float, start: float) -> float:
    """Return how little the variant's target says against the whole text's answer."""
    if target.task == "similarity":
        return -abs(value - start)
    return -value if (target.task, whole.label) == ("paraphrase", "no") else value


def _spellings(
    predictor: Predictor, readings: Sequence[Reading]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return A's words and B's, each from the reading that truncation left most of."""
    found: list[tuple[str, ...]] = [(), ()]
    for reading in readings:
        words = words_of(reading.item, predictor.tokenizer)
        for side, place in enumerate(reading.places):
            entries = () if place is None else words.sentences[place]
            if len(entries) > len(found[side]):
                found[side] = tuple(words.labels[entry] for entry in entries)
    return found[0], found[1]


def _answers(
    predictor: Predictor,
    target: Target,
    readings: Sequence[Reading],
    variants: Sequence[Sequence[Word]],
) -> list[tuple[Answer, float]]:
    """Return the model's answer, and the target, for each set of words that are left."""
    inputs = [
        [_keep(predictor, reading, frozenset(left)) for reading in readings] for left in variants
    ]
    embeddings = embeddings_of(predictor, target, inputs)
    values: Tensor = target.of(predictor.model, embeddings)
    answers = target.answers(predictor.model, embeddings)
    return list(zip(answers, values.tolist(), strict=True))


def _keep(predictor: Predictor, reading: Reading, left: frozenset[Word]) -> Encoded:
    """Return the reading's input with those words of A and B alone."""
    words = words_of(reading.item, predictor.tokenizer)
    gone: list[int] = []
    for side, place in enumerate(reading.places):
        entries = () if place is None else words.sentences[place]
        for number, entry in enumerate(entries):
            if (side, number) not in left:
                gone.extend(words.groups[entry])
    return leave_out(reading.item, frozenset(gone))


def _step(
    words: tuple[tuple[str, ...], tuple[str, ...]],
    left: tuple[Word, ...],
    removed: str | None,
    answer: Answer,
) -> Step:
    a, b = (tuple(words[side][place] for of, place in left if of == side) for side in (0, 1))
    return Step(a, b, left, removed, answer)
