"""The view "Your labels": what a comparison shows, what a visit keeps, what is refused."""

from __future__ import annotations

import pickle
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert.labels import Comparison, LabelModel, compare, load_probe, read_examples
from minbert.ui.engine import Engine
from minbert.ui.parts.colours import POOLING_COLOURS
from minbert.ui.parts.figures import confusion_figure
from minbert.ui.pooling import labels_blocks as blocks
from minbert.ui.pooling.labels_events import PARTS, SWITCHED, Held, YourLabels
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import numbers_in, read

ROWS = "".join(
    f"the {word} is {n}\t{label}\n"
    for n in range(12)
    for word, label in (("film", "films"), ("cat", "pets"), ("dog" if n % 4 else "film", "pets"))
)
TICKETS = Path(__file__).resolve().parents[4] / "assets" / "examples" / "tickets.csv"
VISITOR = gr.Request(session_hash="a visitor")
RUN = 5  # what a step shows before what is kept: notice, fold, both buttons, place


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Give one engine for all, loaded from a folder, so that probes can be saved."""
    folder = tmp_path_factory.mktemp("engine")
    for name, predictor in tiny_engine(folder / "tiny").answering.items():
        predictor.model.save_pretrained(folder / name)
    return Engine.load(folder, "cpu")


@pytest.fixture(scope="module")
def view(engine: Engine) -> YourLabels:
    return YourLabels(engine, TICKETS)


@pytest.fixture(scope="module")
def found(engine: Engine) -> Comparison:
    return compare(read_examples(ROWS), engine.answering, names=engine.names)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Give gradio's cache a place of the test's own."""
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def held(view: YourLabels, found: Comparison) -> Held:
    return view.results(found)[0]  # type: ignore[no-any-return] # the first of many


def seen(step: tuple[Any, ...]) -> list[bool]:
    """Return whether start, stop and the results' place are there after a step."""
    return [update["visible"] for update in step[2:RUN]]


def test_a_run_tells_how_far_it_is_and_ends_in_its_results(
    view: YourLabels, found: Comparison
) -> None:
    *steps, last = view.compare(None, ROWS, "", VISITOR)
    assert len(steps) > 2
    for step in steps:
        assert "of" in step[0]
        assert seen(step) == [False, True, False]
        assert step[RUN] is None, "nothing of an earlier run is kept"
    assert {len(step) for step in [*steps, last]} == {RUN + 1 + PARTS}
    assert seen(last) == [True, False, True]
    assert last[1]["open"] is False
    title = read(last[RUN + 2]).finding.title
    assert title == found.verdict
    for row, side in zip(read(last[RUN + 2]).rows, found.sides, strict=False):
        assert row[1:] == [blocks.interval(side.accuracy), blocks.interval(side.macro_f1)]


@pytest.mark.parametrize(
    ("content", "text", "columns", "said"),
    [
        (None, "  ", "", "nothing to learn from yet"),
        (None, None, None, "nothing to learn from yet"),
        (b"a\tb\n", ROWS, "", "Take one of them away"),
        (b"\xff\xfe\xfa", "", "", "UTF-"),
        (None, ROWS.replace("pets", "films"), "", "2 to 20 classes"),
        (None, ROWS, "sentence=9", "columns"),
    ],
)
def test_what_cannot_be_learned_from_is_told_and_shows_nothing_old(
    view: YourLabels, content: bytes | None, text: str | None, columns: str | None, said: str
) -> None:
    (step,) = view.compare(content, text, columns, VISITOR)
    assert said in read(step[0]).text
    assert seen(step) == [True, False, False]
    assert step[1]["open"]
    assert step[RUN] is None


def test_a_visit_keeps_none_of_the_rows_but_what_it_shows(held: Held, found: Comparison) -> None:
    kept = pickle.dumps({name: (one.confusion[0], one.probe) for name, one in held.items()})
    assert not any(text.encode() in kept for text in found.examples.texts)
    assert set(held) == {"cls", "mean"}


