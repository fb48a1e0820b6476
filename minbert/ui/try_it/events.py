"""What happens on an event: checked text in, panels and figures out. Knows no layout."""

from __future__ import annotations

import dataclasses
from typing import Any

import plotly.graph_objects as go

from minbert.tasks import SENTIMENT
from minbert.ui.engine import Answer, Engine, InputError
from minbert.ui.parts import answer_cards as panels
from minbert.ui.parts import answer_words as words
from minbert.ui.parts import blocks
from minbert.ui.parts.both_poolings import READ_POOLING, answers_twin, pooling_figure
from minbert.ui.parts.refusal import refusal
from minbert.ui.try_it.snippets import json_text, python_lines


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question with its answer, as one visitor's page keeps it."""

    first: str
    second: str
    answer: Answer


def changed(pinned: Asked | None, answer: Answer) -> str:
    """Return the panel that compares an answer with the pinned one; empty without a pin."""
    if pinned is None:
        return ""
    changes = words.changes(pinned.answer, answer)
    return panels.change_panel(pinned.first, pinned.second, changes)


class Handlers:
    """The page's events, bound to one engine."""

    def __init__(self, engine: Engine, within_one: float | None = None) -> None:
        """Serve this engine; `within_one` is the mean model's own within-one accuracy on dev."""
        self.engine = engine
        self.within_one = within_one

    def checked(self, first: str | None, second: str | None) -> tuple[str, str]:
        """Return both texts ready for the model, or show what is wrong with them."""
        try:
            return self.engine.check(first, second)
        except InputError as error:
            raise refusal(str(error), title="Can't answer this") from error

    def show_all(
        self,
        first: str,
        second: str,
        threshold: float,
        pinned: Asked | None,
    ) -> tuple[str, str, str, str, str, Asked, str, go.Figure]:
        """Fill every tab but the attention studio for the texts in the boxes, as HTML and figures.

        Args:
            first: sentence A.
            second: sentence B; empty for A alone.
            threshold: paraphrase probability above which the answer is yes.
            pinned: an earlier question with its answer, to compare with.
        """
        first, second = self.checked(first, second)
        mean = self.engine.answer(self.engine.mean, first, second)
        cls = self.engine.answer(self.engine.cls, first, second)
        title, lines = words.comparison(cls, mean)
        return (
            blocks.notice_line(self.engine.notices(first, second)),
            panels.answer_panel(mean, threshold, self.within_one),
            changed(pinned, mean),
            python_lines(first, second),
            json_text(first, second, as_dict(mean)),
            Asked(first, second, mean),
            blocks.finding_block(title, lines, READ_POOLING, answers_twin(cls, mean)),
            pooling_figure(cls, mean),
        )

    def show_threshold(self, asked: Asked | None, threshold: float) -> str:
        """Show the answer again under another paraphrase threshold; the model isn't asked."""
        return panels.answer_panel(asked.answer, threshold, self.within_one) if asked else ""

    def pin(self, asked: Asked | None) -> tuple[Asked | None, str]:
        """Keep the present question and answer, to see what an edit changes."""
        if asked is None:
            return None, ""
        note = ["Edit a sentence and press Answer: the change on all tasks stands here."]
        return asked, panels.change_panel(asked.first, asked.second, note)

    def predict(self, first: str, second: str = "") -> dict[str, Any]:
        """Answer all three tasks with the mean-pooling model.

        Args:
            first: sentence A.
            second: sentence B; empty for A alone.

        Returns:
            sentiment: a list with one entry a sentence (label, probabilities by class name,
            expected rating 0-4); with B also paraphrase (probability, both orders, label) and
            similarity (score 0-5 not clamped, joint, siamese, band).
        """
        first, second = self.checked(first, second)
        return as_dict(self.engine.answer(self.engine.mean, first, second))

    def compare_pooling(self, first: str, second: str = "") -> dict[str, Any]:
        """Answer all three tasks with the CLS and with the mean model.

        Args:
            first: sentence A.
            second: sentence B; empty for A alone.

        Returns:
            cls and mean, each as `predict` returns it, and the differences in words.
        """
        first, second = self.checked(first, second)
        cls = self.engine.answer(self.engine.cls, first, second)
        mean = self.engine.answer(self.engine.mean, first, second)
        title, lines = words.comparison(cls, mean)
        return {"cls": as_dict(cls), "mean": as_dict(mean), "differences": [title, *lines]}


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values for the API."""
    told: dict[str, Any] = {
        "sentiment": [
            {
                "label": result.label,
                "probabilities": dict(zip(SENTIMENT.labels, result.probabilities, strict=True)),
                "expected": result.expected,
            }
            for result in answer.sentiments
        ]
    }
    pair = answer.pair
    if pair is not None:
        told["paraphrase"] = {
            "label": words.yes_no(pair),
            "probability": pair.paraphrase,
            "a_then_b": pair.paraphrase_ab,
            "b_then_a": pair.paraphrase_ba,
        }
        told["similarity"] = {
            "score": pair.similarity,
            "band": pair.band,
            "joint": pair.joint,
            "joint_a_then_b": pair.joint_ab,
            "joint_b_then_a": pair.joint_ba,
            "siamese": pair.siamese,
        }
    return told
