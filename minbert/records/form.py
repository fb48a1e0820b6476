"""What all records have in common: frozen pydantic models, strict numbers and texts, a version.

A field of another kind is refused with the rule and what was found, in the project's words; a
missing one counts as null. Unknown fields are ignored.
"""

from __future__ import annotations

import dataclasses
import math
import reprlib
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    ValidationInfo,
    model_validator,
)
from pydantic_core import PydanticCustomError

from minbert import metrics

VERSION = 1  # of the records that are written now; files from before versions count as 0
FROM_FILE = "from a file"  # validation context: a record without a version is an old one
TASKS = ("sentiment", "paraphrase", "similarity")


def refusal(rule: str, found: object) -> PydanticCustomError:
    """Return the error of a field that breaks a rule: `rule` without the field's name."""
    return PydanticCustomError("rule", "{told}", {"told": f"{rule}. Found {found}."})


def kind_of(value: object) -> str:
    """Return the name of a value's JSON kind, with its article."""
    kinds = {dict: "an object", list: "a list", str: "a text", bool: "true or false"}
    return "nothing" if value is None else kinds.get(type(value), "a number")


def _number_or_null(value: object) -> int | float | None:
    if value is None or (isinstance(value, float) and not math.isfinite(value)):
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refusal("should be a number or null", kind_of(value))
    if isinstance(value, int) and value.bit_length() > 1023:  # float() would overflow
        raise refusal("should be a number or null", f"one of {value.bit_length()} bits")
    return value


def _number(value: object) -> int | float:
    found = _number_or_null(value)
    if found is None:
        raise refusal("should be a number", "nothing")
    return found


def _count(value: object) -> int | None:
    found = _number_or_null(value)
    return None if found is None else int(found)


def _version(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise refusal("should be a whole number from 0", reprlib.repr(value))
    if value > VERSION:
        rule = f"should be {VERSION} at most"
        raise refusal(rule, f"{reprlib.repr(value)}, of a newer minBERT Lab: update this one")
    return value


def holding(key: str) -> AfterValidator:
    """Return a check that an object holds a key."""

    def check(found: dict[str, Any]) -> dict[str, Any]:
        if key not in found:
            raise refusal(f"should hold {key!r}", reprlib.repr(list(found)))
        return found

    return AfterValidator(check)


# Numbers stay int or float as they stand in the file; NaN and infinities are undefined, so None.
Number = Annotated[int | float, PlainValidator(_number)]
Undefined = Annotated[int | float | None, PlainValidator(_number_or_null)]
Count = Annotated[int | None, PlainValidator(_count)]
Seed = Annotated[int, PlainValidator(lambda value: _count(value) or 0)]
Name = Annotated[str, StringConstraints(pattern=r"\S")]
Text = Annotated[str, BeforeValidator(lambda value: "" if value is None else value)]
NullText = Annotated[Text, PlainSerializer(lambda text: text or None)]  # null in the file if empty


class Form(BaseModel):
    """A part of a record; null stands for an empty list or object."""

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="before")
    @classmethod
    def _missing_is_null(cls, stored: object, info: ValidationInfo) -> object:
        if not isinstance(stored, dict):
            return stored
        fields = cls.model_fields
        given: dict[str, object] = {n: None for n, field in fields.items() if field.is_required()}
        if "version" in fields and info.context == FROM_FILE:
            given["version"] = 0
        empty = {
            n for n, field in fields.items() if field.default_factory and stored.get(n, 0) is None
        }
        return {**given, **{name: value for name, value in stored.items() if name not in empty}}


class Record(Form):
    """A record with the code and the machine that made it.

    `again` is a sentence that names the command which writes the file.
    """

    again: ClassVar[str]

    version: Annotated[int, PlainValidator(_version)] = VERSION
    commit: NullText = ""
    machine: Text = ""
    threads: Count = None
    torch: NullText = ""
    python: NullText = ""

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON object of the record: its version and the fields that were given."""
        return {
            "version": self.version,
            **self.model_dump(mode="json", exclude_unset=True, exclude={"version"}),
        }


class Metric(Form):
    """One score; a value of None is undefined, say the correlation of a constant."""

    value: Undefined = None
    se: Undefined = None  # standard error over the examples
    n: Count = None  # examples
    split: Text = ""

    @classmethod
    def of(cls, metric: metrics.Metric, **more: str) -> Self:
        """Return the form of a metric that was computed, perhaps with its `split`."""
        return cls.model_validate({**dataclasses.asdict(metric), **more})

    def __str__(self) -> str:
        """Write the value and its standard error."""
        return str(metrics.Metric(self.value, self.se, self.n or 0))


Metrics = dict[str, dict[str, Metric]]  # by task, then by the metric's name
Verdict = Literal["held", "did not hold", "undecided"]


def flat(metrics: Metrics) -> dict[str, Metric]:
    """Return metrics by "task metric", as tables name them."""
    return {
        f"{task} {name}": metric
        for task, found in metrics.items()
        for name, metric in found.items()
    }
