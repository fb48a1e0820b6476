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
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from minbert.browser.runtime import Runtime
    from minbert.ui.static.live import Live
    from minbert.ui.static.sections import Source

ASSETS = Path(__file__).resolve().parents[3] / "assets"
INDEX = "index.html"


def build_static(
    folder: Path, assets: Path = ASSETS, *, live: bool = False, runtime: Runtime | None = None
) -> Path:
    """Write the page of findings into a folder, which is made if need be; return the file.

    Args:
        folder: gets index.html, whole or not at all.
        assets: holds models/mean, models/cls, results and examples.json.
        live: also write the model, its tokenizer and ONNX Runtime Web into `folder`/live, for the
            page to answer what a visitor types.
        runtime: the files of ONNX Runtime Web; None: those that npm fetches.

    Raises:
        CheckpointError: a model or the examples can't be read.
        ValueError: there is no example, the page would be larger than 9 MB, or a tool that `live`
            needs is missing.
    """
    from minbert.files import read_json_list, write_bytes
    from minbert.ui.engine import Engine
    from minbert.ui.static.sections import Source

    examples = read_json_list(assets / "examples.json")
    if not examples:
        raise ValueError(f"{assets / 'examples.json'} should hold an example. Found none.")
    engine = Engine.load(assets / "models", "cpu")
    source = Source(engine, examples, assets / "models", assets / "results")
    path = folder / INDEX
    if not live:
        write_bytes(path, findings(source).encode())
        return path
    from minbert.browser.package import FOLDER, make_package
    from minbert.ui.static.live import make_live

    package = make_package(engine.mean, runtime)
    page = findings(source, make_live(source, package.settings))
    package.write(folder / FOLDER)
    write_bytes(path, page.encode())
    return path


def findings(source: Source, live: Live | None = None) -> str:
    """Return the page as HTML; `live` is the part in which a visitor's browser answers."""
    from minbert.ui.static.attention import attention_data
    from minbert.ui.static.document import PLAIN, Figures, document
    from minbert.ui.static.sections import STILL, TITLE, page_body, sections

    figures = Figures()
    attention = attention_data(source.engine, source.examples)
    parts = sections(source, figures, attention)
    if live is None:
        return document(TITLE, page_body(parts, STILL), figures, {"attention": attention}, PLAIN)
    body = page_body({**live.parts, **parts}, live.told)
    data = {"attention": attention, "live": live.data}
    return document(TITLE, body, figures, data, live.additions)


def make_parser() -> argparse.ArgumentParser:
    """Return the command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m minbert.ui.static", description="Write the findings as one HTML file."
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="gets index.html")
    parser.add_argument(
        "--assets", type=Path, default=ASSETS, metavar="DIR", help="models, results, examples"
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
