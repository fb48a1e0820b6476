"""Coloured words: a sentence as its own figure, each word tinted by its number.

The tint is one scale centred at zero with the same limits for A and B; the line below a word says
the same without colour, thicker for more, dashed below zero. Pointing at a word, or reaching it
with the arrow keys, tells its number; of a pair it also tints the words it is matched with. All
numbers are in the HTML, so nobody is asked (coloured_words.js, ui/pointing.js).
"""

from __future__ import annotations

import dataclasses
import unicodedata
from collections.abc import Mapping, Sequence

from torch import Tensor

from minbert.answers import SentimentResult
from minbert.explain import IntegratedGradients
from minbert.explain.splits import SentimentSplit, SimilaritySplit
from minbert.explain.words import Words
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.numbers import signed
from minbert.ui.parts.tables import map_table, table
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
    label: str = ""
    shares: bool = False


@dataclasses.dataclass(frozen=True)
class Line:
    """A sentence, and a number for each of its words by one way of counting."""

    name: str  # of the sentence
    words: Sequence[tuple[str, float]]
    note: str = ""  # below the line
    label: str = ""  # before it: the way of counting
    shares: bool = False  # numbers without a side

    def number(self, place: int) -> str:
        """Write the number of a word."""
        value = self.words[place][1]
        return f"{value:.2f}" if self.shares else signed(value, 2)


@dataclasses.dataclass(frozen=True)
class ByGradients:
    """What each word does under a pooling without an exact split, by integrated gradients."""

    pooling: str  # as the page calls it
    found: Mapping[str, IntegratedGradients]  # by the sentence's name, of the expected rating
    results: Sequence[SentimentResult]  # the model's answers to the same sentences

    @property
    def lines(self) -> list[Line]:
        """Return a line for each sentence."""
        return [
            Line(
                name,
                list(zip(each.first.words, each.first.values, strict=True)),
                sum_told(each.total, result),
                f"{self.pooling} pooling, integrated gradients",
            )
            for (name, each), result in zip(self.found.items(), self.results, strict=True)
        ]

    @property
    def told(self) -> list[str]:
        """Say what each sentence's numbers add up to, and what they should."""
        return [
            f"{name}, {self.pooling}: words {signed(each.total, 2)}, a text without words "
            f"{each.baseline_value:.2f}: together {each.baseline_value + each.total:.2f}, the "
            f"rating is {result.expected:.2f}."
            for (name, each), result in zip(self.found.items(), self.results, strict=True)
        ]


def moods_block(
    splits: Mapping[str, SentimentSplit],
    results: Sequence[SentimentResult],
    others: Sequence[ByGradients] = (),
    told: Sequence[str] = (),
    more: str = "",
) -> str:
    """Show what each word does for the sentiment, each pooling a line below the other.

    Args:
        splits: the exact split, by the sentence's name; may be empty.
        results: the same model's answers to the same sentences.
        others: poolings without an exact split.
        told: further findings.
        more: HTML made by us for the fold.
    """
    lines = [
        Line(
            name,
            [(split.words.labels[k], split.leaning.values[k]) for k in written(split.words)],
            sum_told(split.leaning.total, result),
            "mean pooling, exact split",
        )
        for (name, split), result in zip(splits.items(), results, strict=True)
    ]
    lines += [line for other in others for line in other.lines]
    lines.sort(key=lambda line: line.name)  # stable: a sentence's lines under each other
    reading = [TEXTS["read.moods"]] if splits else []
    reading += [TEXTS["read.gradients"]] if others else []
    sums = [
        *(sums_told(*one, result) for one, result in zip(splits.items(), results, strict=True)),
        *(line for other in others for line in other.told),
    ]
    tables = [split_numbers(splits)] if splits else []
    tables += [gradient_numbers(other) for other in others]
    return finding_block(
        compared(lines),
        [*sums, *told],
        " ".join(reading),
        "".join(tables) + more,
        shown=coloured(lines),
    )


def sum_told(total: float, result: SentimentResult) -> str:
    """Say what the words come to, and the answer."""
    return f"Sum {signed(total, 2)}: rating {result.expected:.1f} of 4."


def sums_told(name: str, split: SentimentSplit, result: SentimentResult) -> str:
    """Say what words, marks and bias of a sentence add up to, and what follows from it."""
    leaning = split.leaning
    words = sum(leaning.values[place] for place in written(split.words))
    marks = sum(leaning.values) - words
    return (
        f"{name}: words {signed(words, 2)}, start and end marks {signed(marks, 2)}, bias "
        f"{signed(leaning.bias, 2)}: together {signed(leaning.total, 2)}, "
        f"{rating_from(leaning.total, result.expected)}."
    )


