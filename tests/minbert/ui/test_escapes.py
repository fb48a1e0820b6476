"""Markup in a text stays text, in every function of the page that returns HTML."""

from __future__ import annotations

import ast
import dataclasses
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pydantic
import pytest
import torch

import minbert.ui
from minbert.answers import PairResult, SentimentResult
from minbert.batch import BadRow, open_batch, read_batch
from minbert.explain import (
    METHODS,
    find_counterfactuals,
    integrated_gradients,
    probe_sentence,
    reduce_input,
)
from minbert.explain.attention_view import AttentionView
from minbert.explain.nearest import Neighbour, TrainingText
from minbert.explain.splits import split_sentiment, split_similarity
from minbert.labels import Comparison as ComparedLabels
from minbert.labels import Mistake, compare, read_examples
from minbert.records.bias import DEV
from minbert.records.bias import FILE as BIAS_FILE
from minbert.records.form import TASKS
from minbert.records.runs import VERDICTS, Comparison, Difference, Run, read_results
from minbert.records.shipped import Records, read_records
from minbert.records.speed import Speed
from minbert.ui.about import calibration, card
from minbert.ui.about import tab as about
from minbert.ui.about import tables as about_tables
from minbert.ui.attention import bertviz, files
from minbert.ui.attention import findings as attention
from minbert.ui.attention.events import TOGETHER, Controls, Studio
from minbert.ui.attention.heads_picture import picture_block
from minbert.ui.attention.lines import lines_figure
from minbert.ui.attention.masked_word import Extras
from minbert.ui.batch import previews
from minbert.ui.batch import tables as batch
from minbert.ui.engine import Engine, Source
from minbert.ui.experiments import tables as experiments
from minbert.ui.experiments.figures import conflicts_figure, curves_figure
from minbert.ui.experiments.scores_figure import scores_figure
from minbert.ui.lessons import row
from minbert.ui.parts import answer_cards, blocks, coloured_words, own_models, tables
from minbert.ui.parts.colouring import exact_words
from minbert.ui.parts.score_rows import MAIN_METRICS, group_rows
from minbert.ui.pooling import (
    intro,
    labels_blocks,
    left_out,
    sets_events,
    sets_figures,
    sets_findings,
)
from minbert.ui.pooling import tables as pooling
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.sets import Comparison as ComparedSet
from minbert.ui.question import Answer, Asked
from minbert.ui.static import attention as static_attention
from minbert.ui.static import document, live, sections
from minbert.ui.try_it import phrases, reading
from minbert.ui.try_it.coloured import Colouring
from minbert.ui.try_it.events import Handlers
from minbert.ui.why import attribution, bias, bias_record, nearest, reduction, swaps
from minbert.ui.why.events import Why
from minbert.ui.why.subject import KINDS, OF_A, PARAPHRASE, Subject
from tests.benchmarks.bench import timing
from tests.minbert.ui.about.test_about_calibration import record as calibration_record
from tests.minbert.ui.sample_about import write, write_about
from tests.minbert.ui.why.test_why_bias import written as write_bias
from tests.read_html import read
from tests.support import tiny_lesson

UI = Path(minbert.ui.__file__).parent
MARK = "<img src=x onerror=\"a()\"> &amp; 'it' <q>{x}</q>"
A, B = "the good cat is red", "a woman plays"
SET = "one | a good cat\ntwo | a slow film\nit is red"
MOOD, PAIR = SentimentResult((0.1, 0.2, 0.4, 0.2, 0.1)), PairResult(0.9, 0.7, 2.0, 2.0, 2.0, 2.0)
# By these the page looks something up; they never come from a text.
KEYS = {"", "A", "B", "cls", "mean", "joint", "Siamese", "all lists", "+", *TASKS, *METHODS}
KEYS |= {*VERDICTS, *MAIN_METRICS, *DEV, OF_A, PARAPHRASE, "accuracy", "pearson"}


