"""What happens in "Your labels": a file or pasted rows in, a comparison in steps, then answers.

A visitor has one run at a time, known by their session; a stop ends it at its next step.
"""

from __future__ import annotations

import dataclasses
import secrets
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from minbert.checks import TextError
from minbert.labels import (
    Comparison,
    FitError,
    LabelModel,
    Probe,
    compare_in_steps,
    read_examples,
    zipped,
)
from minbert.labels.probe import FOLDER
from minbert.reading import ReadError
from minbert.ui.engine import SHIPPED, Engine
from minbert.ui.parts.blocks import note_block, problems_block, progress_block
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling import labels_blocks as blocks
from minbert.ui.question import LONGEST_TEXT

TEXTS = texts_of(__package__)
MOST_WAITING = 1_000  # runs remembered; visitors who left without a stop are forgotten
REFUSED = "This can’t be compared"
Update = dict[str, Any]
Shown = tuple[Any, ...]


@dataclasses.dataclass(frozen=True)
class Kept:
    """What a visit keeps of one pooling: what it shows, and what answers. No file of theirs."""

    confusion: tuple[str, Any]
    mistakes: str
    probe: Probe


Held = dict[str, Kept]  # by the model's short name


class YourLabels:
    """The view's events, bound to one engine."""

    def __init__(self, engine: Engine, tickets: Path) -> None:
        """Serve this engine; `tickets` are the rows to try."""
        self.engine, self.tickets = engine, tickets
        self.runs: dict[str, threading.Event] = {}  # by session: set once it is to stop

    def example(self) -> tuple[None, str, str]:
        """Return the example's rows in place of a file, and of columns chosen."""
        return None, self.tickets.read_text(encoding="utf-8"), ""

    def begin(self, request: gr.Request) -> Shown:
        """Note that a run waits for its place, where it can be stopped too."""
        for name in list(self.runs)[: max(len(self.runs) + 1 - MOST_WAITING, 0)]:
            del self.runs[name]
        self.runs[str(request.session_hash)] = threading.Event()
        return (progress_block(TEXTS["labels.waiting"], 0), *running(True, False))

    def stop(self, request: gr.Request) -> Shown:
        """Stop a visitor's run; one that isn't there any more has nothing to stop."""
        run = self.runs.get(str(request.session_hash))
        if run is None:
            return ended(TEXTS["labels.stopped"])
        run.set()
        return (note_block(TEXTS["labels.stopping"]), *(gr.skip(),) * 4)

    def compare(
        self, content: bytes | None, text: str | None, columns: str | None, request: gr.Request
    ) -> Iterator[Shown]:
        """Compare the poolings; yield notice, what `running` updates, state, `results`' parts."""
        name = str(request.session_hash)
        run = self.runs.setdefault(name, threading.Event())
        skipped = (gr.skip(),) * PARTS
        try:
            for step in self.steps(content, (text or "").strip(), (columns or "").strip()):
                if run.is_set():
                    yield (*ended(TEXTS["labels.stopped"]), None, *skipped)
                    return
                if isinstance(step, Comparison):
                    yield ("", *running(False, True), *self.results(step))
                else:
                    told = progress_block(step.what, step.share)
                    yield (told, *running(True, False), None, *skipped)
        except (ReadError, FitError) as error:
            problem = problems_block([str(error)], REFUSED)
            yield (problem, *running(False, False), None, *skipped)
        finally:
            self.runs.pop(name, None)

    def steps(self, content: bytes | None, text: str, columns: str) -> Iterator[Any]:
        """Yield a comparison's progress, and the comparison.

        Raises:
            ReadError: neither file nor text, both, or what can't be learned from.
            FitError: as `compare_in_steps`.
        """
        if (content is None) == (not text):
            raise ReadError(TEXTS["labels.nothing"] if content is None else TEXTS["labels.both"])
        examples = read_examples(text if content is None else content, columns=columns or None)
        yield from compare_in_steps(examples, self.engine.answering, names=self.engine.names)

    def results(self, found: Comparison) -> Shown:
        """Return what the visit keeps, and all that is shown of it, the mean model's first."""
        held = {
            side.name: Kept(
                blocks.confusion(side, found.examples.classes),
                blocks.mistakes_table(side, found),
                side.probe,
            )
            for side in found.sides
        }
        chosen = gr.update(value="mean")
        scores, (told, figure) = blocks.scores_block(found), blocks.curve(found)
        return (held, chosen, scores, told, figure, *self.switch(held, "mean"))

    def switch(self, held: Held | None, name: str) -> Shown:
        """Return what is one pooling's own: confusions, mistakes, no answer yet, the folder."""
        if held is None or name not in held:
            return (gr.skip(),) * SWITCHED
        kept = held[name]
        return (*kept.confusion, kept.mistakes, "", *self.folder(kept.probe, name))

    def folder(self, probe: Probe, name: str) -> tuple[Update, str]:
        """Return the folder to take along, as a zip in gradio's cache, and how it is loaded."""
        try:
            path = written(zipped(probe))
        except (ValueError, OSError) as error:  # of no folder; a full disk
            told = "The server can't write the folder." if isinstance(error, OSError) else error
            return gr.update(value=None, visible=False), note_block(str(told))
        return gr.update(value=str(path), visible=True), blocks.loading_block(
            self.encoder(name), TEXTS["labels.sentence"]
        )

    def encoder(self, name: str) -> str:
        """Return where the model of this short name is loaded from."""
        if self.engine.own:
            return self.engine.own[SHIPPED.index(name)].name
        return f"assets/models/{name}"

    def again(self, held: Held | None, name: str, text: str) -> str:
        """Label the sentence that stands there by the other pooling; nothing where none does."""
        return self.ask(held, name, text) if text.strip() else ""

    def ask(self, held: Held | None, name: str, text: str) -> str:
        """Return the label of a sentence, and what its words do for it under mean pooling."""
        if held is None or name not in held:
            return note_block(TEXTS["labels.forgotten"])
        if len(text) > LONGEST_TEXT:
            told = f"The sentence should have at most {LONGEST_TEXT:,} characters. "
            return problems_block([f"{told}Found {len(text):,}; shorten it."], "No label")
        model = LabelModel(self.engine.answering[name], held[name].probe)
        try:
            if model.probe.pooling == "mean":
                split = model.split(text)
                chances = dict(zip(model.probe.classes, split.probabilities, strict=True))
                return blocks.answer_block(chances, name, split, split.left_out)
            (answer,) = model.predict([text])
        except TextError as error:
            return problems_block([str(error)], "No label")
        return blocks.answer_block(answer.probabilities, name, None, answer.left_out)


PARTS, SWITCHED = 10, 6  # outputs of `results` after what is kept, and of `switch`


def running(now: bool, found: bool) -> tuple[Update, Update, Update, Update]:
    """Return the updates of what is brought, of both buttons, and of the results' place."""
    fold = gr.skip() if now else gr.update(open=not found)
    return fold, gr.update(visible=not now), gr.update(visible=now), gr.update(visible=found)


def ended(told: str) -> Shown:
    """Return what is shown of a run that ended without results."""
    return (note_block(told), *running(False, False))


def written(content: bytes) -> Path:
    """Write a zip into a new folder of gradio's cache, which the page empties in time."""
    cache = Path(get_upload_folder())
    cache.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f"labels-{secrets.token_hex(4)}-", dir=cache))
    path = folder / f"{FOLDER}.zip"
    path.write_bytes(content)
    return path
