"""The command download; the work is in `trainer.data`."""

from __future__ import annotations

import argparse

from trainer.commands.terminal import add_data_option, tell

NAME = "download"
HELP = "bring the course's files"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_data_option(parser)


def run(options: argparse.Namespace) -> None:
    """Download the course's files and the treebank."""
    from trainer.data.download import download
    from trainer.data.treebank_download import download_trees

    download(options.data, report=tell)
    download_trees(options.data, report=tell)
