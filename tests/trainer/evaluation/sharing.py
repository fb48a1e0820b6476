"""Labelling a file in small parts, as one of several processes does it."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.predictor import Predictor
from tests.trainer.samples import header, task_rows, write_table
from trainer.cli import main
from trainer.evaluation import parts
from trainer.evaluation.predict import predict_file

PART = 8  # rows
COUNT = 60


def write_source(folder: Path, count: int = COUNT, name: str = "rows.csv") -> Path:
    """Write a file to label."""
    rows = [row[:-1] for row in task_rows("sentiment", count, 7)]
    return write_table(folder / name, header("sentiment", labelled=False), rows)


def label(model: Path, source: Path, target: Path) -> int:
    """Label a file in parts of a few rows; return the exit status."""
    predictor = Predictor.from_pretrained(model, "cpu")
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(parts, "POLL", 0.02)
        predict_file(
            predictor, "sentiment", source, target, skip_bad=False, report=told, part_rows=PART
        )
    return 0


def told(line: str) -> None:
    """Print a line."""
    print(line, flush=True)  # noqa: T201 - a process of its own prints it


def command(model: Path, source: Path, target: Path | str) -> int:
    """Give the command to label a file; return the exit status."""
    arguments = ["predict", "--model", str(model), "--task", "sentiment", "--device", "cpu"]
    return main([*arguments, "--input", str(source), "--output", str(target)])