def test_the_other_pooling_shows_its_own(
    view: YourLabels, held: Held, found: Comparison, tmp_path: Path
) -> None:
    for side in found.sides:
        words, figure, mistakes, answer, download, lines = view.switch(held, side.name)
        (heat,) = figure.data
        assert [[int(cell) for cell in row] for row in heat.text] == list(map(list, side.confusion))
        off = sum(map(sum, side.confusion)) - sum(row[k] for k, row in enumerate(side.confusion))
        assert len(read(mistakes).rows) == off == len(side.mistakes)
        assert bool(numbers_in(read(words).finding.title)) == bool(off)
        assert answer == ""
        assert f'"assets/models/{side.name}"' in read(lines).text
        with zipfile.ZipFile(download["value"]) as archive:
            archive.extractall(tmp_path / side.name)
        assert load_probe(tmp_path / side.name / "my-labels").pooling == side.name
    assert len(view.switch(None, "mean")) == SWITCHED


@pytest.mark.parametrize("name", ["cls", "mean"])
def test_a_sentence_gets_the_model_s_label_and_its_words(
    view: YourLabels, held: Held, name: str
) -> None:
    model = LabelModel(view.engine.answering[name], held[name].probe)
    (said,) = model.predict(["the cat is here"])
    told = read(view.ask(held, name, "the cat is here"))
    assert f"{said.label}: " in told.text
    words = told.texts("span", "mb-word")
    if name == "mean":
        assert " ".join(words) == "the cat is here"
        split = model.split("the cat is here")
        place = model.probe.classes.index(said.label)
        total = split.relative[:, place].sum() + split.bias[place] - split.bias.mean()
        assert f"together {total:+.2f}".replace("-", "−") in told.text
    else:
        assert words == []
        assert "mean pooling alone" in told.text


def test_a_sentence_that_cannot_be_labelled_is_told(view: YourLabels, held: Held) -> None:
    assert "forgotten" in view.ask(None, "mean", "the cat")
    assert "mb-problem" in view.ask(held, "mean", " ")
    assert "at most" in view.ask(held, "mean", "a" * 100_001)
    assert view.again(held, "mean", " ") == ""


def test_the_curve_draws_both_poolings_in_their_colours(found: Comparison) -> None:
    words, figure = blocks.curve(found)
    lines = [trace for trace in figure.data if trace.showlegend is not False]
    assert [line.line.color for line in lines] == [POOLING_COLOURS[n] for n in ("cls", "mean")]
    for line, side in zip(lines, found.sides, strict=True):
        assert list(line.x) == [point.rows for point in side.curve]
        assert list(line.y) == pytest.approx([p.accuracy.value for p in side.curve], abs=1e-4)
    assert read(words).finding.title == found.sides[-1].curve_told
    assert len(read(words).rows) == len(found.sides[0].curve)


def test_many_classes_take_no_more_room() -> None:
    counts = [[1] * 20] * 20
    figure = confusion_figure(counts, [f"a class with a long name {k}" for k in range(20)])
    assert figure.layout.height <= 480
    assert len(set(figure.data[0].x)) == 20


def test_the_example_is_our_tickets(view: YourLabels) -> None:
    file, text, columns = view.example()
    assert (file, columns) == (None, "")
    assert len(read_examples(text)) == 300


def test_a_stop_ends_the_run_at_its_next_step_and_no_other(view: YourLabels) -> None:
    other = gr.Request(session_hash="another visitor")
    assert seen(view.begin(VISITOR)) == [False, True, False]
    steps, others = (view.compare(None, ROWS, "", who) for who in (VISITOR, other))
    next(steps)
    next(others)
    assert "Stopping" in view.stop(VISITOR)[0]
    (last,) = steps
    assert "Stopped" in last[0]
    assert seen(last) == [True, False, False]
    assert seen(next(others)) == [False, True, False]
    others.close()  # type: ignore[attr-defined] # a generator, as of a visitor who left
    assert view.runs == {}
    assert "Stopped" in view.stop(VISITOR)[0]


def test_a_run_is_stopped_while_it_waits(view: YourLabels) -> None:
    view.begin(VISITOR)
    view.stop(VISITOR)
    (step,) = view.compare(None, ROWS, "", VISITOR)
    assert "Stopped" in step[0]


def test_visitors_who_left_are_forgotten(view: YourLabels, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("minbert.ui.pooling.labels_events.MOST_WAITING", 3)
    for number in range(9):
        view.begin(gr.Request(session_hash=str(number)))
    assert list(view.runs) == ["6", "7", "8"]
    view.runs.clear()
