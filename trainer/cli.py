"""`python -m trainer`: download, train, evaluate, calibrate, predict, reproduce, publish and more.

Each command loads what it needs when it runs; neither gradio nor plotly is ever loaded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from typing import Protocol

from trainer.commands import (
    bias,
    calibrate,
    download,
    evaluate,
    heads,
    index,
    mine,
    mlm,
    predict,
    publish,
    reproduce,
    tables,
    train,
    untrained,
)
from trainer.commands.terminal import USER_ERRORS, tell, use_threads


class Command(Protocol):
    """The form of a module in trainer/commands/."""

    NAME: str
    HELP: str  # the line in the list of commands

    def add_options(self, parser: argparse.ArgumentParser) -> None:
        """Add the command's options."""

    def run(self, options: argparse.Namespace) -> None:
        """Do what the options ask for."""


COMMANDS: tuple[Command, ...] = (
    *(download, train, mlm, evaluate, calibrate, reproduce, untrained),
    *(heads, tables, predict, index, mine, publish, bias),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for an error a person can mend, or 130 when interrupted."""
    options = make_parser().parse_args(arguments)
    try:
        use_threads(getattr(options, "threads", None))
        run: Callable[[argparse.Namespace], None] = options.run
        run(options)
    except USER_ERRORS as error:
        tell(f"error: {error}")
        if os.environ.get("MINBERT_TRACEBACK"):
            raise
        return 1
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__.split("\n")[0])
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        added = parsers.add_parser(command.NAME, help=command.HELP)
        command.add_options(added)
        added.set_defaults(run=command.run)
    return parser
