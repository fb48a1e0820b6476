"""Sentences with labels of somebody's own: read, checked, and counted.

What can't be used is left out and told, row by row; what makes the whole useless is an
`ExamplesError`. Repeats count once, since a sentence that stands in a training part and in its
test part as well would be known by heart.
"""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence

from minbert.batch.reading import LONGEST_TEXT, MOST_BYTES
from minbert.checks import check_string, is_blank, nothing_in
from minbert.reading import BadRow, ReadError, decoded, open_labelled, text_source
from minbert.text import normalise

FEWEST_ROWS, MOST_ROWS = 8, 5_000
FEWEST_CLASSES, MOST_CLASSES = 2, 20
FEWEST_OF_A_CLASS = 4  # rows: a fifth of them is tested on, and the rest has three or more


class ExamplesError(ReadError):
    """Sentences and labels that can't be learned from; the message is for who brought them."""

    def __init__(self, reason: str, field: str = "labels") -> None:
        """Say why; `field` is the input that it is about: texts or labels."""
        super().__init__(reason)
        self.field = field


@dataclasses.dataclass(frozen=True)
class LabelledTexts:
    """N sentences, each with one of C classes; `read_examples` and `examples_of` make it."""

    texts: tuple[str, ...]  # N, as they were written
    labels: tuple[int, ...]  # N, places in `classes`
    classes: tuple[str, ...]  # C names as they were written, numbers by size, others by alphabet
    rows: tuple[int, ...]  # N: each one's line in the file, or its place in the list from 1
    left_out: tuple[BadRow, ...] = ()  # what can't be used, with the reason
    repeats: int = 0  # rows, not among the N, that say again what another row says
    contradictions: tuple[tuple[int, ...], ...] = ()  # rows of a sentence that has several labels
    notes: tuple[str, ...] = ()  # for people: what was taken for what, left out, doubtful

    def __len__(self) -> int:
        """Return N."""
        return len(self.texts)

    @property
    def counts(self) -> tuple[int, ...]:
        """Return how many rows each class has, C numbers."""
        found = Counter(self.labels)
        return tuple(found[place] for place in range(len(self.classes)))


def read_examples(content: bytes | str, *, columns: str | None = None) -> LabelledTexts:
    """Read a table with a column of sentences and one of labels.

    Args:
        content: an uploaded file's bytes (UTF-8, or UTF-16 with its mark), or pasted rows.
        columns: which is which, as in `sentence=text, label=category`; None: as they look.

    Raises:
        ExamplesError: what is left can't be learned from; the message says why.
        ReadError: no table, columns that can't be told, too much, or not text.
    """
    reading = open_labelled(text_source(decoded(content, MOST_BYTES)), columns)
    found: list[tuple[int, str, str]] = []
    left_out: list[BadRow] = []
    count = 0
    for count, row in enumerate(reading, start=1):
        if count > MOST_ROWS:
            continue  # only counted, so that the message can say how many
        if isinstance(row, BadRow):
            left_out.append(row)
        else:
            _take(row.line, row.texts[0], row.label or "", found, left_out)
    if count > MOST_ROWS:
        raise ReadError(
            f"The file should have at most {MOST_ROWS:,} rows. Found {count:,}; leave some out, "
            "drawn at random."
        )
    return _checked(found, left_out, list(reading.notes), "line", "labels")


def examples_of(texts: Sequence[str], labels: Sequence[str]) -> LabelledTexts:
    """Return texts with their labels, checked as those of a file are.

    Args:
        texts: at most 5,000.
        labels: the class of each, in the same order.

    Raises:
        ExamplesError: not one label a text, too many, or what is left can't be learned from.
        TextError: a value that is no text.
    """
    if len(texts) > MOST_ROWS:
        raise ExamplesError(
            f"`texts` should have at most {MOST_ROWS:,}. Found {len(texts):,}; leave some out, "
            "drawn at random.",
            "texts",
        )
    if len(labels) != len(texts):
        raise ExamplesError(
            f"`labels` should have one for each of the {len(texts):,} texts. "
            f"Found {len(labels):,}; send both lists in the same order."
        )
    size = sum(
        len(check_string(text, f"texts[{row}]").encode("utf-8", "replace"))
        for row, text in enumerate(texts)
    )
    if size > MOST_BYTES:
        raise ExamplesError(
            f"`texts` should have at most {MOST_BYTES:,} bytes together. Found {size:,}; shorten "
            "them.",
            "texts",
        )
    found: list[tuple[int, str, str]] = []
    left_out: list[BadRow] = []
    for row, (text, label) in enumerate(zip(texts, labels, strict=True), start=1):
        _take(row, text, check_string(label, f"labels[{row - 1}]"), found, left_out)
    return _checked(found, left_out, [], "row", "texts")