def split_numbers(splits: Mapping[str, SentimentSplit]) -> str:
    """Return the exact splits as a table."""
    rows = []
    for name, split in splits.items():
        leaning = split.leaning
        rows += [
            [f"{word} ({name})", signed(value)]
            for word, value in zip(split.words.labels, leaning.values, strict=True)
        ]
        rows += [[f"bias ({name})", signed(leaning.bias)], [f"sum ({name})", signed(leaning.total)]]
    return table("What each word adds", ["Word", "adds"], rows)


def gradient_numbers(other: ByGradients) -> str:
    """Return integrated gradients as a table."""
    rows = [
        [f"{word} ({line.name})", signed(value)]
        for line in other.lines
        for word, value in line.words
    ]
    caption = f"What each word adds under {other.pooling} pooling, by integrated gradients"
    return table(caption, ["Word", "adds"], rows)


def pair_block(split: SimilaritySplit) -> str:
    """Show which words of A and of B the cosine comes from: point at one to see its partners."""
    inner = inner_matrix(split)
    rows, columns = written(split.first), written(split.second)
    row, column = divmod(int(inner.argmax()), len(columns))
    title = (
        f"“{split.first.labels[rows[row]]}” and “{split.second.labels[columns[column]]}” match "
        f"most: {signed(inner[row, column].item())} of {split.cosine:.2f}"
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
    return finding_block(title, [line], TEXTS["read.pair"], numbers, shown=pair_words(split))


def inner_matrix(split: SimilaritySplit) -> Tensor:
    """Return the split without [CLS] and [SEP]: (words of A, words of B)."""
    return split.matrix[written(split.first)][:, written(split.second)]


def pair_words(split: SimilaritySplit) -> str:
    """Return A and B tinted by each word's sum; pointing at a word tints its partners."""
    rows, columns = written(split.first), written(split.second)
    inner = inner_matrix(split)
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
    return render(TEMPLATE, sentences=sentences, paired=True, hint=TEXTS["read.partners"])


def coloured(lines: Sequence[Line]) -> str:
    """Return sentences with their words tinted; lines with the same label share one scale.

    Where a sentence stands there by several ways of counting, a word tells its numbers by all.
    """
    largest: dict[str, float] = {}
    for line in lines:
        sizes = [abs(value) for _, value in line.words]
        largest[line.label] = max(largest.get(line.label, 0.0), *sizes, 0.0)
    sentences = [
        Sentence(
            line.name,
            tuple(
                Word(
                    label,
                    number_told(lines, line, place),
                    round(value / (largest[line.label] or 1.0), 3),
                    spaced([word for word, _ in line.words], place),
                )
                for place, (label, value) in enumerate(line.words)
            ),
            line.note,
            line.label,
            line.shares,
        )
        for line in lines
    ]
    several = len(lines) > len({line.name for line in lines})
    hint = TEXTS["read.compare" if several else "read.point"]
    return render(TEMPLATE, sentences=sentences, paired=False, hint=hint)


def number_told(lines: Sequence[Line], line: Line, place: int) -> str:
    """Write a word's number, and those of the same word in the sentence's other lines."""
    told = f"{line.words[place][0]}: {line.number(place)}"
    others = [
        f"{other.label} {other.number(place)}"
        for other in lines
        if other.name == line.name and other is not line and place < len(other.words)
    ]
    return "; ".join([f"{told} ({line.label})", *others]) if others else told


def compared(lines: Sequence[Line]) -> str:
    """Say which word of each sentence counts most, and under which pooling."""
    told = []
    for name in dict.fromkeys(line.name for line in lines):
        tops = {line.label: strongest(line) for line in lines if line.name == name and line.words}
        words = {pooling(label): word for label, (word, _) in tops.items()}
        if len(tops) == 1:
            ((word, value),) = tops.values()
            way = "lifts" if value >= 0 else "lowers"
            told.append(f"“{word}” {way} {name} most: {signed(value, 2)}")
        elif len({*words.values()}) == 1:
            told.append(f"in {name} “{next(iter(words.values()))}” counts most under both")
        elif tops:
            (first, word), *rest = words.items()
            others = "".join(f", “{other}” under {called}" for called, other in rest)
            told.append(f"in {name} “{word}” counts most under {first}{others}")
    title = "; ".join(told) or "There are no words to colour"
    return title[0].upper() + title[1:]


def pooling(label: str) -> str:
    """Return the pooling that a line's label begins with."""
    return label.partition(" pooling")[0]


def strongest(line: Line) -> tuple[str, float]:
    """Return the word of the largest size, and its number."""
    return max(line.words, key=lambda each: abs(each[1]))


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
