"""Text that the model doesn't read whole is told wherever an answer to it is."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from minbert.batch import as_tsv, read_batch
from minbert.tasks import PARAPHRASE, SENTIMENT, Task
from minbert.ui.attention.events import Studio
from minbert.ui.batch import findings
from minbert.ui.batch.events import Batch
from minbert.ui.batch.tables import CUT, rows_table
from minbert.ui.engine import Engine
from minbert.ui.pooling.events import Lab
from minbert.ui.try_it.events import Handlers
from minbert.ui.why.api import ExplainEndpoint
from minbert.ui.why.events import Why
from minbert.ui.why.subject import KINDS, OF_A, OF_B, SIMILARITY
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import read
from tests.trainer.samples import header, write_table
from trainer.evaluation.predict import predict_file

SHORT = "the cat sleeps"


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def long(engine: Engine) -> str:
    """Give a text of five pieces more than the model reads."""
    return "film " * (engine.mean.config.max_length - 2 + 5)


def together(engine: Engine, first: str, second: str) -> int:
    (item,) = engine.mean.encode_joint([(first, second)])
    return item.left_out


def test_the_results_know(engine: Engine, long: str) -> None:
    predictor = engine.mean
    assert [one.left_out for one in predictor.sentiment([long, SHORT])] == [5, 0]
    found = predictor.pairs([(SHORT, SHORT), (long, SHORT), (long, long)])
    cut = [together(engine, *pair) for pair in ((long, SHORT), (long, long))]
    assert [one.left_out for one in found] == [0, *cut]
    assert cut[1] > cut[0] > 5
    moods, pair = predictor.answer(SHORT, long)
    assert ([mood.left_out for mood in moods], pair.left_out) == ([0, 5], cut[0])


def test_predict_and_compare_pooling(engine: Engine, long: str) -> None:
    told = Handlers(engine).predict(long, SHORT)
    both = Handlers(engine).compare_pooling(long, SHORT)
    cut = together(engine, long, SHORT)
    for one in (told, both["cls"], both["mean"]):
        assert [mood["left_out"] for mood in one["sentiment"]] == [5, 0]
        assert (one["paraphrase"]["left_out"], one["similarity"]["left_out"]) == (cut, cut)
    assert Handlers(engine).predict(long)["sentiment"][0]["left_out"] == 5


def test_attention_splits_and_matrices(engine: Engine, long: str) -> None:
    assert Studio(engine).attention(long)["left_out"] == 5
    assert Lab(engine).similarity_split(SHORT, long)["left_out"] == [0, 5]
    for pooling in ("mean", "cls"):
        told = Lab(engine).similarity_matrix([SHORT, long, SHORT], pooling)
        assert told["left_out"] == [0, 5, 0]


@pytest.mark.parametrize("method", ["gradient", "rollout"])
def test_explain(engine: Engine, long: str, method: str) -> None:
    ask = ExplainEndpoint(engine).explain
    assert ask(long, SHORT, method=method)["left_out"] == 5
    assert ask(SHORT, long, method=method)["left_out"] == 0, "B isn't read for A's sentiment"
    cut = {
        target: ask(long, SHORT, "similarity", target, "gradient")["left_out"]
        for target in ("joint", "siamese", "mean")
    }
    assert cut == {"joint": together(engine, long, SHORT), "siamese": 5, "mean": cut["joint"]}


def test_batch(engine: Engine, long: str) -> None:
    content = f"sentence\n{SHORT}\n{long}\n"
    table = read_batch(content)
    answers = engine.mean.sentiment([row.first for row in table.rows])
    assert [row["left_out"] for row in Batch(engine).batch(None, content)["rows"]] == [0, 5]
    text = "".join(as_tsv(table, answers)).lstrip("\ufeff")
    rows = csv.DictReader(io.StringIO(text, newline=""), delimiter="\t")
    assert [row["left_out"] for row in rows] == ["0", "5"]
    (shown,) = read(rows_table(table, answers)).tables
    assert shown.column(shown.heads[0].index(CUT)) == ["", "5"]
    _, lines = findings.summary(table, answers, 1.0, "mean", 200)
    assert any("cut: 1 row;" in line for line in lines)
    whole = read_batch(f"sentence\n{SHORT}\n")
    (shown,) = read(rows_table(whole, engine.mean.sentiment([SHORT]))).tables
    assert CUT not in shown.heads[0]


def part_of_why(engine: Engine, part: str, first: str, second: str, kind: str) -> str:
    """Return what one part of a press shows at its end."""
    pressed = Why(engine).explain(first, second, kind, "answer", False, parts=[part])
    return [shown[part] for shown in pressed if part in shown][-1]


@pytest.mark.parametrize("part", ["words", "fewest", "swaps", "people"])
def test_explanations_on_the_page_have_a_note(engine: Engine, long: str, part: str) -> None:
    for first, cut in ((long, "5"), (SHORT, None)):
        told = read(part_of_why(engine, part, first, SHORT, OF_A))
        notes = [each.text for each in told.find("p", "mb-note") if "was cut" in each.text]
        assert [cut in note.split() for note in notes] == ([] if cut is None else [True])


@pytest.mark.parametrize("kind", KINDS)
def test_the_note_counts_what_the_answer_reads(engine: Engine, long: str, kind: str) -> None:
    told = part_of_why(engine, "people", SHORT, long, kind)
    cut = {OF_A: 0, OF_B: 5}.get(kind, together(engine, SHORT, long))
    if kind == SIMILARITY and engine.mean.config.similarity_score == "siamese":
        cut = 5
    assert (f"cut: {cut} word pieces" in told) == (cut > 0)


@pytest.mark.parametrize("task", [SENTIMENT, PARAPHRASE])
def test_predict_says_how_many_rows_were_cut(
    engine: Engine, long: str, task: Task, tmp_path: Path
) -> None:
    texts = (SHORT, SHORT) if task.pair else (SHORT,)
    rows = [("a", *texts), ("b", long, *texts[1:]), ("c", *texts)]
    path = write_table(tmp_path / "rows.csv", header(task.name, labelled=False), rows)
    told: list[str] = []

    def predict(source: Path) -> None:
        told.clear()
        predict_file(
            engine.mean, task.name, source, tmp_path / "o", skip_bad=False, report=told.append
        )

    predict(path)
    limit = engine.mean.config.max_length
    assert told[0] == f"1 of 3 rows were cut: the model reads {limit} tokens"
    predict(write_table(tmp_path / "short.csv", header(task.name, labelled=False), rows[:1]))
    assert len(told) == 1
