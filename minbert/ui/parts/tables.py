"""The table beside a figure: the same numbers as text, behind a fold, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


def fold(summary: str, body: str) -> str:
    """Return HTML behind a line that opens it."""
    return f'<details class="mb-fold"><summary>{escape(summary)}</summary>{body}</details>'


def table(caption: str, head: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table; `head` is HTML made here, all else is text; a row's first cell names it."""
    body = "".join(
        f'<tr><th scope="row">{escape(row[0])}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in row[1:])
        + "</tr>"
        for row in rows
    )
    return (
        f'<div class="mb-table" role="region" tabindex="0" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead>{head}</thead><tbody>{body}</tbody>"
        "</table></div>"
    )


def simple_head(names: Sequence[str]) -> str:
    """Return one line of column heads."""
    return "<tr>" + "".join(f'<th scope="col">{escape(name)}</th>' for name in names) + "</tr>"


def twin(
    caption: str,
    names: Sequence[str],
    rows: Sequence[Sequence[str]],
    summary: str = "The numbers",
) -> str:
    """Return a figure's numbers as a table behind a fold; a row's first cell names it."""
    return fold(summary, table(caption, simple_head(names), rows))
