"""The command heads."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from minbert.device import DEVICES
from trainer.evaluation.heads import EXAMPLES, record_heads


def add_heads_parser(commands: Any) -> argparse.ArgumentParser:  # noqa: ANN401 - argparse hides the type
    """Add the command and its options; return its parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "heads", help="record an encoder's attention before fine-tuning"
    )
    parser.add_argument("--encoder", required=True, help="folder or Hugging Face id")
    parser.add_argument("--name", help="the encoder's Hugging Face id, where --encoder is a folder")
    parser.add_argument(
        "--examples", type=Path, default=EXAMPLES, help=f"sentences (default: {EXAMPLES})"
    )
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.set_defaults(command=run_heads)
    return parser


def run_heads(options: argparse.Namespace) -> None:
    """Record what an encoder's heads do before fine-tuning."""
    record_heads(
        options.encoder,
        options.examples,
        options.results / "untuned-heads.json",
        name=options.name,
        device=options.device,
        report=lambda line: sys.stderr.write(line + "\n"),
    )
