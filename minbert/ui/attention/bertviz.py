"""bertviz's head view and model view as a frame inside the page, with no request to anywhere.

bertviz writes a document that fetches require.js, jquery and d3 from a content network, ships its
data twice and puts it into a script unescaped. Here its own script is kept, and around it: jquery
and d3 come inlined from installed packages, a shim of a few lines stands in for require.js, the
data is written once, rounded to 3 decimals and escaped, and layers and heads are counted from 1 as
on the rest of the page. The frame is sandboxed (scripts, no origin) and its policy forbids every
fetch, so a word that somebody typed can neither run nor call out.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import re
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from typing import Any

import torch
from torch import Tensor

from minbert.ui.attention.events import ALL, ONE, Controls, Studio
from minbert.ui.parts.blocks import notice_line
from minbert.ui.parts.texts import file_text

MOST_ENTRIES = {"head": 48, "model": 24}  # words or pieces; each pair of them is a line to draw
DECIMALS = 3
# What the script fetches: nothing. The last two lines of the shim tell the page the height.
POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
STYLE = """
html, #whole { background: #fff; }
body { margin: 0; padding: 8px; overflow-x: auto; overflow-y: hidden; }
body, text { font-family: 'IBM Plex Sans', system-ui, sans-serif; }
select { display: none; } span { font-size: 0; }
#vis svg { display: block; }
html.dark { background: #121212; }
html.dark #whole { filter: invert(.93) hue-rotate(180deg); }
"""
SHIM = """
d3.schemeCategory10 = %s;
const requirejs = (names, ready) => ready(jQuery, d3);
const require = Object.assign(requirejs, {config: () => {}});
"""
TELL_HEIGHT = file_text(__package__, "tell_height.js")
# bertviz's own ten hold the two hues that stand for the poolings on this page.
HEAD_COLOURS = (
    *("#0f766e", "#a855f7", "#65a30d", "#db2777", "#78716c", "#14b8a6"),
    *("#7e22ce", "#b91c1c", "#4d7c0f", "#f472b6", "#475569", "#2dd4bf"),
)
LAYER_COLOURS = HEAD_COLOURS[:1] * 10
# Installed once, when the page opens: a frame of ours may set its own height, and learns the theme.
LISTEN = file_text(__package__, "listen.js")
NO_FRAME = notice_line(["Press a button: bertviz draws what is chosen above, as lines."])


@functools.cache
def libraries() -> str:
    """Return jquery and d3 5 as script elements, from the packages that carry them."""
    scripts = (
        files("xstatic.pkg.jquery") / "data" / "jquery.min.js",
        files("mpld3") / "js" / "d3.v5.min.js",
    )
    texts = [script.read_text(encoding="utf-8") for script in scripts]
    return "".join(f"<script>{in_script(text)}</script>" for text in texts)


def in_script(text: str) -> str:
    r"""Return code or JSON that can't leave its script element: `</` and `<!--` are broken up.

    Inside a string literal, the only place where code has either, `\/` is `/` and `\x3C` is `<`;
    JSON needs `\u003c`, which both read.
    """
    return text.replace("<!--", "\\u003c!--").replace("</", "<\\/")


def head_view(
    weights: Tensor, rows: Sequence[str], columns: Sequence[str], layer: int, head: int
) -> str:
    """Return the document of bertviz's head view of one layer.

    Args:
        weights: (H, R, C).
        rows: R labels, who looks.
        columns: C labels, what is looked at.
        layer: the layer's number, 1 for the lowest.
        head: the one head that is on at first, 1-based; 0: all.
    """
    from bertviz import head_view as drawn

    made = drawn(
        cross_attention=[rounded(weights)[None]],
        decoder_tokens=list(rows),
        encoder_tokens=list(columns),
        heads=[head - 1] if head else None,
        prettify_tokens=False,
        html_action="return",
    )
    return document(made.data, HEAD_COLOURS, include_layers=[layer], layer=layer)


def model_view(weights: Tensor, rows: Sequence[str], columns: Sequence[str]) -> str:
    """Return the document of bertviz's model view: all layers and heads of (L, H, R, C) weights."""
    from bertviz import model_view as drawn

    made = drawn(
        cross_attention=list(rounded(weights)[:, None]),
        decoder_tokens=list(rows),
        encoder_tokens=list(columns),
        prettify_tokens=False,
        display_mode="light",
        html_action="return",
    )
    layers, heads = (list(range(1, count + 1)) for count in weights.shape[:2])
    return document(made.data, LAYER_COLOURS, include_layers=layers, include_heads=heads)


def rounded(weights: Tensor) -> Tensor:
    """Round in float64, where a rounded number is written with no more digits than it has."""
    return torch.round(weights.double(), decimals=DECIMALS)


def document(made: str, colours: Sequence[str], **changes: Any) -> str:  # noqa: ANN401 - any of bertviz's own settings
    """Turn what bertviz wrote into a document that fetches nothing.

    Args:
        made: its HTML: a script element that fetches require.js, a place, a script with the data.
        colours: of heads, or of layers.
        changes: settings to write in place of bertviz's own.

    Raises:
        ValueError: it is built otherwise, so this bertviz is one that nobody here has tried.
    """
    place, start, rest = made.partition('<script type="text/javascript">')
    place, fetched = re.subn(r"<script src=[^>]*></script>", "", place)
    before, marker, after = rest.partition("const params = ")
    script, end, _ = after.rpartition("</script>")
    if not (start and marker and end and fetched == 1):
        raise ValueError(
            "`bertviz` should write one script that begins with its data. Found another "
            "document; install the version that requirements.txt names."
        )
    settings, length = json.JSONDecoder().raw_decode(script)
    settings |= changes
    _, _, code = script[length:].partition("\n")  # the line's rest is the data once more
    data = json.dumps(settings, separators=(",", ":"), allow_nan=False)
    shim = SHIM % json.dumps(colours, allow_nan=False)
    drawing = f"{before}const params = {data};\n{code}"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">'
        f"<style>{STYLE}</style>{libraries()}<script>{shim}</script></head>"
        f'<body><div id="whole">{place}</div><script>{in_script(drawing)}</script>'
        f"<script>\n{TELL_HEIGHT}\n</script></body></html>"
    )


