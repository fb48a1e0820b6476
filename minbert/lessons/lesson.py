"""The file of lessons: read, and checked to the last key, since people write it by hand."""

from __future__ import annotations

import dataclasses
import math
import re
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from minbert.checks import is_blank
from minbert.config import choice_error
from minbert.files import unreadable
from minbert.lessons.quantities import DIFFERENCE, MODELS, LessonError, Quantity, quantity_of
from minbert.tasks import SENTIMENT

FILE = "lessons.toml"
TABS = ("try", "pooling", "attention", "why", "batch", "experiments", "about")  # on the page
SLUG = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
LONGEST_TITLE = 24  # characters: eight lessons stand in a row
MOST_WORDS = 25  # of what there is to see: one line
REQUIRED, OPTIONAL = ("id", "title", "first", "view", "see", "claim"), ("second",)
OF_CLAIM, OF_LESS = ("quantity", "comparison", "threshold"), ("first", "second")
NUMERIC, NAMING = ("above", "below"), ("is", "is not")


@dataclasses.dataclass(frozen=True)
class Claim:
    """What a lesson promises of the shipped models."""

    quantity: Quantity
    comparison: str  # of NUMERIC or NAMING
    threshold: float | str  # in the quantity's unit; the name of a class for `is` and `is not`
    less: tuple[str, str] | None = None  # sentences whose quantity is taken away

    def __str__(self) -> str:
        """Write the claim on a line."""
        texts = " | ".join(dict.fromkeys(filter(None, self.less or ())))
        less = f" less that of “{texts}”" if texts else ""
        return f"{self.quantity.name}{less} {self.comparison} {self.threshold}"


@dataclasses.dataclass(frozen=True)
class Lesson:
    """Sentences, where on the page to look, and one line of what to see there."""

    id: str  # a slug, as in #lesson=negation
    title: str
    first: str
    second: str  # empty for one sentence
    view: str  # of TABS, or a sub-view of one, as try-words
    see: str
    claims: tuple[Claim, ...]


@dataclasses.dataclass(frozen=True)
class Table:
    """A table of the file, with its name for messages."""

    name: str
    values: Mapping[str, Any]

    def error(self, key: str, rule: str, found: object) -> LessonError:
        """Return the error of a key whose value breaks a rule."""
        return LessonError(f"`{key}` of {self.name} should be {rule}. Found {found!r:.80}.")

    def check_keys(self, required: Collection[str], optional: Collection[str]) -> None:
        """Check that every key is known, and that none is missing.

        Raises:
            LessonError: naming the key.
        """
        for key in required:
            if key not in self.values:
                raise LessonError(f"{self.name} should have `{key}`. Found none; add it.")
        for key in self.values:
            if key not in (*required, *optional):
                known = ", ".join((*required, *optional))
                raise LessonError(f"{self.name} should have no `{key}`. Its keys: {known}.")

    def text(self, key: str, default: str | None = None) -> str:
        """Return a text on one line; without `default` it may not be blank."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or "\n" in value:
            raise self.error(key, "a text on one line", value)
        if default is None and is_blank(value):
            raise self.error(key, "a text that has something to read", value)
        return value.strip()

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        """Return a text that is one of the known ones."""
        value = self.text(key)
        if value not in known:
            raise LessonError(str(choice_error(f"{key}` of `{self.name}", value, known)))
        return value

    def tables(self, key: str) -> list[Mapping[str, Any]]:
        """Return a list of tables that isn't empty."""
        found = self.values.get(key)
        if not isinstance(found, list) or not found or not all(isinstance(t, dict) for t in found):
            raise self.error(key, f"one [[...{key}]] or more", found)
        return found


