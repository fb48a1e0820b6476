"""What a run's training rows share with dev and test, counted; and scores without it.

A dev pair both of whose questions occur in training is easier than a new one, above all beside a
file of duplicates alone. So each task is also scored on the dev rows none of whose texts occurs in
its training rows.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minbert.records.scores import Leak, NewScore
from minbert.tables import Example, Table
from minbert.tasks import TASKS
from trainer.data.course import FILES, pair_hash, read_split
from trainer.data.treebank import text_key
from trainer.evaluation.scores import MAIN_METRICS, Answers, main_score


def row_key(row: Example) -> int | str:
    """Return what two spellings of a row have in common: for pairs also in either order."""
    return pair_hash(row.texts) if len(row.texts) == 2 else text_key(row.texts[0])


def leak_checks(
    train: Mapping[str, Sequence[Example]],
    dev: Mapping[str, Table],
    answers: Mapping[str, Answers],
) -> dict[str, Leak]:
    """Count shared rows of each task that is trained and scored.

    Args:
        train: every training row, further data included.
        dev: the dev tables; the test file is looked for beside them.
        answers: the model's answers to the dev tables.

    Returns:
        for each task the rows trained, the rows of dev and test among them, and the main metric
        on the dev rows none of whose texts occurs in training.
    """
    told = {}
    for name in (name for name in dev if name in train):
        keys = {row_key(row) for row in train[name]}
        texts = {text_key(text) for row in train[name] for text in row.texts}
        rows = dev[name].examples
        new = np.array([not any(text_key(text) in texts for text in row.texts) for row in rows])
        test = dev[name].path.parent / FILES[name]["test"]
        tested = read_split(test.parent, name, "test").examples if test.is_file() else None
        told[name] = Leak(
            rows=len(train[name]),
            dev_in_training=sum(row_key(row) in keys for row in rows),
            test_in_training=None
            if tested is None
            else sum(row_key(row) in keys for row in tested),
            new=new_score(name, answers[name], rows, new),
        )
    return told


def new_score(
    task_name: str, answers: Answers, rows: Sequence[Example], new: np.ndarray[Any, Any]
) -> NewScore:
    """Score the rows where `new` (N,) is true by the task's main metric."""
    kept = [row for row, is_new in zip(rows, new, strict=True) if is_new]
    if not kept:
        return NewScore(n=0)
    chosen = {name: values[new] for name, values in answers.items()}
    found = main_score(TASKS[task_name], chosen, kept)
    return NewScore(metric=MAIN_METRICS[task_name], **dataclasses.asdict(found))


def answers_of(predictions: Mapping[str, Any]) -> dict[str, Answers]:
    """Read back what a run's predictions.json says of the dev files, for the main metrics."""
    told = {name: predictions[name] for name in TASKS if name in predictions}
    kinds = {"sentiment": "class", "paraphrase": "duplicate", "similarity": "headline"}
    return {
        name: {kinds[name]: np.array(list(values), dtype=float)} for name, values in told.items()
    }
