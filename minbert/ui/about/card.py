"""The model card's Markdown as HTML of our own making: every text escaped, no link, no image.

Differs from Markdown: a link or an image is its label alone, so that the page asks nobody for
anything; nested lists and quotes are plain lines.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape

from minbert.ui.parts.blocks import list_block
from minbert.ui.parts.tables import fold, table

HEADING = re.compile(r"#{1,6} .*")
ITEM = re.compile(r"\s*(?:[-*+]|\d+[.)])\s+(.*)")
LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()]*\)")
CODE = re.compile(r"(`[^`]+`)")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
RULE = re.compile(r"\|?[\s:|-]+\|?")  # the line below a table's head


def card_html(markdown: str) -> str:
    """Return a model card as HTML; its first two levels of heading begin sections, in folds."""
    parts = list[str]()
    sections = {"": parts}
    for kind, lines in blocks(markdown):
        if kind == "heading":
            marks, _, name = lines[0].partition(" ")
            if len(marks) > 2:
                parts.append(f'<h4 class="mb-group">{escape(plain(name))}</h4>')
            else:
                parts = sections.setdefault(plain(name), [])
        elif kind == "items":
            parts.append(list_block(map(inline, joined_items(lines))))
        elif kind == "table":
            parts.append(table_html(lines))
        elif kind == "code":
            parts.append(f"<pre>{escape(chr(10).join(lines))}</pre>")
        else:
            parts.append(f"<p>{inline(' '.join(line.strip() for line in lines))}</p>")
    return "".join(
        fold(name, "".join(parts)) if name else "".join(parts) for name, parts in sections.items()
    )


def blocks(markdown: str) -> Iterable[tuple[str, list[str]]]:
    """Yield the card's blocks as kind and lines; its YAML head and comments are left out."""
    body = re.sub(r"\A---\n.*?\n---\n", "", markdown.replace("\r\n", "\n"), flags=re.DOTALL)
    lines = re.sub(r"<!--.*?-->", "", body, flags=re.DOTALL).split("\n")
    kind, block = "", list[str]()
    for line in lines:
        fence = line.lstrip().startswith("```")
        now = "code" if kind == "code" and not fence else kind_of_line(line, kind)
        if block and (fence or now != kind or now == "heading"):
            yield kind, block
            block = []
        if fence:
            kind = "" if kind == "code" else "code"
            continue
        kind = now
        if now:
            block.append(line)
    if block:
        yield kind, block


def kind_of_line(line: str, before: str) -> str:
    """Name the block that a line is in, after a line of the block `before`."""
    if not line.strip():
        return ""
    if HEADING.fullmatch(line):
        return "heading"
    if line.startswith("|"):
        return "table"
    return "items" if ITEM.fullmatch(line) or before == "items" else "paragraph"


def joined_items(lines: Iterable[str]) -> list[str]:
    """Return a list's items, each with the lines that continue it."""
    items: list[str] = []
    for line in lines:
        found = ITEM.fullmatch(line)
        if found:
            items.append(found[1].strip())
        else:
            items[-1] += f" {line.strip()}"
    return items


def table_html(lines: Sequence[str]) -> str:
    """Return a table; its caption is what its columns tell."""
    kept = [line.strip().strip("|") for line in lines if not RULE.fullmatch(line.strip())]
    if not kept:
        return ""
    head, *body = ([plain(cell) for cell in line.split("|")] for line in kept)
    width = len(head)
    padded = [[*row, *[""] * width][:width] for row in body]
    return table(f"{head[0]} by {', '.join(head[1:])}", head, padded)


def plain(text: str) -> str:
    """Return Markdown's text without its marks."""
    return LINK.sub(r"\1", text).replace("**", "").replace("`", "").strip()


def inline(text: str) -> str:
    """Return a line of Markdown as HTML: code and bold are kept, a link is its label."""
    parts = CODE.split(LINK.sub(r"\1", text))
    return "".join(
        f"<code>{escape(part[1:-1])}</code>"
        if CODE.fullmatch(part)
        else BOLD.sub(r"<strong>\1</strong>", escape(part))
        for part in parts
    )
