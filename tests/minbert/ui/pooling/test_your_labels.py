"""The endpoint for programs: a comparison as plain values, refusals with their field."""

from __future__ import annotations

import json

import gradio as gr
import pytest

from minbert.labels import Comparison, compare, examples_of
from minbert.ui.engine import Engine
from minbert.ui.pooling.your_labels import LabelsEndpoint

TEXTS = [f"the {word} is {n}" for n in range(7) for word in ("film", "cat")] + ["\u200b"]
LABELS = ["films", "pets"] * 7 + ["pets"]


@pytest.fixture
def found(engine: Engine) -> Comparison:
    return compare(examples_of(TEXTS, LABELS), engine.answering, names=engine.names)


def test_what_is_told_is_what_was_found(engine: Engine, found: Comparison) -> None:
    told = LabelsEndpoint(engine).your_labels(TEXTS, LABELS)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["rows"], told["classes"], told["counts"]) == (14, ["films", "pets"], [7, 7])
    assert told["left_out"] == [{"row": 15, "reason": "sentence has only invisible characters"}]
    assert told["verdict"] == found.verdict
    assert told["difference"]["value"] == pytest.approx(
        told["mean"]["accuracy"]["value"] - told["cls"]["accuracy"]["value"]
    )
    assert told["names"] == {"cls": "CLS", "mean": "mean"}
    for side in found.sides:
        one = told[side.name]
        assert one["pooling"] == side.name
        assert one["accuracy"]["value"] == side.accuracy.value
        for wrong in one["mistakes"]:
            place = wrong["row"] - 1
            assert LABELS[place] == wrong["label"] != wrong["answer"]
        assert len(one["mistakes"]) == 14 - sum(one["confusion"][k][k] for k in range(2))
        assert one["curve"][-1]["accuracy"] == one["accuracy"]


@pytest.mark.parametrize(
    ("texts", "labels", "field"),
    [(TEXTS, LABELS[1:], "labels"), (TEXTS[:5], LABELS[:5], "texts"), ([None], ["a"], "texts")],
)
def test_a_refusal_names_its_field(
    engine: Engine, texts: list[str], labels: list[str], field: str
) -> None:
    with pytest.raises(gr.Error) as error:
        LabelsEndpoint(engine).your_labels(texts, labels)
    assert getattr(error.value, "field", None) == field
