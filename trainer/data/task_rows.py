"""The rows of any file of a task: a table, the treebank's trees, further pairs on their scale."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from minbert.tables import DataError, Table, read_table
from minbert.tasks import Task
from trainer.data.course import FILES, on_scale
from trainer.data.further_pairs import EXTRA_PAIRS, ExtraPairs
from trainer.data.treebank import TREES_FILE, read_phrases

_TREE = re.compile(rb"\s*\(\d")  # how a file of trees begins


def read_rows(path: Path, task: Task, *, labelled: bool, phrase_words: int = 1) -> Table:
    """Read a file's examples, in its order; of trees the sentences, then the distinct phrases.

    Args:
        path: a table, or for sentiment a file of trees.
        task: says what a row holds; a file of further pairs has its labels on the task's scale.
        labelled: each row needs a label; without, labels are not looked at.
        phrase_words: words that a phrase has at least.

    Raises:
        DataError: the file is missing, or has no readable row, or labels on another scale.
    """
    if not task.pair and is_trees(path):
        found = read_phrases(path, (), phrase_words)
        return Table(path, [*found.sentences, *found.phrases], [])
    extra = further_pairs(path, task)
    table = read_table(path, extra.task if extra else task, labelled=labelled)
    if labelled:
        table = on_scale(table)
    if extra and labelled:
        rows = [
            dataclasses.replace(row, label=extra.rescaled(row.label))
            for row in table.examples
            if row.label is not None
        ]
        table = dataclasses.replace(table, examples=rows)
    if not table.examples:
        raise DataError(f"{path} should hold at least one readable row. Found none.")
    return table


def is_trees(path: Path) -> bool:
    """Say whether a file holds trees, by its beginning."""
    try:
        with path.open("rb") as file:
            return _TREE.match(file.read(64)) is not None
    except OSError:
        return False  # the reader of tables says what is wrong


def further_pairs(path: Path, task: Task) -> ExtraPairs | None:
    """Return which of the further data sets a file is, by its name."""
    named = (extra for extra in EXTRA_PAIRS.values() if Path(extra.file).name == path.name)
    return next((extra for extra in named if extra.serves == task.name), None)


def trains_with_gold(path: Path, task: Task) -> bool:
    """Say whether a run can train on a file's own labels, by its name."""
    gold = {FILES[task.name]["train"], *([] if task.pair else [Path(TREES_FILE).name])}
    return path.name in gold or further_pairs(path, task) is not None
