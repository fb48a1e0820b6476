"""The command mlm; the work is in `trainer.run.mlm`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import add_data_option, add_machine_options, tell
from trainer.config import MlmConfig
from trainer.options import add_setting_options, chosen_settings

NAME = "mlm"
HELP = "train an encoder on as a masked language model"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_data_option(parser)
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    add_machine_options(parser)
    add_setting_options(parser, MlmConfig)


def run(options: argparse.Namespace) -> None:
    """Train an encoder on as a masked language model."""
    from trainer.run.mlm import train_mlm

    model = train_mlm(
        MlmConfig(**chosen_settings(options)),
        options.data,
        options.out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The encoder is in {model}")
