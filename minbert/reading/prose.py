"""Files of other kinds that look like one sentence a line: recognised by how they begin."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from minbert.reading.lines import ReadError
from minbert.reading.shape import Numbered

WANTED = "the file should be a table or plain text."
OTHERS = {  # how the first line begins: what the file is, what to do
    r"<!doctype|<html[ >]": ("a web page", "Save the table as CSV"),
    r"<\?xml|<workbook[ >]": ("XML", "Save the table as CSV"),
    r"\{\\rtf": ("rich text", "Save it as plain text"),
    r"%PDF-": ("a PDF", "Copy its text into a plain file"),
    r"version https://git-lfs\.github\.com/spec/": (
        "a pointer of Git LFS",
        "Fetch the file itself with `git lfs pull`",
    ),
}


def check_prose(sample: Sequence[Numbered]) -> None:
    """Check that a file without columns is plain text.

    Args:
        sample: its first lines that hold text, with their numbers.

    Raises:
        ReadError: it is of another kind.
    """
    number, line = sample[0]
    for begins, (kind, step) in OTHERS.items():
        if re.match(begins, line.strip().lstrip("\ufeff"), re.IGNORECASE):
            raise ReadError(
                f"the file should be a table or plain text. Found {kind}. {step}.", number
            )
    if is_json("".join(line for _, line in sample)) or all(is_json(line) for _, line in sample):
        step = "Save it as CSV, or as JSON lines: an object a line"
        raise ReadError(f"{WANTED} Found JSON. {step}.", number)


def is_json(text: str) -> bool:
    """Say whether a text is a JSON object or list, whole or cut off after its first entries."""
    text = text.strip()
    if re.match(r"\[\s*[\[{\"\d]|\{\s*\"", text) is None:
        return False
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.pos >= len(text) - 1  # it goes on past what was looked at
    except RecursionError:
        return True
    return True
