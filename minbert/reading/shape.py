"""Whether lines are a table, and of what, by their shape: a list of known names can't decide that.

A table has equal numbers of delimiters in its lines. Commas and semicolons stand in sentences too,
where a space follows them, or digits stand around: there it also takes a column of numbers, or no
such places.
"""

from __future__ import annotations

import csv
import dataclasses
import itertools
import re
from collections import Counter
from collections.abc import Sequence
from statistics import mean

from minbert.reading.columns import (
    CHOOSE,
    DELIMITERS,
    LABELS,
    NEEDED,
    PAIR,
    PLAIN,
    SINGLE,
    Choice,
    Columns,
    Wanted,
    cells_of,
    listed,
    missing_columns,
    named_columns,
)
from minbert.reading.lines import ReadError

Numbered = tuple[int, str]  # a line's number, and the line
HEADER_LINES = 10  # a header stands in one of so many first lines that hold text
USUAL = 0.8  # the share of rows with the same number of fields that makes a table
TEXTS = ("text", "review", "comment", "content", "tweet", "body", *SINGLE)  # where shape can't tell
NOT_TEXTS = {
    *("id", "index", "label", "labels", "score", "rating", "stars"),
    *(task.target for tasks in LABELS.values() for task in tasks),
}
COMMON_NAMES = {  # tell a header from a sentence
    *(*NOT_TEXTS, *TEXTS, *PAIR, "text1", "text2", "question1", "question2"),
}
_NAME = re.compile(r"[\w .#-]{0,40}")
_SEPARATOR = re.compile(r"\"?sep=(.)\"?[\t,;|]*\s*", re.IGNORECASE)
_NUMBER = re.compile(r"[-+]?\d*[.,]?\d+%?")


def separator_of(line: str) -> str | None:
    """Return the delimiter that a spreadsheet's first line, such as `sep=;`, tells."""
    found = _SEPARATOR.fullmatch(line.rstrip("\r\n"))
    return found[1] if found else None


def find_columns(
    sample: Sequence[Numbered], separator: str | None, wanted: Wanted, choice: Choice
) -> Columns | None:
    """Return the columns of a table by its first lines; None: each line is one sentence.

    Args:
        sample: the first lines that hold text, without a spreadsheet's `sep=` line.
        separator: what that line told.
        wanted: what the reader asks for.
        choice: what somebody chose.

    Raises:
        ReadError: a table whose columns aren't known, or don't do.
    """
    if choice.plain:
        return None
    delimiters = tuple(DELIMITERS) if separator is None else (separator,)
    if choice.header is not False:
        for place in range(min(len(sample), HEADER_LINES)):
            for delimiter in delimiters:
                if _is_header(sample, place, delimiter, choice):
                    number, line = sample[place]
                    written = cells_of(line, delimiter)
                    return named_columns(written, delimiter, number, wanted, choice)
    number, line = sample[0]
    if not wanted.guess:
        cells = max((cells_of(line, delimiter) for delimiter in delimiters), key=len)
        raise ReadError(missing_columns(wanted, cells, f"Found {listed(cells)}."), number)
    for delimiter in delimiters:
        rows = _rows(sample, delimiter)
        pasted = wanted.pair is True and delimiter == "\t" and "\t" in line
        certain = separator is not None or bool(choice.columns)
        if pasted or _is_table(rows, delimiter, certain=certain):
            return _Shape(rows, delimiter).columns(wanted, choice)
    if choice.columns or separator is not None or wanted.pair:
        return _single_column(sample[0], delimiters[0], wanted, choice)
    for delimiter in delimiters:
        cells = cells_of(line, delimiter)
        if len(cells) > 1 and (delimiter == "\t" or _are_names(cells)):
            raise ReadError(_unknown(cells), number)
    return None


def likely_rows(sample: Sequence[Numbered], separator: str | None) -> list[list[str]]:
    """Return the rows' cells under the delimiter that makes the most even table, if any.

    Rows of another width than most are left out.
    """
    delimiters = tuple(DELIMITERS) if separator is None else (separator,)
    found = {each: _rows(sample, each) for each in delimiters}
    best = max(found, key=lambda each: _share(found[each]))
    if _share(found[best]) < USUAL / 2:
        return []
    return [list(cells) for cells in zip(*_by_column(_wide(found[best])), strict=True)]


def _are_names(cells: Sequence[str]) -> bool:
    keys = [cell.strip().casefold() for cell in cells]
    return all(re.fullmatch(r"[\w-]*", key) for key in keys) and bool(COMMON_NAMES & {*keys})


