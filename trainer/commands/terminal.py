"""What the commands share: messages, the errors a person can mend, and options of several."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from minbert.device import DEVICES
from minbert.files import descriptor_of
from trainer.data.download import DownloadError
from trainer.publish.errors import PublishError
from trainer.recipes.profiles import PROFILES

if TYPE_CHECKING:
    from minbert.predictor import Predictor

USER_ERRORS = (ValueError, OSError, DownloadError, PublishError)  # each message says what to do
RESULTS = Path("assets/results")
FAST = "fast"
FASTER = {"int8": "Encodes with 8-bit weights.", "bf16": "Encodes in bfloat16."}
NOT_FASTER = "--fast can't help with this model on this processor; encodes in float32."


def tell(message: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


def print_result(text: str, sent: Path | None = None) -> None:
    """Print what a command found.

    Where it also sends a file to standard output, that holds the file alone, and the text goes to
    standard error.
    """
    if sent is not None and descriptor_of(sent) == 1:
        tell(text)
    else:
        sys.stdout.write(text + "\n")


def agree(question: str) -> None:
    """Ask at the terminal, and go on after a yes alone.

    Raises:
        ValueError: another answer, or nobody who could give one.
    """
    sys.stderr.write(f"{question} [y/N] ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip() if sys.stdin else ""
    if answer.lower() not in ("y", "yes"):
        raise ValueError(
            f"The answer should be y. Found {answer!r}, and nothing was done; answer y, or add "
            "--yes to start without being asked."
        )


def default_data() -> Path:
    """Return the folder of the course's files where --data is left out."""
    return Path(os.environ.get("MINBERT_DATA", "data"))


def add_data_option(parser: argparse.ArgumentParser) -> None:
    """Add --data."""
    parser.add_argument(
        "--data",
        type=Path,
        default=default_data(),
        help="folder of the course's files (default: $MINBERT_DATA, else data)",
    )


def add_file_options(parser: argparse.ArgumentParser, endings: str) -> None:
    """Add --model, and the options of a file that is answered row by row."""
    parser.add_argument("--model", required=True, help="folder or Hugging Face id")
    parser.add_argument(
        "--input",
        type=Path,
        required=True,
        help="a table, JSON lines or plain text, also in gzip; or Parquet",
    )
    parser.add_argument(
        "--output",
        type=Path,
        required=True,
        help=f"its ending is its format: {endings}; else tab-separated; - for standard output",
    )
    parser.add_argument(
        "--columns", help="which column is what, as in sentence=review, or sentence=2; or plain"
    )
    parser.add_argument("--skip-bad", action="store_true", help="leave broken rows out, counted")
    parser.add_argument(
        "--backend",
        choices=("auto", "torch", "onnx"),
        default="auto",
        help="what the encoder works in on a CPU; auto: ONNX Runtime",
    )
    parser.add_argument(
        "--fast",
        dest="backend",
        action="store_const",
        const=FAST,
        help="8-bit or bf16 weights, whichever the processor is faster in; a little less exact",
    )


def file_predictor(options: argparse.Namespace) -> Predictor:
    """Load the model that answers a file; with --fast say in which numbers it works."""
    from minbert.predictor import Predictor

    predictor = Predictor.from_pretrained(options.model, options.device, runtime=options.backend)
    if options.backend == FAST:
        tell(FASTER.get(getattr(predictor.backend, "runtime", ""), NOT_FASTER))
    return predictor


def add_results_option(parser: argparse.ArgumentParser) -> None:
    """Add --results."""
    parser.add_argument(
        "--results", type=Path, default=RESULTS, help=f"folder (default: {RESULTS})"
    )


def add_profile_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add --profile, which fits a recipe to a machine."""
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default=default,
        help=f"what changes in the recipe for this machine (default: {default}: "
        + ("nothing)" if default == "report" else "see trainer/recipes/profiles.py)"),
    )


def add_device_option(parser: argparse.ArgumentParser) -> None:
    """Add --device."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add --device and --threads."""
    add_device_option(parser)
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
