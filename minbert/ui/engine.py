"""What the page asks of the models: two checkpoints that differ in pooling alone, and limits.

A third model, the encoder as it was before fine-tuning, is there on request, for its attention.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from minbert.answers import AttentionResult, PairResult, SentimentResult
from minbert.checks import is_blank
from minbert.explain.heads_summary import bare_model
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.serving import ModelQueue, served
from minbert.tasks import SENTIMENT
from minbert.zero_gpu import Decorator, on_zero_gpu

LONGEST_TEXT = 100_000  # characters of one box; the model reads far fewer


class InputError(ValueError):
    """Something typed that can't be answered; the message is for the person who typed it."""


@dataclasses.dataclass(frozen=True)
class Question:
    """One or two texts, checked, and tokenised once for both models."""

    first: str
    second: str  # empty for A alone
    pieces: tuple[tuple[int, ...], ...]  # word-piece ids of A, and of B
    notices: tuple[str, ...]  # lengths, what was cut, what the vocabulary doesn't have

    @property
    def texts(self) -> tuple[str, str]:
        """Return A and B."""
        return self.first, self.second


@dataclasses.dataclass(frozen=True)
class Answer:
    """All that one model answers about A, and about B where there is one."""

    sentiments: tuple[SentimentResult, ...]  # of A, and of B
    pair: PairResult | None


@dataclasses.dataclass(frozen=True)
class Asked:
    """A question with the mean model's answer, as one visitor's page keeps it."""

    question: Question
    answer: Answer

    @property
    def first(self) -> str:
        """Return A."""
        return self.question.first

    @property
    def second(self) -> str:
        """Return B; empty for A alone."""
        return self.question.second


