"""The command reproduce; the work is in `trainer.reproduction`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer.commands.terminal import (
    add_data_option,
    add_machine_options,
    add_profile_option,
    add_results_option,
    tell,
)
from trainer.recipes import ROWS

NAME = "reproduce"
HELP = "run the rows of the report's tables"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "--rows", nargs="+", choices=tuple(ROWS), metavar="ROW", help=f"of {', '.join(ROWS)}"
    )
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1 (default: 1)")
    add_profile_option(parser, "cpu")
    add_data_option(parser)
    parser.add_argument("--runs", type=Path, default=Path("runs/reproduction"))
    add_machine_options(parser)
    add_results_option(parser)


def run(options: argparse.Namespace) -> None:
    """Run what is missing of the report's tables, and print them."""
    from trainer.reproduction.reproduce import reproduce
    from trainer.reproduction.tables import tables

    if options.seeds < 1:
        raise ValueError(f"`--seeds` should be at least 1. Found {options.seeds}.")
    reproduce(
        options.rows or tuple(ROWS),
        range(options.seeds),
        options.profile,
        data=options.data,
        runs=options.runs,
        results=options.results,
        device_name=options.device,
        report=tell,
    )
    sys.stdout.write(tables(options.results) + "\n")
