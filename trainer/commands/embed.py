"""The command embed; the work is in `trainer.evaluation.embed`."""

from __future__ import annotations

import argparse

from trainer.commands.terminal import add_file_options, add_machine_options, file_predictor, tell

NAME = "embed"
HELP = "write the embedding of each sentence of a file"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_file_options(parser, ".tsv, .csv, .jsonl (each with .gz too), .parquet or .npy")
    parser.add_argument("--normalise", action="store_true", help="make each embedding's length 1")
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Embed a file."""
    from trainer.evaluation.embed import embed_file
    from trainer.run.distributed import World

    World.of_environment().take_gpu()
    embed_file(
        file_predictor(options),
        options.input,
        options.output,
        normalise=options.normalise,
        skip_bad=options.skip_bad,
        columns=options.columns,
        report=tell,
    )
