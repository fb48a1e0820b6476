"""The command label; the work is in `trainer.teacher.label`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import add_machine_options, tell
from trainer.techniques.precision import PRECISIONS

NAME = "label"
HELP = "write a teacher's soft labels for a file"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("teacher", type=Path, metavar="TEACHER", help="folder that `teach` made")
    parser.add_argument(
        "file", type=Path, metavar="FILE", help="a table, or for sentiment the treebank's trees"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="safetensors; begun anew or continued"
    )
    parser.add_argument(
        "--precision",
        choices=PRECISIONS,
        default="auto",
        help="default: auto: bf16 on CUDA, else fp32",
    )
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Label a file."""
    from trainer.teacher.label import label_file

    label_file(
        options.teacher,
        options.file,
        options.output,
        device_name=options.device,
        precision=options.precision,
        report=tell,
    )