def _take(
    row: int, text: str, label: str, found: list[tuple[int, str, str]], left_out: list[BadRow]
) -> None:
    """Put a row among those found, or among those left out."""
    reason = None
    if is_blank(text):
        reason = nothing_in("sentence", text)
    elif len(text) > LONGEST_TEXT:
        reason = f"sentence has {len(text):,} characters, at most {LONGEST_TEXT:,} allowed"
    elif is_blank(label):
        reason = nothing_in("label", label)
    if reason is None:
        found.append((row, text.strip(), label.strip()))
    else:
        left_out.append(BadRow(row, reason))


def _checked(
    found: Sequence[tuple[int, str, str]],
    left_out: Sequence[BadRow],
    notes: list[str],
    place: str,
    field: str,
) -> LabelledTexts:
    """Leave out repeats, and hold what is left against the limits; `place` is line or row.

    Raises:
        ExamplesError: too few rows, too few or too many classes, or a class that is too small.
    """
    same = {row: normalise(text).casefold() for row, text, _ in found}
    kept = list(
        {(same[row], label): (row, text, label) for row, text, label in found[::-1]}.values()
    )
    kept.sort()
    if left_out:
        first = left_out[0]
        told = f"the first in {place} {first.line}: {first.reason}"
        notes.append(f"Left out: {_counted(len(left_out), 'row')}, {told}.")
    repeats = len(found) - len(kept)
    if repeats:
        notes.append(f"{_counted(repeats, 'row')} repeated others, label and all: counted once.")
    if len(kept) < FEWEST_ROWS:
        raise ExamplesError(
            f"There should be at least {FEWEST_ROWS} rows with a sentence and a label. "
            f"Found {len(kept)}; bring more. {' '.join(notes)}".rstrip(),
            field,
        )
    by_text: dict[str, list[int]] = {}
    for row, _, _ in kept:
        by_text.setdefault(same[row], []).append(row)
    several = tuple(tuple(rows) for rows in by_text.values() if len(rows) > 1)
    if several:
        rows = " and ".join(str(row) for row in several[0])
        notes.append(
            f"{_counted(len(several), 'sentence')} with more than one label, the first in {place}s "
            f"{rows}: all are kept, and one label of each counts as wrong."
        )
    classes = _classes([(row, label) for row, _, label in kept], place)
    notes += _doubts(classes)
    return LabelledTexts(
        texts=tuple(text for _, text, _ in kept),
        labels=tuple(classes.index(label) for _, _, label in kept),
        classes=classes,
        rows=tuple(row for row, _, _ in kept),
        left_out=tuple(left_out),
        repeats=repeats,
        contradictions=several,
        notes=tuple(notes),
    )


def _classes(labelled: Sequence[tuple[int, str]], place: str) -> tuple[str, ...]:
    """Return the classes in order.

    Raises:
        ExamplesError: too few or too many, or one with too few rows.
    """
    counts = Counter(label for _, label in labelled)
    rule = f"There should be {FEWEST_CLASSES} to {MOST_CLASSES} classes."
    if len(counts) < FEWEST_CLASSES:
        (only,) = counts
        raise ExamplesError(
            f"{rule} Found one, {only[:40]!r}, in all {len(labelled):,} rows; "
            "add rows of another class, or choose another column of labels."
        )
    if len(counts) > MOST_CLASSES:
        kind = "names, ids or the sentences themselves, perhaps"
        if all(map(_is_number, counts)):
            kind = "all of them numbers: ratings, amounts or ids, perhaps"
        raise ExamplesError(
            f"{rule} Found {len(counts):,} in {len(labelled):,} rows, {kind}. Choose the column "
            "that names a class, or put classes together."
        )
    few = [label for label, count in counts.items() if count < FEWEST_OF_A_CLASS]
    if few:
        label = min(few, key=lambda one: (counts[one], one))
        rows = [str(row) for row, one in labelled if one == label]
        where = f"{place}{'' if len(rows) == 1 else 's'} {', '.join(rows)}"
        others = f" (too few of {len(few)} classes in all)" if len(few) > 1 else ""
        raise ExamplesError(
            f"Each class should have at least {FEWEST_OF_A_CLASS} rows, to learn from some and "
            f"test on others. Found {counts[label]} of {label[:40]!r}, {where}{others}; "
            "add rows of it, put it together with another class, or take it out."
        )
    if all(map(_is_number, counts)):
        return tuple(sorted(counts, key=lambda label: (float(label), label)))
    return tuple(sorted(counts, key=lambda label: (label.casefold(), label)))


def _is_number(label: str) -> bool:
    try:
        value = float(label)
    except ValueError:
        return False
    return value == value  # NaN has no place in an order


def _doubts(classes: Sequence[str]) -> list[str]:
    """Say which classes may be meant as one."""
    spelt: dict[str, list[str]] = {}
    for name in classes:
        spelt.setdefault(" ".join(name.casefold().split()), []).append(name)
    return [
        f"{' and '.join(map(repr, names))} are taken as {len(names)} classes."
        for names in spelt.values()
        if len(names) > 1
    ]


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
