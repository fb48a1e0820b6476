"""The command export; the work is in `minbert.storage.sentence_transformers`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import tell

NAME = "export"
HELP = "write a model's encoder for other libraries"
LOADED = 'SentenceTransformer("{0}"), or transformers: AutoModel.from_pretrained("{0}")'


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "model", metavar="MODEL", help="a checkpoint's folder, or a Hugging Face id"
    )
    parser.add_argument(
        "--to", choices=("sentence-transformers",), required=True, help="whose format"
    )
    parser.add_argument("--output", type=Path, required=True, help="folder to write")


def run(options: argparse.Namespace) -> None:
    """Export a model."""
    from minbert.multitask import MultitaskBert
    from minbert.storage.sentence_transformers import save_sentence_transformers

    save_sentence_transformers(MultitaskBert.from_pretrained(options.model), options.output)
    tell(f"The encoder is in {options.output}. Load it: {LOADED.format(options.output)}")
