"""The command untrained; the work is in `trainer.reproduction.untrained`."""

from __future__ import annotations

import argparse

from trainer.commands.terminal import (
    add_data_option,
    add_machine_options,
    add_profile_option,
    add_results_option,
    tell,
)

NAME = "untrained"
HELP = "score heads that nobody trained"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--seeds", type=int, default=20, help="draws (default: 20)")
    add_profile_option(parser, "cpu")
    add_data_option(parser)
    add_machine_options(parser)
    add_results_option(parser)


def run(options: argparse.Namespace) -> None:
    """Score untrained heads under the baseline's settings."""
    from minbert.device import choose_device
    from trainer.recipes import RECIPES
    from trainer.recipes.profiles import with_profile
    from trainer.reproduction.untrained import untrained_heads

    untrained_heads(
        with_profile(RECIPES["baseline"], options.profile),
        options.data,
        seeds=options.seeds,
        device=choose_device(options.device),
        out=options.results / "untrained-heads.json",
        report=tell,
    )
