"""The page of findings as a file: `build_static` writes it, `findings` returns its HTML."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from minbert import ASSETS

if TYPE_CHECKING:
    from minbert.browser.runtime import Runtime
    from minbert.ui.static.live import Live
    from minbert.ui.static.sections import Source

INDEX = "index.html"


def build_static(
    folder: Path, assets: Path = ASSETS, *, live: bool = False, runtime: Runtime | None = None
) -> Path:
    """Write the page of findings into a folder, which is made if need be; return the file.

    Args:
        folder: gets index.html, whole or not at all.
        assets: holds models/mean, models/cls, results and lessons.toml.
        live: also write the model, its tokenizer and ONNX Runtime Web into `folder`/live, for the
            page to answer what a visitor types.
        runtime: the files of ONNX Runtime Web; None: those that npm fetches.

    Raises:
        CheckpointError: a model can't be read.
        ValueError: the lessons can't be read, the page would be larger than 9 MB, or a tool that
            `live` needs is missing.
    """
    from minbert.files import write_bytes
    from minbert.lessons import FILE, read_lessons
    from minbert.ui.engine import Engine
    from minbert.ui.static.sections import Source

    lessons = read_lessons(assets / FILE)
    engine = Engine.load(assets / "models", "cpu")
    source = Source(engine, lessons, assets / "models", assets / "results")
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
    attention = attention_data(source.engine, source.lessons)
    parts = sections(source, figures, attention)
    if live is None:
        return document(TITLE, page_body(parts, STILL), figures, {"attention": attention}, PLAIN)
    body = page_body({**live.parts, **parts}, live.told)
    data = {"attention": attention, "live": live.data}
    return document(TITLE, body, figures, data, live.additions)
