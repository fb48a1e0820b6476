"""The command evaluate; the work is in `trainer.evaluation.command`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import add_data_option, add_machine_options, print_result, tell
from trainer.data.course import HAND_WRITTEN, SPLITS

NAME = "evaluate"
HELP = "score a model on a labelled split"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--model", required=True, help="folder or Hugging Face id")
    add_data_option(parser)
    parser.add_argument(
        "--split",
        choices=(*SPLITS[:2], HAND_WRITTEN),
        default="dev",
        help="default: dev; hand-written: word order and statements, from assets/evaluation",
    )
    parser.add_argument(
        "--json", type=Path, help="also write the scores to this file, - for standard output"
    )
    parser.add_argument(
        "--keep-trained", action="store_true", help="keep pairs that the model was trained on"
    )
    parser.add_argument(
        "--mask-demographics",
        action="store_true",
        help="the model reads [MASK] in place of demographic terms, as by the page's switch",
    )
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Score a model and print the table."""
    from trainer.evaluation.command import evaluate

    table = evaluate(
        options.model,
        options.data,
        options.split,
        device=options.device,
        keep_trained=options.keep_trained,
        json_file=options.json,
        masked=options.mask_demographics,
        report=tell,
    )
    print_result(table, options.json)
