"""Each folder's texts.toml holds what its code asks for, and nothing else."""

from __future__ import annotations

import ast
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from minbert.ui.parts.texts import FILE, Texts, file_text, texts_of

PAGE = Path(__file__).resolve().parents[4] / "minbert" / "ui"
FOLDERS = sorted(path.parent.name for path in PAGE.glob(f"*/{FILE}"))
TEXTS = Texts("somewhere", {"read": {"map": "a text", "list": ["a", "b"], "by": {"x": "a text"}}})


def lookups(folder: str) -> Iterator[tuple[str, str]]:
    """Yield (method, key) for every text that a folder's code looks up."""
    for path in (PAGE / folder).glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Subscript) and is_texts(node.value):
                keys, method = [node.slice], "__getitem__"
            elif (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Attribute)
                and is_texts(node.func.value)
            ):
                keys, method = node.args, node.func.attr
            else:
                continue
            for part in itertools.chain.from_iterable(map(ast.walk, keys)):
                if isinstance(part, ast.Constant):
                    yield method, part.value


def is_texts(node: ast.expr) -> bool:
    """Say whether code is a folder's texts."""
    return ast.unparse(node) in ("TEXTS", "texts_of(__package__)")


def strings(value: Any) -> Iterator[object]:  # noqa: ANN401 - whatever TOML holds
    """Yield everything that stands in a TOML value."""
    if isinstance(value, dict | list):
        for each in value.values() if isinstance(value, dict) else value:
            yield from strings(each)
    else:
        yield value


def test_the_tabs_and_the_page_of_findings_have_texts() -> None:
    assert {"about", "attention", "batch", "experiments", "pooling", "static", "why"} <= {*FOLDERS}


@pytest.mark.parametrize("folder", FOLDERS)
def test_every_text_is_looked_up_and_every_lookup_finds_one(folder: str) -> None:
    texts = texts_of(f"minbert.ui.{folder}")
    asked = set(lookups(folder))
    stored = {f"{section}.{name}" for section, named in texts.sections.items() for name in named}
    assert {key for _, key in asked} == stored
    for method, key in asked:
        assert getattr(texts, method)(key)


@pytest.mark.parametrize("folder", FOLDERS)
def test_no_text_is_empty_or_ends_in_white_space(folder: str) -> None:
    for text in strings(texts_of(f"minbert.ui.{folder}").sections):
        assert isinstance(text, str)
        assert text
        assert not any(line != line.rstrip() for line in text.split("\n"))


@pytest.mark.parametrize("key", ["read.grid", "tab.map", "read", "", "read.list", "read.by"])
def test_a_missing_text_is_told_with_file_and_key(key: str) -> None:
    with pytest.raises(KeyError, match=rf"texts.toml of somewhere should hold `{key}`, a str"):
        TEXTS[key]


def test_lists_and_names_are_not_taken_for_each_other() -> None:
    assert TEXTS["read.map"] == "a text"
    assert TEXTS.lines("read.list") == ("a", "b")
    assert TEXTS.by_name("read.by") == {"x": "a text"}
    with pytest.raises(KeyError, match=r"`read.by`, a list. Found dict"):
        TEXTS.lines("read.by")
    with pytest.raises(KeyError, match=r"`read.map`, a dict. Found str"):
        TEXTS.by_name("read.map")


def test_a_file_is_read_without_its_last_line_break() -> None:
    script = PAGE / "resize.js"
    assert file_text("minbert.ui", "resize.js") + "\n" == script.read_text(encoding="utf-8")
