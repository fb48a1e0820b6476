"""What a recipe file holds: the settings, and the row of the report's tables that they repeat."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

from trainer.config import TrainConfig

TABLES = ("part1", "dev", "test", "ours", "controls")

# The report's settings (sections 4.7 and 5.3) are `TrainConfig`'s defaults. These are what the
# report does where our own defaults differ: ReLU * 5 (4.1), no Siamese loss unless a row says so
# (4.5), a pair read in one order.
REPORT = TrainConfig(
    similarity_head="relu", siamese_weight=0.0, sampler="round_robin", both_orders=False
)


@dataclasses.dataclass(frozen=True)
class Row:
    """One row to reproduce."""

    config: TrainConfig
    table: str  # one of TABLES
    title: str
    report: Mapping[str, float] = dataclasses.field(default_factory=dict)  # its own numbers
    report_split: str | None = None  # the split those numbers were made on
    note: str = ""  # how this row reads the report, where that is open

    @property
    def name(self) -> str:
        """Return the name that commands and results use."""
        return self.config.name


def scores(sentiment: float, paraphrase: float, similarity: float) -> dict[str, float]:
    """Name a row's three numbers of the report."""
    return {
        "sentiment accuracy": sentiment,
        "paraphrase accuracy": paraphrase,
        "similarity pearson": similarity,
    }
