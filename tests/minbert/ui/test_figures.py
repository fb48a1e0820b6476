"""Figures hold the numbers they are given, and no others."""

from __future__ import annotations

import pytest
import torch

from minbert.predictor import AttentionResult
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.figures import CLS_COLOUR, MEAN_COLOUR, attention_figure, pooling_figure


def test_the_map_of_one_head_is_drawn_as_it_is(engine: Engine) -> None:
    result = engine.attention("good good film", "", 1)
    trace = attention_figure(result, 2).data[0]
    drawn = torch.tensor(trace.z)
    assert torch.allclose(drawn, result.weights[0][1], atol=5e-5)
    assert len(set(trace.x)) == len(result.tokens)  # a repeated word has a row of its own


def test_head_zero_is_the_mean_over_heads(engine: Engine) -> None:
    result = engine.attention("good film", "bad", 2)
    drawn = torch.tensor(attention_figure(result, 0).data[0].z)
    assert torch.allclose(drawn, result.weights[0].mean(dim=0), atol=5e-5)


def test_numbers_are_printed_only_where_there_is_room() -> None:
    for size, printed in ((5, True), (40, False)):
        maps = torch.full((1, 1, size, size), 1 / size)
        result = AttentionResult(["x"] * size, [0] * size, (0,), maps, 0)
        figure = attention_figure(result, 1)
        assert (figure.data[0].texttemplate is not None) == printed
        assert figure.layout.height >= 320


@pytest.mark.parametrize(("second", "traces"), [("", 2), ("bad film", 8)])
def test_both_models_predictions_stand_side_by_side(
    engine: Engine, second: str, traces: int
) -> None:
    cls = engine.answer(engine.cls, "good film", second)
    mean = engine.answer(engine.mean, "good film", second)
    figure = pooling_figure(cls, mean)
    assert len(figure.data) == traces
    for trace in figure.data:
        answer, colour = (cls, CLS_COLOUR) if trace.name == "CLS" else (mean, MEAN_COLOUR)
        assert trace.marker.color == colour
        if len(trace.x) == 5:
            sentences = [list(result.probabilities) for result in answer.sentiments]
            assert list(trace.x) in sentences
            assert list(trace.y) == list(SENTIMENT.labels)
        else:
            assert answer.pair is not None
            clamped = min(max(answer.pair.similarity, 0.0), 5.0)
            assert trace.x[0] in (answer.pair.paraphrase, clamped)
    assert figure.layout.height is not None