def _single_column(first: Numbered, delimiter: str, wanted: Wanted, choice: Choice) -> Columns:
    number, line = first
    if wanted.pair:
        raise ReadError(
            "pairs need two sentences a row, with a tab between them. "
            f"Found {line.strip()[:40]!r}.",
            number,
        )
    columns = named_columns([line.strip()], delimiter, number, wanted, choice)
    return (
        columns
        if choice.header
        else dataclasses.replace(columns, names=(), header=None, begins=number)
    )


def _is_header(sample: Sequence[Numbered], place: int, delimiter: str, choice: Choice) -> bool:
    names = [name.strip().casefold() for name in cells_of(sample[place][1], delimiter)]
    if place:  # below a title, say: then the next row has the same columns
        if len(names) < 2 or not all(_NAME.fullmatch(name) for name in names):
            return False
        after = sample[place + 1 : place + 2]
        if [len(cells_of(line, delimiter)) for _, line in after] != [len(names)]:
            return False
    if not choice.names <= {*names}:
        return False
    if place or choice.columns:
        known = {*names, *(choice.roles if choice.names else ())}
        return {*SINGLE} <= known or {*PAIR} <= known
    return bool({*SINGLE, *PAIR} & {*names})


@dataclasses.dataclass(frozen=True)
class _Row:
    line: int
    cells: list[str]


def _rows(sample: Sequence[Numbered], delimiter: str) -> list[_Row]:
    """Parse the first lines as rows, each with the line where it begins."""
    numbers = [number for number, _ in sample]
    reader = csv.reader((line for _, line in sample), delimiter=delimiter)
    rows, begun = [], 0
    try:
        for cells in reader:
            rows.append(_Row(numbers[begun], cells))
            begun = reader.line_num
    except csv.Error:
        rows = []
    if min(len(rows) / len(sample), _share(rows)) < USUAL:  # a stray quote, or texts with breaks
        alone = [_Row(number, line.rstrip("\r\n").split(delimiter)) for number, line in sample]
        rows = max(rows, alone, key=_share)
    titles = itertools.takewhile(lambda row: sum(map(bool, row.cells)) < 2, rows)
    above = len(list(titles))  # a title above the table, and what is empty below it
    return rows[above:] if above + 2 <= len(rows) else rows


def _share(rows: Sequence[_Row]) -> float:
    widths = Counter(len(row.cells) for row in rows if len(row.cells) > 1)
    return max(widths.values(), default=0) / max(len(rows), 1)


def _is_table(rows: Sequence[_Row], delimiter: str, *, certain: bool) -> bool:
    wide = _wide(rows)
    if certain and wide:
        return _share(rows) >= USUAL
    if _share(rows) < USUAL or (len(rows) < 2 and delimiter != "\t"):
        return False
    if delimiter == "\t":
        return True
    after = [both for row in wide for both in itertools.pairwise(row.cells) if both[1]]
    inside = sum(b[0].isspace() or (a[-1:].isdigit() and b[0].isdigit()) for a, b in after)
    return 2 * inside < len(after) or any(_numbers(column[1:]) for column in _by_column(wide))


def _wide(rows: Sequence[_Row]) -> list[_Row]:
    return [row for row in rows if len(row.cells) > 1]


def _by_column(rows: Sequence[_Row]) -> list[list[str]]:
    width = Counter(len(row.cells) for row in rows).most_common(1)[0][0]
    return [
        list(each) for each in zip(*(r.cells for r in rows if len(r.cells) == width), strict=True)
    ]


def _numbers(cells: Sequence[str]) -> bool:
    """Say whether all cells that hold something are numbers, and some do."""
    full = [cell.strip() for cell in cells if cell.strip()]
    return bool(full) and all(_NUMBER.fullmatch(cell) for cell in full)


def _lettered(cells: Sequence[str]) -> bool:
    """Say whether most cells that hold something have letters, so that they aren't numbers."""
    full = [cell for cell in cells if cell.strip()]
    return 2 * sum(any(letter.isalpha() for letter in cell) for cell in full) > len(full)


def _words(cells: Sequence[str]) -> float:
    return mean([len(cell.split()) for cell in cells if cell.strip()] or [0])


