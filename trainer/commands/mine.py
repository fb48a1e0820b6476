"""The command mine; the work is in `trainer.data.hard_negatives`."""

from __future__ import annotations

import argparse

from trainer.commands.terminal import add_data_option, add_machine_options, tell
from trainer.techniques.precision import PRECISIONS

NAME = "mine"
HELP = "make hard negatives for paraphrase from the training files"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_data_option(parser)
    parser.add_argument(
        "--encoder",
        default="sentence-transformers/all-MiniLM-L6-v2",
        help="Hugging Face id or folder of the BERT that tells near from far",
    )
    parser.add_argument("--size", type=int, default=60_000, help="most pairs (default: 60000)")
    parser.add_argument(
        "--nearest", type=int, default=20, help="a partner comes from so many (default: 20)"
    )
    parser.add_argument(
        "--ceiling", type=float, default=0.85, help="least cosine that is too near (default: .85)"
    )
    parser.add_argument("--seed", type=int, default=0, help="default: 0")
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="of the embeddings (default: auto: bf16 on CUDA, else fp32)",
    )
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Write the file of mined pairs."""
    from trainer.data.hard_negatives import write_mined

    write_mined(
        options.data,
        options.encoder,
        size=options.size,
        nearest=options.nearest,
        ceiling=options.ceiling,
        seed=options.seed,
        device=options.device,
        precision=options.precision,
        report=tell,
    )
