"""Which columns of a table are read as what: by the names in its header, or as somebody chose.

The course's names are `id`, `sentence`, or `sentence1` and `sentence2`, and a task's label column.
`minbert.reading.shape` recognises tables whose header has none of them.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Collection, Sequence

from minbert.reading.guard import is_download
from minbert.reading.labels import OWN_LABEL, LabelError, label_of
from minbert.reading.lines import ReadError
from minbert.tasks import PARAPHRASE, SENTIMENT, SIMILARITY, Task

SINGLE, PAIR = SENTIMENT.text_columns, PARAPHRASE.text_columns
LABELS = {1: (SENTIMENT,), 2: (PARAPHRASE, SIMILARITY)}  # by number of texts
NEEDED = "a column named sentence, or two named sentence1 and sentence2"
CHOOSE = 'Or choose the columns, as in columns="sentence=2" or "sentence1=A, sentence2=B".'
PLAIN, HEADER = "plain", "header"
DELIMITERS = {"\t": "tabs", ",": "commas", ";": "semicolons", "|": "bars"}


@dataclasses.dataclass(frozen=True)
class Columns:
    """Where the fields of a table are."""

    delimiter: str
    width: int  # fields of the header, or of most rows
    texts: tuple[int, ...]  # the sentence's column, or both sentences'
    id: int | None
    label: int | None
    label_task: Task | None  # which labels they are
    names: tuple[str, ...] = ()  # as written in the header; empty: there is none
    header: int | None = None  # its line
    begins: int = 1  # line of the first row
    quoted: bool = True  # False: quotes are characters
    guarded: bool = False  # a file that Batch wrote, with apostrophes before formulas
    records: bool = False  # each line is a JSON object, `names` are its fields

    def split(self, line: str) -> list[str]:
        """Return a line's cells, quotes not understood, without empty ones past the table."""
        return self.trimmed(line.rstrip("\r\n").split(self.delimiter))

    def trimmed(self, cells: list[str]) -> list[str]:
        """Return cells without the empty ones that delimiters at a line's end make."""
        while len(cells) > self.width and not cells[-1].strip():
            cells.pop()
        return cells

    def looks_like_a_row(self, line: str) -> bool:
        """Say whether a raw line, quotes not understood, is a whole row by itself.

        Commas stand in sentences too, so without tabs it takes a label, or a number as id.
        """
        cells = self.split(line)
        if self.width == 1 or len(cells) != self.width:
            return False
        if self.label is not None and self.label_task not in (None, OWN_LABEL):
            return _is_label(cells[self.label].strip().strip('"'), self.label_task)
        if self.delimiter == "\t":
            return True
        return self.id is not None and cells[self.id].strip().strip('"').isdecimal()

    def ends_a_quote(self, first: str, line: str) -> bool:
        """Say whether a line after `first`, where a quote opened, must be a row of its own."""
        if '"' in line or not self.looks_like_a_row(line):
            return False
        return self.width > 2 or self.label is not None or self.looks_like_a_row(first)

    def roles(self) -> dict[str, int]:
        """Return the place of each column that is read, by what it is read as."""
        names = SINGLE if len(self.texts) == 1 else PAIR
        found = dict(zip(names, self.texts, strict=True))
        if self.label is not None and self.label_task is not None:
            found[self.label_task.target] = self.label
        return found if self.id is None else {"id": self.id, **found}

    @property
    def by_name(self) -> bool:
        """Say whether the header itself names what is read, so that nothing had to be guessed."""
        roles = self.roles()
        return bool(self.names) and all(_key(self.names[at]) == role for role, at in roles.items())

    def told(self) -> str:
        """Say what is taken for what."""
        names = {at: self.name(at) for at in range(self.width)}
        roles = self.roles()
        read = ", ".join(
            role if names[at].casefold() == repr(role) else f"{names[at]} as {role}"
            for role, at in roles.items()
        )
        others = (at for at in range(self.width) if at not in roles.values())
        left = [names[at] for at in others if not self.names or self.names[at].strip()]
        line = "no header" if self.header is None else f"the header in line {self.header}"
        rest = f" Left alone: {', '.join(left[:12])}." if left else ""
        if self.records:
            return f"Records of named fields. Read: {read}.{rest}"
        between = DELIMITERS.get(self.delimiter, repr(self.delimiter))
        return f"A table, {between} between its columns, {line}. Read: {read}.{rest}"

    def name(self, at: int) -> str:
        """Return what a column is called: its header's quoted name, or its number."""
        written = self.names[at].strip() if self.names else ""
        return repr(written[:40]) if written else f"column {at + 1}"


