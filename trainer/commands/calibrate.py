"""The command calibrate; the work is in `trainer.evaluation.calibrate`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import add_data_option, add_machine_options, print_result, tell
from trainer.techniques.precision import PRECISIONS

NAME = "calibrate"
HELP = "fit a model's probabilities on dev, into its config.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint's folder")
    add_data_option(parser)
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default: 0)")
    parser.add_argument(
        "--json", type=Path, help="also write the record to this file, - for standard output"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the encoder: auto is bf16 on CUDA, else fp32 (default: auto)",
    )
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Calibrate as the options say, and print the table."""
    from trainer.evaluation.calibrate import calibrate

    table = calibrate(
        options.model,
        options.data,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        json_file=options.json,
        report=tell,
    )
    print_result(table, options.json)
