"""`python -m trainer`: download, train, evaluate, calibrate, predict, reproduce, publish and more.

Each command loads what it needs when it runs; neither gradio nor plotly is ever loaded.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

from trainer.commands import (
    bias,
    calibrate,
    download,
    embed,
    evaluate,
    export,
    heads,
    index,
    label,
    mine,
    mlm,
    predict,
    publish,
    reproduce,
    tables,
    teach,
    train,
    untrained,
)
from trainer.commands.terminal import USER_ERRORS, tell, use_threads

OFF = ("", "0", "false", "no", "off")  # values of a switch in the environment


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
    *(heads, tables, predict, embed, index, mine, publish, export, bias, teach, label),
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        0; 1 for an error a person can mend, 130 when interrupted, 141 when nobody reads on.
    """
    show_every_character()
    try:
        options = parsed(arguments)
        with stopped_by_sigterm():
            use_threads(getattr(options, "threads", None))
            run: Callable[[argparse.Namespace], None] = options.run
            run(options)
            flush_stdout()
    except BrokenPipeError:  # `| head` has read enough; the shells' own number for it
        drop_stdout()
        return 141
    except USER_ERRORS as error:
        tell(f"error: {error}")
        if os.environ.get("MINBERT_TRACEBACK", "").strip().lower() not in OFF:
            raise
        return 1
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    return 0


def show_every_character() -> None:
    """Print what the terminal's encoding lacks as an escape, as Python does on standard error.

    Otherwise the first such character would lose all that a command found.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")


def parsed(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options; `--help`, which ends the process, may be cut off by `| head` as well."""
    try:
        return make_parser().parse_args(arguments)
    finally:
        flush_stdout()


def flush_stdout() -> None:
    """Write out what was printed; a daemon may have no standard output."""
    if sys.stdout is not None:
        sys.stdout.flush()


@contextlib.contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """Let SIGTERM end the process as an exception does, so that no half-written file stays."""
    alone = threading.current_thread() is threading.main_thread()
    if not alone or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield  # somebody else decides what it does
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def drop_stdout() -> None:
    """Send what is still to be printed nowhere: at its end Python would complain of the pipe."""
    with contextlib.suppress(OSError), Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__.split("\n")[0])
    parsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in COMMANDS:
        added = parsers.add_parser(command.NAME, help=command.HELP)
        command.add_options(added)
        added.set_defaults(run=command.run)
    return parser
