"""From bytes or a pasted text to lines that are counted as an editor counts them.

`minbert.reading.files` gives those of a file.
"""

from __future__ import annotations

import codecs
import io
from collections.abc import Callable, Iterable, Iterator

Source = Callable[[], Iterable[str]]  # gives the lines, line breaks kept, from the first one anew


class ReadError(ValueError):
    """A file that can't be read as a whole; the message is for the person who brought it."""

    def __init__(self, reason: str, line: int | None = None) -> None:
        """Say why, and in which line (1-based) where it is one line's fault."""
        super().__init__(reason if line is None else f"Line {line}: {reason}")
        self.reason = reason
        self.line = line


def encoding_of(start: bytes) -> str:
    """Return the encoding that a file's first bytes tell: UTF-16 by its mark, else UTF-8."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def decoded(content: bytes | str, most_bytes: int) -> str:
    """Return what was brought as text, without its byte order mark.

    Raises:
        ReadError: more bytes than `most_bytes`, or bytes that aren't text in UTF-8, or in UTF-16
            with its mark.
    """
    raw = _encoded(content) if isinstance(content, str) else content
    if len(raw) > most_bytes:
        raise ReadError(f"The file should have at most {most_bytes:,} bytes. Found {len(raw):,}.")
    encoding = encoding_of(raw)
    try:
        text = raw.decode(encoding)
    except UnicodeDecodeError as error:
        before = error.object[: error.start].decode(encoding, "replace")
        reason = "the file should be text in UTF-8; here it isn't. Save it as CSV UTF-8."
        raise ReadError(reason, _line_after(before)) from None
    if "\0" in text:
        reason = "the file should be text. Found a zero byte. Save it as CSV UTF-8."
        raise ReadError(reason, _line_after(text[: text.index("\0")]))
    return text


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:  # half an emoji, say, becomes the replacement character
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _line_after(before: str) -> int:
    """Return the 1-based line where a text goes on after `before`."""
    return before.count("\n") + before.replace("\r\n", "").count("\r") + 1


def text_source(text: str) -> Source:
    r"""Return the lines of a text, which end at \n, \r\n and \r."""
    return lambda: io.StringIO(text, newline="")


class Lines:
    """The lines of a source, counted; some may be put back, to be given once more."""

    def __init__(self, source: Iterable[str]) -> None:
        """Begin before the first line."""
        self._source = iter(source)
        self._again: list[str] = []  # the next one last
        self.number = 0  # of the last line given

    def __iter__(self) -> Iterator[str]:
        """Return itself: lines are given once."""
        return self

    def __next__(self) -> str:
        """Return the next line with its line break."""
        line = self._again.pop() if self._again else next(self._source)
        self.number += 1
        return line

    def put_back(self, lines: list[str]) -> None:
        """Take back the last lines given."""
        self._again += reversed(lines)
        self.number -= len(lines)
