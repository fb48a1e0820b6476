"""The pooling lab's events: why two sentences are alike, word by word and layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from torch import Tensor

from minbert.explain import (
    clustered_order,
    cosine_matrix,
    layer_similarity,
    pooled_by,
    principal_components,
    split_sentiment,
    split_similarity,
)
from minbert.predictor import Predictor
from minbert.ui.engine import Answer, Engine, InputError, Question
from minbert.ui.parts import blocks
from minbert.ui.parts.answer_words import comparison
from minbert.ui.parts.both_poolings import answers_table, pooling_figure
from minbert.ui.parts.refusal import asked_pair, refusal
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling import findings
from minbert.ui.pooling.figures import contributions_figure, layers_figure, split_figure
from minbert.ui.pooling.tables import contributions_table, layers_table, split_table

TEXTS = texts_of(__package__)
MOST_SENTENCES = 50
SET_POOLINGS = ("cls", "mean", "max", "pooler")
NO_SPLIT = "Sentence B is empty. A split needs two sentences."
NO_SECOND = "Type a sentence B to see this."
Shown = tuple[str, go.Figure | None]  # a part's words, and its figure


@dataclasses.dataclass(frozen=True)
class Comparison:
    """What both poolings make of a question: words and a figure for each part of the tab."""

    answers: Shown
    split: Shown
    contributions: Shown
    layers: Shown


class Lab:
    """The lab's events, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def compare(
        self, question: Question, mean_answer: Answer | None = None, *, alone: str = ""
    ) -> Comparison:
        """Compare both models on a question; each encodes A and B once for all parts.

        Args:
            question: what is asked.
            mean_answer: the mean model's answer where it is known.
            alone: the line below the answers to one sentence; empty: that a second one can be
                typed.
        """
        engine, (first, second) = self.engine, question.texts
        mean = mean_answer or engine.answer(engine.mean, question)
        cls = engine.answer(engine.cls, question)
        title, lines = comparison(cls, mean)
        if alone and not second:
            lines = [alone]
        numbers = answers_table(cls, mean)
        answers = blocks.finding_block(title, lines, TEXTS["read.answers"], numbers)
        states = self.states(engine.mean, question)
        last = [None if every is None else every[-1] for every in states]
        texts = zip("AB", (first, second) if second else (first,), last, strict=False)
        splits = {
            name: split_sentiment(engine.mean, text, state=state) for name, text, state in texts
        }
        title, lines = findings.contributions_finding(splits)
        contributions = blocks.finding_block(
            title, lines, TEXTS["read.contributions"], contributions_table(splits)
        )
        moods: Shown = (contributions, contributions_figure(splits))
        shown = (answers, pooling_figure(cls, mean))
        if mean.pair is None:
            waiting = [
                blocks.finding_block(NO_SECOND, [], how)
                for how in (TEXTS["read.split"], TEXTS["read.layers"])
            ]
            return Comparison(shown, (waiting[0], None), moods, (waiting[1], None))
        split = split_similarity(engine.mean, first, second, states=known(last))
        title, lines = findings.split_finding(split, mean.pair)
        by_layer = {
            "cls": (engine.cls, self.states(engine.cls, question)),
            "mean": (engine.mean, states),
        }
        cosines = {
            name: layer_similarity(model, first, second, (name,), known(found))[name]
            for name, (model, found) in by_layer.items()
        }
        told = blocks.finding_block(
            findings.layers_finding(cosines), [], TEXTS["read.layers"], layers_table(cosines)
        )
        return Comparison(
            shown,
            (
                blocks.finding_block(title, lines, TEXTS["read.split"], split_table(split)),
                split_figure(split),
            ),
            moods,
            (told, layers_figure(cosines)),
        )

    def states(self, predictor: Predictor, question: Question) -> list[Tensor | None]:
        """Return the hidden states of every layer of A and of B; None where tasks differ (PALs)."""
        if predictor.model.encoder.pals_active:
            return [None] * len(question.pieces)
        return [*predictor.hidden(predictor.single_inputs(question.pieces), every_layer=True)]

    def similarity_split(self, first: str, second: str) -> dict[str, Any]:
        """Split the cosine of A and B word by word, exactly, under mean pooling.

        Args:
            first: sentence A.
            second: sentence B.

        Returns:
            first and second (words, [CLS] and [SEP] included), matrix (one row a word of A), whose
            sum is cosine; the formula that leads from it to raw; score, raw within 0 to 5;
            and left_out (word pieces of A and of B that were cut).
        """
        first, second = asked_pair(self.engine, first, second, NO_SPLIT)
        split = split_similarity(self.engine.mean, first, second)
        return {
            "first": list(split.first.labels),
            "second": list(split.second.labels),
            "matrix": split.matrix.tolist(),
            "cosine": split.cosine,
            "score": split.score,
            "raw": split.raw,
            "formula": split.formula,
            "left_out": list(split.left_out),
        }

    def similarity_matrix(self, sentences: list[str], pooling: str = "mean") -> dict[str, Any]:
        """Compare each of up to 50 sentences with each other by the cosine of their embeddings.

        Args:
            sentences: 1 to 50 texts.
            pooling: cls (of the CLS model); or mean, max or pooler (of the mean model, which was
                trained with mean pooling alone).

        Returns:
            matrix (N, N) in the order given, order (N: similar ones beside each other), points
            (N, 2: principal components), shares (2: of the variance) and left_out (N: word pieces
            that were cut).
        """
        if pooling not in SET_POOLINGS:
            raise refusal(f"Pooling should be one of {', '.join(SET_POOLINGS)}. Found {pooling!r}.")
        if not isinstance(sentences, list) or not 1 <= len(sentences) <= MOST_SENTENCES:
            raise refusal(f"There should be 1 to {MOST_SENTENCES} sentences, as a list.")
        checked = [self.checked_text(text, place) for place, text in enumerate(sentences, start=1)]
        predictor = self.engine.cls if pooling == "cls" else self.engine.mean
        embeddings = pooled_by(predictor, checked, pooling)
        matrix = cosine_matrix(embeddings)
        projection = principal_components(embeddings)
        return {
            "matrix": matrix.tolist(),
            "order": clustered_order(matrix),
            "points": projection.points.tolist(),
            "shares": projection.shares.tolist(),
            "left_out": [item.left_out for item in predictor.encode_single(checked)],
        }

    def checked_text(self, text: str, place: int) -> str:
        """Return a text of a set ready for the model, or show which one is wrong and how."""
        try:
            return self.engine.ask(text, "").first
        except InputError as error:
            raise refusal(f"Sentence {place} of the set: {error}") from error


def known(states: Sequence[Tensor | None]) -> list[Tensor] | None:
    """Return the states where all are there."""
    found = [state for state in states if state is not None]
    return found if len(found) == len(states) else None
