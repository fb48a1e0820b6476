"""Coloured words: a sentence as its own figure, each word tinted by its number.

The tint is one scale centred at zero with the same limits for A and B; the line below a word says
the same without colour, thicker for more, dashed below zero. Pointing at a word, or reaching it
with the arrow keys, tells its number; of a pair it also tints the words it is matched with. All
numbers are in the HTML, so nobody is asked (coloured_words.js).
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping, Sequence

from markupsafe import Markup

from minbert.answers import SentimentResult
from minbert.explain import IntegratedGradients
from minbert.explain.splits import SentimentSplit, SimilaritySplit
from minbert.explain.words import Words
from minbert.ui.parts.numbers import signed
from minbert.ui.parts.tables import fold, map_table, table
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import file_text, texts_of

TEXTS = texts_of(__package__)
TEMPLATE = "parts/html/coloured_words.html"
SCRIPT = file_text(__package__, "coloured_words.js")
MIDDLE = 2.0  # of the rating
STEPS = 1000  # of a pair's share in the HTML: a thousandth of the largest


@dataclasses.dataclass(frozen=True)
class Word:
    """A word as it is shown."""

    label: str
    told: str  # the word and its number, for the line below and for screen readers
    share: float  # of the largest number in sight, -1 to 1
    spaced: bool  # a space stands before it
    partners: tuple[int, ...] = ()  # of a word of A: its share with each word of B, in thousandths


@dataclasses.dataclass(frozen=True)
class Sentence:
    """A sentence as it is shown."""

    name: str
    words: tuple[Word, ...]
    note: str = ""


def moods_block(splits: Mapping[str, SentimentSplit], results: Sequence[SentimentResult]) -> str:
    """Show what each word adds to the sentiment, exactly.

    Args:
        splits: by the sentence's name.
        results: the model's answers to the same sentences.
    """
    shown, rows, notes, lines = {}, [], {}, []
    for (name, split), result in zip(splits.items(), results, strict=True):
        leaning = split.leaning
        places = written(split.words)
        shown[name] = [(split.words.labels[k], leaning.values[k]) for k in places]
        rows += [
            [f"{word} ({name})", signed(value)]
            for word, value in zip(split.words.labels, leaning.values, strict=True)
        ]
        rows += [[f"bias ({name})", signed(leaning.bias)], [f"sum ({name})", signed(leaning.total)]]
        words = sum(value for _, value in shown[name])
        marks = sum(leaning.values) - words
        notes[name] = sum_told(leaning.total, result)
        lines.append(
            f"{name}: words {signed(words, 2)}, start and end marks {signed(marks, 2)}, bias "
            f"{signed(leaning.bias, 2)}: together {signed(leaning.total, 2)}, "
            f"{rating_from(leaning.total, result.expected)}."
        )
    numbers = table("What each word adds", ["Word", "adds"], rows)
    return coloured(finding(shown), shown, notes, [TEXTS["read.moods"], *lines], numbers)


def sum_told(total: float, result: SentimentResult) -> str:
    """Say what the words come to, and the answer."""
    return f"Sum {signed(total, 2)}: rating {result.expected:.1f} of 4."


def gradients_block(
    found: Mapping[str, IntegratedGradients], results: Sequence[SentimentResult], model: str
) -> str:
    """Show what each word adds to the expected rating, by integrated gradients.

    Args:
        found: by the sentence's name, of the expected rating.
        results: the model's answers to the same sentences.
        model: what the page calls its pooling.
    """
    shown = {
        name: list(zip(each.first.words, each.first.values, strict=True))
        for name, each in found.items()
    }
    notes, lines = {}, []
    for (name, each), result in zip(found.items(), results, strict=True):
        notes[name] = sum_told(each.total, result)
        lines.append(
            f"{name}: words {signed(each.total, 2)}, a text without words "
            f"{each.baseline_value:.2f}: together {each.baseline_value + each.total:.2f}, the "
            f"rating is {result.expected:.2f}."
        )
    rows = [
        [f"{word} ({name})", signed(value)]
        for name, words in shown.items()
        for word, value in words
    ]
    numbers = table("What each word adds, by integrated gradients", ["Word", "adds"], rows)
    title = f"{model} pooling: {finding(shown)} (integrated gradients)"
    return coloured(title, shown, notes, [TEXTS["read.gradients"], *lines], numbers)


def pair_block(split: SimilaritySplit) -> str:
    """Show which words of A and of B the cosine comes from: point at one to see its partners."""
    rows, columns = written(split.first), written(split.second)
    inner = split.matrix[rows][:, columns]  # (words of A, words of B), without [CLS] and [SEP]
    limit = max(inner.abs().max().item(), 1e-12)
    shares = (inner / limit * STEPS).round().int().tolist()
    labels = [split.first.labels[k] for k in rows], [split.second.labels[k] for k in columns]
    sums = split.first_sums[rows].tolist(), split.second_sums[columns].tolist()
    largest = max((abs(value) for values in sums for value in values), default=0.0) or 1.0
    best = inner.argmax(dim=1).tolist(), inner.argmax(dim=0).tolist()
    sentences = []
    for side, name in enumerate("AB"):
        other, words = labels[1 - side], []
        for place, label in enumerate(labels[side]):
            to = best[side][place]
            value = (inner[place, to] if side == 0 else inner[to, place]).item()
            told = f"{label}: {signed(sums[side][place])}, most with “{other[to]}” {signed(value)}"
            partners = tuple(shares[place]) if side == 0 else ()
            share = round(sums[side][place] / largest, 3)
            words.append(Word(label, told, share, spaced(labels[side], place), partners))
        sentences.append(Sentence(name, tuple(words)))
    top = divmod(int(inner.argmax()), len(columns))
    title = (
        f"“{labels[0][top[0]]}” and “{labels[1][top[1]]}” match most: "
        f"{signed(inner[top].item())} of {split.cosine:.2f}"
    )
    marks = split.cosine - inner.sum().item()
    line = (
        f"Words with words {signed(inner.sum().item(), 2)}, with start and end marks "
        f"{signed(marks, 2)}: the cosine {split.cosine:.2f}. Siamese score: {split.formula}."
    )
    numbers = map_table(
        "Words of A (rows) with words of B (columns)",
        "A",
        split.first.labels,
        split.second.labels,
        split.matrix.tolist(),
        "+.4f",
    )
    return render(
        TEMPLATE,
        title=title,
        sentences=sentences,
        paired=True,
        hint="",  # it stands above
        reading=[TEXTS["read.pair"], line],
        table=Markup(fold("The numbers", numbers)),  # made here, its texts escaped
    )


def coloured(
    title: str,
    shown: Mapping[str, Sequence[tuple[str, float]]],
    notes: Mapping[str, str],
    reading: Sequence[str],
    numbers: str,
) -> str:
    """Show sentences whose words have a number each, all on one scale.

    Args:
        title: the finding.
        shown: words with their numbers, by the sentence's name.
        notes: a line below each sentence.
        reading: lines on how to read it.
        numbers: the table of the same, HTML made here.
    """
    limit = max((abs(value) for words in shown.values() for _, value in words), default=0.0) or 1.0
    sentences = [
        Sentence(
            name,
            tuple(
                Word(
                    label,
                    f"{label}: {signed(value, 2)}",
                    round(value / limit, 3),
                    spaced([word for word, _ in words], place),
                )
                for place, (label, value) in enumerate(words)
            ),
            notes.get(name, ""),
        )
        for name, words in shown.items()
    ]
    return render(
        TEMPLATE,
        title=title,
        sentences=sentences,
        paired=False,
        hint=TEXTS["read.point"],
        reading=reading,
        table=Markup(fold("The numbers", numbers)),  # made here, its texts escaped
    )


def finding(shown: Mapping[str, Sequence[tuple[str, float]]]) -> str:
    """Say which word of each sentence counts most, and which way."""
    told = []
    for name, words in shown.items():
        if not words:
            continue
        word, value = max(words, key=lambda each: abs(each[1]))
        way = "lifts" if value >= 0 else "lowers"
        told.append(f"“{word}” {way} {name} most: {signed(value, 2)}")
    return "; ".join(told) or "There are no words to colour"


def rating_from(total: float, expected: float) -> str:
    """Say how the rating follows from the sum."""
    same = (total >= 0) == (expected >= MIDDLE)
    side = "above" if expected >= MIDDLE else "below"
    link = "so" if same else "yet"
    return f"{link} the rating, {expected:.1f} of 4, lies {side} the middle"


def written(words: Words) -> list[int]:
    """Return the entries that somebody wrote: all but [CLS] and [SEP]."""
    return [place for place in range(len(words)) if place not in words.specials]


def spaced(labels: Sequence[str], place: int) -> bool:
    """Say whether a space stands before a word: not before a mark that closes, nor in CJK."""
    if place == 0:
        return False
    label, before = labels[place], labels[place - 1]
    if len(label) == 1 and label in ".,;:!?)]}%…’'”":
        return False
    if before in ("'", "’", "(", "[", "{", "“"):
        return False
    return not (is_ideograph(label) and is_ideograph(before))


def is_ideograph(label: str) -> bool:
    """Say whether a word is one Chinese character, which the model reads alone."""
    return len(label) == 1 and unicodedata.name(label, "").startswith("CJK")
