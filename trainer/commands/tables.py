"""The command tables; the work is in `trainer.reproduction.tables`."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from trainer.commands.terminal import add_results_option

NAME = "tables"
HELP = "print the tables of what was reproduced"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--readme", type=Path, help="also write them into this file's marked part")
    add_results_option(parser)


def run(options: argparse.Namespace) -> None:
    """Print the reproduced tables as Markdown."""
    from trainer.reproduction.tables import tables, write_into_readme

    markdown = tables(options.results)
    if options.readme:
        write_into_readme(options.readme, markdown)
    sys.stdout.write(markdown + "\n")
