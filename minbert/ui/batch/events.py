"""The Batch tab's events: read what somebody brings, answer it step by step, show and score it.

A run is known by a ticket. Whoever holds it can stop the run, in the queue or in its midst: the
rows at hand are finished, what is answered is kept, and the model is free.
"""

from __future__ import annotations

import contextlib
import dataclasses
import secrets
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from gradio.utils import get_upload_folder

from minbert.answers import PairResult
from minbert.batch import (
    MOST_ROWS,
    BatchError,
    BatchScores,
    BatchTable,
    RowAnswer,
    answer_rows,
    read_batch,
    score_batch,
    write_answers,
)
from minbert.batch.writing import rows_as_dicts, scores_as_dict
from minbert.predictor import Predictor
from minbert.tasks import SIMILARITY
from minbert.ui.batch import findings, tables
from minbert.ui.batch.figures import reliability_figure, scatter_figure, thinned
from minbert.ui.batch.previews import AUTO as AUTO
from minbert.ui.batch.previews import KINDS, brought, columns_of
from minbert.ui.batch.previews import PAIRS as PAIRS
from minbert.ui.batch.previews import SENTENCES as SENTENCES
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block, note_block
from minbert.ui.parts.figures import confusion_figure
from minbert.ui.parts.refusal import refusal

PLACES = 2  # runs that go at once; the quick questions of the other tabs have places of their own
API_ROWS = 2_000  # of one call
ROWS_A_STEP = {"sentences": 64, "pairs": 24}  # a second or two: so long a stop takes
MOST_WAITING = 1_000  # tickets remembered; visitors who left without a stop are forgotten
FILE_NAME = "minbert-answers.tsv"

Update = dict[str, Any]
RESULTS = 8  # outputs of a run's step: the notice, and what `results` adds below it


@dataclasses.dataclass
class Run:
    """One visitor's run, from the press of the button to its end."""

    stopped: threading.Event = dataclasses.field(default_factory=threading.Event)
    begun: bool = False


