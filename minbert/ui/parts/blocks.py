"""Pieces of HTML that several tabs show: cards, findings, notices, meters, progress."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from markupsafe import Markup

from minbert.ui.parts.templates import render


def meter(share: float, css_class: str, label: str) -> str:
    """Return a horizontal bar filled to `share`, readable by a screen reader."""
    width = 100 * min(max(share, 0.0), 1.0)
    return (
        f'<div class="mb-meter {css_class}" role="img" aria-label="{escape(label)}">'
        f'<div class="mb-fill" style="width:{width:.1f}%"></div></div>'
    )


def card(title: str, finding: str, body: str) -> str:
    """Frame one answer; `body` is HTML made here, the other two are text."""
    return (
        f'<section class="mb-card"><h3>{escape(title)}</h3>'
        f'<p class="mb-finding">{escape(finding)}</p>{body}</section>'
    )


def notice_line(notices: Sequence[str]) -> str:
    """Return the token counts and truncation notices."""
    return '<p class="mb-note mb-notice">' + escape(" · ".join(notices)) + "</p>"


def finding_block(
    title: str, lines: Sequence[str], how_to_read: str, more: str = "", *, shown: str = ""
) -> str:
    """Return a finding as a title, and a closed fold of all that explains it.

    Within a figure's place the fold stands below the figure. A message, which explains nothing,
    has its lines in sight.

    Args:
        title: the finding, one line.
        lines: further findings.
        how_to_read: how to read the figure; empty: this is a message.
        more: HTML made by us for the fold, such as the figure's numbers.
        shown: HTML made by us that stands in sight, where it is the figure.
    """
    return render(
        "parts/html/finding.html",
        title=title,
        lines=lines,
        reading=how_to_read,
        more=Markup(more),
        shown=Markup(shown),
    )


def note_block(text: str) -> str:
    """Return a text in small letters."""
    return f'<p class="mb-note">{escape(text)}</p>'


def lead_block(text: str) -> str:
    """Return the text that a tab begins with."""
    return f'<p class="mb-lead">{escape(text)}</p>'


def list_block(items: Iterable[str]) -> str:
    """Return a list; its items are HTML made here."""
    listed = "".join(f"<li>{item}</li>" for item in items)
    return f'<div class="mb-findings"><ul>{listed}</ul></div>'


def sources_block(lines: Iterable[str]) -> str:
    """Return lines that say where numbers come from."""
    return f'<p class="mb-note mb-source">{"<br>".join(map(escape, lines))}</p>'


def progress_block(told: str, share: float) -> str:
    """Return how far something is, in words and as a bar."""
    return (
        f'<div class="mb-findings" role="status"><p>{escape(told)}</p>'
        f"{meter(share, 'mb-progress', told)}</div>"
    )


def problems_block(problems: Sequence[str], title: str = "Some results can't be shown") -> str:
    """Tell which files are missing or broken, and what to run."""
    if not problems:
        return ""
    items = "".join(f"<li>{with_code(problem)}</li>" for problem in problems)
    return (
        f'<div class="mb-problem" role="status"><h3>{with_code(title)}</h3><ul>{items}</ul></div>'
    )


def with_code(message: str) -> str:
    """Return a text as HTML; what it has in backticks is set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(message))
