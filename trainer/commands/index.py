"""The command index; the work is in `trainer.evaluation.index`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any


def add_index_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> argparse.ArgumentParser:
    """Add the command, and return its parser for the options that all commands share."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "index", help="index the training sentences for nearest examples"
    )
    parser.add_argument("--data", type=Path, default=data_default, help=data_help)
    parser.add_argument("--out", type=Path, help="folder (default: $MINBERT_INDEX, or your cache)")
    parser.add_argument(
        "--models", nargs="+", type=Path, metavar="FOLDER", help="default: both in assets/models"
    )
    parser.add_argument("--most", type=int, help="sentences of a task (default: all)")
    parser.set_defaults(command=run_index)
    return parser


def run_index(options: argparse.Namespace) -> None:
    """Embed the training sentences with every model."""
    from trainer.commands.terminal import tell, use_threads
    from trainer.evaluation.index import MODELS, build_index

    use_threads(options.threads)
    build_index(
        options.models or MODELS,
        options.data,
        options.out,
        most=options.most,
        device=options.device,
        report=tell,
    )