def frame(text: str, title: str) -> str:
    """Return a sandboxed frame of a document, both escaped."""
    return (
        f'<iframe class="mb-frame" title="{escape(title)}" sandbox="allow-scripts" '
        f'srcdoc="{escape(text)}"></iframe>'
    )


def draw_view(studio: Studio, kind: str, first: str, second: str, *controls: Any) -> str:  # noqa: ANN401 - see Controls
    """Draw bertviz's view ('head' or 'model') of what the controls show, in a frame."""
    chosen = Controls(*controls)
    chosen = dataclasses.replace(chosen, view=ONE if kind == "head" else ALL)
    drawn = studio.draw(first, second, chosen)
    view, most = drawn.view, MOST_ENTRIES[kind]
    rows, columns = view.rows[:most], view.columns[:most]
    if not rows or not columns:
        return notice_line(["Nothing is left to draw with these settings."])
    weights = view.weights[..., : len(rows), : len(columns)]
    longest = max(len(view.rows), len(view.columns))
    notes = [f"Of {longest} words or pieces the first {most} are drawn"] * (longest > most)
    name = studio.names.get(chosen.model, chosen.model)
    if kind == "head":
        layer = drawn.result.layers[0] + 1
        text = head_view(weights[0], rows, columns, layer, drawn.head)
        title = f"bertviz head view: {name}, layer {layer}"
        notes.append("Hover a word; click a colour to switch a head, double-click for it alone")
    else:
        text = model_view(weights, rows, columns)
        title = f"bertviz model view: {name}, all layers and heads"
        notes.append("Click a small map to see it large")
    return notice_line([title, *notes]) + frame(text, title)
