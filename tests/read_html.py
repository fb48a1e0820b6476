"""HTML as a person meets it: its text, tables, findings and numbers, and words in a sentence.

A test that reads a page through this holds what the page says, not how it puts it.
"""

from __future__ import annotations

import dataclasses
import functools
import re
from collections.abc import Iterable, Iterator
from html.parser import HTMLParser

EMPTY = frozenset({"br", "hr", "img", "input", "link", "meta"})  # elements without an end
BLOCKS = frozenset(
    {
        *("caption", "dd", "div", "dt", "figcaption", "h1", "h2", "h3", "h4", "label", "li"),
        *("nav", "option", "p", "section", "summary", "td", "th"),
    }
)
NUMBER = re.compile(r"(?<![\w.])[+\-−]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|\.\d+)(?!\w)")
UNDEFINED = re.compile(r"\b(?:nan|NaN|None|inf)\b")  # what a number becomes that nobody looked at
# Words by which a finding says that the first of two is more, or less.
MORE = ("above", "readily", "rises", "surer", "wider")
LESS = ("below", "falls", "less", "narrower", "rarely")


@dataclasses.dataclass
class Element:
    """An element, its attributes, and what is in it."""

    tag: str
    attributes: dict[str, str]
    children: list[Element | str] = dataclasses.field(default_factory=list)

    def __iter__(self) -> Iterator[Element]:
        """Yield all elements inside, in their order."""
        for child in self.children:
            if isinstance(child, Element):
                yield child
                yield from child

    def find(self, tag: str = "", css: str = "", **attributes: str) -> list[Element]:
        """Return the elements inside of this tag and CSS class, with these attributes."""
        return [
            one
            for one in self
            if tag in ("", one.tag)
            and (not css or css in one.classes)
            and attributes.items() <= one.attributes.items()
        ]

    def one(self, tag: str = "", css: str = "", **attributes: str) -> Element:
        """Return the one element that `find` finds."""
        (found,) = self.find(tag, css, **attributes)
        return found

    def texts(self, tag: str = "", css: str = "") -> list[str]:
        """Return the texts of the elements that `find` finds."""
        return [one.text for one in self.find(tag, css)]

    @property
    def classes(self) -> list[str]:
        return self.attributes.get("class", "").split()

    @property
    def text(self) -> str:
        """Return the text that is shown, blocks on lines of their own."""
        return re.sub(r"\n+", "\n", "".join(self._parts())).strip("\n")

    def _parts(self) -> Iterator[str]:
        if self.tag in ("script", "style"):
            return
        for child in self.children:
            yield from (child,) if isinstance(child, str) else child._parts()
        yield "\n" if self.tag in BLOCKS or self.tag == "br" else ""

    @property
    def numbers(self) -> list[str]:
        """Return the numbers in the text."""
        return numbers_in(self.text)

    @property
    def tables(self) -> list[Table]:
        return [
            Table(
                "".join(one.texts("caption")),
                [row.texts("th") for row in one.one("thead").find("tr")],
                [
                    [cell.text for cell in row if cell.tag in ("th", "td")]
                    for row in one.one("tbody").find("tr")
                ],
            )
            for one in self.find("table")
        ]

    @property
    def rows(self) -> list[list[str]]:
        """Return the cells of all tables' bodies."""
        return [row for table in self.tables for row in table.rows]

    @property
    def finding(self) -> Finding:
        """Return what the first figure, card or part was found to show."""
        block = self.find(css="mb-findings")[0]
        told = [
            *block.children,
            *(one for fold in block.find(css="mb-reading") for one in fold.children),
        ]
        listed = [one for one in told if isinstance(one, Element) and one.tag == "ul"]
        return Finding(
            "".join(block.texts("h3")[:1]),
            [line for one in listed for line in one.texts("li")],
            [one.text for one in block.find("p", "mb-note")],
        )

    @property
    def outside(self) -> list[str]:
        """Return what points to other places: links and sources."""
        named = [one.attributes.get(key) for one in self for key in ("href", "src")]
        return [address for address in named if address is not None]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table's caption, the lines of its head, and the rows of its body."""

    caption: str
    heads: list[list[str]]
    rows: list[list[str]]

    @property
    def by_name(self) -> dict[str, list[str]]:
        """Return the rows by their first cell."""
        return {row[0]: row[1:] for row in self.rows}

    def column(self, place: int) -> list[str]:
        return [row[place] for row in self.rows]


@dataclasses.dataclass(frozen=True)
class Finding:
    """A title that says what was found, the lines below it, and the notes on how to read it."""

    title: str
    lines: list[str]
    notes: list[str]


class Reader(HTMLParser):
    """Builds the tree; every element has to end where it should."""

    def __init__(self) -> None:
        super().__init__()
        self.open = [Element("", {})]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_startendtag(tag, attrs)
        if tag not in EMPTY:
            self.open.append(self.open[-1].children[-1])  # type: ignore[arg-type]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len(dict(attrs)) == len(attrs), f"an attribute of {tag} stands there twice"
        self.open[-1].children.append(Element(tag, {key: text or "" for key, text in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"{self.open[-1].tag} ends as {tag}"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        self.open[-1].children.append(data)


@functools.lru_cache(maxsize=4)
def read(html: str) -> Element:
    """Return HTML as one element that holds it; it should be well formed, its numbers defined."""
    reader = Reader()
    reader.feed(html)
    reader.close()
    (whole,) = reader.open
    for cell in (cell for row in whole.rows for cell in row):
        assert not UNDEFINED.search(cell), cell
    return whole


def numbers_in(text: str) -> list[str]:
    """Return the numbers in a text as they are written, a real minus as a hyphen."""
    return [number.replace("−", "-") for number in NUMBER.findall(text)]


def quoted_in(text: str) -> list[str]:
    """Return what stands in curly quotes."""
    return re.findall(r"“(.*?)”", text)


def named_in(text: str, names: Iterable[str]) -> list[str]:
    """Return those of the names that a text has, as often and in the order it has them."""
    spelt = {name.lower(): name for name in names}
    longest = sorted(spelt, key=len, reverse=True)
    found = re.findall(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest))})(?!\w)", text.lower())
    return [spelt[name] for name in found]


def direction(text: str) -> int:
    """Return 1 where a finding says that the first of two is more, -1 for less, 0 for neither."""
    said = {sign for sign, words in ((1, MORE), (-1, LESS)) if named_in(text, words)}
    if len(said) == 2:
        raise ValueError(f"A finding should say one direction. Found both in {text!r}.")
    return said.pop() if said else 0
