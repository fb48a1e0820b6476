"""The HTML of the Batch tab: progress, problems, the rows as a table; every text escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from minbert.answers import SentimentResult
from minbert.batch import (
    BadRow,
    BatchRow,
    BatchScores,
    BatchTable,
    RowAnswer,
    is_duplicate,
)
from minbert.tasks import PARAPHRASE, SENTIMENT, Task
from minbert.ui.batch import findings
from minbert.ui.parts.blocks import finding_block, note_block
from minbert.ui.parts.figures import cut
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.tables import fold, table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
SHOWN_ROWS = 200  # of answers, in the table on the page
CUT = "Pieces cut"  # a column that is there where a row was
SHOWN_PROBLEMS = 100  # of rows that can't be read
SHOWN_TEXT = 240  # characters of one sentence in the table
NO_SCORES = note_block(TEXTS["tab.no_scores"])  # before a run with labels
SCORES_THERE = note_block(TEXTS["tab.scores_there"])
EXAMPLE_FILES = TEXTS.by_name("tables.example_files")  # what each shows, its content


def formats(limits: str = "") -> str:
    """Return the fold that shows what can be brought; `limits` is HTML made by us."""
    shown = "".join(
        f'<p class="mb-note">{escape(name)}</p><pre class="mb-file" tabindex="0" role="region" '
        f'aria-label="{escape(name)}">{escape(content)}</pre>'
        for name, content in EXAMPLE_FILES.items()
    )
    more = note_block(TEXTS["tables.other_columns"]) + limits
    return fold("What a file looks like, and how much it may hold", shown + more)


def progress_panel(done: int, total: int, seconds: float) -> str:
    """Return the bar of a run with its numbers."""
    share = 100 * done / max(total, 1)
    told = findings.progress(done, total, seconds)
    return (
        f'<div class="mb-meter mb-progress" role="progressbar" aria-label="rows answered" '
        f'aria-valuemin="0" aria-valuemax="{total}" aria-valuenow="{done}">'
        f'<div class="mb-fill" style="width:{share:.1f}%"></div></div>'
        f'<p class="mb-note mb-told">{escape(told)}</p>'
    )


def note(*lines: str) -> str:
    """Return a few lines, announced to a screen reader."""
    return f'<p class="mb-note mb-told" role="status">{"<br>".join(map(escape, lines))}</p>'


def problem(reason: str) -> str:
    """Say why nothing was answered."""
    return (
        f'<div class="mb-problem" role="alert"><h3>This can’t be answered</h3>'
        f'<p class="mb-note mb-told">{escape(reason)}</p></div>'
    )


def bad_rows(rows: Sequence[BadRow], thing: str = "row", rest: str = "") -> str:
    """Return the rows, or labels, that could not be read, each with its line and the reason."""
    if not rows:
        return ""
    items = "".join(
        f"<li>Line {row.line:,}: {escape(row.reason)}</li>" for row in rows[:SHOWN_PROBLEMS]
    )
    more = len(rows) - SHOWN_PROBLEMS
    others = f"<li>and {more:,} more, told in the download</li>" if more > 0 else ""
    title = f"{findings.count(len(rows), thing)} could not be read{rest}"
    return f'<div class="mb-problem"><h3>{title}</h3><ul>{items}{others}</ul></div>'


def short(text: str) -> str:
    """Return a text as one line that a table has room for."""
    return cut(" ".join(text.split()), SHOWN_TEXT)


def rows_table(asked: BatchTable, answers: Sequence[RowAnswer]) -> str:
    """Return the first rows with their answers."""
    kept = list(zip(asked.rows, answers, strict=False))[:SHOWN_ROWS]
    if not kept:
        return ""
    label = asked.label_task
    more = [] if label is None else ["People"]
    was_cut = any(answer.left_out for _, answer in kept)
    more += [CUT, "Line"] if was_cut else ["Line"]
    if asked.kind == "sentences":
        names = ["Sentence", "Sentiment", "Sure", "Expected (0–4)", *more]
    else:
        names = ["A", "B", "Paraphrase", "Similarity (0–5)", *more]
    body = [
        [
            *texts_and_answer(row, answer),
            *people_cell(row, label),
            *([f"{answer.left_out:,}" if answer.left_out else ""] if was_cut else []),
            str(row.line),
        ]
        for row, answer in kept
    ]
    count = findings.count(len(kept), "row")
    caption = f"The first {count}" if len(answers) > len(kept) else f"All {count}"
    listed = table(caption, names, body)
    return f'<div class="mb-batch mb-{asked.kind}">{listed}</div>'


def texts_and_answer(row: BatchRow, answer: RowAnswer) -> list[str]:
    """Return one row's texts and what the model says."""
    if isinstance(answer, SentimentResult):
        sure = percent(max(answer.probabilities))
        return [short(row.first), answer.label, sure, f"{answer.expected:.1f}"]
    yes = PARAPHRASE.labels[is_duplicate(answer)]
    said = f"{yes} ({percent(answer.paraphrase)})"
    return [short(row.first), short(row.second or ""), said, f"{answer.score:.2f}"]


def people_cell(row: BatchRow, task: Task | None) -> list[str]:
    """Return the cell of a row's label; none where the table has no labels."""
    if task is None:
        return []
    if row.label is None:
        return [""]
    return [task.labels[int(row.label)] if task.labels else f"{row.label:g}"]


def scores_block(scores: BatchScores) -> str:
    """Return the measures, each with one standard error."""
    title, lines = findings.scores_finding(scores)
    caption = "How good the answers are"
    names = ("Measure", "Value", "Standard error", "Rows")
    measured = table(caption, names, findings.measures(scores))
    how = "The labels of your file are held against the model's answers."
    if scores.calibration_error is not None:
        how += " The calibration error is the mean gap between both over the bins of the curve."
    return finding_block(title, lines, how, shown=measured)


def confusion_block(scores: BatchScores) -> str:
    """Return the words and the table of the confusion matrix."""
    labels = scores.task.labels
    counts = scores.confusion or ()
    names = ["People ↓ model →", *labels]
    rows = [
        [label, *(f"{cell:,}" for cell in row)] for label, row in zip(labels, counts, strict=True)
    ]
    numbers = table("Rows by people's class and the model's", names, rows)
    title = findings.confusion_finding(scores)
    return finding_block(title, [], TEXTS["read.confusion"], numbers)


def reliability_block(scores: BatchScores) -> str:
    """Return the words and the table of the reliability curve."""
    sentiment = scores.task == SENTIMENT
    said, found = ("Mean certainty", "Share right") if sentiment else ("Mean “yes”", "Share of yes")
    names = ("Certainty" if sentiment else "Probability", "Rows", said, found)
    numbers = table("Rows by the model's certainty", names, findings.bin_cells(scores.bins))
    how = TEXTS["read.reliability"] if sentiment else TEXTS["read.yes"]
    return finding_block(findings.reliability_finding(scores), [], how, numbers)


def scatter_block(scores: BatchScores, drawn: int) -> str:
    """Return the words and the table of the scatter; `drawn` is how many points it has."""
    names = ("Model's score", "Rows", "Mean of the model", "Mean of people")
    numbers = table("Rows by the model's score", names, findings.bin_cells(scores.bins))
    thinned = [f"Drawn are {drawn:,} of {scores.scored:,}."] if drawn < scores.scored else []
    return finding_block(findings.scatter_finding(scores), thinned, TEXTS["read.scatter"], numbers)