def _is_label(text: str, task: Task) -> bool:
    try:
        label_of(text, task)
    except LabelError as error:
        return error.number is not None
    return True


@dataclasses.dataclass(frozen=True)
class Wanted:
    """What a reader asks of a table."""

    pair: bool | None = None  # None: what the columns say
    labels: tuple[Task, ...] | None = None  # tasks whose labels are read; None: those of the texts
    guess: bool = True  # whether a table without the course's names, or plain text, will do

    @property
    def texts(self) -> tuple[tuple[str, ...], ...]:
        """Return the text columns that will do."""
        return {None: (SINGLE, PAIR), True: (PAIR,), False: (SINGLE,)}[self.pair]


@dataclasses.dataclass(frozen=True)
class Choice:
    """Columns that somebody chose; all empty: nothing is chosen."""

    columns: tuple[tuple[str, str], ...] = ()  # role, and a column's name or 1-based number
    header: bool | None = None  # None: as the table looks
    plain: bool = False  # no table: each line is a sentence

    @property
    def roles(self) -> set[str]:
        """Return what columns were chosen for."""
        return {role for role, _ in self.columns}

    @property
    def names(self) -> set[str]:
        """Return the names, numbers aside, that a header should have."""
        return {_key(column) for _, column in self.columns if not column.isdecimal()}


def read_choice(text: str | None, own: Sequence[Task] = ()) -> Choice:
    """Read what was chosen, as in `sentence=review, sentiment=3, header=no`; or `plain`.

    Args:
        text: what was chosen; None or blank: nothing.
        own: tasks whose labels are asked for beside the three tasks'.

    Raises:
        ReadError: no such role, one twice, or no column behind it.
    """
    given = (text or "").strip()
    if not given or given.casefold() == PLAIN:
        return Choice(plain=bool(given))
    tasks = [*(task for tasks in LABELS.values() for task in tasks), *own]
    known = ("id", *SINGLE, *PAIR, *dict.fromkeys(task.target for task in tasks))
    chosen: dict[str, str] = {}
    for part in given.split(","):
        role, _, column = (each.strip() for each in part.partition("="))
        if role.casefold() not in (*known, HEADER) or role.casefold() in chosen or not column:
            raise ReadError(
                "`columns` should be parts such as sentence=2 with commas between them, a role out "
                f"of {', '.join(known)} before a column's name or number, each once; header=no "
                f"where there is no header; or {PLAIN}, one sentence a line. "
                f"Found {part.strip()[:80]!r}."
            )
        chosen[role.casefold()] = column
    header = chosen.pop(HEADER, None)
    if header is not None and header.casefold() not in ("yes", "no"):
        raise ReadError(f"`columns` should have header=yes or header=no. Found {header[:40]!r}.")
    return Choice(tuple(chosen.items()), None if header is None else header.casefold() == "yes")


def cells_of(line: str, delimiter: str) -> list[str]:
    """Return the cells of one line by itself."""
    try:
        (row,) = csv.reader([line.rstrip("\r\n")], delimiter=delimiter, strict=True)
    except (csv.Error, ValueError):  # a quote that isn't one of a table, or a blank line
        return line.rstrip("\r\n").split(delimiter)
    return row