@dataclasses.dataclass(frozen=True)
class Engine:
    """The mean-pooling model, and one trained alike but for CLS pooling."""

    mean: Predictor
    cls: Predictor
    untuned: Predictor | None = None  # its attention alone means something

    @classmethod
    def load(
        cls,
        folder: Path,
        device: str = "auto",
        gpu: Decorator | None = None,
        encoder: str | None = None,
    ) -> Self:
        """Load both checkpoints from `folder`/mean and `folder`/cls.

        Args:
            folder: of both.
            device: 'auto' takes the best there is.
            gpu: as `minbert.zero_gpu` returns it: the encoders work on a ZeroGPU Space's GPU.
            encoder: folder or Hugging Face id of the encoder before fine-tuning; None: without.

        Raises:
            CheckpointError: a checkpoint can't be loaded.
            ValueError: one that doesn't have the five sentiment classes the page shows, or two
                vocabularies.
        """
        queue = ModelQueue()
        mean, other = (load_checked(folder / name, device, queue, gpu) for name in ("mean", "cls"))
        if mean.tokenizer.backend.get_vocab() != other.tokenizer.backend.get_vocab():
            raise ValueError(
                f"Both models in {folder} should have one vocabulary: a text is tokenised once. "
                "Found two; train both from the same encoder."
            )
        if encoder is None:
            return cls(mean, other)
        bare = bare_model(encoder, mean.config.max_length)
        return cls(mean, other, served(bare, device, queue))

    @property
    def models(self) -> dict[str, Predictor]:
        """Return the models whose attention can be looked at, by their short names."""
        found = {"mean": self.mean, "cls": self.cls, "untuned": self.untuned}
        return {name: predictor for name, predictor in found.items() if predictor is not None}

    def ask(self, first: str | None, second: str | None) -> Question:
        """Return both texts as a question, stripped, checked and tokenised.

        Raises:
            InputError: A is empty, or a text is too long or has nothing that can be read.
        """
        for name, given in (("A", first), ("B", second)):
            if not isinstance(given, str | None):
                raise InputError(f"Sentence {name} should be a text. Found {given!r:.40}.")
        first, second = (first or "").strip(), (second or "").strip()
        if not first:
            raise InputError("Sentence A is empty. Type a sentence there, then press Answer.")
        texts = {"A": first, "B": second} if second else {"A": first}
        for name, text in texts.items():
            if len(text) > LONGEST_TEXT:
                raise InputError(
                    f"Sentence {name} has {len(text):,} characters. "
                    f"The limit is {LONGEST_TEXT:,}; shorten it."
                )
        pieces = self.mean.tokenizer.pieces(list(texts.values()))
        for (name, text), of_text in zip(texts.items(), pieces, strict=True):
            if not of_text or is_blank(text):
                raise InputError(
                    f"Sentence {name} has only invisible characters. Type some words there."
                )
        return Question(first, second, tuple(map(tuple, pieces)), tuple(self.notices(pieces)))

    def answer(self, predictor: Predictor, question: Question) -> Answer:
        """Answer all tasks of a question with one of the models."""
        if question.second:
            sentiments, pair = predictor.answer_pieces(*question.pieces)
            return Answer(tuple(sentiments), pair)
        inputs = predictor.single_inputs(question.pieces)
        left_out = [item.left_out for item in inputs]
        found = predictor.sentiment_of(predictor.pooled(inputs, "sentiment"), left_out)
        return Answer(tuple(found), None)

    def attention(
        self, first: str, second: str, layers: Sequence[int] | None = None, model: str = "mean"
    ) -> AttentionResult:
        """Return a model's attention maps, of A or of the joint pair.

        Args:
            first: A, checked.
            second: B; empty for A alone.
            layers: 1 for the lowest; None: all.
            model: one of `models`.

        Raises:
            InputError: a layer or a model that isn't there.
        """
        if model not in self.models:
            known = ", ".join(self.models)
            raise InputError(f"Model should be one of {known}. Found {model!r}.")
        predictor = self.models[model]
        count = predictor.config.encoder.num_hidden_layers
        asked = range(1, count + 1) if layers is None else layers
        for layer in asked or ("none",):
            if layer not in range(1, count + 1):
                raise InputError(f"Layer should be a number from 1 to {count}. Found {layer}.")
        kept = [int(layer) - 1 for layer in asked]
        return predictor.attention(first, second or None, kept)

    def notices(self, pieces: Sequence[list[int]]) -> list[str]:
        """Return how long A and B are, what is cut, and what the vocabulary doesn't have."""
        told = []
        limit = self.mean.config.max_length
        for name, of_text in zip("AB", pieces, strict=False):
            count = self.mean.count_pieces(of_text)
            line = f"{name}: {count.tokens:,} tokens"
            if count.left_out:
                line += f", cut to the {limit} that the model reads; {count.left_out:,} left out"
            if count.unknown:
                line += f"; {count.unknown:,} not in its vocabulary, read as [UNK]"
            if count.masked:
                line += f"; {count.masked:,} hidden from it by [MASK]"
            told.append(line)
        if len(pieces) == 2:
            (joint,) = self.mean.joint_inputs([(pieces[0], pieces[1])])
            if joint.left_out:
                told.append(f"A and B together: cut to {limit} tokens, {joint.left_out:,} left out")
        return [*told, "start and end marks counted"]


def load_checked(
    folder: Path, device: str, queue: ModelQueue, gpu: Decorator | None = None
) -> Predictor:
    """Load a checkpoint that the page can show, for many visitors at once.

    Raises:
        ValueError: other than five sentiment classes.
    """
    model = MultitaskBert.from_pretrained(folder)
    if gpu is None:
        predictor = served(model, device, queue)
    else:  # the platform keeps the queue there
        predictor = on_zero_gpu(model, gpu, "cuda" if device == "auto" else device)
    found, wanted = predictor.config.sentiment_classes, SENTIMENT.classes
    if found != wanted:
        raise ValueError(
            f"`sentiment_classes` in {folder} should be {wanted}. Found {found}; "
            "the page shows the five classes of SST."
        )
    return predictor
