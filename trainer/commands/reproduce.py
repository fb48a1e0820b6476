"""The commands reproduce, untrained and tables."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from trainer.commands.heads import add_heads_parser
from trainer.commands.terminal import add_machine_options, tell, use_threads
from trainer.commands.train import add_profile_option
from trainer.recipes import RECIPES, ROWS
from trainer.recipes.profiles import with_profile

RESULTS = Path("assets/results")


def add_reproduction_parsers(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> None:
    """Add the commands around the report's tables."""
    reproduce = commands.add_parser("reproduce", help="run the rows of the report's tables")
    reproduce.add_argument(
        "--rows", nargs="+", choices=tuple(ROWS), metavar="ROW", help=f"of {', '.join(ROWS)}"
    )
    reproduce.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1 (default: 1)")
    add_profile_option(reproduce, "cpu")
    reproduce.add_argument("--data", type=Path, default=data_default, help=data_help)
    reproduce.add_argument("--runs", type=Path, default=Path("runs/reproduction"))
    add_machine_options(reproduce)
    reproduce.set_defaults(command=run_reproduce)

    untrained = commands.add_parser("untrained", help="score heads that nobody trained")
    untrained.add_argument("--seeds", type=int, default=20, help="draws (default: 20)")
    add_profile_option(untrained, "cpu")
    untrained.add_argument("--data", type=Path, default=data_default, help=data_help)
    add_machine_options(untrained)
    untrained.set_defaults(command=run_untrained)

    heads = add_heads_parser(commands)
    tables = commands.add_parser("tables", help="print the tables of what was reproduced")
    tables.add_argument("--readme", type=Path, help="also write them into this file's marked part")
    for command in (reproduce, untrained, heads, tables):
        command.add_argument(
            "--results", type=Path, default=RESULTS, help=f"folder (default: {RESULTS})"
        )
    tables.set_defaults(command=run_tables)


def run_reproduce(options: argparse.Namespace) -> None:
    """Run what is missing of the report's tables, and print them."""
    from trainer.reproduction.reproduce import reproduce
    from trainer.reproduction.tables import tables

    use_threads(options.threads)
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


def run_untrained(options: argparse.Namespace) -> None:
    """Score untrained heads under the baseline's settings."""
    from minbert.device import choose_device
    from trainer.reproduction.untrained import untrained_heads

    use_threads(options.threads)
    untrained_heads(
        with_profile(RECIPES["baseline"], options.profile),
        options.data,
        seeds=options.seeds,
        device=choose_device(options.device),
        out=options.results / "untrained-heads.json",
        report=tell,
    )


def run_tables(options: argparse.Namespace) -> None:
    """Print the reproduced tables as Markdown."""
    from trainer.reproduction.tables import tables, write_into_readme

    markdown = tables(options.results)
    if options.readme:
        write_into_readme(options.readme, markdown)
    sys.stdout.write(markdown + "\n")