def marked(value: Any) -> Any:  # noqa: ANN401 - whatever is shown
    """Return a value with a mark in place of each of its texts, however deep."""
    if isinstance(value, str):
        return value if value in KEYS else MARK
    if isinstance(value, dict):
        return {marked(key): marked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(map(marked, value))
    if isinstance(value, pydantic.BaseModel):
        fields = {name: marked(getattr(value, name)) for name in type(value).model_fields}
        return value.model_copy(update=fields)
    if dataclasses.is_dataclass(value):
        names = [field.name for field in dataclasses.fields(value)]
        return dataclasses.replace(value, **{name: marked(getattr(value, name)) for name in names})  # type: ignore[type-var]
    return value


@dataclasses.dataclass
class Given:
    """Small results of every kind, all of whose texts are marks."""

    engine: Engine
    folder: Path

    @property
    def records(self) -> Records:
        models, results = write_about(self.folder)
        write(results / "mean-calibration.json", calibration_record())
        return marked(read_records(models, results))

    @property
    def results(self) -> tuple[list[Run], list[Comparison]]:
        found = read_results(write_about(self.folder)[1])
        return marked(list(found.runs)), marked(list(found.comparisons))

    @property
    def runs(self) -> list[Run]:
        return [run for run in self.results[0] if run.surgery]

    @property
    def attribution(self) -> attribution.Attribution:
        subject = Subject(OF_A, A, None)
        found = attribution.by_gradients(self.engine.mean, subject, None, lambda _: None)
        for method in ("occlusion", "rollout"):
            found = attribution.further(self.engine.mean, found, method, lambda _: None)
        return marked(found)

    @property
    def gradients(self) -> coloured_words.ByGradients:
        found = integrated_gradients(self.engine.cls, A, task="sentiment", steps=2)
        return coloured_words.ByGradients(MARK, {MARK: marked(found)}, [MOOD])

    @property
    def set(self) -> ComparedSet:
        (shown,) = sets_events.Sets(self.engine).compare(SET, "cls", "mean", "")
        return marked(shown[-1])

    @property
    def labels(self) -> ComparedLabels:
        rows = "".join(f"the {w} is {n}\t{w}s\n" for n in range(5) for w in ("film", "cat"))
        return marked(compare(read_examples(rows), self.engine.answering))

    @property
    def left_out(self) -> left_out.LeftOut:
        models = {"cls": self.engine.cls, "mean": self.engine.mean}
        found = {name: left_out.occlude_similarity(one, A, B) for name, one in models.items()}
        return marked(left_out.collected(left_out.SIAMESE, found))

    @property
    def source(self) -> sections.Source:
        lessons = [dataclasses.replace(tiny_lesson(MARK, title=MARK), see=MARK)]
        return sections.Source(self.engine, lessons, self.folder, self.folder)

    def record_of_bias(self) -> str:
        stored = json.loads((write_bias(self.folder) / BIAS_FILE).read_text(encoding="utf-8"))
        stored["models"] = [{**one, "model": MARK} for one in stored["models"]]
        write(self.folder / BIAS_FILE, {**stored, "commit": MARK})
        return bias_record.record_block(self.folder)


MARKDOWN = ("{}", "# {}", "### {}", "- {}", "**{}**", "`{}`", "[{}](javascript:x)", "```\n{}\n```")
NEIGHBOUR = Neighbour(TrainingText("paraphrase", MARK, 1.0, MARK), 0.5)
LAYOUT = {"height": 300, "font": {"size": 9}}
# How each function is called; what it makes of its arguments has to be text.
CALLS: dict[str, Callable[[Given], str]] = {
    "about/calibration.calibration_block": lambda of: calibration.calibration_block(
        of.records.calibration
    ),
    "about/card.card_html": lambda _: card.card_html("\n\n".join(MARKDOWN).replace("{}", MARK)),
    "about/card.table_html": lambda _: card.table_html([f"|{MARK}|{MARK}|", f"|{MARK}|{MARK}|"]),
    "about/card.inline": lambda _: card.inline(f"{MARK} `{MARK}` **{MARK}**"),
    "about/tab.listed": lambda _: about.listed([MARK]),
    "about/tab.titled": lambda _: about.titled(MARK, ""),
    "about/tab.purpose": lambda _: about.purpose(f"{MARK}. {MARK}"),
    "about/tab.card_block": lambda _: about.card_block(f"# {MARK}\n{MARK}"),
    "about/tables.tasks_block": lambda of: about_tables.tasks_block(of.records),
    "about/tables.numbers_block": lambda of: about_tables.numbers_block(of.records),
    "about/tables.speed_block": lambda _: about_tables.speed_block(
        Speed.model_validate(
            {
                **{"version": 1, "commit": MARK, "machine": MARK, "versions": {MARK: MARK}},
                "timings": [timing(MARK, name, "ms", [1.0]) for name in ("ours", MARK)],
            }
        )
    ),
    "about/tables.sources": lambda of: about_tables.sources(of.records),
    "about/tables.cost_block": lambda of: about_tables.cost_block(of.records),
    "attention/bertviz.frame": lambda _: bertviz.frame(MARK, MARK),
    "attention/findings.attention_table": lambda _: attention.attention_table(
        [MARK], [MARK], torch.ones(1, 1), MARK
    ),
    "attention/files.as_page": lambda _: files.as_page(
        go.Figure(layout={"title": MARK}), blocks.note_block(MARK), ""
    ),
    "attention/heads_picture.picture_block": lambda _: picture_block(
        AttentionView((MARK,), (MARK,), torch.ones(1, 1, 1, 1), (0,), (0,)), MARK
    ),
    "attention/lines.lines_figure": lambda _: lines_figure([MARK], [MARK], torch.ones(1, 1)),
    "batch/tables.note": lambda _: batch.note(MARK),
    "batch/tables.problem": lambda _: batch.problem(MARK),
    "batch/tables.bad_rows": lambda _: batch.bad_rows([BadRow(3, MARK)]),
    "batch/previews.unread": lambda _: previews.unread(MARK),
    "batch/previews.preview": lambda _: previews.preview(open_batch(f"{MARK}\n{MARK}")),
    "batch/previews.preview_of": lambda _: previews.preview_of(
        f"{MARK},sentence\n{MARK},{MARK}\n".encode(), "", "auto"
    ),
    "batch/tables.rows_table": lambda _: batch.rows_table(
        read_batch(f"sentence1\tsentence2\n{MARK}\t{MARK}\n"), [PAIR]
    ),
    "experiments/tables.source_block": lambda of: experiments.source_block(of.runs),
    "experiments/tables.row_notes": lambda of: experiments.row_notes(
        group_rows([run for run in of.results[0] if run.note])
    ),
    "experiments/tables.scores_table": lambda of: experiments.scores_table(
        MARK, group_rows(of.runs), [*MAIN_METRICS, MARK]
    ),
    "experiments/tables.claims_block": lambda of: experiments.claims_block(*of.results[::-1]),
    "experiments/tables.difference_line": lambda _: experiments.difference_line(
        MARK, Difference(1.0), (0, 1)
    ),
    "parts/answer_cards.answer_panel": lambda _: answer_cards.answer_panel(
        Answer((MOOD,), None), other=Answer((MOOD,), None), names={"mean": MARK, "cls": MARK}
    ),
    "parts/answer_cards.change_panel": lambda _: answer_cards.change_panel(MARK, MARK, [MARK]),
    "parts/coloured_words.moods_block": lambda of: coloured_words.moods_block(
        {MARK: marked(split_sentiment(of.engine.mean, A))}, [MOOD], [of.gradients], [MARK]
    ),
    "parts/coloured_words.pair_block": lambda of: coloured_words.pair_block(
        marked(split_similarity(of.engine.mean, A, B))
    ),
    "parts/coloured_words.pair_words": lambda of: coloured_words.pair_words(
        marked(split_similarity(of.engine.mean, A, B))
    ),
    "parts/coloured_words.coloured": lambda _: coloured_words.coloured(
        [coloured_words.Line(MARK, [(MARK, 1.0)], MARK, MARK)] * 2
    ),
    "parts/blocks.meter": lambda _: blocks.meter(0.5, "mb-yes", MARK),
    "parts/blocks.card": lambda _: blocks.card(MARK, MARK, ""),
    "parts/blocks.notice_line": lambda _: blocks.notice_line([MARK, MARK]),
    "parts/blocks.finding_block": lambda _: blocks.finding_block(MARK, [MARK], MARK),
    "parts/blocks.note_block": lambda _: blocks.note_block(MARK),
    "parts/blocks.lead_block": lambda _: blocks.lead_block(MARK),
    "parts/blocks.sources_block": lambda _: blocks.sources_block([MARK, MARK]),
    "parts/blocks.progress_block": lambda _: blocks.progress_block(MARK, 0.5),
    "parts/blocks.problems_block": lambda _: blocks.problems_block([MARK], MARK),
    "parts/blocks.with_code": lambda _: blocks.with_code(f"{MARK} `{MARK}`"),
    "parts/tables.fold": lambda _: tables.fold(MARK, ""),
    "parts/tables.table": lambda _: tables.table(MARK, [MARK, MARK], [[MARK, MARK]]),
    "parts/tables.headed_table": lambda _: tables.headed_table(MARK, "", [[MARK, MARK]]),
    "parts/tables.map_table": lambda _: tables.map_table(MARK, MARK, [MARK], [MARK], [[1]], ".1f"),
    "pooling/intro.scores_block": lambda of: intro.scores_block(
        read_records(of.folder, of.folder / MARK[:20])
    ),
    "pooling/labels_blocks.scores_block": lambda of: labels_blocks.scores_block(of.labels),
    "pooling/labels_blocks.mistakes_table": lambda of: labels_blocks.mistakes_table(
        dataclasses.replace((found := of.labels).sides[0], mistakes=(Mistake(0, 1, 0.7, 0.3),)),
        found,
    ),
    "pooling/labels_blocks.answer_block": lambda _: labels_blocks.answer_block(
        {MARK: 0.6, B: 0.4}, "mean", None, 3
    ),
    "pooling/labels_blocks.words_block": lambda of: labels_blocks.words_block(
        MARK, marked(split_sentiment(of.engine.mean, A)), 1
    ),
    "pooling/labels_blocks.loading_block": lambda _: labels_blocks.loading_block(MARK, A),
    "pooling/left_out.block": lambda of: left_out.block(of.left_out),
    "lessons/row.row_block": lambda of: row.row_block(of.source.lessons, MARK),
    "pooling/left_out.left_out_table": lambda of: left_out.left_out_table(of.left_out),
    "pooling/sets_findings.matrix_table": lambda of: sets_findings.matrix_table(
        (found := of.set), found.sides[0], [0, 1]
    ),
    "pooling/sets_findings.points_table": lambda of: sets_findings.points_table(of.set),
    "pooling/tables.split_table": lambda of: pooling.split_table(
        marked(split_similarity(of.engine.mean, A, B))
    ),
    "pooling/tables.contributions_table": lambda of: pooling.contributions_table(
        {MARK: marked(split_sentiment(of.engine.mean, A))}
    ),
    "try_it/phrases.phrases_block": lambda of: phrases.phrases_block(
        marked(phrases.phrases(of.engine.mean, "a film")), [MOOD] * 3
    ),
    "try_it/reading.curves_block": lambda of: reading.curves_block(
        marked(reading.read_moods(of.engine, A)), "A", "rating", 4
    ),
    "static/attention.attention_block": lambda of: static_attention.attention_block(
        of.engine, of.source.lessons, [{"findings": [[MARK]], "figure": {"layout": LAYOUT}}]
    ),
    "static/document.chooser": lambda _: document.chooser(MARK, MARK, {MARK: ""}),
    "static/document.options": lambda _: document.options([MARK]),
    "static/document.select": lambda _: document.select(MARK, MARK, ""),
    "static/document.document": lambda _: document.document(
        MARK, "", document.Figures(), {"a": f"</script>{MARK}"}
    ),
    "static/document.place": lambda _: document.Figures().place(
        MARK, go.Figure(layout=LAYOUT), MARK
    ),
    "static/live.try_block": lambda of: live.try_block(of.source, None, MARK, document.Figures()),
    "static/live.field": lambda _: live.field("first", MARK, MARK),
    "static/sections.lessons_block": lambda of: sections.lessons_block(
        of.source, document.Figures()
    ),
    "static/sections.lesson_panel": lambda of: sections.lesson_panel(
        of.engine, of.source.lessons[0], document.Figures()
    ),
    "static/sections.question": lambda _: sections.question(MARK, "", ""),
    "static/sections.page_body": lambda _: sections.page_body({"a": (MARK, "b")}, MARK),
    "why/attribution.attribution_block": lambda of: attribution.attribution_block(of.attribution),
    "why/attribution.attribution_table": lambda of: attribution.attribution_table(of.attribution),
    "why/bias.sentence_block": lambda of: bias.sentence_block(
        Subject(OF_A, MARK, None),
        marked(probe_sentence(of.engine.mean, B, task="sentiment")),
        masked=True,
    ),
    "why/bias.swaps_table": lambda of: bias.swaps_table(
        Subject(OF_A, B, None), marked(probe_sentence(of.engine.mean, B, task="sentiment")[0])
    ),
    "why/bias_record.record_block": lambda of: of.record_of_bias(),
    "parts/own_models.models_block": lambda of: own_models.models_block(
        dataclasses.replace(of.engine, own=(Source(MARK, of.folder),) * 2)
    ),
    "why/nearest.own_block": lambda _: nearest.own_block(
        {MARK: {"mean": [NEIGHBOUR]}},
        {"mean": MARK, "cls": MARK},
        [MARK],
    ),
    "why/nearest.nearest_block": lambda _: nearest.nearest_block({MARK: {"cls": [NEIGHBOUR]}}),
    "why/reduction.reduction_block": lambda of: reduction.reduction_block(
        Subject(OF_A, A, None), marked(reduce_input(of.engine.mean, A, task="sentiment"))
    ),
    "why/swaps.swaps_block": lambda of: swaps.swaps_block(
        Subject(PARAPHRASE, A, B),
        marked(find_counterfactuals(of.engine.mean, A, B, task="paraphrase")),
    ),
}
EXCEPTIONS = {
    "texts of ours alone": "about/tab.code_block batch/tables.formats pooling/intro.opening "
    "pooling/intro.drawing pooling/intro.consequences experiments/tables.encoder_block "
    "pooling/sets_events.side_head static/sections.sets_block why/nearest.no_index_block "
    "v1/reference.reference v1/reference.section v1/reference.fields v1/reference.kind",
    "numbers and names of ours alone": "why/bias.templates_block try_it/reading.five_classes "
    "parts/both_poolings.answers_table batch/tables.scores_block batch/tables.confusion_block "
    "batch/tables.reliability_block batch/tables.scatter_block attention/fine_tuning.tuning_table "
    "pooling/tables.layers_table batch/tables.progress_panel",
    "takes HTML made here": "parts/blocks.list_block static/sections.two_sides "
    "static/sections.framed static/sections.tables_block static/live.reading_blocks",
    "scripts of installed packages": "attention/bertviz.libraries",
    "a document of its own, which test_bertviz reads": "attention/bertviz.document",
    "for a figure's texts, which are looked at below": "experiments/figures.plain",
}


def assert_is_text(html: str, *marks: str) -> None:
    """Assert that a mark is shown as it is, in a text or an attribute, and none acts."""
    page = read(html)
    assert not [one for one in page if one.tag in ("img", "q")]
    assert not [name for one in page for name in one.attributes if name.startswith("on")]
    texts = [page.text, *(text for one in page for text in one.attributes.values())]
    assert any(mark in text for mark in marks for text in texts)
    assert not any("&lt;" in text or "&#x27;" in text for text in texts), "escaped twice"


@pytest.mark.parametrize("name", CALLS)
def test_markup_stays_text(name: str, engine: Engine, tmp_path: Path) -> None:
    assert_is_text(CALLS[name](Given(engine, tmp_path)), MARK[:20])


def functions() -> Iterator[tuple[str, ast.FunctionDef]]:
    """Yield the page's public functions that return a text, by file and name."""
    for path in sorted(UI.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.FunctionDef) or node.name.startswith("_"):
                continue
            if node.returns is not None and ast.unparse(node.returns) == "str":
                yield f"{path.relative_to(UI).with_suffix('')}.{node.name}", node


def makes_html(name: str, node: ast.FunctionDef) -> bool:
    texts = [part.value for part in ast.walk(node) if isinstance(part, ast.Constant)]
    texts = texts[1:] if ast.get_docstring(node) else texts
    tagged = any(re.search(r"</?[a-z]\w*[ />]", text) for text in texts if isinstance(text, str))
    called = [ast.unparse(part.func) for part in ast.walk(node) if isinstance(part, ast.Call)]
    return tagged or "render" in called or name.endswith(("_block", "_table"))


def test_every_function_that_returns_html_is_called_with_markup() -> None:
    html = {name for name, node in functions() if makes_html(name, node)}
    exceptions = {name for names in EXCEPTIONS.values() for name in names.split()}
    assert html - set(CALLS) - exceptions == set()
    assert exceptions <= html - set(CALLS)
    assert set(CALLS) <= {name for name, _ in functions()}


def ask(engine: Engine, text: str) -> Asked:
    question = engine.ask(text, text)
    return Asked(question, engine.answer(engine.mean, question))


def of_why(engine: Engine, text: str, kind: str) -> list[Any]:
    return list(Why(engine).explain(text, text, kind, "answer", True))


# What each event shows of a text that was typed, HTML among other things.
TYPED: dict[str, Callable[[Engine, str], Any]] = {
    "coloured": lambda engine, text: exact_words(engine.asked(engine.ask(text, text))),
    "coloured by gradients": lambda engine, text: list(Colouring(engine).gradients(text, text)),
    "every phrase": lambda engine, text: list(
        phrases.PhrasesView(None, engine).fill(engine.asked(engine.ask(text, ""))).values()  # type: ignore[arg-type]
    ),
    "as you read": lambda engine, text: [
        reading.mood_shown(reading.read_moods(engine, text)),
        reading.pair_shown(reading.read_pair(engine, text, text)),
    ],
    "answer": lambda engine, text: (
        (shown := Handlers(engine).show(ask(engine, text), 0.5, ask(engine, text)))
        and [shown.counts, shown.predictions, shown.change]
    ),
    "lab": lambda engine, text: vars(Lab(engine).compare(engine.ask(text, text))).values(),
    "left out": lambda engine, text: list(left_out.Occlusion(engine).leave_out(text, text)),
    "set": lambda engine, text: list(
        sets_events.Sets(engine).compare(f"{text} | {text}\n{text}", "cls", "mean", "")
    ),
    "attention": lambda engine, text: Studio(engine).show(text, text, TOGETHER),
    "masked": lambda engine, text: Extras(Studio(engine)).mask(
        text, text, "0:1", *dataclasses.astuple(Controls(TOGETHER))
    ),
    **{kind: lambda engine, text, kind=kind: of_why(engine, text, kind) for kind in KINDS},
}


def texts_in(shown: object) -> Iterator[str]:
    """Yield the texts of what is shown, but a figure's places, which have texts of their own."""
    if isinstance(shown, str):
        yield shown
    elif isinstance(shown, dict):
        yield from texts_in([shown[key] for key in shown if key not in ("x", "y", "tickvals")])
    elif isinstance(shown, list | tuple | type({}.values())):
        for one in shown:
            yield from texts_in(one)


@pytest.mark.parametrize("event", TYPED)
def test_typed_markup_stays_text(event: str, engine: Engine) -> None:
    shown = TYPED[event](engine, '<img src=x onerror="a()"> good <q>woman</q>')
    html = "".join(text for text in texts_in(shown) if text.startswith("<"))
    assert_is_text(html, "<", "img", "good", "woman")  # the tiny vocabulary has no "<"


FIGURES: dict[str, Callable[[Given], go.Figure]] = {
    "labels": lambda of: labels_blocks.confusion(
        (found := of.labels).sides[0], found.examples.classes
    )[1],
    "matrix": lambda of: sets_figures.matrix_figure((found := of.set), found.sides[0], [0, 1], 0),
    "points": lambda of: sets_figures.points_figure((found := of.set), found.sides[0], 0),
    "scores": lambda of: scores_figure(group_rows(of.runs), [*MAIN_METRICS, MARK]),
    "curves": lambda of: curves_figure(group_rows(of.runs), ["sentiment"], "tokens"),
    "conflicts": lambda of: conflicts_figure(of.runs[0], "cosine"),
}


@pytest.mark.parametrize("name", FIGURES)
def test_figures_take_markup_as_letters(name: str, engine: Engine, tmp_path: Path) -> None:
    """Plotly reads tags in its texts."""
    drawn = " ".join(texts_in(FIGURES[name](Given(engine, tmp_path)).to_dict()))
    assert "<img" not in drawn
    assert "<q" not in drawn
    assert "&lt;img" in drawn
