"""A similarity is told within 0 to 5 everywhere alike, and the model's own number beside it."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
import torch

from minbert.answers import PairResult
from minbert.batch import as_tsv, read_batch
from minbert.predictor import Predictor
from minbert.ui.batch.events import Batch
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_cards import answer_panel
from minbert.ui.parts.both_poolings import answers_table
from minbert.ui.pooling.events import Lab
from minbert.ui.question import Answer
from minbert.ui.try_it.events import Handlers
from tests.read_html import read
from tests.support import redraw, tiny_model

A, B = "the cat sleeps", "a dog runs"


@pytest.fixture(scope="module", params=[9.0, -4.0])
def engine(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Engine:
    """Give models whose joint score lies near `param`,."""
    folder: Path = tmp_path_factory.mktemp("models")
    predictors = []
    for pooling in ("mean", "cls"):
        model = tiny_model(
            folder / pooling, pooling=pooling, similarity_score="joint", cosine_scaling="positive"
        )
        redraw(model, seed=3)
        with torch.no_grad():
            model.heads["similarity"].linear.weight *= 0.1
            model.heads["similarity"].linear.bias.fill_(request.param)
        predictors.append(Predictor(model, "cpu"))
    return Engine(*predictors)


def test_python_the_endpoints_the_batch_and_the_page_say_one_number(engine: Engine) -> None:
    (pair,) = engine.mean.pairs([(A, B)])
    assert not 0 <= pair.raw <= 5, "the test's premise"
    edge = 5.0 if pair.raw > 5 else 0.0
    told = Handlers(engine).predict(A, B)["similarity"]
    both = Handlers(engine).compare_pooling(A, B)
    row = Batch(engine).batch(None, f"{A}\t{B}", "pairs")["rows"][0]
    assert pair.score == told["score"] == row["predicted_similarity"] == edge
    assert [both[name]["similarity"]["score"] for name in ("mean", "cls")] == [edge] * 2
    assert (told["raw"], row["raw_similarity"]) == pytest.approx((pair.raw,) * 2, abs=1e-4)
    assert (told["joint"], row["joint_similarity"]) == (edge, edge)
    assert (told["joint_a_then_b"], told["joint_b_then_a"]) == (edge, edge)
    raw = told["raw_joint"], told["raw_siamese"], row["raw_joint"], row["raw_siamese"]
    assert raw == pytest.approx((pair.joint, pair.siamese) * 2, abs=1e-4)
    panel = read(answer_panel(engine.answer(engine.mean, engine.ask(A, B))))
    card = panel.find(css="mb-card")[-1]
    assert card.one(css="mb-finding").numbers == [f"{edge:.1f}", "5"]
    assert f"{pair.raw:.2f}" in card.one("p", "mb-note").text


def test_a_download_s_similarities_are_within_their_scale(engine: Engine) -> None:
    table = read_batch(f"sentence1,sentence2\n{A},{B}\n")
    text = "".join(as_tsv(table, engine.mean.pairs([(A, B)])))
    (row,) = csv.DictReader(io.StringIO(text.lstrip("\ufeff"), newline=""), delimiter="\t")
    for name in ("predicted_similarity", "joint_similarity", "siamese_similarity"):
        assert 0 <= float(row[name]) <= 5
    assert not 0 <= float(row["raw_similarity"]) <= 5


def test_a_split_s_score_is_the_answer_s_siamese_one(engine: Engine) -> None:
    split = Lab(engine).similarity_split(A, B)
    told = Handlers(engine).predict(A, B)["similarity"]
    assert split["score"] == pytest.approx(told["siamese"], abs=1e-4)
    assert split["raw"] == pytest.approx(told["raw_siamese"], abs=1e-4)
    assert split["raw"] == pytest.approx(5 * split["cosine"], abs=1e-4)


def test_both_models_table_shows_no_score_past_the_scale() -> None:
    odd = Answer((), PairResult(0.5, 0.5, 5.6, 5.4, -0.3, 5.33))
    rows = read(answers_table(odd, odd)).rows
    assert [row[1:] for row in rows[-3:]] == [["5.00"] * 2, ["5.00"] * 2, ["0.00"] * 2]
