"""The command bias; the work is in `trainer.evaluation.bias`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

OUT = Path("assets/results/bias.json")


def add_bias_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
) -> argparse.ArgumentParser:
    """Add the command, and return its parser for the options that all commands share."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "bias", help="record how far swapped demographic terms spread a model's answers"
    )
    parser.add_argument("--model", type=Path, required=True, help="a checkpoint's folder")
    parser.add_argument("--against", type=Path, help="a second one, to compare with")
    parser.add_argument(
        "--scores",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="each model's own record or `evaluate --json` file (default: ../result.json of each)",
    )
    parser.add_argument("--out", type=Path, default=OUT, help=f"default: {OUT}")
    parser.set_defaults(command=run_bias)
    return parser


def run_bias(options: argparse.Namespace) -> None:
    """Measure one model or two, and write the record."""
    from trainer.commands.terminal import tell, use_threads
    from trainer.evaluation.bias import record_bias

    use_threads(options.threads)
    models = [options.model, *([options.against] if options.against else [])]
    record_bias(models, options.scores, options.out, device=options.device, report=tell)
