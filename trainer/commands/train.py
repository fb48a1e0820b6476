"""The command train; the work is in `trainer.run`."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from trainer.commands.terminal import (
    add_data_option,
    add_machine_options,
    add_profile_option,
    tell,
)
from trainer.config import TrainConfig
from trainer.options import add_setting_options, chosen_settings
from trainer.recipes import CHAINS, RECIPES
from trainer.recipes.profiles import changes_of, with_profile

NAME = "train"
HELP = "train a recipe, or continue a run"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    recipes = (*CHAINS, *RECIPES)
    parser.add_argument("recipe", choices=recipes, metavar="RECIPE", help=", ".join(recipes))
    add_data_option(parser)
    add_profile_option(parser, "report")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/RECIPE-SEED)")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    add_machine_options(parser)
    add_setting_options(parser, TrainConfig)


def run(options: argparse.Namespace) -> None:
    """Train a recipe of one run or of several stages."""
    model = (run_chain if options.recipe in CHAINS else run_recipe)(options)
    tell(f"The model is in {model}")


def run_recipe(options: argparse.Namespace) -> Path:
    """Train a recipe of one run; return the model's folder."""
    from trainer.run.train import train

    recipe = RECIPES[options.recipe]
    if changes := changes_of(recipe, options.profile):
        tell(f"Profile {options.profile} changes: {changes}")
    config = dataclasses.replace(with_profile(recipe, options.profile), **chosen_settings(options))
    return train(
        config,
        options.data,
        options.out or Path("runs") / f"{config.name}-{config.seed}",
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )


def run_chain(options: argparse.Namespace) -> Path:
    """Train a recipe of several stages; return the model's folder."""
    from trainer.run.chain import train_chain

    if options.profile != "report":
        raise ValueError(
            f"`--profile` goes with recipes of one run. Found {options.profile!r} with "
            f"{options.recipe}, which is made for two CPU cores as it is; leave it out."
        )
    chain = CHAINS[options.recipe].changed(**chosen_settings(options))
    return train_chain(
        chain,
        options.data,
        options.out or Path("runs") / f"{chain.name}-{chain.stages[0].config.seed}",
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
