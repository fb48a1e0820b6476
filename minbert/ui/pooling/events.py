"""The pooling lab's events: why two sentences are alike, word by word and layer by layer."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping, Sequence
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
from minbert.pooling import POOLERS
from minbert.predictor import Predictor
from minbert.ui.engine import NO_SECOND as NO_OTHER
from minbert.ui.engine import Engine
from minbert.ui.parts import blocks
from minbert.ui.parts.answer_words import capital, comparison
from minbert.ui.parts.both_poolings import answers_table, pooling_figure
from minbert.ui.parts.coloured_words import ByGradients, moods_block, pair_words
from minbert.ui.parts.colouring import Shown as Coloured
from minbert.ui.parts.colouring import in_colour
from minbert.ui.parts.refusal import asked_pair, refusal
from minbert.ui.parts.steps import Press
from minbert.ui.parts.texts import texts_of
from minbert.ui.pooling import findings
from minbert.ui.pooling.figures import contributions_figure, layers_figure, split_figure
from minbert.ui.pooling.tables import contributions_table, layers_table, split_table
from minbert.ui.question import Answer, Asked, InputError, Question

TEXTS = texts_of(__package__)
MOST_SENTENCES = 50
SET_POOLINGS = ("cls", "mean", "max", "pooler")
NO_SPLIT = "Sentence B is empty. A split needs two sentences."
NO_SECOND = "Type a sentence B to see this."
NOTHING_TO_COMPARE = "One model answers here, so no poolings are compared"
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
        self, question: Question, known: Asked | None = None, *, alone: str = ""
    ) -> Comparison:
        """Compare both models on a question; each encodes A and B once for all parts.

        Args:
            question: what is asked.
            known: the models' answers where they are known.
            alone: the line below the answers to one sentence; empty: that a second one can be
                typed.
        """
        engine = self.engine
        known = known or engine.asked(question)
        answers = {"mean": known.answer} | ({"cls": known.other} if known.other else {})
        states = {
            name: self.states(predictor, question)
            for name, predictor in engine.answering.items()
            if question.second or name == engine.splitting
        }
        shown = self.both_answers(answers, alone if not question.second else "")
        moods = self.moods(question, answers, states)
        if not question.second:
            waiting = [
                blocks.finding_block(NO_SECOND, [], how)
                for how in (TEXTS["read.split"], self.reading("layers"))
            ]
            return Comparison(shown, (waiting[0], None), moods, (waiting[1], None))
        split = self.split(question, answers, states)
        return Comparison(shown, split, moods, self.layers(question, states))

    def reading(self, name: str) -> str:
        """Return how to read a part; of models of your own in other words."""
        told = {"answers": TEXTS["read.answers"], "layers": TEXTS["read.layers"]}
        if self.engine.own:
            told = {"answers": TEXTS["read.own_answers"], "layers": TEXTS["read.own_layers"]}
        if self.engine.second is None:
            told["answers"] = TEXTS["read.one_answers"]
        return told[name]

    def both_answers(self, answers: Mapping[str, Answer], alone: str) -> Shown:
        """Show the models' answers side by side, or that there is one; `alone` as in `compare`."""
        names, mean, cls = self.engine.names, answers["mean"], answers.get("cls")
        title, lines = NOTHING_TO_COMPARE, [NO_OTHER]
        if cls is not None:
            title, lines = comparison(cls, mean, names)
            lines = [alone] if alone else lines
        numbers = answers_table(cls, mean, names)
        told = blocks.finding_block(title, lines, self.reading("answers"), numbers)
        return told, pooling_figure(cls, mean, names)

    def no_split(self) -> Shown:
        """Say that the models' pooling has no exact split."""
        poolings = " or ".join(self.engine.names.values())
        told = TEXTS["own.no_split"].format(pooling=poolings)
        return blocks.finding_block("There is no exact split here", [told], ""), None

    def moods(
        self,
        question: Question,
        answers: Mapping[str, Answer],
        states: Mapping[str, Sequence[Tensor | None]],
        others: Sequence[ByGradients] = (),
    ) -> Shown:
        """Show what each word adds to the mood, exactly where a model's pooling allows it.

        `others` are lines of poolings that don't.
        """
        name = self.engine.splitting
        if name is None:
            return (moods_block({}, [], others), None) if others else self.no_split()
        predictor, last = self.engine.answering[name], last_of(states[name])
        texts = zip("AB", question.texts[: len(question.pieces)], last, strict=False)
        splits = {
            sentence: split_sentiment(predictor, text, state=state)
            for sentence, text, state in texts
        }
        told = [*findings.contributions_finding(splits), TEXTS["read.contributions"]]
        numbers = contributions_table(splits)
        words = moods_block(splits, answers[name].sentiments, others, told, numbers)
        return words, contributions_figure(splits)

    def colour(self, first: str, second: str, press: Press | None = None) -> Iterator[Coloured]:
        """Add a line of words for each pooling without an exact split; tell how far it is."""

        def show(question: Question, others: Sequence[ByGradients]) -> str:
            name, answers, states = self.engine.splitting, {}, {}
            if name is not None:
                predictor = self.engine.answering[name]
                answers[name] = self.engine.answer(predictor, question)
                states[name] = self.states(predictor, question)
            return self.moods(question, answers, states, others)[0]

        yield from in_colour(self.engine, first, second, show, press)

    def split(
        self,
        question: Question,
        answers: Mapping[str, Answer],
        states: Mapping[str, Sequence[Tensor | None]],
    ) -> Shown:
        """Show the cosine word by word, where a model's pooling allows it."""
        name = self.engine.splitting
        if name is None:
            return self.no_split()
        predictor, pair = self.engine.answering[name], answers[name].pair
        assert pair is not None  # the question has a B
        last = known(last_of(states[name]))
        split = split_similarity(predictor, *question.texts, states=last)
        title, lines = findings.split_finding(split, pair)
        told = blocks.finding_block(
            title, lines, TEXTS["read.split"], split_table(split), shown=pair_words(split)
        )
        return told, split_figure(split)

    def layers(self, question: Question, states: Mapping[str, Sequence[Tensor | None]]) -> Shown:
        """Show each model's cosine after every layer, where its pooling can be had there."""
        cosines, lines, names = {}, [], self.engine.names
        for name, predictor in self.engine.answering.items():
            pooling = predictor.config.pooling
            if pooling not in POOLERS:
                lines.append(
                    f"{capital(names[name])} pooling was trained for the last layer alone, so it "
                    "has no line."
                )
                continue
            found = known(states[name])
            cosines[name] = layer_similarity(predictor, *question.texts, (pooling,), found)[pooling]
        if not cosines:
            return blocks.finding_block("No layer but the last can be compared", lines, ""), None
        title, numbers = findings.layers_finding(cosines, names), layers_table(cosines, names)
        told = blocks.finding_block(title, lines, self.reading("layers"), numbers)
        return told, layers_figure(cosines, names)

    def states(self, predictor: Predictor, question: Question) -> list[Tensor | None]:
        """Return the hidden states of every layer of A and of B; None where tasks differ (PALs)."""
        if predictor.model.encoder.pals_active:
            return [None] * len(question.pieces)
        return [*predictor.hidden(predictor.single_inputs(question.pieces), every_layer=True)]

    def similarity_split(self, first: str, second: str) -> dict[str, Any]:
        """Split the similarity of two sentences over their pairs of words, exactly.

        Under mean pooling the cosine of both embeddings is a sum over each word of A with each of
        B. A positive number says that the two words bring the sentences together.

        Args:
            first: sentence A; of a long text the beginning is read.
            second: sentence B; the same.

        Returns:
            first and second (words, [CLS] and [SEP] included), matrix (one row a word of A, one
            column a word of B), whose sum is cosine, -1 to 1; the formula that leads from it to
            raw; score, raw within 0 to 5; and left_out (word pieces of A and of B that were cut).
        """
        first, second = asked_pair(self.engine, first, second, NO_SPLIT)
        if self.engine.splitting is None:
            found = " or ".join(self.engine.names.values())
            raise refusal(
                f"An exact split needs a model with mean pooling. Found {found}; use /explain, or "
                "start the page with a model that has it."
            )
        split = split_similarity(self.engine.answering[self.engine.splitting], first, second)
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
                trained with mean pooling alone). Of your own models the one that was trained with
                it, else the first.

        Returns:
            matrix (N, N) in the order given, order (N: similar ones beside each other), points
            (N, 2: principal components), shares (2: of the variance) and left_out (N: word pieces
            that were cut).
        """
        trained = {model.config.pooling: model for model in self.engine.answering.values()}
        offered = tuple(dict.fromkeys((*SET_POOLINGS, *trained)))
        if pooling not in offered:
            raise refusal(f"Pooling should be one of {', '.join(offered)}. Found {pooling!r}.")
        if not isinstance(sentences, list) or not 1 <= len(sentences) <= MOST_SENTENCES:
            raise refusal(f"There should be 1 to {MOST_SENTENCES} sentences, as a list.")
        checked = [self.checked_text(text, place) for place, text in enumerate(sentences, start=1)]
        predictor = trained.get(pooling, self.engine.mean)
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


def last_of(states: Sequence[Tensor | None]) -> list[Tensor | None]:
    """Return the last layer's states of each sentence."""
    return [None if every is None else every[-1] for every in states]


def known(states: Sequence[Tensor | None]) -> list[Tensor] | None:
    """Return the states where all are there."""
    found = [state for state in states if state is not None]
    return found if len(found) == len(states) else None
