"""The pooling lab's left-out words: what each word does to both models' similarity scores.

It needs no exact split, so it works under CLS pooling and for the joint score too.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from minbert.explain import (
    JointOcclusion,
    JointScore,
    SimilarityOcclusion,
    occlude_joint,
    occlude_similarity,
)
from minbert.explain.occlusion import MOST_WORDS
from minbert.serving import bulk_work
from minbert.tasks import clamped
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import POOLING_NAMES
from minbert.ui.parts.blocks import finding_block, note_block, progress_block
from minbert.ui.parts.colours import POOLING_COLOURS
from minbert.ui.parts.figures import places, themed
from minbert.ui.parts.refusal import asked_pair
from minbert.ui.parts.steps import Press
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
SIAMESE, JOINT = "Siamese", "joint"
FUNCTIONS = {SIAMESE: occlude_similarity, JOINT: occlude_joint}
BAR = 34  # pixels of a word's two bars
REFUSED = "Can't leave out words"
NO_SECOND = "Sentence B is empty. A similarity needs two sentences; type one there."

Shown = tuple[Any, ...]  # Siamese words and plot, joint words and plot, the Stop button


@dataclasses.dataclass(frozen=True)
class LeftOut:
    """One score of a pair under both poolings, and what it becomes without each word."""

    kind: str
    first: tuple[str, ...]  # A's words, W_A
    second: tuple[str, ...]  # B's words, W_B
    scores: Mapping[str, float]  # by pooling, 0-5
    without: Mapping[str, tuple[float, ...]]  # by pooling: W_A + W_B
    skipped: tuple[int, int]  # further words of A and B, not tried
    names: Mapping[str, str] = dataclasses.field(default_factory=lambda: POOLING_NAMES)

    @property
    def changes(self) -> dict[str, tuple[float, ...]]:
        """Return the score without each word, less the score, by pooling: W_A + W_B."""
        return {
            name: tuple(value - self.scores[name] for value in values)
            for name, values in self.without.items()
        }

    @property
    def largest(self) -> float:
        """Return the largest change, up or down."""
        return max((abs(c) for changes in self.changes.values() for c in changes), default=0.0)


def collected(
    kind: str,
    found: Mapping[str, SimilarityOcclusion | JointOcclusion],
    names: Mapping[str, str] = POOLING_NAMES,
) -> LeftOut:
    """Collect what one kind of score becomes under each pooling."""
    words = next(iter(found.values()))
    return LeftOut(
        kind=kind,
        first=words.first,
        second=words.second,
        scores={name: score_of(one.score) for name, one in found.items()},
        without={
            name: tuple(score_of(part) for part in (*one.without_first, *one.without_second))
            for name, one in found.items()
        },
        skipped=words.skipped,
        names=dict(names),
    )


def score_of(found: float | JointScore) -> float:
    """Return the similarity of either kind of score."""
    return found.similarity if isinstance(found, JointScore) else found


class Occlusion:
    """The button's event, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def leave_out(self, first: str, second: str, press: Press | None = None) -> Iterator[Shown]:
        """Leave out each word under both poolings, the quick score first; show each step.

        Where the press is ended meanwhile, what is shown is what was there before it.
        """
        press = press or Press()
        over = press.begin()
        first, second = asked_pair(self.engine, first, second, NO_SECOND, REFUSED)
        models, names = self.engine.answering, self.engine.names
        found: dict[str, dict[str, Any]] = {kind: {} for kind in FUNCTIONS}
        for done, (kind, pooling) in enumerate(steps_of(names)):
            if over():
                break
            yield view(found, done, names)
            with bulk_work():
                found[kind][pooling] = FUNCTIONS[kind](models[pooling], first, second)
        if press.ended:
            yield waiting()
        elif not over():
            yield view(found, len(steps_of(names)), names)


