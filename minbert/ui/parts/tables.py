"""The table beside a figure: the same numbers as text, every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

MOST_CELLS = 24  # rows and columns of a map that a table shows


def fold(summary: str, body: str, css_class: str = "") -> str:
    """Return HTML behind a line that opens it."""
    classes = f"mb-fold {css_class}".strip()
    return f'<details class="{classes}"><summary>{escape(summary)}</summary>{body}</details>'


def table(caption: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of texts under its columns' names; a row's first cell names it."""
    head = "".join(f'<th scope="col">{escape(name)}</th>' for name in names)
    return headed_table(caption, f"<tr>{head}</tr>", rows)


def headed_table(caption: str, head: str, rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose head is HTML made here."""
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


def map_table(
    caption: str,
    corner: str,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float]],
    form: str,
) -> str:
    """Return a map's numbers as a table, the first 24 rows and columns of a large one.

    Args:
        caption: of the table; what is left out is added.
        corner: what rows and columns are.
        rows: R names.
        columns: C names.
        values: R rows of C.
        form: how a number is written, such as ".3f".
    """
    if max(len(rows), len(columns)) > MOST_CELLS:
        caption += (
            f"; the first {min(len(rows), MOST_CELLS)} of {len(rows)} rows and "
            f"{min(len(columns), MOST_CELLS)} of {len(columns)} columns"
        )
    body = [
        [name, *(format(value, form) for value in line[:MOST_CELLS])]
        for name, line in zip(rows[:MOST_CELLS], values[:MOST_CELLS], strict=True)
    ]
    return table(caption, [corner, *columns[:MOST_CELLS]], body)
