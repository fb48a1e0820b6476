"""What the page of findings tells, section by section: the app's own words, tables, figures."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from minbert import __version__
from minbert.lessons import Lesson
from minbert.records.runs import read_results
from minbert.records.shipped import read_records
from minbert.ui.about.tab import LICENCE, listed
from minbert.ui.about.tables import cost_block, numbers_block, tasks_block
from minbert.ui.engine import Engine
from minbert.ui.experiments.events import CURVE_MEASURES, REPORT_METRICS, Experiments
from minbert.ui.experiments.findings import READ_CLAIMS, claims_finding
from minbert.ui.experiments.tables import claims_block
from minbert.ui.page import within_one
from minbert.ui.parts.answer_cards import answer_panel
from minbert.ui.parts.blocks import finding_block, note_block, problems_block
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.intro import opening, scores_block
from minbert.ui.pooling.sets_events import TOGETHER, Sets
from minbert.ui.static.attention import attention_block
from minbert.ui.static.document import Figures, chooser
from minbert.ui.try_it.reading import mood_shown, pair_shown, read_moods, read_pair

TEXTS = texts_of(__package__)
STILL = TEXTS["sections.still"]
TITLE = "minBERT Lab: findings"
ALONE = "This lesson has one sentence: its pair tasks and cosines need two."
Parts = dict[str, tuple[str, str]]  # by anchor: a section's name and its HTML


@dataclasses.dataclass(frozen=True)
class Source:
    """What the page is made of."""

    engine: Engine
    lessons: Sequence[Lesson]
    models: Path  # folder of the model card
    results: Path  # folder of the recorded results


def sections(source: Source, figures: Figures, attention: Sequence[Mapping[str, Any]]) -> Parts:
    """Return the page's sections in their order; their figures go into `figures`."""
    records = read_records(source.models, source.results)
    missing = problems_block(records.problems, "Some of this page can't be shown")
    width = source.engine.mean.config.encoder.hidden_size
    experiments = Experiments(read_results(source.results))
    return {
        "lessons": ("Lessons", lessons_block(source, figures)),
        "scores": ("How good it is", missing + numbers_block(records) + scores_block(records)),
        "tasks": ("What it learned from", tasks_block(records) + cost_block(records)),
        "pooling": ("One model twice: CLS and mean pooling", opening(width)),
        "sets": ("A set of sentences under both poolings", sets_block(source.engine, figures)),
        "attention": (
            "What its heads look at",
            attention_block(source.engine, source.lessons, attention),
        ),
        "tables": ("The report's tables beside ours", tables_block(experiments, figures)),
        "claims": ("The report's claims", claims(experiments)),
        "licence": ("Licence", listed(LICENCE)),
    }


def lessons_block(source: Source, figures: Figures) -> str:
    """Return each lesson as the page shows it: both poolings' answers, words, curves, layers."""
    often = within_one(source.results)
    panels = {
        lesson.title: lesson_panel(source.engine, lesson, figures, often)
        for lesson in source.lessons
    }
    return chooser("lesson", "Lesson", panels)


def lesson_panel(
    engine: Engine, lesson: Lesson, figures: Figures, often: float | None = None
) -> str:
    """Return a lesson: sentences, what to see, both answers, the words, a figure each question.

    Args:
        engine: of both models.
        lesson: its sentences.
        figures: get those of the lesson.
        often: how often the mean model is at most one class off.
    """
    found = engine.asked(engine.ask(lesson.first, lesson.second))
    texts = "".join(
        f"<p><strong>{name}</strong> {escape(text)}</p>"
        for name, text in zip("AB", found.question.texts, strict=True)
        if text
    )
    lab = Lab(engine).compare(found.question, alone=ALONE)
    questions = (
        ("words", "Which words make the mood?", *lab.contributions),
        ("split", "Why are these two similar?", *lab.split),
        ("reading", "As you read A", *mood_shown(read_moods(engine, lesson.first))),
        ("reading-pair", "As you read B", *pair_curve(engine, lesson)),
        ("layers", "Layer by layer", *lab.layers),
    )
    answers = answer_panel(found.answer, 0.5, often, other=found.other, names=engine.names)
    asked = "".join(
        question(name, words_of, figures.place(f"lesson-{lesson.id}-{part}", figure, name))
        for part, name, words_of, figure in questions
        if figure is not None
    )
    return (
        f'<div id="lesson-{lesson.id}"><div class="mb-asked">{texts}</div>'
        f"<p>{escape(lesson.see)}</p>{answers}{asked}</div>"
    )


