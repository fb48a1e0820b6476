"""The command calibrate; the work is in `trainer.evaluation.calibrate`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from trainer.techniques.precision import PRECISIONS


def add_calibrate_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> argparse.ArgumentParser:
    """Add the command, and return its parser for the options that all commands share."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "calibrate", help="fit a model's probabilities on dev, into its config.json"
    )
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint's folder")
    parser.add_argument("--data", type=Path, default=data_default, help=data_help)
    parser.add_argument("--seed", type=int, default=0, help="of the folds (default: 0)")
    parser.add_argument("--json", type=Path, help="also write the record to this file")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the encoder: auto is bf16 on CUDA, else fp32 (default: auto)",
    )
    parser.set_defaults(command=run_calibrate)
    return parser


def run_calibrate(options: argparse.Namespace) -> None:
    """Calibrate as the options say, and print the table."""
    from trainer.commands.terminal import tell, use_threads
    from trainer.evaluation.calibrate import calibrate

    use_threads(options.threads)
    table = calibrate(
        options.model,
        options.data,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        json_file=options.json,
        report=tell,
    )
    sys.stdout.write(table + "\n")