def _key(name: str) -> str:
    return name.strip().casefold()


def named_columns(
    written: Sequence[str], delimiter: str, number: int, wanted: Wanted, choice: Choice
) -> Columns:
    """Return the columns that a header's names, or somebody's choice, make.

    Raises:
        ReadError: texts that are missing, of both kinds, or a column twice.
    """
    names = [_key(name) for name in written]
    found = f"Found {listed(written)}."
    places = _chosen_places(names, choice, found, number)
    of_names = {name: names.index(name) for name in names}
    of_names = {name: at for name, at in of_names.items() if at not in places.values()}
    at = {**of_names, **places}
    fitting = [texts for texts in wanted.texts if {*texts} <= {*at}]
    chosen = [texts for texts in fitting if {*texts} & {*places}]
    fitting = chosen or fitting
    if not fitting:
        raise ReadError(missing_columns(wanted, at, found), number)
    if len(fitting) > 1:
        raise ReadError(f"the header should name {NEEDED}, not both. {found}", number)
    texts = fitting[0]
    tasks = LABELS[len(texts)] if wanted.labels is None else wanted.labels
    tasks = tuple(task for task in tasks if task.target in at)
    tasks = tuple(task for task in tasks if task.target in places) or tasks
    if len(tasks) > 1:
        targets = " and ".join(task.target for task in tasks)
        raise ReadError(
            f"the header should name one column of labels. Found {targets}; leave one out.", number
        )
    used = [*texts, "id", *(task.target for task in tasks)]
    twice = [name for name in used if name not in places and names.count(name) > 1]
    if twice:
        raise ReadError(f"the header should name {twice[0]} once. {found}", number)
    return Columns(
        delimiter=delimiter,
        width=len(names),
        texts=tuple(at[name] for name in texts),
        id=at.get("id"),
        label=at[tasks[0].target] if tasks else None,
        label_task=tasks[0] if tasks else None,
        names=tuple(written),
        header=number,
        begins=number + 1,
        guarded=is_download(names),
    )


def missing_columns(wanted: Wanted, at: Collection[str], found: str) -> str:
    """Say which columns are missing among those there are."""
    if not wanted.guess:
        needed = [*wanted.texts[0], *(task.target for task in wanted.labels or ())]
        missing = ", ".join(name for name in needed if name not in at)
        return (
            f"the header should name the columns {', '.join(needed)}. {found} Missing: {missing}."
        )
    other = [texts for texts in (SINGLE, PAIR) if {*texts} <= {*at}]
    if other and wanted.pair:
        return (
            "pairs need two sentences a row. Found a header of one sentence a row; choose the "
            f"other kind, or the columns. {found}"
        )
    if other:
        return (
            "sentences need one sentence a row. Found a header of pairs; choose the other kind, or "
            f"the columns. {found}"
        )
    return (
        f"the first line should name the columns, among them {NEEDED}. {found} "
        f"Or bring plain text without tabs, one sentence a line. {CHOOSE}"
    )


def listed(written: Sequence[str]) -> str:
    """Write a header's names, the first ones of many."""
    return ", ".join(repr(name[:40]) for name in written[:12])


def _chosen_places(names: Sequence[str], choice: Choice, found: str, number: int) -> dict[str, int]:
    places = {}
    for role, column in choice.columns:
        name = _key(column)
        if names.count(name) == 1:
            places[role] = names.index(name)
        elif column.isdecimal() and 1 <= int(column) <= len(names):
            places[role] = int(column) - 1
        else:
            raise ReadError(
                "`columns` should name columns of the table, or their numbers from 1 to "
                f"{len(names)}. Found {role}={column[:40]} for this header: {found}",
                number,
            )
    if len({*places.values()}) < len(places):
        raise ReadError(f"`columns` should use each column once. Found {dict(choice.columns)}.")
    return places
