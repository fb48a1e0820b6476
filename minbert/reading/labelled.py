"""Tables of sentences with labels of somebody's own: which column is which, by what repeats.

Classes repeat from row to row and sentences don't, whatever the columns are called.
"""

from __future__ import annotations

from collections.abc import Sequence

from minbert.reading.columns import Wanted, listed
from minbert.reading.labels import OWN_LABEL
from minbert.reading.lines import ReadError, Source
from minbert.reading.rows import Reading, first_rows, open_rows
from minbert.reading.shape import TEXTS

LABELLED = Wanted(pair=False, labels=(OWN_LABEL,))
TEXT_NAMES = {*TEXTS, *("message", "ticket", "utterance", "question", "query", "title")}
LABEL_NAMES = {
    *("label", "labels", "class", "classes", "category", "intent", "topic", "tag", "target"),
}
HEADER_WORDS = 3  # a first row whose text has more is no header
NEEDED = "a column of sentences and one of labels"
CHOOSE = (
    'Choose the columns, as in columns="sentence=text, label=category" or "sentence=1, label=2"'
)


def open_labelled(source: Source, chosen: str | None = None) -> Reading:
    """Recognise a table of sentences with labels of somebody's own.

    Args:
        source: gives its lines.
        chosen: columns that somebody chose, as in `sentence=text, label=category`; None: as they
            look.

    Raises:
        ReadError: no table, columns that can't be told or don't do, or a choice that can't be read.
    """
    choice = (chosen or "").strip()
    if not choice:
        rows = first_rows(source)
        if not rows:
            open_rows(source, LABELLED)  # says of a web page, say, what it is
            raise ReadError(
                f"The rows should have {NEEDED}, with a tab or a comma between them. Found one "
                "column; put each sentence's label beside it."
            )
        choice = labelled_columns(rows) or ""
        if not choice:
            raise ReadError(
                f"The table should have {NEEDED}. Found {listed(rows[0])} in its first row, which "
                f"may be several things. {CHOOSE}."
            )
    reading = open_rows(source, LABELLED, choice)
    if reading.columns is None or reading.columns.label is None:
        raise ReadError(
            f"`columns` should name {NEEDED}. Found no column of labels in {choice[:80]!r}. "
            f"{CHOOSE}."
        )
    return reading


def labelled_columns(rows: Sequence[Sequence[str]]) -> str | None:
    """Return the columns of texts and of labels, as somebody would choose them; None: can't tell.

    Args:
        rows: the table's first rows, all of one width, its header among them.
    """
    names = [cell.strip().casefold() for cell in rows[0]]
    below = [[cell.strip() for cell in column] for column in zip(*rows[1:], strict=True)]
    label = _only(
        [at for at, name in enumerate(names) if name in LABEL_NAMES],
        [at for at, column in enumerate(below) if _repeats(column)],
    )
    if label is None:
        return None
    others = [at for at, column in enumerate(below) if at != label and _are_texts(column)]
    text = _only([at for at, name in enumerate(names) if name in TEXT_NAMES], others)
    if text is None:
        text = _longest(others, below)
    if text in (None, label):
        return None
    named = names[label] in LABEL_NAMES or names[text] in TEXT_NAMES
    short = len(names[text].split()) <= HEADER_WORDS
    header = rows[0][label].strip() not in below[label] and (named or short)
    return f"sentence={text + 1}, label={label + 1}, header={'yes' if header else 'no'}"


def _only(named: Sequence[int], alike: Sequence[int]) -> int | None:
    """Return the one column that is named so, or else the one that looks so."""
    for found in (named, alike):
        if len(found) == 1:
            return found[0]
    return None


def _repeats(column: Sequence[str]) -> bool:
    filled = [cell for cell in column if cell]
    return bool(filled) and 2 * len(set(filled)) <= len(filled)


def _are_texts(column: Sequence[str]) -> bool:
    """Say whether most cells have letters, and most differ."""
    lettered = [cell for cell in column if any(letter.isalpha() for letter in cell)]
    return 2 * len(lettered) > len(column) and 2 * len(set(lettered)) > len(lettered)


def _longest(places: Sequence[int], below: Sequence[Sequence[str]]) -> int | None:
    """Return the column that is twice as long as any other; None: there is no such."""
    lengths = sorted(((sum(map(len, below[at])), at) for at in places), reverse=True)
    if not lengths or (len(lengths) > 1 and lengths[0][0] < 2 * lengths[1][0]):
        return None
    return lengths[0][1]
