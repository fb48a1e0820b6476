"""Reading a record's file: the record, or one line with the file, what is wrong and the way out."""

from __future__ import annotations

import json
import reprlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from pydantic import ValidationError

from minbert.records.form import FROM_FILE, Record, kind_of

Read = TypeVar("Read", bound=Record)


class RecordError(ValueError):
    """A record that can't be read; the message is one line."""


class MissingRecordError(RecordError):
    """A record whose file doesn't exist."""


def read_record(path: Path, form: type[Read], again: str = "") -> Read:
    """Return the record of a file.

    Args:
        path: of the file, a JSON object.
        form: kind of the record.
        again: what writes the file, a sentence; empty: the kind's own.

    Raises:
        MissingRecordError: the file doesn't exist.
        RecordError: it can't be read, or a field breaks its rule.
    """
    again = again or form.again
    stored = _json(path, again)
    try:
        return form.model_validate(stored, context=FROM_FILE)
    except ValidationError as error:
        raise RecordError(_line(f"{shown(path)} is left out: {_problem(error)} {again}")) from error


def read_known(
    path: Path, form: type[Read], report: Callable[[str], object], again: str = ""
) -> Read | None:
    """Return the record of a file, or None after reporting why it can't be read."""
    try:
        return read_record(path, form, again)
    except RecordError as error:
        report(str(error))
        return None


def read_entries(path: Path, form: type[Read]) -> tuple[tuple[Read, ...], tuple[str, ...]]:
    """Return the readable records of a file that holds a list, and a line for each problem."""
    try:
        stored = _json(path, form.again)
        if not isinstance(stored, list):
            found = f"should be a list. Found {kind_of(stored)}."
            raise RecordError(f"{shown(path)} {found} {form.again}")
    except RecordError as error:
        return (), (str(error),)
    entries, problems = [], []
    for place, entry in enumerate(stored, start=1):
        try:
            entries.append(form.model_validate(entry, context=FROM_FILE))
        except ValidationError as error:
            where = f"{shown(path)}, entry {place} is left out"
            problems.append(_line(f"{where}: {_problem(error)} {form.again}"))
    return tuple(entries), tuple(problems)


def read_all(path: Path, form: type[Read]) -> tuple[Read, ...]:
    """Return every record of a file that holds a list.

    Raises:
        RecordError: the file or one of its entries can't be read.
    """
    entries, problems = read_entries(path, form)
    if problems:
        raise RecordError(problems[0])
    return entries


def shown(path: Path) -> str:
    """Return the end of a path, which names a file without the machine's own folders."""
    return "/".join(path.parts[-3:])


def _problem(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in first["loc"])
    name = f"`{field.removeprefix('.')}`" if field else "it"
    return f"{name} {_rule(first)}"


def _rule(error: Any) -> str:  # noqa: ANN401 - pydantic's details of an error
    kind, found = error["type"], error["input"]
    if kind == "rule":
        return str(error["msg"])
    if kind == "literal_error":
        return f"should be one of {error['ctx']['expected']}. Found {reprlib.repr(found)}."
    wanted = {
        "dict_type": "an object",
        "model_type": "an object",
        "dataclass_type": "an object",
        "tuple_type": "a list",
        "bool_type": "true or false",
        "missing": "there",
        "string_type": "a text",
        "string_pattern_mismatch": "a text that isn't blank",
    }.get(kind)
    if wanted is None:
        return f"breaks a rule ({error['msg']}). Found {reprlib.repr(found)}."
    return f"should be {wanted}. Found {'nothing' if kind == 'missing' else kind_of(found)}."


def _json(path: Path, again: str) -> object:
    try:
        text = path.read_text(encoding="utf-8")
        stored: object = json.loads(text)
        if "\\ud" in text.lower():  # half of a surrogate pair can be shown nowhere
            json.dumps(stored, ensure_ascii=False).encode()
    except FileNotFoundError as error:
        raise MissingRecordError(f"{shown(path)} is not there. {again}") from error
    except (OSError, ValueError, RecursionError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise RecordError(_line(f"{shown(path)} can't be read ({why}). {again}")) from error
    return stored


def _line(text: str) -> str:
    """Join lines, which a hostile field's name may have."""
    return " ".join(text.split())
