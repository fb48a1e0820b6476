"""What a file will be read as, before a run: its first rows, and a choice of its columns."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from itertools import islice
from typing import Any

import gradio as gr

from minbert.batch import MOST_BYTES, BatchError, Kind, open_batch
from minbert.reading import BadRow, Columns, Reading, decoded, first_cells, text_source
from minbert.reading.columns import LABELS, PLAIN
from minbert.ui.batch.tables import short
from minbert.ui.parts.tables import table

AUTO, SENTENCES, PAIRS = "auto", "sentiment", "pairs"
KINDS: dict[str, Kind | None] = {AUTO: None, SENTENCES: "sentences", PAIRS: "pairs"}
SHOWN = 3  # rows
AS_THEY_LOOK = ("as it looks", "")
Update = dict[str, Any]


def brought(content: bytes | None, text: str | None) -> bytes | str:
    """Return what was brought, a file or a pasted text.

    Raises:
        BatchError: neither, or both.
    """
    pasted = text or ""
    if content is not None and pasted.strip():
        raise BatchError("There is a file and pasted text as well. Take one of them away.")
    if content is None and not pasted.strip():
        raise BatchError("There is nothing to answer yet. Bring a file, or paste some rows.")
    return pasted if content is None else content


def preview_of(content: bytes | None, text: str | None, task: str, *chosen: str | None) -> str:
    """Show the first rows, and which column is read as what; nothing where nothing is brought."""
    if content is None and not (text or "").strip():
        return ""
    try:
        kind = KINDS[task]
        reading = open_batch(brought(content, text), kind=kind, columns=columns_of(*chosen))
        return preview(reading)
    except BatchError as error:
        return unread(str(error))


def offer(content: bytes | None, text: str | None, task: str) -> tuple[str, Update, Update, Update]:
    """Show the first rows as they look, and offer the table's columns to choose from."""
    try:
        names = columns_in(brought(content, text))
    except BatchError:
        names = []
    return preview_of(content, text, task), *choices(names)


def columns_of(*chosen: str | None) -> str | None:
    """Return what was chosen as `read_batch` takes it: first text, second text, labels."""
    first, second, label = (each or "" for each in (*chosen, *[None] * (3 - len(chosen))))
    if first == PLAIN:
        return PLAIN
    texts = [f"sentence1={first}", f"sentence2={second}"] if second else [f"sentence={first}"]
    parts = [*texts, label]
    return ", ".join(part for part in parts if part and not part.endswith("=")) or None


def columns_in(content: bytes | str) -> list[str]:
    """Return the names, or the numbers, of a table's columns, as far as a table can be told.

    Raises:
        BatchError: no text.
    """
    cells = first_cells(text_source(decoded(content, MOST_BYTES)))
    keys = [cell.strip().casefold() for cell in cells]
    names = []
    for number, cell in enumerate(cells, start=1):
        name = cell.strip()
        plain = name and len(name) <= 40 and not set(",=") & set(name) and not name.isdecimal()
        names.append(name if plain and keys.count(name.casefold()) == 1 else str(number))
    return names if len(names) > 1 else []


def choices(names: Sequence[str]) -> tuple[Update, Update, Update]:
    """Return the updates of the three choices, for a table with these columns; hidden without."""
    named = [(name if not name.isdecimal() else f"column {name}", name) for name in names]
    labels = [
        (f"{shown} as {task.target}", f"{task.target}={name}")
        for shown, name in named
        for tasks in LABELS.values()
        for task in tasks
    ]
    plain = ("each whole line is a sentence", PLAIN)
    return tuple(
        gr.update(choices=[AS_THEY_LOOK, *offered], value="", visible=bool(names))
        for offered in ([*named, plain], named, labels)
    )  # type: ignore[return-value]


def preview(reading: Reading) -> str:
    """Return the first rows under what each column is read as."""
    rows = list(islice(reading, SHOWN))
    names = roles(reading.columns)
    body = [
        [f"Line {row.line}: {row.reason}", *[""] * (len(names) - 1)]
        if isinstance(row, BadRow)
        else [short(cell) for cell in cells(reading.columns, row.id, row.texts, row.label)]
        for row in rows
    ]
    told = "".join(f'<p class="mb-note">{escape(note)}</p>' for note in reading.notes)
    return told + (table("The first rows, as they are read", names, body) if body else "")


def roles(columns: Columns | None) -> list[str]:
    """Return the heading of each column that is read."""
    if columns is None:
        return ["sentence"]
    return list(columns.roles())


def cells(
    columns: Columns | None, known: str | None, texts: Sequence[str], label: str | None
) -> list[str]:
    """Return a row's cells under `roles`."""
    ids = [known or ""] if columns is not None and columns.id is not None else []
    labels = [label or ""] if columns is not None and columns.label is not None else []
    return [*ids, *texts, *labels]


def unread(reason: str) -> str:
    """Say why nothing can be shown; the run would say it too."""
    return f'<p class="mb-note" id="batch-unread">{escape(reason)}</p>'