class Batch:
    """The tab's events, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine
        self.runs: dict[str, Run] = {}
        self.working = 0
        self.lock = threading.Lock()

    def table(
        self,
        content: bytes | None,
        text: str | None,
        task: str,
        most_rows: int = MOST_ROWS,
        columns: str | None = None,
    ) -> BatchTable:
        """Read what was brought, a file or a pasted text.

        Raises:
            BatchError: neither or both, or what `read_batch` says.
        """
        kind = KINDS[task]
        return read_batch(brought(content, text), kind=kind, most_rows=most_rows, columns=columns)

    def read(
        self, content: bytes | None, text: str, task: str, *chosen: str | None
    ) -> tuple[Any, ...]:
        """Check what was brought, and give a run its ticket; an empty one: it can't be answered."""
        try:
            table = self.table(content, text, task, columns=columns_of(*chosen))
        except BatchError as error:
            return (tables.problem(str(error)), "", *buttons(False), *cleared())
        ticket, run = secrets.token_hex(16), Run()
        with self.lock:
            waiting = [name for name, other in self.runs.items() if not other.begun]
            for name in waiting[: max(len(waiting) + 1 - MOST_WAITING, 0)]:
                del self.runs[name]
            self.runs[ticket] = run
            working = self.working
        notice = tables.note(findings.ready(table, working, PLACES), *table.taken_for)
        return (notice, ticket, *buttons(True), *cleared())

    def proceed(self, ticket: str) -> None:
        """Let a run go on to the queue, if it has a ticket."""
        if ticket not in self.runs:
            raise refusal("Nothing to answer.", visible=False)

    def stop(self, ticket: str) -> tuple[Any, ...]:
        """Stop a run; what it has answered is shown by the run itself."""
        with self.lock:
            run = self.runs.get(ticket)
            if run is None:
                return (gr.skip(), *buttons(False))
            run.stopped.set()
            if not run.begun:  # it still waits in the queue, and ends there at its turn
                return (tables.note("Stopped before its first row."), *buttons(False))
        return (tables.note("Stopping after the rows at hand."), gr.skip(), gr.skip())

    def restore(self, ticket: str) -> tuple[Update, Update]:
        """Show the button that begins again, unless a newer run goes on."""
        return buttons(ticket in self.runs)

    def work(
        self,
        ticket: str,
        content: bytes | None,
        text: str,
        task: str,
        model: str,
        *chosen: str | None,
    ) -> Iterator[tuple[Any, ...]]:
        """Answer a run's rows; yield its progress, and at the end its results."""
        run = self.taken(ticket)
        if run is None:
            yield (gr.skip(),) * RESULTS
            return
        try:
            with self.place():
                table = self.table(content, text, task, columns=columns_of(*chosen))
                yield from self.steps(run, table, model)
        finally:
            with self.lock:
                del self.runs[ticket]

    def taken(self, ticket: str) -> Run | None:
        """Return the ticket's run to begin it; None: it has begun, or was stopped before."""
        with self.lock:
            run = self.runs.get(ticket)
            if run is None or run.begun:
                return None
            if run.stopped.is_set():
                del self.runs[ticket]
                return None
            run.begun = True
            return run

    @contextlib.contextmanager
    def place(self) -> Iterator[None]:
        """Be counted among what is answered at present."""
        with self.lock:
            self.working += 1
        try:
            yield
        finally:
            with self.lock:
                self.working -= 1

    def steps(self, run: Run, table: BatchTable, model: str) -> Iterator[tuple[Any, ...]]:
        """Answer a table chunk by chunk until its end, or until the run is stopped."""
        answers: list[RowAnswer] = []
        total, begun = len(table.rows), time.monotonic()
        skipped = (gr.skip(),) * (RESULTS - 1)
        yield (tables.progress_panel(0, total, 0), *skipped)
        step = ROWS_A_STEP[table.kind]
        with contextlib.closing(
            answer_rows(self.predictor(model), table, rows_at_a_time=step)
        ) as chunks:
            while not run.stopped.is_set() and (chunk := next(chunks, None)) is not None:
                answers += chunk
                spent = time.monotonic() - begun
                if len(answers) < total:
                    yield (tables.progress_panel(len(answers), total, spent), *skipped)
        yield results(table, answers, time.monotonic() - begun, self.engine.names[model])

    def predictor(self, model: str) -> Predictor:
        """Return the model of this name.

        Raises:
            gr.Error: there is no such model, in words.
        """
        known = self.engine.answering
        if model not in known:
            names = ", ".join(known)
            raise refusal(f"Model should be one of {names}. Found {model!r}.", field="model")
        return known[model]

    def batch(
        self,
        file: bytes | None = None,
        text: str | None = None,
        task: str = AUTO,
        model: str = "mean",
        columns: str | None = None,
    ) -> dict[str, Any]:
        """Answer up to 2,000 rows of a file or a text, and score them where they have labels.

        Args:
            file: a table with a column sentence, or sentence1 and sentence2, and perhaps id,
                sentiment (0-4, or the class's name), is_duplicate (0 or 1) or similarity (0-5), or
                columns that can be told by their look; or one sentence a line. None where there
                is a text.
            text: the same as text.
            task: auto (as the columns say), sentiment or pairs.
            model: mean or cls, the pooling; of your own models the first and the second.
            columns: which column is what, by name or number, as in "sentence=review" or
                "sentence1=2, sentence2=3, similarity=score, header=no"; "plain": no table. None: as
                they look.

        Returns:
            kind (sentences or pairs), model, rows (each line, id, its texts, label, and what is
            predicted, named as in the page's download; left_out counts word pieces that were
            cut), bad_rows (line, reason), bad_labels (line, reason: answered and not scored),
            columns (by what each is read as; None: no table), taken_for (what was taken for
            what, in words), scores (None without labels).
        """
        table, parts = self.begun(file, text, task, columns)
        with self.place():
            answers = [answer for part in parts for answer in self.part(part, model)]
        return self.told(table, answers, model)

    def begun(
        self, file: bytes | None, text: str | None, task: str, columns: str | None = None
    ) -> tuple[BatchTable, list[BatchTable]]:
        """Read what a program brought: the table, and its parts to answer one after the other.

        Raises:
            gr.Error: it can't be read, in words.
        """
        try:
            table = self.table(file, text, task, API_ROWS, columns)
        except BatchError as error:
            raise refusal(str(error), field="text" if file is None else "file") from error
        step = ROWS_A_STEP[table.kind]
        starts = range(0, len(table.rows), step)
        rows = (table.rows[start : start + step] for start in starts)
        return table, [dataclasses.replace(table, rows=part) for part in rows]

    def part(self, part: BatchTable, model: str) -> list[RowAnswer]:
        """Answer one part of a table."""
        (answers,) = answer_rows(self.predictor(model), part, rows_at_a_time=len(part.rows))
        return answers

    def told(self, table: BatchTable, answers: Sequence[RowAnswer], model: str) -> dict[str, Any]:
        """Return a table's answers as plain values, with their scores where it has labels."""
        scored = table.label_task is not None
        return {
            "kind": table.kind,
            "model": model,
            "rows": rows_as_dicts(table, answers),
            "bad_rows": [dataclasses.asdict(row) for row in table.bad_rows],
            "bad_labels": [dataclasses.asdict(label) for label in table.bad_labels],
            "columns": table.columns,
            "taken_for": list(table.taken_for),
            "scores": scores_as_dict(score_batch(table, answers)) if scored else None,
        }


