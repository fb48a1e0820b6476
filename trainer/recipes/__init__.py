"""Recipes by name: the shipped models and the tables' rows, read from the TOML files beside this.

A file is a recipe of the file's name:

    base = "annealed"       # the recipe that it begins with, or `report`; without, the defaults
    table = "dev"           # for a row of a table: this and the other fields of `Row`
    row = 4                 # its place in the table; rows without a place follow
    [settings]              # what it changes of its base, by the names of `TrainConfig`
    [[stage]]               # for a chain: `name`, `needs` and `settings` of one stage

or several, each under `[[recipe]]` with a `name`; what stands above them holds for each.
"""

from __future__ import annotations

import contextlib
import dataclasses
import difflib
import math
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from trainer.config import TrainConfig
from trainer.recipes.row import NUMBERS, REPORT, TABLES, Chain, Row, Stage

Recipe = TrainConfig | Row | Chain
Entries = dict[str, tuple[Path, dict[str, Any]]]  # by the recipe's name: its file, its keys
ANY = {"base": str, "settings": dict}
ROW = {"table": str, "title": str, "row": int, "report": dict, "report_split": str, "note": str}
STAGE = {"name": str, "needs": list, "settings": dict}
SETTINGS = {f.name: type(f.default) for f in dataclasses.fields(TrainConfig) if f.name != "name"}
KINDS = {
    str: "a text in quotes",
    bool: "true or false",
    int: "a whole number",
    float: "a number with a point, as 1.0",
    dict: "a table",
    list: "a list ([[...]], if of tables)",
}


def read_recipes(folder: Path) -> dict[str, Recipe]:
    """Return a folder's recipes by name: first what is no row, after its base; then the tables.

    Raises:
        ValueError: a file isn't TOML, or has an unknown or missing key, a value of another kind, a
            value that is refused, an unknown base, bases in a circle, or another recipe's name.
    """
    entries: Entries = {}
    for path in sorted(folder.glob("*.toml")):
        with naming(path):
            for name, keys in entries_of(path):
                if name in (REPORT.name, *entries):
                    raise ValueError(
                        f"`name` should be its own. Found a second {name!r}; rename one."
                    )
                entries[name] = path, keys
    found: dict[str, Recipe] = {REPORT.name: REPORT}
    for name in entries:
        add(name, entries, found)
    del found[REPORT.name]

    def place(name: str) -> tuple[int, float]:
        recipe, (_, keys) = found[name], entries[name]
        table = TABLES.index(recipe.table) if isinstance(recipe, Row) else -1
        return table, keys.get("row", math.inf)

    return {name: found[name] for name in sorted(found, key=place)}


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Begin an error's message with the file."""
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from error


def entries_of(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give the name and the keys of each recipe of a file, once they are checked."""
    shared = tomllib.loads(path.read_text(encoding="utf-8"))
    check(path.stem, shared, {**ANY, **ROW, "stage": list, "recipe": list})
    several = shared.pop("recipe", None)
    if several is None:
        yield path.stem, shared
        return
    check("what stands above [[recipe]]", shared, {"base": str, "table": str})
    for keys in several:
        check("[[recipe]]", keys, {"name": str, **ANY, **ROW}, needed=["name"])
        yield keys.pop("name"), {**shared, **keys}


def check(where: str, found: object, kinds: Mapping[str, type], needed: Iterable[str] = ()) -> None:
    """Reject what is no table, an unknown key, a value of another kind, and a missing key."""
    if not isinstance(found, dict):
        raise ValueError(f"{where} should be a table of keys and values. Found {found!r}.")
    for key, value in found.items():
        if key not in kinds:
            raise ValueError(f"{where} has no key {key!r}; {nearest(key, kinds)}.")
        if type(value) is not kinds[key]:
            raise ValueError(f"`{key}` should be {KINDS[kinds[key]]}. Found {value!r}.")
    for key in needed:
        if key not in found:
            raise ValueError(f"{where} should have the key `{key}`. Found {', '.join(found)}.")


def nearest(found: str, known: Iterable[str]) -> str:
    """Return the known names that are written most like the one found, as a hint."""
    return "the nearest are " + ", ".join(difflib.get_close_matches(found, known, cutoff=0))


def add(name: str, entries: Entries, found: dict[str, Recipe], above: tuple[str, ...] = ()) -> None:
    """Build a recipe into `found`, after its base; `above` are those that wait for it."""
    path, keys = entries[name]
    base, line = keys.get("base", REPORT.name), (*above, name)
    if base not in found:
        with naming(path):
            if base not in entries:
                hint = nearest(base, (REPORT.name, *entries))
                raise ValueError(f"`base` should be a recipe's name. Found {base!r}; {hint}.")
            if base in line:
                raise ValueError(
                    f"`base` should lead to a recipe without one, or {REPORT.name!r}. Found the "
                    f"circle {' -> '.join([*line, base])}; give one of them another base."
                )
        add(base, entries, found, line)
    if name not in found:
        with naming(path):
            found[name] = build(name, keys, found[base] if "base" in keys else TrainConfig())


def build(name: str, keys: Mapping[str, Any], base: Recipe) -> Recipe:
    """Return what an entry describes: a row, a chain, or settings alone."""
    settings = keys.get("settings", {})
    check("settings", settings, SETTINGS)
    if isinstance(base, Chain):
        check(f"{name}, which begins with the chain {base.name},", keys, ANY)
        return dataclasses.replace(base.changed(**settings), name=name)
    start = base.config if isinstance(base, Row) else base
    config = dataclasses.replace(start, name=name, **settings)
    if "stage" in keys:
        check(f"{name}, which has stages,", keys, {**ANY, "stage": list})
        return Chain(name, tuple(stages_of(config, keys["stage"])))
    row = {key: value for key, value in keys.items() if key in ROW}
    if not row:
        return config
    check(name, row, ROW, needed=["table", "title"])
    check("report", row.get("report", {}), dict.fromkeys(NUMBERS, float))
    row.pop("row", None)
    return Row(config, **row)


def stages_of(config: TrainConfig, stages: list[dict[str, Any]]) -> Iterator[Stage]:
    """Give a chain's stages; the last one's recipe has the chain's own name."""
    for stage in stages:
        check("[[stage]]", stage, STAGE, needed=["name"])
        settings, needs = stage.get("settings", {}), stage.get("needs", [])
        check("settings", settings, SETTINGS)
        if not all(isinstance(file, str) for file in needs):
            raise ValueError(f"`needs` should be a list of files' names. Found {needs!r}.")
        name = config.name if stage is stages[-1] else f"{config.name}_{stage['name']}"
        own = dataclasses.replace(config, name=name, **settings)
        yield Stage(stage["name"], own, tuple(needs))


FOUND = read_recipes(Path(__file__).parent)
ROWS = {name: recipe for name, recipe in FOUND.items() if isinstance(recipe, Row)}
CHAINS = {name: recipe for name, recipe in FOUND.items() if isinstance(recipe, Chain)}
RECIPES = {
    name: recipe.config if isinstance(recipe, Row) else recipe
    for name, recipe in FOUND.items()
    if not isinstance(recipe, Chain)
}
