"""A page as one HTML file: figures, styles and scripts inside it, no request to anybody.

Plotly's script comes from the installed package. Figures are drawn when they come into view; a
policy in the file's head forbids the browser every request.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import plotly.io
from plotly.offline import get_plotlyjs

from minbert.ui.parts.coloured_words import SCRIPT as WORDS_SCRIPT
from minbert.ui.scripts import POINTING

MOST_BYTES = 9_000_000
HERE = Path(__file__).parent
FONT = '"IBM Plex Sans", system-ui, sans-serif'
POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data: blob:; base-uri 'none'; form-action 'none'"
)
NO_SCRIPT = (
    '<noscript><p class="mb-problem">The figures need JavaScript, which is switched off here; the '
    "words and tables don't.</p><style>[hidden] { display: block !important; }</style></noscript>"
)


@dataclasses.dataclass(frozen=True)
class Additions:
    """What a page has beyond figures and words."""

    policy: str = POLICY  # whom its browser may ask for what
    styles: str = ""  # CSS made by us
    scripts: str = ""  # script elements made by us


PLAIN = Additions()


class Figures:
    """The figures of one page, each with a place to draw it in."""

    def __init__(self) -> None:
        """Begin with none."""
        self.stored: dict[str, dict[str, Any]] = {}

    def place(self, key: str, figure: go.Figure, name: str) -> str:
        """Keep a figure under a key of its own; return its place.

        Args:
            key: an id in the page.
            figure: of a set height.
            name: what a screen reader says instead of it.

        Raises:
            ValueError: the key is taken.
        """
        if key in self.stored:
            raise ValueError(f"`key` should be new. Found {key!r} twice; name one otherwise.")
        self.stored[key] = plain_figure(figure)
        height = self.stored[key]["layout"]["height"]
        return (
            f'<div class="mb-plot" id="{escape(key)}" data-figure style="min-height:{height}px" '
            f'role="img" aria-label="{escape(name)}; its numbers are in a table beside it"></div>'
        )


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain values: without Plotly's own template, and letting a page scroll."""
    drawn: dict[str, Any] = json.loads(figure.to_json())
    drawn["layout"].pop("template", None)  # the page has it once
    drawn["layout"]["font"]["family"] = FONT
    drawn["layout"]["dragmode"] = False  # a finger on a figure moves the page
    return drawn


def chooser(key: str, label: str, panels: Mapping[str, str], opened: int = 0) -> str:
    """Return a list to choose from, and the panels it shows one of.

    Args:
        key: an id in the page.
        label: of the list.
        panels: HTML made by us, by its name in the list.
        opened: the place of the one that is open at first.
    """
    bodies = "".join(
        f'<div data-panel="{escape(key)}"{"" if place == opened else " hidden"}>{html}</div>'
        for place, html in enumerate(panels.values())
    )
    return select(key, label, options(panels, opened), f'data-panels="{escape(key)}"') + bodies


def options(names: Iterable[str], chosen: int = 0) -> str:
    """Return the options of a list, their values counted from 0."""
    return "".join(
        f'<option value="{place}"{" selected" if place == chosen else ""}>{escape(name)}</option>'
        for place, name in enumerate(names)
    )


def select(key: str, label: str, offered: str, more: str = "") -> str:
    """Return a labelled list; `offered` and `more` are HTML made by us."""
    return (
        f'<label class="mb-choose" for="{escape(key)}"><span>{escape(label)}</span>'
        f'<select id="{escape(key)}" {more}>{offered}</select></label>'
    )


def embedded(value: object) -> str:
    """Return a value as JSON that can't end the script element it stands in."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c")


def document(
    title: str,
    body: str,
    figures: Figures,
    data: Mapping[str, object],
    additions: Additions = PLAIN,
) -> str:
    """Return the whole file.

    Args:
        title: of the window.
        body: HTML made by us.
        figures: drawn in their places in the body.
        data: by the id of the script element that the script reads it from.
        additions: none for a page that stands alone.

    Raises:
        ValueError: the file would be larger than 9 MB.
    """
    styles = "".join(
        (HERE / name).read_text(encoding="utf-8") for name in ("../style.css", "page.css")
    )
    template = plotly.io.templates["plotly"].to_plotly_json()
    stored = {
        "figures": figures.stored,
        "template": json.loads(json.dumps(template, allow_nan=False)),
        **data,
    }
    blocks = "".join(
        f'<script type="application/json" id="data-{escape(key)}">{embedded(value)}</script>\n'
        for key, value in stored.items()
    )
    page_script = (HERE / "page.js").read_text(encoding="utf-8")
    script = f"({POINTING})();\n({WORDS_SCRIPT})();\n{page_script}"
    html = (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{additions.policy}">\n'
        '<meta name="color-scheme" content="light dark">\n<link rel="icon" href="data:,">\n'
        f"<title>{escape(title)}</title>\n<style>\n{styles}{additions.styles}</style>\n</head>\n<body>\n"
        f"{NO_SCRIPT}{body}\n{blocks}<script>{get_plotlyjs()}</script>\n"
        f"<script>\n{script}</script>\n{additions.scripts}</body>\n</html>\n"
    )
    size = len(html.encode())
    if size > MOST_BYTES:
        raise ValueError(
            f"The page should have at most {MOST_BYTES:,} bytes. Found {size:,}; shorten "
            "assets/lessons.toml, whose attention maps take most of it."
        )
    return html
