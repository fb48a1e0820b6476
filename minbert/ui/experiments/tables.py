"""The HTML of the experiments: tables beside the figures, claims, where numbers come from."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from markupsafe import Markup

from minbert.records.form import TASKS
from minbert.records.runs import (
    ENCODER_NOTE,
    VERDICTS,
    Comparison,
    Difference,
    Run,
    small_encoder,
)
from minbert.ui.experiments.findings import compared, encoder_caveat, provenance, waiting
from minbert.ui.parts.blocks import note_block, sources_block
from minbert.ui.parts.numbers import fixed, signed
from minbert.ui.parts.score_rows import (
    NORMALISED,
    Row,
    Score,
    metric_label,
    seeds_of,
    spread_of,
    task_of,
)
from minbert.ui.parts.tables import fold, headed_table
from minbert.ui.parts.templates import render
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
ALL_VERDICTS = "all"


def source_block(runs: Sequence[Run]) -> str:
    """Tell where the shown numbers come from, and what the encoder had seen before."""
    lines = provenance(runs)
    told = "Machine, seeds and commits of these numbers"
    return fold(told, sources_block(lines)) if lines else ""


def encoder_block(runs: Sequence[Run]) -> str:
    """Warn of the encoder's own training, where these runs start from it."""
    return note_block(ENCODER_NOTE) if small_encoder(runs) else ""


def row_notes(rows: Sequence[Row]) -> str:
    """Tell where rows differ from the report's, behind a fold."""
    notes = {row.label: row.runs[-1].note for row in rows if row.runs[-1].note}
    items = "".join(f"<li>{escape(name)}: {escape(told)}</li>" for name, told in notes.items())
    return fold("How these rows differ from the report's", f"<ul>{items}</ul>") if notes else ""


def scores_table(caption: str, rows: Sequence[Row], metrics: Sequence[str]) -> str:
    """Return the report's numbers beside ours."""
    reported, ours = splits(rows, metrics)
    told = [metric for metric in metrics if any(row.reported(metric) is not None for row in rows)]
    first = '<tr><th scope="col" rowspan="2">Row</th>' + "".join(
        f'<th scope="colgroup" colspan="{2 if metric in told else 1}">'
        f"{escape(metric_label(metric))}</th>"
        for metric in metrics
    )
    last = "".join(
        f'<th scope="col" rowspan="2">{name}</th>' for name in ("Seeds", "Tokens", "Minutes")
    )
    second = "".join(
        (f'<th scope="col">{escape(reported)}</th>' if metric in told else "")
        + f'<th scope="col">{escape(ours)}</th>'
        for metric in metrics
    )
    body = []
    for row in rows:
        cells = [row.label]
        for metric in metrics:
            report = row.reported(metric)
            cells += ["–" if report is None else fixed(report)] if metric in told else []
            cells.append(score_cell(row.score(metric)))
        cells += [
            seeds_of(row.runs).split(" ", 1)[1],
            mean_of([run.tokens for run in row.runs], 0),
            mean_of([run.minutes for run in row.runs], 1),
        ]
        body.append(cells)
    return headed_table(caption, f"{first}{last}</tr><tr>{second}</tr>", body)


def splits(rows: Sequence[Row], metrics: Sequence[str]) -> tuple[str, str]:
    """Return the heads of the report's column and of ours, each with its split."""
    reported = {run.report_split for row in rows for run in row.runs if run.report}
    scores = [row.score(metric) for row in rows for metric in metrics]
    ours = {score.split for score in scores if score is not None}
    return f"report: {one_of(reported)}", f"ours: {one_of(ours)}"


def one_of(names: set[str]) -> str:
    """Name the split, or the splits."""
    return " and ".join(sorted(name or "split not told" for name in names)) or "split not told"


def score_cell(score: Score | None) -> str:
    """Write a score with interval, and with several seeds their SD."""
    if score is None:
        return "–"
    seeds = f"\nSD {score.sd:.3f}" if score.sd is not None else ""
    return spread_of(score) + seeds


