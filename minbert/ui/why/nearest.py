"""The nearest training sentences: their table, and how to read it."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from minbert.explain import NearestIndex, Neighbour
from minbert.explain.nearest import default_folder
from minbert.tasks import SENTIMENT
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
MOST_ROWS = 12  # replaced words in the table


def quoted(label: str) -> str:
    """Put a label in quotes; a score stands as it is."""
    return label if label.endswith(" of 5") else f"“{label}”"


def no_index_block() -> str:
    """Say how to build an index."""
    lines = TEXTS.lines("nearest.no_index")
    return finding_block("No training sentences to look among", lines, "")


def nearest_block(
    found: Mapping[str, Mapping[str, Sequence[Neighbour]]],
    names: Mapping[str, str] = POOLING_NAMES,
) -> str:
    """Return a table for each sentence (A, B) and pooling."""
    titles = []
    for name, by_model in found.items():
        firsts = {rows[0].text.text for rows in by_model.values() if rows}
        same = "the same sentence" if len(firsts) == 1 else "different sentences"
        titles.append(f"to {name} {same}")
    title = "Nearest under CLS and mean pooling: " + ", ".join(titles)
    block = finding_block(title, [], TEXTS["read.nearest"], shown=neighbour_tables(found, names))
    return f'<div class="mb-texts">{block}</div>'


def own_block(
    found: Mapping[str, Mapping[str, Sequence[Neighbour]]],
    names: Mapping[str, str],
    without: Sequence[str],
) -> str:
    """Return the tables of models of your own; `without` are poolings that the index isn't of."""
    lines = []
    if without:
        models = " and ".join(f"the model with {name} pooling" for name in without)
        lines.append(TEXTS["nearest.not_theirs"].format(models=models))
    title = "The nearest sentences of the index"
    if len(without) == len(names):
        title = "The training sentences on this machine are not these models'"
    tables = neighbour_tables(found, names)
    reading = TEXTS["read.own_nearest"]
    block = finding_block(title, lines, reading if tables else "", shown=tables)
    return f'<div class="mb-texts">{block}</div>'


def neighbour_tables(
    found: Mapping[str, Mapping[str, Sequence[Neighbour]]], names: Mapping[str, str]
) -> str:
    """Return a table for each sentence and model."""
    tables = []
    head = ["Training sentence", "Its label", "Distance"]
    for name, by_model in found.items():
        for model, neighbours in by_model.items():
            rows = [
                [each.text.text, label_of(each), f"{max(0.0, 1 - each.cosine):.3f}"]
                for each in neighbours
            ]
            tables.append(table(f"Nearest to {name}, {names[model]} pooling", head, rows))
    return "".join(tables)


def label_of(neighbour: Neighbour) -> str:
    """Return what a training sentence taught, with its partner."""
    text = neighbour.text
    if text.task == "sentiment":
        place = int(text.label)
        known = 0 <= place < len(SENTIMENT.labels)
        return f"sentiment: {SENTIMENT.labels[place] if known else place}"
    what = f"similarity {text.label:g} of 5"
    if text.task == "paraphrase":
        what = "a duplicate" if text.label else "no duplicate"
    return f"{what} with “{text.other}”"


class Indexes:
    """Reads the index where the library looks by default."""

    def __init__(self) -> None:
        """Nothing is read before it is asked for."""
        self._lock = threading.Lock()
        self._known: tuple[Path, int, NearestIndex] | None = None

    def load(self) -> NearestIndex | None:
        """Return the index, or None where there is none.

        Raises:
            CheckpointError: it is torn; the message says how to build it again.
        """
        folder = default_folder()
        with self._lock:
            try:
                changed = (folder / "index.json").stat().st_mtime_ns
            except OSError:
                self._known = None
                return None
            if self._known is None or self._known[:2] != (folder, changed):
                self._known = (folder, changed, NearestIndex.load(folder))
            return self._known[2]
