"""The command mine: a file of hard negatives for paraphrase, made from the training files."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from trainer.data.hard_negatives import write_mined
from trainer.techniques.precision import PRECISIONS


def add_mine_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> argparse.ArgumentParser:
    """Add the command, and return its parser for the options that all commands share."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "mine", help="make hard negatives for paraphrase from the training files"
    )
    parser.add_argument("--data", type=Path, default=data_default, help=data_help)
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
    parser.set_defaults(command=run_mine)
    return parser


def run_mine(options: argparse.Namespace) -> None:
    """Write the file of mined pairs."""
    from trainer.commands.terminal import tell, use_threads

    use_threads(options.threads)
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
