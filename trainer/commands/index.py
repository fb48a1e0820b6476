"""The command index; the work is in `trainer.evaluation.index`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import add_data_option, add_machine_options, tell

NAME = "index"
HELP = "index the training sentences for nearest examples"
MODELS = (Path("assets/models/mean"), Path("assets/models/cls"))


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_data_option(parser)
    parser.add_argument("--out", type=Path, help="folder (default: $MINBERT_INDEX, or your cache)")
    parser.add_argument(
        "--models",
        nargs="+",
        type=Path,
        default=MODELS,
        metavar="FOLDER",
        help="default: both in assets/models",
    )
    parser.add_argument("--most", type=int, help="sentences of a task (default: all)")
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Embed the training sentences with every model."""
    from trainer.evaluation.index import build_index

    build_index(
        options.models,
        options.data,
        options.out,
        most=options.most,
        device=options.device,
        report=tell,
    )
