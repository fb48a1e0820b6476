"""Texts as they are given: one, a list, or a list of pairs, each with something to read."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

_DROPPED = ("Cc", "Cf", "Co", "Cs", "Mn")  # categories that the tokenizer takes out
_DRAWN_EMPTY = "\u115f\u1160\u2800\u3164\uffa0\ufffd"  # fillers, blank Braille, replacement


class TextError(ValueError):
    """A text that can't be read, or no list where one is needed; the message says which and why."""


def is_blank(text: str) -> bool:
    """Say whether a text has nothing to read: nothing, white space, or what nobody sees.

    The latter are what the tokenizer drops (controls, zero-width characters, accents without a
    letter) and letters that are drawn empty.
    """
    return all(map(_is_unseen, text))


def _is_unseen(letter: str) -> bool:
    category = unicodedata.category(letter)
    return category[0] == "Z" or category in _DROPPED or letter in _DRAWN_EMPTY


def nothing_in(column: str, text: str) -> str:
    """Say of a blank cell of a table what it lacks."""
    return f"{column} has only invisible characters" if text.strip() else f"no {column}"


def check_text(value: object, name: str) -> str:
    """Return a text that has something to read.

    Raises:
        TextError: it is something else, such as None or NaN, or blank.
    """
    text = check_string(value, name)
    if is_blank(text):
        found = "only invisible characters" if text.strip() else "only white space"
        raise TextError(
            f"`{name}` should have something to read. Found {found if text else 'an empty text'}; "
            "leave it out first."
        )
    return text


def check_string(value: object, name: str) -> str:
    """Return a text, which may be blank.

    Raises:
        TextError: it is something else.
    """
    if not isinstance(value, str):
        raise TextError(f"`{name}` should be a text. Found {_told(value)}; leave it out first.")
    return value


def check_texts(values: Iterable[object], name: str = "texts") -> list[str]:
    """Return texts that all have something to read.

    Raises:
        TextError: one text where a list is meant, or one in the list that is none or blank.
    """
    listed = _listed(values, name, "a list of texts", "[text]")
    return [check_text(value, f"{name}[{place}]") for place, value in enumerate(listed)]


def check_pairs(values: Iterable[object], name: str = "pairs") -> list[tuple[str, str]]:
    """Return pairs of texts that all have something to read.

    Raises:
        TextError: one pair where a list is meant, or one in the list that isn't two texts.
    """
    pairs = []
    for place, value in enumerate(_listed(values, name, "a list of pairs of texts", "[(a, b)]")):
        where = f"{name}[{place}]"
        pair = _listed(value, where, "two texts, A and B", "[(a, b)] for one pair")
        if len(pair) != 2:
            raise TextError(f"`{where}` should be two texts, A and B. Found {len(pair)}.")
        pairs.append((check_text(pair[0], f"{where}[0]"), check_text(pair[1], f"{where}[1]")))
    return pairs


def _listed(values: object, name: str, wanted: str, example: str) -> list[object]:
    if isinstance(values, Iterable) and not isinstance(values, str | bytes):
        return list(values)
    raise TextError(f"`{name}` should be {wanted}. Found {_told(values)}; write {example}.")


def _told(value: object) -> str:
    """Name what was found; a text itself is not quoted, since errors end up in logs."""
    if value is None or isinstance(value, int | float):
        return repr(value)
    return "one text" if isinstance(value, str) else f"a value of type {type(value).__name__}"