def steps_of(names: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the steps: each kind of score under each pooling."""
    return tuple((kind, pooling) for kind in FUNCTIONS for pooling in names)


def view(
    found: Mapping[str, Mapping[str, Any]], done: int, names: Mapping[str, str] = POOLING_NAMES
) -> Shown:
    """Return what the part shows after so many steps: figures, progress, the Stop button."""
    steps = steps_of(names)
    there = [
        collected(kind, parts, names) for kind, parts in found.items() if len(parts) == len(names)
    ]
    limit = max((one.largest for one in there), default=0.0)
    shown: list[Any] = []
    for one in there:
        shown += [block(one), left_out_figure(one, limit)]
    if done < len(steps):
        kind, pooling = steps[done]
        told = f"{done} of {len(steps)} done; now the {kind} score under {names[pooling]}"
        shown += [progress_block(told, done / len(steps)), None]
    while len(shown) < 2 * len(found):
        shown += ["", None]
    return (*shown, gr.update(visible=done < len(steps)))


def waiting() -> Shown:
    """Return what the part shows before the button, and after another question."""
    told = note_block(TEXTS["left_out.waiting"])
    return told, None, "", None, gr.update(visible=False)


def block(found: LeftOut) -> str:
    """Return a figure's finding, how to read it, and its table."""
    title, lines = finding(found)
    reading = TEXTS.by_name("read.left_out")[found.kind]
    return finding_block(title, lines, reading, left_out_table(found))


def finding(found: LeftOut) -> tuple[str, list[str]]:
    """Say which word moves each model most, and how much an average word does."""
    words = (*found.first, *found.second)
    if not words:
        return "There are no words to leave out", []
    told = {}
    for name, changes in found.changes.items():
        top = max(range(len(words)), key=lambda place: abs(changes[place]))
        moved = f"{found.scores[name]:.1f} → {found.without[name][top]:.1f}"
        whose = "A" if top < len(found.first) else "B"
        told[name] = (f"“{words[top]}” of {whose}", moved)
    kind, names = f"{found.kind.capitalize()} score", found.names
    words_named = {word for word, _ in told.values()}
    if len(told) == 1:
        ((name, (word, moved)),) = told.items()
        title = f"{kind}: {names[name]} hangs most on {word} ({moved})"
    elif len(words_named) == 1:
        moves = ", ".join(f"{names[name]} {moved}" for name, (_, moved) in told.items())
        title = f"{kind}: both hang most on {words_named.pop()} ({moves})"
    else:
        one, other = (f"{word} ({moved})" for word, moved in told.values())
        first, second = (names[name] for name in told)
        title = f"{kind}: {first} hangs most on {one}, {second} on {other}"
    averages = [
        f"by {sum(map(abs, changes)) / len(words):.2f} under {names[name]}"
        for name, changes in found.changes.items()
    ]
    lines = [f"On average a word moves the score {', '.join(averages)}."]
    drawn = [
        score for name, whole in found.scores.items() for score in (whole, *found.without[name])
    ]
    if any(score != clamped(score) for score in drawn):
        lines.append(
            "These are the model's own scores, not held within 0 to 5: they are explained."
        )
    if any(found.skipped):
        lines.append(
            f"The first {MOST_WORDS} words of a sentence are left out in turn; not tried: "
            f"{found.skipped[0]} of A, {found.skipped[1]} of B."
        )
    return title, lines


def left_out_figure(found: LeftOut, limit: float) -> go.Figure:
    """Draw each word's change, one panel a sentence, a bar a pooling; limits are ± `limit`."""
    sentences = {"A": found.first, "B": found.second}
    sizes = [max(len(words), 1) for words in sentences.values()]
    height = 120 + BAR * sum(sizes)
    figure = make_subplots(
        rows=2,
        cols=1,
        shared_xaxes=True,
        row_heights=sizes,
        vertical_spacing=min(0.3, 36 / height),
        subplot_titles=[f"words of {name}" for name in sentences],
    )
    start = 0
    for row, words in enumerate(sentences.values(), start=1):
        y = places(words)
        for name, called in found.names.items():
            values = found.changes[name][start : start + len(words)]
            without = found.without[name][start : start + len(words)]
            figure.add_bar(
                x=[round(value, 4) for value in values],
                y=y,
                orientation="h",
                name=called,
                legendgroup=name,
                showlegend=row == 1,
                marker={"color": POOLING_COLOURS[name]},
                customdata=list(zip(words, without, strict=True)),
                hovertemplate=f"{called} without %{{customdata[0]}}: %{{customdata[1]:.2f}} "
                "(%{x:+.2f})<extra></extra>",
                row=row,
                col=1,
            )
        figure.update_yaxes(
            tickvals=y, ticktext=list(words), autorange="reversed", showgrid=False, row=row, col=1
        )
        start += len(words)
    themed(figure, height=height)
    reach = max(limit, 0.05) * 1.08
    figure.update_xaxes(range=[-reach, reach], nticks=6)
    title = {"text": "change without the word", "font": {"size": 13}}
    figure.update_xaxes(title=title, row=2, col=1)
    figure.update_layout(
        barmode="group",
        bargap=0.25,
        margin={"t": 60},
        legend={
            "orientation": "h",
            "x": 1,
            "xanchor": "right",
            "y": 1 + 30 / height,
            "yanchor": "bottom",
        },
    )
    return figure


def left_out_table(found: LeftOut) -> str:
    """Return each word's scores and changes under both poolings."""
    words = [
        (name, word) for name in "AB" for word in (found.first if name == "A" else found.second)
    ]
    rows = [
        [f"{word} ({sentence})"]
        + [
            cell
            for name in found.names
            for cell in (f"{found.without[name][k]:.2f}", f"{found.changes[name][k]:+.2f}")
        ]
        for k, (sentence, word) in enumerate(words)
    ]
    whole = [cell for name in found.names for cell in (f"{found.scores[name]:.2f}", "")]
    scores = [cell for called in found.names.values() for cell in (f"{called} score", "change")]
    heads = ["Without", *scores]
    return table(
        f"The {found.kind} score without each word",
        heads,
        [["nothing (the whole pair)", *whole], *rows],
    )
