"""Parts of a sentence that are sentences to the model: its beginnings, and all its phrases.

A part is the text itself from one word to another, so asking the model about it is what typing it
would be. Words are what white space parts, and single Chinese characters; what the model doesn't
see, such as a lone zero-width space, joins the word before it.
"""

from __future__ import annotations

import dataclasses
import itertools
import re

from minbert.predictor import Predictor
from minbert.text import MASK

MOST_BEGINNINGS = 40
MOST_WORDS = 20  # of a sentence, whose phrases are looked at: 210 of them at most
# Each of these characters is a word of its own to BERT; see its basic tokenizer.
_IDEOGRAPH = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0002ceaf\U0002f800-\U0002fa1f"
_WORD = re.compile(rf"{re.escape(MASK)}|[{_IDEOGRAPH}]|(?:(?!{re.escape(MASK)})[^\s{_IDEOGRAPH}])+")


@dataclasses.dataclass(frozen=True)
class Beginnings:
    """K beginnings of a text, each longer than the one before."""

    words: tuple[str, ...]  # W, those that the model reads
    ends: tuple[int, ...]  # K counts of words, ascending; the last one is W
    texts: tuple[str, ...]  # K, the text up to there
    skipped: int  # further words, which the model doesn't read


@dataclasses.dataclass(frozen=True)
class Phrases:
    """All runs of neighbouring words of a text, W (W + 1) / 2 of them."""

    words: tuple[str, ...]  # W, the first ones
    places: tuple[tuple[int, int], ...]  # first word and the word after the last, shortest first
    texts: tuple[str, ...]  # as many
    skipped: int  # further words, not looked at


def beginnings(predictor: Predictor, text: str, most: int = MOST_BEGINNINGS) -> Beginnings:
    """Return what somebody has read after each word, of a longer text at evenly spaced words.

    Args:
        predictor: says how much of the text the model reads.
        text: something with at least one word.
        most: beginnings.

    Raises:
        ValueError: `most` is below 1, or the text has nothing that the model reads.
    """
    if most < 1:
        raise ValueError(f"`most` should be at least 1. Found {most}.")
    spans, skipped = word_spans(predictor, text)
    count = min(most, len(spans))
    ends = tuple(-(-step * len(spans) // count) for step in range(1, count + 1))
    return Beginnings(
        words=tuple(text[start:end] for start, end in spans),
        ends=ends,
        texts=tuple(text[: spans[end - 1][1]] for end in ends),
        skipped=skipped,
    )


def phrases(predictor: Predictor, text: str, most: int = MOST_WORDS) -> Phrases:
    """Return all phrases of a text's first `most` words.

    Raises:
        ValueError: `most` is below 1, or the text has nothing that the model reads.
    """
    if most < 1:
        raise ValueError(f"`most` should be at least 1. Found {most}.")
    spans, skipped = word_spans(predictor, text)
    skipped += max(0, len(spans) - most)
    spans = spans[:most]
    places = sorted(
        itertools.combinations(range(len(spans) + 1), 2), key=lambda place: place[1] - place[0]
    )
    return Phrases(
        words=tuple(text[start:end] for start, end in spans),
        places=tuple(places),
        texts=tuple(text[spans[start][0] : spans[end - 1][1]] for start, end in places),
        skipped=skipped,
    )


def word_spans(predictor: Predictor, text: str) -> tuple[list[tuple[int, int]], int]:
    """Return where the words that the model reads begin and end, and how many more there are.

    Raises:
        ValueError: the text has nothing that the model reads.
    """
    matches = list(_WORD.finditer(text))
    size = room = predictor.config.max_length - 2  # [CLS] and [SEP]
    spans: list[tuple[int, int]] = []
    for start in range(0, len(matches), size):
        chunk = matches[start : start + size]
        pieces = predictor.tokenizer.pieces([match[0] for match in chunk])
        for place, (match, found) in enumerate(zip(chunk, pieces, strict=True), start=start):
            if room <= 0:
                return spans, len(matches) - place
            if found:
                spans.append(match.span())
                room -= len(found)
            elif spans:
                spans[-1] = (spans[-1][0], match.end())
    if not spans:
        raise ValueError("`text` should have something that the model reads. Found nothing.")
    return spans, 0