def buttons(running: bool) -> tuple[Update, Update]:
    """Return the updates of the buttons that begin and stop."""
    return gr.update(visible=not running), gr.update(visible=running)


def cleared() -> tuple[Any, ...]:
    """Return what empties all places below the notice."""
    return (gr.update(value=None, visible=False), tables.NO_SCORES, "", None, "", None, "")


def results(
    table: BatchTable, answers: list[RowAnswer], seconds: float, name: str
) -> tuple[Any, ...]:
    """Return everything that is shown at the end of a run; `name` is the model's pooling."""
    title, lines = findings.summary(table, answers, seconds, name, tables.SHOWN_ROWS)
    how = "Probabilities and certainty are the model's own; how far to trust them, labels tell."
    unread = tables.bad_rows(table.bad_labels, "label", ": their rows are answered, not scored")
    read = "".join(map(note_block, table.reading.notes if table.reading else ()))
    label = f"Download all {findings.count(len(table.rows) + len(table.bad_rows), 'row')} (TSV)"
    try:
        download = gr.update(value=str(written(table, answers)), label=label, visible=True)
    except OSError as error:  # a full disk, say: what was answered is shown all the same
        lines.append(f"There is no file to download: the server can't write it ({error.strerror}).")
        download = gr.update(value=None, visible=False)
    scored_too = "" if table.label_task is None else tables.SCORES_THERE
    shown = scored_too + read + tables.bad_rows(table.bad_rows) + unread
    block = finding_block(title, lines, how, shown=shown)
    return (block, download, *scored(table, answers), tables.rows_table(table, answers))


def written(table: BatchTable, answers: list[RowAnswer]) -> Path:
    """Write the answers into a new folder of gradio's cache, which the page empties in time."""
    cache = Path(get_upload_folder())
    cache.mkdir(parents=True, exist_ok=True)
    path = Path(tempfile.mkdtemp(prefix="batch-", dir=cache)) / FILE_NAME
    write_answers(path, table, answers)
    return path


def scored(
    table: BatchTable, answers: list[RowAnswer]
) -> tuple[str, str, go.Figure | None, str, go.Figure | None]:
    """Return the measures and up to two figures, each with its words; nothing without labels."""
    if table.label_task is None:
        return tables.NO_SCORES, "", None, "", None
    scores = score_batch(table, answers)
    measures = tables.scores_block(scores)
    if not scores.scored:
        return measures, "", None, "", None
    if scores.task == SIMILARITY:
        return (measures, *compared(table, answers, scores), "", None)
    return (
        measures,
        tables.confusion_block(scores),
        confusion_figure(scores.confusion or (), scores.task.labels),
        tables.reliability_block(scores),
        reliability_figure(scores),
    )


def compared(
    table: BatchTable, answers: list[RowAnswer], scores: BatchScores
) -> tuple[str, go.Figure]:
    """Return the scatter of the model's similarity against people's, with its words."""
    points = [
        (row.label, answer.score)
        for row, answer in zip(table.rows, answers, strict=False)
        if row.label is not None and isinstance(answer, PairResult)
    ]
    block = tables.scatter_block(scores, len(thinned(points)))
    return block, scatter_figure(points)
