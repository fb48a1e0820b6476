"""The command teach; the work is in `trainer.teacher.teach`."""

from __future__ import annotations

import argparse
import math
from pathlib import Path

from minbert.tasks import TASKS
from trainer.commands.terminal import add_machine_options, tell
from trainer.config import TeachConfig
from trainer.options import add_setting_options, chosen_settings

NAME = "teach"
HELP = "fine-tune any encoder as a teacher of one task"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("task", choices=tuple(TASKS), metavar="TASK", help=", ".join(TASKS))
    parser.add_argument(
        "--train",
        type=Path,
        nargs="+",
        required=True,
        metavar="FILE",
        help="tables of the task with labels, or for sentiment the treebank's trees",
    )
    parser.add_argument("--dev", type=Path, required=True, metavar="FILE", help="what is scored")
    parser.add_argument("--output", type=Path, required=True, help="folder of the teacher")
    parser.add_argument("--resume", action="store_true", help="continue what is in --output")
    parser.add_argument(
        "--minutes", type=float, default=math.inf, help="stop at a safe point (default: no limit)"
    )
    parser.add_argument(
        "--save-minutes", type=float, default=10.0, help="between safe points (default: 10)"
    )
    add_machine_options(parser)
    add_setting_options(parser, TeachConfig)


def run(options: argparse.Namespace) -> None:
    """Fine-tune a teacher."""
    from trainer.teacher.teach import Limits, teach

    finished = teach(
        TeachConfig(task=options.task, **chosen_settings(options)),
        options.train,
        options.dev,
        options.output,
        resume=options.resume,
        limits=Limits(options.minutes, options.save_minutes),
        device_name=options.device,
        report=tell,
    )
    if finished:
        tell(f"The teacher is in {options.output}")