def read_lessons(path: Path) -> tuple[Lesson, ...]:
    """Read a file of lessons, TOML.

    Raises:
        LessonError: it can't be read, or something in it breaks a rule.
    """
    try:
        stored = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise LessonError(str(unreadable(path, error))) from error
    except ValueError as error:  # no TOML, or no UTF-8
        raise LessonError(f"{path} should be TOML in UTF-8. Found an error: {error}.") from error
    whole = Table(path.name, stored)
    whole.check_keys(("lesson",), ())
    lessons: dict[str, Lesson] = {}
    for place, values in enumerate(whole.tables("lesson"), 1):
        name = f"lesson {values['id']!r:.40}" if "id" in values else f"lesson {place}"
        table = Table(f"{name} in {path.name}", values)
        lesson = lesson_in(table)
        if lesson.id in lessons:
            raise table.error("id", "one that no other lesson has", lesson.id)
        if lesson.title in {other.title for other in lessons.values()}:
            raise table.error("title", "one that no other lesson has", lesson.title)
        lessons[lesson.id] = lesson
    return tuple(lessons.values())


def lesson_in(table: Table) -> Lesson:
    """Return the lesson that a table holds."""
    table.check_keys(REQUIRED, OPTIONAL)
    for key in ("id", "view"):
        value = table.text(key)
        if not SLUG.fullmatch(value):
            raise table.error(key, "small letters and digits with hyphens, as who-did-what", value)
    title, view, see = table.text("title"), table.text("view"), table.text("see")
    if view.partition("-")[0] not in TABS:
        rule = f"one of {', '.join(TABS)}, or a sub-view of one, as try-words"
        raise table.error("view", rule, view)
    if len(title) > LONGEST_TITLE:
        raise table.error("title", f"at most {LONGEST_TITLE} characters", title)
    if len(see.split()) > MOST_WORDS:
        raise table.error("see", f"at most {MOST_WORDS} words", see)
    lesson = Lesson(
        id=table.text("id"),
        title=title,
        first=table.text("first"),
        second=table.text("second", ""),
        view=view,
        see=see,
        claims=(),
    )
    claims = enumerate(table.tables("claim"), 1)
    found = [claim_in(Table(f"claim {n} of {table.name}", values), lesson) for n, values in claims]
    return dataclasses.replace(lesson, claims=tuple(found))


def claim_in(table: Table, lesson: Lesson) -> Claim:
    """Return the claim that a table holds."""
    table.check_keys(OF_CLAIM, ("less",))
    name = table.text("quantity")
    quantity = quantity_of(name)
    if quantity is None:
        models = ", ".join((*MODELS, DIFFERENCE))
        rule = f"a model ({models}), a dot, and a number that docs/lessons.md lists"
        raise table.error("quantity", rule, name)
    less = less_in(table, lesson)
    if quantity.needs_second and not lesson.second:
        raise table.error("quantity", "one that a sentence alone has, or `second` given", name)
    comparisons = NUMERIC if quantity.span is not None else NAMING
    comparison = table.choice("comparison", comparisons)
    if comparison in NAMING:
        if less is not None:
            raise table.error("less", "absent, since classes have no difference", less)
        return Claim(quantity, comparison, table.choice("threshold", SENTIMENT.labels))
    threshold = table.values["threshold"]
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        raise table.error("threshold", "a number", threshold)
    if not math.isfinite(threshold):
        raise table.error("threshold", "a finite number", threshold)
    return Claim(quantity, comparison, float(threshold), less)


def less_in(table: Table, lesson: Lesson) -> tuple[str, str] | None:
    """Return the sentences whose quantity a claim takes away; one left out is the lesson's."""
    if "less" not in table.values:
        return None
    values = table.values["less"]
    if not isinstance(values, dict) or not values:
        raise table.error("less", "a table with `first`, `second` or both", values)
    inner = Table(f"`less` of {table.name}", values)
    inner.check_keys((), OF_LESS)
    own = {"first": lesson.first, "second": lesson.second}
    first, second = (inner.text(key) if key in values else own[key] for key in OF_LESS)
    return first, second
