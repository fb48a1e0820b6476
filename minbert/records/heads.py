"""The records of heads: an encoder's attention heads, and task heads as they are drawn."""

from __future__ import annotations

from typing import Any, ClassVar

from pydantic import Field

from minbert.records.form import Count, Form, Name, Number, Record, Undefined

FILE = "untuned-heads.json"


class Heads(Record):
    """Each attention head's averages over sentences, before fine-tuning."""

    again: ClassVar[str] = "`python -m trainer heads --encoder FOLDER_OR_ID` writes it."

    encoder: Name
    inputs: tuple[tuple[str, str], ...]  # the second is empty for a single sentence
    heads: dict[str, tuple[tuple[Number, ...], ...]]  # by measure, then layer and head


class Spread(Form):
    """Mean, standard deviation and ends of the values that are defined."""

    mean: Undefined = None
    sd: Undefined = None
    least: Undefined = None
    greatest: Undefined = None
    undefined: Count = None  # how many values aren't


class UntrainedHeads(Record):
    """The dev scores of task heads as they are drawn, by seed."""

    again: ClassVar[str] = "`python -m trainer untrained` writes it."

    draws: tuple[dict[str, Undefined], ...]  # the seed and each "task metric"
    spread: dict[str, Spread] = Field(default_factory=dict)  # by "task metric"
    config: dict[str, Any] = Field(default_factory=dict)
