"""The command predict; the work is in `trainer.evaluation.predict`."""

from __future__ import annotations

import argparse

from minbert.tasks import TASKS
from trainer.commands.terminal import add_file_options, add_machine_options, file_predictor, tell

NAME = "predict"
HELP = "label a file"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_file_options(parser, ".tsv, .csv, .jsonl (each with .gz too) or .parquet")
    parser.add_argument("--task", required=True, choices=tuple(TASKS))
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Label a file."""
    from trainer.evaluation.predict import predict_file
    from trainer.run.distributed import World

    World.of_environment().take_gpu()
    predict_file(
        file_predictor(options),
        options.task,
        options.input,
        options.output,
        skip_bad=options.skip_bad,
        columns=options.columns,
        report=tell,
    )
