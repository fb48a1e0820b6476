"""The commands train and mlm."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path

from trainer.commands.terminal import tell, use_threads
from trainer.config import MlmConfig
from trainer.options import chosen_settings
from trainer.recipes import CHAINS, RECIPES
from trainer.recipes.profiles import PROFILES, changes_of, with_profile


def add_profile_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option that fits a recipe to a machine."""
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default=default,
        help=f"what changes in the recipe for this machine (default: {default}: "
        + ("nothing)" if default == "report" else "see trainer/recipes/profiles.py)"),
    )


def run_train(options: argparse.Namespace) -> None:
    """Train a recipe."""
    from trainer.run.train import train

    use_threads(options.threads)
    if options.recipe in CHAINS:
        run_train_chain(options)
        return
    recipe = RECIPES[options.recipe]
    if changes := changes_of(recipe, options.profile):
        tell(f"Profile {options.profile} changes: {changes}")
    config = dataclasses.replace(with_profile(recipe, options.profile), **chosen_settings(options))
    out = options.out or Path("runs") / f"{config.name}-{config.seed}"
    model = train(
        config,
        options.data,
        out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The model is in {model}")


def run_train_chain(options: argparse.Namespace) -> None:
    """Train a recipe of several stages."""
    from trainer.run.chain import train_chain

    if options.profile != "report":
        raise ValueError(
            f"`--profile` goes with recipes of one run. Found {options.profile!r} with "
            f"{options.recipe}, which is made for two CPU cores as it is; leave it out."
        )
    chain = CHAINS[options.recipe].changed(**chosen_settings(options))
    out = options.out or Path("runs") / f"{chain.name}-{chain.stages[0].config.seed}"
    model = train_chain(
        chain,
        options.data,
        out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The model is in {model}")


def run_mlm(options: argparse.Namespace) -> None:
    """Train an encoder on as a masked language model."""
    from trainer.run.mlm import train_mlm

    use_threads(options.threads)
    model = train_mlm(
        MlmConfig(**chosen_settings(options)),
        options.data,
        options.out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The encoder is in {model}")
