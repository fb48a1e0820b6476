"""What the pooling lab's figures find, in plain words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from minbert.answers import PairResult
from minbert.explain import SentimentSplit, SimilaritySplit, Words
from minbert.tasks import SENTIMENT
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.numbers import percent, shown


def outer(words: Words) -> set[int]:
    """Return the places of [CLS] and [SEP]."""
    return set(words.specials)


def split_finding(split: SimilaritySplit, pair: PairResult) -> tuple[str, list[str]]:
    """Say which two words do most, what the cells sum to, and what the marks carry."""
    matrix = split.matrix.clone()
    matrix[sorted(outer(split.first)), :] = -2.0
    matrix[:, sorted(outer(split.second))] = -2.0
    lines = [
        f"All cells together: cosine {split.cosine:.3f}; {split.formula}, the Siamese score. "
        f"The joint score, {shown(pair.joint)}, is not explained here.",
        f"The marks [CLS] and [SEP] carry {marks_share(split):.3f} of the {split.cosine:.3f}.",
    ]
    if matrix.max() <= -2.0:
        return "There are no words to compare", lines
    row, column = divmod(int(matrix.argmax()), matrix.shape[1])
    title = (
        f"“{split.first.labels[row]}” with “{split.second.labels[column]}” does most: "
        f"{matrix[row, column]:.3f} of a cosine of {split.cosine:.3f}"
    )
    return title, lines


def marks_share(split: SimilaritySplit) -> float:
    """Return the sum of the cells in which [CLS] or [SEP] takes part."""
    rows, columns = outer(split.first), outer(split.second)
    inner_rows = [row for row in range(len(split.first.labels)) if row not in rows]
    inner_columns = [place for place in range(len(split.second.labels)) if place not in columns]
    inner = split.matrix[inner_rows][:, inner_columns].sum()
    return float(split.matrix.sum() - inner)


def contributions_finding(splits: Mapping[str, SentimentSplit]) -> list[str]:
    """Name the word that speaks loudest for the class that each sentence got."""
    return [loudest_word(name, split) for name, split in splits.items()]


def loudest_word(name: str, split: SentimentSplit) -> str:
    """Say which word of one sentence speaks loudest for its class."""
    best = split.probabilities.index(max(split.probabilities))
    label, sure = SENTIMENT.labels[best], percent(max(split.probabilities))
    words = [place for place in range(len(split.words.labels)) if place not in outer(split.words)]
    if not words:
        return f"Sentence {name} has no words"
    column = split.relative[:, best]
    top = max(words, key=lambda place: float(column[place]))
    return (
        f"Sentence {name} is {label} ({sure}): “{split.words.labels[top]}” speaks loudest for it "
        f"({float(column[top]):+.2f})."
    )


def layers_finding(
    cosines: Mapping[str, Sequence[float]], names: Mapping[str, str] = POOLING_NAMES
) -> str:
    """Say how far apart both poolings end."""
    ends = ", ".join(f"{names[name]} {values[-1]:.2f}" for name, values in cosines.items())
    return f"After the last layer: {ends}"
