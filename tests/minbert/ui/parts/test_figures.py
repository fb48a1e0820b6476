"""Figures hold the numbers they are given, and no others."""

from __future__ import annotations

import pytest

from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.parts.both_poolings import pooling_figure
from minbert.ui.parts.colours import CLS_COLOUR, MEAN_COLOUR


@pytest.mark.parametrize(("second", "traces"), [("", 2), ("bad film", 8)])
def test_both_models_predictions_stand_side_by_side(
    engine: Engine, second: str, traces: int
) -> None:
    cls = engine.answer(engine.cls, engine.ask("good film", second))
    mean = engine.answer(engine.mean, engine.ask("good film", second))
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
