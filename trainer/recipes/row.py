"""What a recipe's file becomes: a row of a table, or a chain of stages; the report's settings."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from minbert.config import choice_error
from trainer.config import TrainConfig

TABLES = ("part1", "dev", "test", "ours", "controls")
NUMBERS = (  # what the report's tables have a column for
    *("sentiment accuracy", "paraphrase accuracy", "similarity pearson"),
    "cfimdb accuracy",
)

# The report's settings (sections 4.7 and 5.3) are `TrainConfig`'s defaults. These are what the
# report does where our own defaults differ: ReLU * 5 (4.1), no Siamese loss unless a row says so
# (4.5), a pair read in one order.
REPORT = TrainConfig(
    similarity_head="relu", siamese_weight=0.0, sampler="round_robin", both_orders=False
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row to reproduce.

    Raises:
        ValueError: an unknown table or split, or the report's numbers without their split.
    """

    config: TrainConfig
    table: str  # one of TABLES
    title: str
    report: Mapping[str, float] = dataclasses.field(default_factory=dict)  # its own numbers
    report_split: str | None = None  # the split those numbers were made on
    note: str = ""  # how this row reads the report, where that is open

    def __post_init__(self) -> None:
        """Check names."""
        if self.table not in TABLES:
            raise choice_error("table", self.table, TABLES)
        if self.report and self.report_split not in ("dev", "test"):
            raise choice_error("report_split", self.report_split, ("dev", "test"))

    @property
    def name(self) -> str:
        """Return the name that commands and results use."""
        return self.config.name


@dataclasses.dataclass(frozen=True)
class Stage:
    """One run of a chain."""

    name: str  # also the end of its folder's name
    config: TrainConfig
    needs: tuple[str, ...] = ()  # data files without which the stage is left out


@dataclasses.dataclass(frozen=True)
class Chain:
    """Runs, one after the other; each begins with the encoder and the heads of the last."""

    name: str
    stages: tuple[Stage, ...]

    def changed(self, **changes: Any) -> Chain:  # noqa: ANN401 - any field
        """Return the chain with settings changed in every stage.

        Raises:
            ValueError: a setting in which the stages differ, or that the chain itself sets.
        """
        first = self.stages[0].config
        own = {
            field.name
            for field in dataclasses.fields(TrainConfig)
            for stage in self.stages
            if getattr(stage.config, field.name) != getattr(first, field.name)
        }
        refused = sorted(set(changes) & (own | {"start_from"}))
        if refused:
            raise ValueError(
                f"`{refused[0]}` can't be changed for all stages of {self.name} at once: it is "
                "what makes a stage. Change it in the recipe's file, or train a single recipe."
            )
        stages = tuple(
            dataclasses.replace(stage, config=dataclasses.replace(stage.config, **changes))
            for stage in self.stages
        )
        return dataclasses.replace(self, stages=stages)
