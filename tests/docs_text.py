"""What README.md and docs/ say, and their commands and programs: for tests that run them."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
README, RESULTS_PAGE, API = "README.md", "docs/results.md", "docs/api.md"
DOCS = [README, *sorted(f"docs/{path.name}" for path in (ROOT / "docs").glob("*.md"))]


def text_of(page: str) -> str:
    return (ROOT / page).read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    """Return the contents of a page's fenced blocks of one language; "" for those without."""
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", text_of(page), flags=re.MULTILINE | re.DOTALL)
    return [content for kind, content in fenced if kind == language]


def commands(beginning: str) -> list[tuple[str, str]]:
    """Return every command that begins so, each with its page."""
    lines = [
        (page, line.split(" #")[0].strip())
        for page in DOCS
        for block in blocks(page, "sh")
        for line in block.splitlines()
    ]
    return [(page, line) for page, line in lines if line.startswith(beginning)]