def pair_curve(engine: Engine, lesson: Lesson) -> tuple[str, go.Figure | None]:
    """Return the words and the figure of the similarity as B is read; none where A is alone."""
    if not lesson.second:
        return "", None
    return pair_shown(read_pair(engine, lesson.first, lesson.second))


def question(name: str, told: str, figure: str) -> str:
    """Return one question: its name, what was found, and the figure's place."""
    return f'<p class="mb-question">{escape(name)}</p>{framed(told, figure)}'


def framed(told: str, figure: str) -> str:
    """Return a figure between its finding and how to read it."""
    return f'<div class="mb-figure">{told}{figure}</div>'


def sets_block(engine: Engine, figures: Figures) -> str:
    """Return our own sets of sentences, each as two matrices and two maps."""
    sets = Sets(engine)
    panels = {}
    for place, (name, one) in enumerate(sets.sets.items()):
        *_, shown = sets.compare(one.text, "cls", "mean", TOGETHER)
        matrix_words, *matrices = shown[:5]
        points_words, *points = shown[5:10]
        panels[name] = (
            note_block(one.about)
            + framed(matrix_words, two_sides(f"set-{place}-matrix", matrices, "Cosines", figures))
            + framed(points_words, two_sides(f"set-{place}-points", points, "Map", figures))
        )
    return chooser("set", "Set", panels)


def two_sides(key: str, shown: Sequence[Any], name: str, figures: Figures) -> str:
    """Return two heads and figures side by side; on a phone one stands below the other."""
    sides = zip(("cls", "mean"), shown[::2], shown[1::2], strict=True)
    columns = "".join(
        f'<div class="mb-column">{head}{figures.place(f"{key}-{side}", figure, name)}</div>'
        for side, head, figure in sides
    )
    return f'<div class="mb-sides">{columns}</div>'


def tables_block(experiments: Experiments, figures: Figures) -> str:
    """Return every table of the reproduction with its figure, and the curves of two rows."""
    found = experiments.results
    told = problems_block(found.problems)
    drawn: dict[str, tuple[str, go.Figure]] = {
        name: experiments.show_scores(name, REPORT_METRICS) for name in experiments.tables
    }
    if experiments.curved:
        rows, measures = experiments.first_curves(), list(CURVE_MEASURES)
        drawn["Training curves"] = experiments.show_curves(rows, measures, "tokens")
    panels = {
        name: framed(block, figures.place(f"table-{place}", figure, name))
        for place, (name, (block, figure)) in enumerate(drawn.items())
    }
    return told + (chooser("table", "Table", panels, opened(experiments, panels)) if panels else "")


def opened(experiments: Experiments, panels: Mapping[str, str]) -> int:
    """Return the place of the table to begin with: the report's dev table, as in the app."""
    tables = [experiments.tables.get(name) for name in panels]
    return tables.index("dev") if "dev" in tables else 0


def claims(experiments: Experiments) -> str:
    """Return the report's claims, each with its verdict; empty where none was judged."""
    found = experiments.results
    if not found.comparisons:
        return ""
    title, lines = claims_finding(found.comparisons)
    judged = claims_block(found.comparisons, found.runs)
    return finding_block(title, lines, READ_CLAIMS, shown=judged)


def page_body(parts: Parts, still: str) -> str:
    """Return the page's header, its contents and its sections.

    `still` says what is computed when; backticks in it make code.
    """
    kept = {anchor: part for anchor, part in parts.items() if part[1]}
    links = "".join(f'<a href="#{anchor}">{escape(name)}</a>' for anchor, (name, _) in kept.items())
    body = "".join(
        f'<section id="part-{anchor}"><h2 class="mb-section" id="{anchor}">{escape(name)}</h2>'
        f"{html}</section>"
        for anchor, (name, html) in kept.items()
    )
    told = re.sub("`([^`]*)`", r"<code>\1</code>", escape(still, quote=False))
    return (
        f'<header class="mb-title"><h1>minBERT Lab</h1><p>{escape(TEXTS["sections.lead"])}</p>'
        f'<p class="mb-note">{told}</p>'
        f'<nav class="mb-jump" aria-label="Contents">{links}</nav></header><main>{body}</main>'
        f'<footer class="mb-note">minBERT Lab {escape(__version__)}</footer>'
    )
