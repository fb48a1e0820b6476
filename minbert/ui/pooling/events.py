"""The pooling lab's events: why two sentences are alike, word by word and layer by layer."""

from __future__ import annotations

from typing import Any

import gradio as gr
import plotly.graph_objects as go

from minbert.explain import (
    clustered_order,
    cosine_matrix,
    layer_similarity,
    pooled_by,
    principal_components,
    split_sentiment,
    split_similarity,
)
from minbert.ui.engine import Engine, InputError
from minbert.ui.parts import blocks
from minbert.ui.parts.refusal import refusal
from minbert.ui.pooling import findings as words
from minbert.ui.pooling.figures import contributions_figure, layers_figure, split_figure
from minbert.ui.pooling.tables import contributions_twin, layers_twin, split_twin

MOST_SENTENCES = 50
SET_POOLINGS = ("cls", "mean", "max", "pooler")
NO_SECOND = "Type a sentence B to see this."


class Lab:
    """The lab's events, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def show_lab(
        self, first: str, second: str
    ) -> tuple[str, go.Figure | None, str, go.Figure | None, str, go.Figure | None]:
        """Draw the split of the cosine, the words' contributions, and both poolings by layer."""
        try:
            first, second = self.engine.check(first, second)
        except InputError:  # the other event of the same click tells it
            return (gr.skip(),) * 6
        texts = {"A": first, "B": second} if second else {"A": first}
        splits = {name: split_sentiment(self.engine.mean, text) for name, text in texts.items()}
        title, lines = words.contributions_finding(splits)
        contributions = (
            blocks.finding_block(
                title, lines, words.READ_CONTRIBUTIONS, contributions_twin(splits)
            ),
            contributions_figure(splits),
        )
        if not second:
            told = blocks.finding_block(NO_SECOND, [], words.READ_SPLIT)
            later = blocks.finding_block(NO_SECOND, [], words.READ_LAYERS)
            return (told, None, *contributions, later, None)
        split = split_similarity(self.engine.mean, first, second)
        (pair,) = self.engine.mean.pairs([(first, second)])
        title, lines = words.split_finding(split, pair)
        cosines = {
            "cls": layer_similarity(self.engine.cls, first, second, ("cls",))["cls"],
            "mean": layer_similarity(self.engine.mean, first, second, ("mean",))["mean"],
        }
        return (
            blocks.finding_block(title, lines, words.READ_SPLIT, split_twin(split)),
            split_figure(split),
            *contributions,
            blocks.finding_block(
                words.layers_finding(cosines), [], words.READ_LAYERS, layers_twin(cosines)
            ),
            layers_figure(cosines),
        )

    def similarity_split(self, first: str, second: str) -> dict[str, Any]:
        """Split the cosine of A and B word by word, exactly, under mean pooling.

        Args:
            first: sentence A.
            second: sentence B.

        Returns:
            first and second (words, [CLS] and [SEP] included), matrix (one row a word of A), whose
            sum is cosine; score 0-5 not clamped, and the formula that leads to it.
        """
        first, second = self.checked_pair(first, second)
        split = split_similarity(self.engine.mean, first, second)
        return {
            "first": list(split.first.labels),
            "second": list(split.second.labels),
            "matrix": split.matrix.tolist(),
            "cosine": split.cosine,
            "score": split.score,
            "formula": split.formula,
        }

    def similarity_matrix(self, sentences: list[str], pooling: str = "mean") -> dict[str, Any]:
        """Compare each of up to 50 sentences with each other by the cosine of their embeddings.

        Args:
            sentences: 1 to 50 texts.
            pooling: cls (of the CLS model); or mean, max or pooler (of the mean model, which was
                trained with mean pooling alone).

        Returns:
            matrix (N, N) in the order given, order (N: similar ones beside each other), points
            (N, 2: principal components) and shares (2: of the variance).
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
        }

    def checked_pair(self, first: str, second: str) -> tuple[str, str]:
        """Return both texts ready for the model, or show what is wrong with them."""
        try:
            first, second = self.engine.check(first, second)
        except InputError as error:
            raise refusal(str(error)) from error
        if not second:
            raise refusal("Sentence B is empty. A split needs two sentences.")
        return first, second

    def checked_text(self, text: str, place: int) -> str:
        """Return a text of a set ready for the model, or show which one is wrong and how."""
        try:
            return self.engine.check(text, "")[0]
        except InputError as error:
            raise refusal(f"Sentence {place} of the set: {error}") from error
