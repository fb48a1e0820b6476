"""Long texts as files beside the code that shows them: a folder's texts.toml, and its scripts."""

from __future__ import annotations

import dataclasses
import functools
import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Any, TypeVar

FILE = "texts.toml"
Kind = TypeVar("Kind")


@dataclasses.dataclass(frozen=True)
class Texts:
    """A folder's texts; a key is a section and a name in it, such as `read.map`.

    Every lookup raises a KeyError, which names file and key, where the file holds no such thing.
    """

    package: str
    sections: Mapping[str, Mapping[str, Any]]

    def __getitem__(self, key: str) -> str:
        """Return a text."""
        return self._found(key, str)

    def lines(self, key: str) -> tuple[str, ...]:
        """Return a list of texts."""
        return tuple(self._found(key, list))

    def by_name(self, key: str) -> dict[str, str]:
        """Return texts by name, in the file's order."""
        return self._found(key, dict)

    def _found(self, key: str, kind: type[Kind]) -> Kind:
        section, _, name = key.partition(".")
        found = self.sections.get(section, {}).get(name)
        if not isinstance(found, kind):
            raise KeyError(
                f"{FILE} of {self.package} should hold `{key}`, a {kind.__name__}. "
                f"Found {type(found).__name__}; add it there."
            )
        return found


@functools.cache
def texts_of(package: str) -> Texts:
    """Return the texts of a folder of the page, given as a package's dotted name."""
    return Texts(package, tomllib.loads(file_text(package, FILE)))


def file_text(package: str, name: str) -> str:
    """Return a file beside a package's modules, without its last line break."""
    return (files(package) / name).read_text(encoding="utf-8").removesuffix("\n")
