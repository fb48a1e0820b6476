"""The apostrophe that keeps a spreadsheet from running a text, put on and taken off again.

A cell that begins with = + - or @ (wide forms included, after any white space) is run as a formula,
unless it is a plain number. An apostrophe in front makes it a text. A text that begins with
apostrophes before such a sign gets one more, so that taking one off always gives what it was.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
OF_DOWNLOADS = ("line", "id"), ("left_out", "problem")  # a download's first and last columns
_NUMBER = re.compile(r"[+-](\d+([.,]\d+)?|[.,]\d+)([eE][+-]?\d+)?", re.ASCII)


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet runs."""
    return "'" + text if _needs_guard(text) else text


def unguarded(cell: str) -> str:
    """Return the text that `guarded` made a cell of."""
    return cell[1:] if cell.startswith("'") and _needs_guard(cell) else cell


def is_download(names: Sequence[str]) -> bool:
    """Say whether a header is that of a file that Batch wrote, whose cells are guarded."""
    first, last = OF_DOWNLOADS
    written = tuple(name.strip().casefold() for name in names)
    return written[: len(first)] == first and written[-len(last) :] == last


def _needs_guard(text: str) -> bool:
    return _would_run(text.lstrip("'"))


def _would_run(text: str) -> bool:
    return text.lstrip().startswith(FORMULA_STARTS) and _NUMBER.fullmatch(text) is None
