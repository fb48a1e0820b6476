"""What a teacher learns from: files of one task, without the rows that it is scored on.

As in `train`, the course's own training file stays as it is, since the official splits share a few
rows; of every other file dev and test rows are left out, and rows that came before.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from minbert.tables import DataError, Example, Table
from minbert.tasks import Task
from trainer.data.course import FILES, file_sha256, read_split
from trainer.data.task_rows import read_rows
from trainer.evaluation.leaks import row_key

Report = Callable[[str], None]


def read_training(
    paths: Sequence[Path], task: Task, dev: Table, phrase_words: int, report: Report
) -> tuple[list[Example], dict[str, dict[str, int]]]:
    """Return the rows of training files in their order, and for each file what was left out.

    Args:
        paths: tables with labels, or for sentiment the treebank's trees.
        task: of all of them.
        dev: the dev file; the test file is looked for beside it.
        phrase_words: words that a phrase of the treebank has at least.
        report: takes a line for each file.

    Raises:
        DataError: a file is missing, or has no readable row, or labels on another scale.
    """
    test = dev.path.parent / FILES[task.name]["test"]
    tested = read_split(test.parent, task.name, "test").examples if test.is_file() else []
    forbidden = {row_key(row) for row in [*dev.examples, *tested]}
    kept: list[Example] = []
    known: set[int | str] = set()
    counts = {}
    for path in paths:
        table = read_rows(path, task, labelled=True, phrase_words=phrase_words)
        official = path.name == FILES[task.name]["train"]
        told = {"rows": len(table.examples), "held_out": 0, "repeated": 0}
        for row in table.examples:
            key = row_key(row)
            if not official and key in forbidden:
                told["held_out"] += 1
            elif not official and key in known:
                told["repeated"] += 1
            else:
                known.add(key)
                kept.append(row)
        counts[path.name] = told
        report(table.summary())
        if told["held_out"] or told["repeated"]:
            report(
                f"{path.name}: left out {told['held_out']:,} dev or test rows and "
                f"{told['repeated']:,} repeated ones"
            )
    return kept, counts


def hashes_of_files(paths: Sequence[Path]) -> dict[str, str]:
    """Return the SHA-256 of files by their names.

    Raises:
        DataError: a file is missing, or two have one name.
    """
    found: dict[str, str] = {}
    for path in paths:
        if path.name in found:
            raise DataError(
                f"`--train` and `--dev` should name files of different names, each once. Found "
                f"{path.name} twice."
            )
        if not path.is_file():
            raise DataError(f"{path} should exist. Found no such file; name it by its whole path.")
        found[path.name] = file_sha256(path)
    return found
