"""What happens on an event: checked text in, panels and figures out. Knows no layout."""

from __future__ import annotations

import dataclasses
from typing import Any

from minbert.tasks import SENTIMENT, clamped
from minbert.ui.engine import Engine
from minbert.ui.parts import answer_cards, answer_words, blocks
from minbert.ui.parts.refusal import REFUSED, asked, second_model
from minbert.ui.question import Answer, Asked
from minbert.ui.try_it.snippets import json_text, python_lines


@dataclasses.dataclass(frozen=True)
class Shown:
    """What the tab shows of an answer."""

    counts: str
    predictions: str
    change: str
    python: str
    as_json: str


def changed(pinned: Asked | None, answer: Answer) -> str:
    """Return the panel that compares an answer with the pinned one; empty without a pin."""
    if pinned is None:
        return ""
    changes = answer_words.changes(pinned.answer, answer)
    return answer_cards.change_panel(pinned.first, pinned.second, changes)


class Handlers:
    """The tab's events and the endpoints of both poolings, bound to one engine."""

    def __init__(self, engine: Engine, within_one: float | None = None) -> None:
        """Serve this engine; `within_one` is the mean model's own within-one accuracy on dev."""
        self.engine = engine
        self.within_one = within_one

    def show(self, asked: Asked, threshold: float, pinned: Asked | None) -> Shown:
        """Return what the tab shows of an answer.

        Args:
            asked: the question and its answer.
            threshold: paraphrase probability above which the answer is yes.
            pinned: an earlier question with its answer, to compare with.
        """
        first, second = asked.question.texts
        return Shown(
            blocks.notice_line(asked.question.notices),
            self.cards(asked, threshold),
            changed(pinned, asked.answer),
            python_lines(first, second, *(source.name for source in self.engine.own[:1])),
            json_text(first, second, as_dict(asked.answer)),
        )

    def show_threshold(self, asked: Asked | None, threshold: float) -> str:
        """Show the answer again under another paraphrase threshold; the model isn't asked."""
        return self.cards(asked, threshold) if asked else ""

    def cards(self, asked: Asked, threshold: float) -> str:
        """Return the cards of an answer, of both models where there are two."""
        return answer_cards.answer_panel(
            asked.answer, threshold, self.within_one, other=asked.other, names=self.engine.names
        )

    def pin(self, asked: Asked | None) -> tuple[Asked | None, str]:
        """Keep the present question and answer, to see what an edit changes."""
        if asked is None:
            return None, ""
        note = ["Edit a sentence and press Answer: the change on all tasks stands here."]
        return asked.pin, answer_cards.change_panel(asked.first, asked.second, note)

    def predict(self, first: str, second: str = "") -> dict[str, Any]:
        """Answer sentiment, paraphrase and similarity of English sentences with the mean model.

        The mean model pools by the mean; of your own models it is the first. Sentiment is that of
        film reviews; a second sentence adds paraphrase (do both say the same) and similarity (how
        close are they in meaning).

        Args:
            first: sentence A; of a long text the beginning is read.
            second: sentence B; empty for A's sentiment alone.

        Returns:
            sentiment: a list with one entry a sentence (label, from very negative to very positive;
            probabilities by class name; expected rating 0-4); with B also paraphrase (label, yes or
            no; probability; a_then_b and b_then_a, of both orders) and similarity (score, joint,
            joint_a_then_b, joint_b_then_a and siamese, all within 0, unrelated, to 5, the same;
            band, the score in words; raw and raw_joint ... raw_siamese, the model's own numbers,
            which may lie outside). Each entry's left_out counts the word pieces that were cut: of
            the sentence, or of both read together.
        """
        question = asked(self.engine, first, second, REFUSED)
        return as_dict(self.engine.answer(self.engine.mean, question))

    def compare_pooling(self, first: str, second: str = "") -> dict[str, Any]:
        """Answer sentiment, paraphrase and similarity with both models, and say how they differ.

        One takes its first token, CLS, for a sentence's vector, one the mean of all tokens. Of your
        own models `mean` is the first and `cls` the second, whatever their pooling.

        Args:
            first: sentence A; of a long text the beginning is read.
            second: sentence B; empty for A's sentiment alone.

        Returns:
            cls and mean, each as `predict` returns it, and differences, a list of sentences; of
            your own models also names, each one's pooling by cls and mean.
        """
        other = second_model(self.engine)
        question = asked(self.engine, first, second, REFUSED)
        cls = self.engine.answer(other, question)
        mean = self.engine.answer(self.engine.mean, question)
        title, lines = answer_words.comparison(cls, mean, self.engine.names)
        told = {"cls": as_dict(cls), "mean": as_dict(mean), "differences": [title, *lines]}
        return told | ({"names": self.engine.names} if self.engine.own else {})


def as_dict(answer: Answer) -> dict[str, Any]:
    """Return an answer as plain values for the API."""
    told: dict[str, Any] = {
        "sentiment": [
            {
                "label": result.label,
                "probabilities": dict(zip(SENTIMENT.labels, result.probabilities, strict=True)),
                "expected": result.expected,
                "left_out": result.left_out,
            }
            for result in answer.sentiments
        ]
    }
    pair = answer.pair
    if pair is not None:
        told["paraphrase"] = {
            "label": answer_words.yes_no(pair),
            "probability": pair.paraphrase,
            "a_then_b": pair.paraphrase_ab,
            "b_then_a": pair.paraphrase_ba,
            "left_out": pair.left_out,
        }
        told["similarity"] = {
            "score": pair.score,
            "raw": pair.raw,
            "band": pair.band,
            "joint": clamped(pair.joint),
            "joint_a_then_b": clamped(pair.joint_ab),
            "joint_b_then_a": clamped(pair.joint_ba),
            "siamese": clamped(pair.siamese),
            "raw_joint": pair.joint,
            "raw_joint_a_then_b": pair.joint_ab,
            "raw_joint_b_then_a": pair.joint_ba,
            "raw_siamese": pair.siamese,
            "left_out": pair.left_out,
        }
    return told
