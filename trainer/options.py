"""One command-line option for each setting of a run, made from the settings' own fields."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Callable
from typing import Any

from trainer.config import MlmConfig, TeachConfig, TrainConfig

OWN_ARGUMENTS = ("name", "task")  # given otherwise than by an option


def add_setting_options(
    parser: argparse.ArgumentParser,
    config: type[TrainConfig] | type[MlmConfig] | type[TeachConfig],
) -> None:
    """Add one option for each field of `config`, to change what the recipe says."""
    group = parser.add_argument_group(
        "settings", "each changes what the recipe says; a default is what stands where it is silent"
    )
    for field in dataclasses.fields(config):
        if field.name in OWN_ARGUMENTS:
            continue
        kind = type(field.default)
        default = "none" if field.default == "" else field.default
        parse: Callable[[str], Any] = parse_switch if kind is bool else kind
        group.add_argument(
            "--" + field.name.replace("_", "-"),
            dest=f"setting_{field.name}",
            type=parse,
            choices=field.metadata["choices"] or None,
            metavar=setting_metavar(field.metadata["choices"], kind),
            help=f"{field.metadata['help']} (default: {default})".replace("%", "%%"),
        )


def setting_metavar(choices: tuple[str, ...], kind: type) -> str:
    """Say in the help what a setting takes: its choices, yes or no, or a kind of value."""
    if choices:
        return "|".join(choices)
    return "yes|no" if kind is bool else kind.__name__.upper()


def parse_switch(text: str) -> bool:
    """Read yes or no.

    Raises:
        argparse.ArgumentTypeError: anything else.
    """
    if text not in ("yes", "no"):
        raise argparse.ArgumentTypeError(f"should be yes or no, found {text!r}")
    return text == "yes"


def chosen_settings(options: argparse.Namespace) -> dict[str, Any]:
    """Return the settings given on the command line."""
    return {
        name.removeprefix("setting_"): value
        for name, value in vars(options).items()
        if name.startswith("setting_") and value is not None
    }


def as_arguments(settings: dict[str, Any]) -> list[str]:
    """Return the command line's words for settings, the way back from `chosen_settings`."""
    words = {True: "yes", False: "no"}
    return [
        f"--{name.replace('_', '-')}={words[value] if isinstance(value, bool) else value}"
        for name, value in settings.items()
    ]
