"""The command bias; the work is in `trainer.evaluation.bias`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import RESULTS, add_machine_options, tell

NAME = "bias"
HELP = "record how far swapped demographic terms spread a model's answers"
OUT = RESULTS / "bias.json"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
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
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Measure one model or two, and write the record."""
    from trainer.evaluation.bias import record_bias

    models = [options.model, *([options.against] if options.against else [])]
    record_bias(models, options.scores, options.out, device=options.device, report=tell)