def mean_of(values: Sequence[float | None], digits: int) -> str:
    """Write the mean of the numbers that are there."""
    known = [value for value in values if value is not None]
    return f"{sum(known) / len(known):,.{digits}f}" if known else "–"


def claims_block(comparisons: Sequence[Comparison], runs: Sequence[Run]) -> str:
    """Return the claims as a table to filter by verdict; those that wait for runs are told last."""
    judged = [one for one in comparisons if not waiting(one)]
    ends = [
        end
        for one in judged
        for name, difference in one.differences.items()
        if on_scale(name)
        for end in (difference.low, difference.high, difference.value)
        if end is not None
    ]
    scale = min([0.0, *ends]), max([0.01, *ends])
    body = ""
    if judged:
        counts = {ALL_VERDICTS: len(judged)}
        for verdict in VERDICTS:
            counts[verdict] = sum(one.verdict == verdict for one in judged)
        rows = [one for verdict in VERDICTS for one in judged if one.verdict == verdict]
        claims = [claim(one, runs, scale) for one in rows]
        shown = [run for run in runs if any(is_compared(run, one) for one in judged)]
        body = render("experiments/claims.html", counts=counts, claims=claims)
        body += encoder_block(shown)
        body += source_block(shown) or sources_block([TEXTS["tables.untold"]])
    later = [one for one in comparisons if waiting(one)]
    items = "".join(f"<li>{escape(one.says)}: {escape(one.why)}</li>" for one in later)
    return body + (
        fold(f"Claims that wait for runs: {len(later)}", f"<ul>{items}</ul>") * bool(later)
    )


def is_compared(run: Run, one: Comparison) -> bool:
    """Say whether a claim compares this run."""
    return run.row in one.rows and (run.seed in one.seeds or not one.seeds)


def claim(one: Comparison, runs: Sequence[Run], scale: tuple[float, float]) -> dict[str, str]:
    """Return what a row tells of one claim; differences, caveat and why unfold."""
    differences = "".join(
        difference_line(name, difference, scale) for name, difference in one.differences.items()
    )
    its = [run for run in runs if is_compared(run, one)]
    caveat = "; ".join(part for part in (one.caveat, encoder_caveat(one, its)) if part)
    return {
        "says": one.says,
        "verdict": one.verdict,
        "compared": compared(one),
        "differences": Markup(differences),
        "caveat": f"{caveat.removesuffix('.')}." if caveat else "",
        "why": one.why,
    }


def on_scale(name: str) -> bool:
    """Say whether a difference is one of scores, which share a scale; tokens and minutes don't."""
    return task_of(name) in (*TASKS, "cfimdb", NORMALISED)


def difference_line(name: str, difference: Difference, scale: tuple[float, float]) -> str:
    """Return a difference in words and as a dot on its interval; nothing where undefined."""
    low, middle, high = difference.low, difference.value, difference.high
    if middle is None:
        return ""
    interval = f" [{signed(low)}, {signed(high)}]" if low is not None and high is not None else ""
    places = [
        4 + 92 * ((middle if value is None else value) - scale[0]) / (scale[1] - scale[0])
        for value in (low, middle, high, 0.0)
    ]
    task = task_of(name) if task_of(name) in TASKS else "neutral"
    drawn = (
        "<span></span>"
        if not on_scale(name)
        else (
            f'<span class="mb-interval mb-{task}" aria-hidden="true" '
            f'style="--mb-zero:{places[3]:.1f}%"><span class="mb-whisker" '
            f'style="left:{places[0]:.1f}%;width:{max(places[2] - places[0], 0):.1f}%"></span>'
            f'<span class="mb-dot" style="left:{places[1]:.1f}%"></span></span>'
        )
    )
    n = f", n {difference.n:,}" if difference.n is not None else ""
    return (
        f"<div><dt>{escape(metric_label(name))}</dt>"
        f"<dd>{drawn}<span>{signed(middle)}{interval}{n}</span></dd></div>"
    )
