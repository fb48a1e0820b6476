"""The command download."""

from __future__ import annotations

import argparse

from trainer.commands.terminal import tell
from trainer.data.download import download
from trainer.data.treebank_download import download_trees


def run_download(options: argparse.Namespace) -> None:
    """Bring the course's files."""
    download(options.data, report=tell)
    download_trees(options.data, report=tell)
