"""From bytes, or a pasted text, to lines that are counted as an editor counts them."""

from __future__ import annotations

import io
from collections.abc import Iterator


class BatchError(ValueError):
    """A file that can't be answered as a whole; the message is for the person who brought it."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say why, and in which line (1-based) where it is one line's fault."""
        super().__init__(reason if line is None else f"Line {line}: {reason}")
        self.reason = reason
        self.line = line


def decoded(content: bytes | str, most_bytes: int) -> str:
    """Return what was brought as text, without its byte order mark.

    Raises:
        BatchError: more bytes than `most_bytes`, or bytes that aren't text in UTF-8.
    """
    raw = _encoded(content) if isinstance(content, str) else content
    if len(raw) > most_bytes:
        raise BatchError(f"The file should have at most {most_bytes:,} bytes. Found {len(raw):,}.")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode()
        reason = "the file should be text in UTF-8; here it isn't. Save it as CSV UTF-8."
        raise BatchError(reason, _line_after(before)) from None
    if "\0" in text:
        reason = "the file should be text. Found a zero byte."
        raise BatchError(reason, _line_after(text[: text.index("\0")]))
    return text


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half an emoji, say, becomes the replacement character
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _line_after(before: str) -> int:
    """Return the 1-based line where a text goes on after `before`."""
    return before.count("\n") + before.replace("\r\n", "").count("\r") + 1


class Lines:
    """The lines of a text, counted; those of the row being read are remembered."""

    def __init__(self, text: str) -> None:
        """Begin before the first line."""
        self._source = io.StringIO(text, newline="")  # ends lines at \n, \r\n and \r, keeps them
        self.number = 0  # of the last line given
        self.row: list[str] = []
        self.ended = False

    def __iter__(self) -> Iterator[str]:
        """Return itself: lines are given once."""
        return self

    def __next__(self) -> str:
        """Return the next line with its line break."""
        line = self._source.readline()
        if not line:
            self.ended = True
            raise StopIteration
        self.number += 1
        self.row.append(line)
        return line
