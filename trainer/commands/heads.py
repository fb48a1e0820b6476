"""The command heads; the work is in `trainer.evaluation.heads`."""

from __future__ import annotations

import argparse
from pathlib import Path

from minbert import ASSETS
from trainer.commands.terminal import add_device_option, add_results_option, tell

NAME = "heads"
HELP = "record an encoder's attention before fine-tuning"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--encoder", required=True, help="folder or Hugging Face id")
    parser.add_argument("--name", help="the encoder's Hugging Face id, where --encoder is a folder")
    parser.add_argument(
        "--examples",
        type=Path,
        default=ASSETS / "lessons.toml",
        help="lessons, or a JSON list of sentences (default: the page's lessons)",
    )
    add_device_option(parser)
    add_results_option(parser)


def run(options: argparse.Namespace) -> None:
    """Record what an encoder's heads do before fine-tuning."""
    from trainer.evaluation.heads import record_heads

    record_heads(
        options.encoder,
        options.examples,
        options.results / "untuned-heads.json",
        name=options.name,
        device=options.device,
        report=tell,
    )
