"""The command predict; the work is in `trainer.evaluation.predict`."""

from __future__ import annotations

import argparse
from pathlib import Path

from minbert.tasks import TASKS
from trainer.commands.terminal import add_machine_options, tell

NAME = "predict"
HELP = "label a file"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--model", required=True, help="folder or Hugging Face id")
    parser.add_argument("--task", required=True, choices=tuple(TASKS))
    parser.add_argument("--input", type=Path, required=True, help="a table, or plain text")
    parser.add_argument(
        "--output", type=Path, required=True, help="tab-separated; - for standard output"
    )
    parser.add_argument(
        "--columns", help="which column is what, as in sentence=review, or sentence=2; or plain"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave broken rows out, counted")
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Label a file."""
    from minbert.predictor import Predictor
    from trainer.evaluation.predict import predict_file

    predict_file(
        Predictor.from_pretrained(options.model, options.device),
        options.task,
        options.input,
        options.output,
        skip_bad=options.skip_bad,
        columns=options.columns,
        report=tell,
    )
