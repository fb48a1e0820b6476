"""What all commands share: errors, messages, options of the machine."""

from __future__ import annotations

import argparse
import sys

from minbert.device import DEVICES
from trainer.data.download import DownloadError
from trainer.publish.errors import PublishError

USER_ERRORS = (ValueError, OSError, DownloadError, PublishError)  # each message says what to do


def tell(message: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where to compute."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own choice)")


def use_threads(count: int | None) -> None:
    """Set torch's CPU threads, where a number is given.

    Raises:
        ValueError: a number below 1.
    """
    if count is None:
        return
    if count < 1:
        raise ValueError(f"`--threads` should be at least 1. Found {count}.")
    import torch

    torch.set_num_threads(count)
