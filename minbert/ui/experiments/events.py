"""What happens on an event of the tab "Experiments": settings in, words, figure and table out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from minbert.records.form import TASKS
from minbert.records.runs import Results, Run
from minbert.ui.experiments import findings, tables
from minbert.ui.experiments.figures import AGAINST, conflicts_figure, curves_figure, shares_figure
from minbert.ui.experiments.sampling import schedule
from minbert.ui.experiments.scores_figure import scores_figure
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.score_rows import (
    NORMALISED,
    Row,
    group_rows,
    main_metrics,
    metric_label,
    metrics_of,
    table_names,
)
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
REPORT_METRICS = "The report's own"
MOST_ROWS = 4  # curves in one figure: as many as there are dashes
CURVE_MEASURES = (NORMALISED, *TASKS)

Drawn = tuple[str, go.Figure]  # the finding with table and sources, and the figure


class Experiments:
    """The tab's events, bound to the results that were read."""

    def __init__(self, results: Results) -> None:
        """Serve these results."""
        self.results = results
        self.rows = group_rows(results.runs)
        self.tables = table_names(self.rows)
        self.curved = {
            row_choice(row): row for row in self.rows if any(run.curve for run in row.runs)
        }
        self.sampled = run_choices([run for run in results.runs if run.probabilities])
        self.conflicted = run_choices(
            [run for run in results.runs if any(epoch.pairs for epoch in run.surgery)]
        )

    def parts(self) -> dict[str, str]:
        """Name the tab's parts that have something to show; the formula needs no results."""
        parts = {
            "scores": ("Scores", self.rows),
            "claims": ("Claims", self.results.comparisons),
            "curves": ("Training curves", self.curved),
            "sampling": ("Sampling", True),
            "conflicts": ("Gradient conflicts", self.conflicted),
        }
        return {key: name for key, (name, there) in parts.items() if there}

    def first_curves(self) -> list[str]:
        """Return the two rows to begin with: the report's test table compares two samplers."""
        return sorted(self.curved, key=lambda name: self.curved[name].table != "test")[:2]

    def metrics(self, shown: str) -> list[str]:
        """Return the metrics to choose from in a table: the report's own together, then each."""
        rows = self.rows_of(shown)
        together = [REPORT_METRICS] if main_metrics(rows) else []
        return [*together, *(metric_label(metric) for metric in metrics_of(rows))]

    def rows_of(self, shown: str) -> list[Row]:
        """Return the rows of a table, named as shown."""
        return [row for row in self.rows if row.table == self.tables.get(shown)]

    def choose_table(self, shown: str, chosen: str) -> dict[str, Any]:
        """Offer a table's metrics; the chosen one stays where the table has it."""
        offered = self.metrics(shown)
        kept = chosen if chosen in offered else offered[0] if offered else None
        return gr.update(choices=offered, value=kept)

    def show_scores(self, shown: str, chosen: str | None) -> Drawn:
        """Draw a table's scores of one metric, or of the report's own."""
        rows = self.rows_of(shown)
        metrics = [m for m in metrics_of(rows) if metric_label(m) == chosen]
        metrics = metrics or main_metrics(rows) or metrics_of(rows)
        title, lines = findings.scores_finding(rows, metrics)
        runs = [run for row in rows for run in row.runs]
        reported, ours = tables.splits(rows, metrics)
        caption = f"{shown} ({reported}, {ours})" if any(run.report for run in runs) else shown
        notes = tables.row_notes(rows) + tables.encoder_block(runs) + tables.source_block(runs)
        more = tables.scores_table(caption, rows, metrics) + notes
        block = finding_block(title, lines, TEXTS["read.scores"], more)
        return block, scores_figure(rows, metrics)

    def show_curves(self, chosen: list[str], measures: list[str], against: str) -> Drawn:
        """Draw the training curves of the chosen rows."""
        rows = [self.curved[name] for name in chosen or [] if name in self.curved][:MOST_ROWS]
        kept = [measure for measure in CURVE_MEASURES if measure in (measures or [])]
        title, lines = findings.curves_finding(rows, kept, against)
        runs = [run for row in rows for run in row.runs]
        head = ["Row", "Seed", AGAINST[against].capitalize(), *kept]
        body = []
        for run in runs:
            for point in run.curve:
                x = getattr(point, against)
                scores = [fixed(point.scores.get(measure)) for measure in kept]
                place = "–" if x is None else f"{x:,.4g}"
                body.append([run.row.replace("_", " "), f"{run.seed}", place, *scores])
        more = table("Training curves", head, body) + tables.source_block(runs)
        block = finding_block(title, lines, TEXTS["read.curves"], more)
        return block, curves_figure(rows, kept or [NORMALISED], against)

    def show_shares(
        self,
        end: float,
        epochs: float,
        sentiment: float | None,
        paraphrase: float | None,
        similarity: float | None,
        recorded: str,
    ) -> tuple[Any, Any]:
        """Draw the tasks' shares for these settings; bad sizes are told, and the figure stays."""
        sizes = [int(size or 0) for size in (sentiment, paraphrase, similarity)]
        try:
            drawn = schedule(sizes, int(epochs), end)
        except ValueError as error:
            return finding_block("Can't draw this", [str(error)], ""), gr.skip()
        run = self.sampled.get(recorded)
        shares = run.probabilities if run is not None else ()
        title, lines = findings.shares_finding(drawn, shares, recorded)
        head = ["Epoch", "α", *TASKS]
        body = [
            [f"{number}", f"{epoch.alpha:.2f}", *(f"{100 * share:.1f} %" for share in epoch.shares)]
            for number, epoch in enumerate(drawn, start=1)
        ]
        more = table("Task shares", head, body)
        more += tables.source_block([run] if run is not None else [])
        block = finding_block(title, lines, TEXTS["read.shares"], more)
        return block, shares_figure(drawn, shares)

    def show_conflicts(self, chosen: str, measure: str) -> Drawn:
        """Draw the gradient conflicts of a run with surgery."""
        run = self.conflicted[chosen]
        title, lines = findings.conflicts_finding(run)
        names = ("conflict rate", "after surgery", "cosine", "after surgery")
        body = [
            [pair.replace("-", " and "), f"{epoch.epoch:g}"]
            + [
                fixed(value)
                for value in (
                    values.conflict_rate,
                    values.conflict_rate_after,
                    values.cosine,
                    values.cosine_after,
                )
            ]
            for epoch in run.surgery
            for pair, values in epoch.pairs.items()
        ]
        head = ["Pair", "Epoch", *names]
        more = table("Gradient conflicts", head, body) + tables.source_block([run])
        block = finding_block(title, lines, TEXTS["read.conflicts"], more)
        return block, conflicts_figure(run, measure)


def row_choice(row: Row) -> str:
    """Name a row in a list; two tables may hold the same one."""
    return f"{row.name} ({row.table})"


def run_choices(runs: Sequence[Run]) -> dict[str, Run]:
    """Name runs in a list, each once."""
    return {
        f"{run.row.replace('_', ' ')}, seed {run.seed}"
        + (f", {run.profile}" if run.profile else ""): run
        for run in runs
    }
