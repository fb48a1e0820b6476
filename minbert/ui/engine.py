"""What the page asks of the models: two checkpoints that differ in pooling alone, and limits."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Self

from minbert.multitask import MultitaskBert
from minbert.predictor import AttentionResult, PairResult, Predictor, SentimentResult
from minbert.serving import ModelQueue, ServedPredictor
from minbert.tasks import SENTIMENT
from minbert.zero_gpu import Decorator, ZeroGpuPredictor

LONGEST_TEXT = 100_000  # characters of one box; the model reads far fewer


class InputError(ValueError):
    """Something typed that can't be answered; the message is for the person who typed it."""


@dataclasses.dataclass(frozen=True)
class Answer:
    """All that one model says about A, and about B where there is one."""

    sentiments: tuple[SentimentResult, ...]  # of A, and of B
    pair: PairResult | None


@dataclasses.dataclass(frozen=True)
class Engine:
    """The mean-pooling model, and its twin trained alike but for CLS pooling."""

    mean: Predictor
    cls: Predictor

    @classmethod
    def load(cls, folder: Path, device: str = "auto", gpu: Decorator | None = None) -> Self:
        """Load both checkpoints from `folder`/mean and `folder`/cls.

        With `gpu`, as `minbert.zero_gpu` returns it, the encoders work on a ZeroGPU Space's GPU.

        Raises:
            CheckpointError: a checkpoint can't be loaded.
            ValueError: one that doesn't have the five sentiment classes the page shows.
        """
        queue = ModelQueue()
        mean, other = (load_checked(folder / name, device, queue, gpu) for name in ("mean", "cls"))
        return cls(mean, other)

    def answer(self, predictor: Predictor, first: str, second: str) -> Answer:
        """Answer all tasks for checked texts; an empty `second` means A alone."""
        if not second:
            return Answer(tuple(predictor.sentiment([first])), None)
        sentiments, pair = predictor.answer(first, second)
        return Answer(tuple(sentiments), pair)

    def attention(self, first: str, second: str, layer: int) -> AttentionResult:
        """Return the mean model's maps of one layer (1-based), of A or of the joint pair."""
        layers = self.mean.config.encoder.num_hidden_layers
        if not 1 <= layer <= layers:
            raise InputError(f"Layer should be a number from 1 to {layers}. Found {layer}.")
        return self.mean.attention(first, second or None, [layer - 1])

    def check(self, first: str | None, second: str | None) -> tuple[str, str]:
        """Return both texts stripped, or say which one is wrong and how.

        Raises:
            InputError: A is empty, or a text is too long or has nothing that can be read.
        """
        first, second = (first or "").strip(), (second or "").strip()
        if not first:
            raise InputError("Sentence A is empty. Type a sentence there, then press Answer.")
        for name, text in (("A", first), ("B", second)):
            if len(text) > LONGEST_TEXT:
                raise InputError(
                    f"Sentence {name} has {len(text):,} characters. "
                    f"The limit is {LONGEST_TEXT:,}; shorten it."
                )
            if text and self.mean.count_tokens(text).tokens == 2:
                raise InputError(
                    f"Sentence {name} has only invisible characters. Type some words there."
                )
        return first, second

    def notices(self, first: str, second: str) -> list[str]:
        """Say how long the texts are, what was cut, and what the vocabulary doesn't have."""
        told = []
        limit = self.mean.config.max_length
        texts = [("A", first), ("B", second)] if second else [("A", first)]
        for name, text in texts:
            count = self.mean.count_tokens(text)
            line = f"{name}: {count.tokens:,} tokens"
            if count.left_out:
                line += f", cut to the {limit} that the model reads; {count.left_out:,} left out"
            if count.unknown:
                line += f"; {count.unknown:,} not in its vocabulary, read as [UNK]"
            if count.masked:
                line += f"; {count.masked:,} hidden from it by [MASK]"
            told.append(line)
        if second:
            (joint,) = self.mean.encode_joint([(first, second)])
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
    predictor: Predictor
    if gpu is None:
        predictor = ServedPredictor.serve(folder, device, queue)
    else:  # the platform keeps the queue there
        there = "cuda" if device == "auto" else device
        predictor = ZeroGpuPredictor(MultitaskBert.from_pretrained(folder), gpu, there)
    found, wanted = predictor.config.sentiment_classes, SENTIMENT.classes
    if found != wanted:
        raise ValueError(
            f"`sentiment_classes` in {folder} should be {wanted}. Found {found}; "
            "the page shows the five classes of SST."
        )
    return predictor
