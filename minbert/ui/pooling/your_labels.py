"""Labels of one's own, for programs: the endpoint `your_labels`, and what /v1/labels asks."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from minbert.checks import TextError
from minbert.labels import (
    INVERSE_L2,
    Comparison,
    ExamplesError,
    LabelWork,
    Side,
    examples_of,
)
from minbert.ui.engine import Engine
from minbert.ui.parts.refusal import refusal


class LabelsEndpoint:
    """The endpoint, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def your_labels(self, texts: list[str], labels: list[str]) -> dict[str, Any]:
        """Compare both poolings on sentences with labels of your own.

        A multinomial logistic regression is fitted to the frozen embeddings of each model and
        tested by 5-fold cross-validation, on the same folds.

        Args:
            texts: 8 to 5,000 sentences.
            labels: the class of each in the same order; 2 to 20 classes of at least 4 rows.

        Returns:
            rows (that are used), classes, counts (rows of each class), mean and cls (each pooling,
            accuracy and macro_f1 with low and high of 95 %, confusion as rows by label and answer,
            mistakes with row, label, answer and probability, curve as accuracy by rows learned
            from, curve_told, cut), difference (accuracy of mean less cls, its low and high, won,
            lost, p, kind), verdict (in words), baseline (the most frequent class), folds,
            inverse_l2 (scikit-learn's C), left_out (row, reason), repeats, contradictions (rows of
            one sentence with several labels), notes, names. Rows count from 1. Of your own models
            mean is the first and cls the second, whatever their pooling, which names tells; with
            one model cls and difference are null.
        """
        work = self.begun(texts, labels)
        for chunk in work.chunks:
            work.put(chunk, chunk.embed())
        *_, found = work.judge()
        assert isinstance(found, Comparison)
        return self.told(found)

    def begun(self, texts: Sequence[str], labels: Sequence[str]) -> LabelWork:
        """Check what a program sent, and return the work to do.

        Raises:
            gr.Error: it can't be learned from, in words.
        """
        try:
            examples = examples_of(texts, labels)
        except ExamplesError as error:
            raise refusal(str(error), field=error.field) from error
        except TextError as error:
            raise refusal(str(error), field="texts") from error
        return LabelWork(examples, self.engine.answering, names=self.engine.names)

    def told(self, found: Comparison) -> dict[str, Any]:
        """Return a comparison as plain values."""
        examples = found.examples
        sides = {side.name: side_told(side, found) for side in found.sides}
        difference = found.difference
        return {
            "rows": len(examples),
            "classes": list(examples.classes),
            "counts": list(examples.counts),
            "mean": sides["mean"],
            "cls": sides.get("cls"),
            "difference": difference
            and {**dataclasses.asdict(difference), "kind": difference.kind},
            "verdict": found.verdict,
            "baseline": {
                "label": examples.classes[found.baseline.label],
                "accuracy": dataclasses.asdict(found.baseline.accuracy),
            },
            "folds": found.folds,
            "inverse_l2": INVERSE_L2,
            "left_out": [{"row": bad.line, "reason": bad.reason} for bad in examples.left_out],
            "repeats": examples.repeats,
            "contradictions": [list(rows) for rows in examples.contradictions],
            "notes": list(found.notes),
            "names": self.engine.names,
        }


def side_told(side: Side, found: Comparison) -> dict[str, Any]:
    """Return one pooling's results as plain values."""
    examples = found.examples
    return {
        "pooling": side.probe.pooling,
        "accuracy": dataclasses.asdict(side.accuracy),
        "macro_f1": dataclasses.asdict(side.macro_f1),
        "confusion": [list(row) for row in side.confusion],
        "mistakes": [
            {
                "row": examples.rows[wrong.row],
                "label": examples.classes[examples.labels[wrong.row]],
                "answer": examples.classes[wrong.answer],
                "probability": wrong.probability,
            }
            for wrong in side.mistakes
        ],
        "curve": [dataclasses.asdict(point) for point in side.curve],
        "curve_told": side.curve_told,
        "cut": side.cut,
    }