class _Shape:
    """A table without the course's names: its first row, and the columns below it."""

    def __init__(self, rows: Sequence[_Row], delimiter: str) -> None:
        self.delimiter = delimiter
        width = Counter(len(row.cells) for row in rows if len(row.cells) > 1).most_common(1)[0][0]
        kept = [row for row in rows if len(row.cells) == width]
        self.line, self.first = kept[0].line, kept[0].cells
        rest = kept[1:]
        self.below = [[row.cells[at] for row in rest] for at in range(width)]

    def columns(self, wanted: Wanted, choice: Choice) -> Columns:
        """Return what is read as what.

        Raises:
            ReadError: it can't be told.
        """
        header = self.has_header() if choice.header is None else choice.header
        if header is None and wanted.pair and len(self.first) == 2:
            header = False  # two columns of texts, pasted
        if not choice.roles & {*SINGLE, *PAIR}:
            if header is None and choice.columns:
                header = True
            choice = self.guessed(wanted, choice, header)
        columns = named_columns(self.first, self.delimiter, self.line, wanted, choice)
        if header is not False:  # chosen columns, below something that may be their names
            return columns
        return dataclasses.replace(columns, names=(), header=None, begins=self.line)

    def has_header(self) -> bool | None:
        """Say whether the first row names the columns; None: its look doesn't tell."""
        if not any(any(cell.strip() for cell in column) for column in self.below):
            return None
        if {name.strip().casefold() for name in self.first} & COMMON_NAMES:
            return True
        numbers = [at for at, column in enumerate(self.below) if _numbers(column)]
        if numbers:
            return not any(_NUMBER.fullmatch(self.first[at].strip()) for at in numbers)
        texts = [at for at, column in enumerate(self.below) if _words(column) >= 3]
        words = [len(self.first[at].split()) for at in texts]
        if words and max(words) <= 2:
            return True
        return False if words and min(words) > 3 else None

    def guessed(self, wanted: Wanted, choice: Choice, header: bool | None) -> Choice:
        """Return the columns of texts, where the table has no others.

        Raises:
            ReadError: none, or several that may be it.
        """
        texts = self.texts(choice, one=not wanted.pair)
        pair = _numbered_pair(self.first) if header else ()
        if not pair and wanted.pair and len(self.first) == 2:
            pair = (0, 1)
        elif not pair and wanted.pair and len(texts) == 2:
            pair = (texts[0], texts[1])
        if pair and wanted.pair is not False:
            found = tuple((name, str(at + 1)) for name, at in zip(PAIR, pair, strict=True))
        elif header is None or wanted.pair or len(texts) != 1:
            raise ReadError(_unknown(self.first), self.line)
        else:
            found = (("sentence", str(texts[0] + 1)),)
        return dataclasses.replace(choice, columns=(*found, *choice.columns))

    def is_chosen(self, at: int, choice: Choice) -> bool:
        """Say whether a column is chosen for something already."""
        keys = {self.first[at].strip().casefold(), str(at + 1)}
        return any(column.casefold() in keys for _, column in choice.columns)

    def texts(self, choice: Choice, *, one: bool) -> list[int]:
        """Return the columns that may hold texts; `one`: alone, if it is by far the longest."""
        names = [name.strip().casefold() for name in self.first]
        found = [
            at
            for at, column in enumerate(self.below)
            if _lettered(column) and names[at] not in NOT_TEXTS and not self.is_chosen(at, choice)
        ]
        texts = [at for at in found if names[at] in TEXTS]
        lengths = {at: mean([len(cell) for cell in self.below[at]]) for at in found}
        longest = sorted(found, key=lambda at: -lengths[at])
        if one and len(longest) > 1 and lengths[longest[0]] >= 2 * lengths[longest[1]]:
            return longest[:1]
        return texts if one and len(texts) == 1 else found


def _numbered_pair(names: Sequence[str]) -> tuple[int, ...]:
    """Return the places of two names that differ in a 1 and a 2, or an A and a B, at the end."""
    keys = [name.strip().casefold() for name in names]
    for one, other in (("1", "2"), ("a", "b")):
        stems = [key[:-1] for key in keys if key.endswith(one) and key[:-1] + other in keys]
        stems = [stem for stem in stems if stem.strip(" _-") not in ("", "id", "qid")]
        if len(stems) == 1:
            return keys.index(stems[0] + one), keys.index(stems[0] + other)
    return ()


def _unknown(written: Sequence[str]) -> str:
    return (
        f"the first line should name the columns, among them {NEEDED}. Found {listed(written)}, "
        f"which may be several things. {CHOOSE} Or bring plain text without tabs, one sentence a "
        f'line; with columns="{PLAIN}" any line is read as one.'
    )
