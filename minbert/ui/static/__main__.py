"""The findings as one HTML file: `python -m minbert.ui.static --out DIR`.

DIR/index.html opens by a double click, offline, and DIR can be uploaded as a static Space. With
`--live` the model itself lies in DIR/live, and the page, from a server, lets a visitor's browser
answer sentences of their own.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from minbert import ASSETS
from minbert.ui.static.build import build_static


def make_parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m minbert.ui.static", description="Write the findings as one HTML file."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets index.html")
    parser.add_argument(
        "--assets", type=Path, default=ASSETS, metavar="DIR", help="models, results, lessons"
    )
    parser.add_argument(
        "--space", action="store_true", help="also write the README.md of a static Space"
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="also put the model beside the page, to answer in the visitor's browser (needs npm)",
    )
    parser.add_argument(
        "--model-repo", metavar="USER/NAME", help="a published model that the README names"
    )
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Write what the options ask for, and tell where and how large; return the exit status."""
    options = make_parser().parse_args(arguments)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # read when gradio is imported
    try:
        path = build_static(options.out, options.assets, live=options.live)
        if options.space:
            from minbert.ui.static.space import write_space_readme

            write_space_readme(options.out, options.model_repo, live=options.live)
    except (OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    files = [path, *sorted((path.parent / "live").iterdir())] if options.live else [path]
    for each in files:
        sys.stdout.write(f"{each}: {each.stat().st_size / 1e6:.1f} MB\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
