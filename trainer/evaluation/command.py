"""The command `evaluate`: every task's metrics with standard errors, baselines beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch

from minbert.checkpoint import resolve_folder
from minbert.demographics.masking import masking
from minbert.files import write_json
from minbert.predictor import Predictor
from minbert.records import scores as records
from minbert.tables import DataError, Example
from minbert.tasks import TASKS
from trainer.data.course import FILES, HAND_WRITTEN, file_sha256, read_split
from trainer.data.seen import leave_out_seen, read_trained_on
from trainer.evaluation.hand_written import score_hand_written
from trainer.evaluation.scores import Scores, majority_baseline, normalised, recorded, score_all
from trainer.provenance import provenance

TABLE_ROW = "{:<14}{:<18}{:>20}{:>9}"


def evaluate(
    model: str | Path,
    data: Path,
    split: str,
    *,
    device: str,
    keep_trained: bool,
    json_file: Path | None,
    report: Callable[[str], None],
    masked: bool = False,
) -> str:
    """Score a model on one split, or the hand-written sets, and return the table that tells it.

    With `masked` it reads [MASK] in place of each demographic term.

    Raises:
        DataError: a missing or unreadable file, or a split that was trained on whole.
        CheckpointError: the model can't be loaded.
        ValueError: a model of CFIMDB's two classes (Part 1).
    """
    folder = resolve_folder(model)
    predictor = Predictor.from_pretrained(folder, device, runtime="torch")  # as while training
    check_classes(predictor, model)
    if masked:
        report("Demographic terms are masked before the model reads them")
        predictor = masking(predictor)
    left_out: dict[str, int] = {}
    if split == HAND_WRITTEN:
        scores = score_hand_written(predictor)
    else:
        examples, left_out = read_unseen(
            folder, data, split, tuple(TASKS), keep_trained=keep_trained, report=report
        )
        scores = score_all(predictor, examples, both_orders=True)
        add_baselines(scores, examples, data)
    if json_file is not None:
        more: dict[str, Any] = {"masked": True} if masked else {}
        record = records.Scores(
            normalised=None if split == HAND_WRITTEN else normalised(scores),
            metrics=recorded(scores, split),
            left_out=dict(left_out),
            **more,
            **provenance(torch.device(predictor.device)),
        )
        write_json(json_file, record.to_dict())
    return as_table(scores, split)


def check_classes(predictor: Predictor, model: str | Path) -> None:
    """See that a model answers SST's classes.

    Raises:
        ValueError: it has CFIMDB's two classes (Part 1).
    """
    if predictor.config.sentiment_classes != TASKS["sentiment"].classes:
        raise ValueError(
            f"`--model` should have the five sentiment classes of SST. Found "
            f"{predictor.config.sentiment_classes} in {model}; see its run's result.json."
        )


def read_unseen(
    folder: Path,
    data: Path,
    split: str,
    tasks: Sequence[str],
    *,
    keep_trained: bool,
    report: Callable[[str], None],
) -> tuple[dict[str, list[Example]], dict[str, int]]:
    """Read a split's examples of some tasks without the pairs that the model was trained on.

    Args:
        folder: of the model.
        data: folder of the course's files.
        split: which files of it.
        tasks: their names.
        keep_trained: leave none out.
        report: told what was read and what was left out.

    Returns:
        by task the examples, and how many were left out.

    Raises:
        DataError: a missing or unreadable file, or a split that was trained on whole.
    """
    files, seen = read_trained_on(folder)
    if not files:
        report(f"{folder}: no record of what trained it, so nothing is left out")
    examples: dict[str, list[Example]] = {}
    left_out: dict[str, int] = {}
    for name in tasks:
        table = read_split(data, name, split)
        report(table.summary())
        examples[name], trained = leave_out_seen(table.examples, seen.get(name, set()))
        if keep_trained:
            examples[name] = table.examples
        left_out[name] = 0 if keep_trained else len(trained)
        tell_trained(table.path, files, trained, keep_trained=keep_trained, report=report)
        if not examples[name]:
            raise DataError(
                f"{table.path} should hold pairs that the model was not trained on. Found none; "
                "add --keep-trained to `evaluate` to score it all the same."
            )
    return examples, left_out


def tell_trained(
    path: Path,
    files: dict[str, str],
    trained: list[Example],
    *,
    keep_trained: bool,
    report: Callable[[str], None],
) -> None:
    """Say how many of a file's pairs, or that all of it, the model was trained on."""
    if path.name in files and files[path.name] == file_sha256(path):
        report(f"{path.name}: this very file trained the model")
    if trained:
        kept = "kept" if keep_trained else "left out"
        report(f"{path.name}: {len(trained):,} pairs trained the model: {kept}")


def add_baselines(
    scores: dict[str, Scores], examples: dict[str, list[Example]], data: Path
) -> None:
    """Add the majority-class baselines of the classification tasks, where they can be told."""
    for name, rows in examples.items():
        labels = [row.label for row in rows if row.label is not None]
        own = majority_baseline(TASKS[name], labels, labels)
        if own is None:
            continue
        if (data / FILES[name]["train"]).is_file():
            train = read_split(data, name, "train").labels
            baseline = majority_baseline(TASKS[name], train, labels)
            if baseline is not None:
                scores[name]["train's majority"] = baseline
        scores[name]["own majority"] = own


def as_table(scores: dict[str, Scores], split: str) -> str:
    """Return the scores as lines of text."""
    lines = [TABLE_ROW.format("task", "metric", f"{split} ± SE", "n")]
    for task, found in scores.items():
        for name, metric in found.items():
            lines.append(TABLE_ROW.format(task, name, str(metric), f"{metric.n:,}"))
    if split == HAND_WRITTEN:
        return "\n".join(lines)
    mean = normalised(scores)
    lines.append(f"normalised mean: {'undefined' if mean is None else f'{mean:.4f}'}")
    return "\n".join(lines)
