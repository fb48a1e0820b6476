"""What the page asks of the models: the shipped pair, which differs in pooling alone, or your own.

A third model, the encoder as it was before fine-tuning, is there on request, for its attention.
"""

from __future__ import annotations

import contextlib
import dataclasses
import math
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

from torch import Tensor

from minbert.answers import AttentionResult
from minbert.backends.zero_gpu import Decorator, on_zero_gpu
from minbert.checkpoint import CONFIG_FILE, resolve_folder
from minbert.checks import is_blank
from minbert.explain import split_sentiment, split_similarity
from minbert.explain.heads_summary import bare_model
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.serving import ModelQueue, served
from minbert.tasks import SENTIMENT
from minbert.ui.question import FIELDS, LONGEST_TEXT, Answer, Asked, InputError, Question, Splits

SHIPPED = ("mean", "cls")  # the pair's folders
MOST_MODELS = 2  # one answers, one is compared with it
MOST_PAIRS = 20_000  # numbers of a similarity's split that a visit keeps, 8 bytes each
CALLED = {"cls": "CLS"}  # poolings whose name is written otherwise
NO_SECOND = (
    "This page was started with one model, so there is nothing to compare. "
    "Start it with two: `python app.py --models FIRST SECOND`."
)


class ModelError(ValueError):
    """A model that the page can't be started with; the message is one line for who starts it."""


@dataclasses.dataclass(frozen=True)
class Source:
    """Where a model of your own comes from."""

    name: str  # as it was given: a folder or a Hugging Face id
    folder: Path


@dataclasses.dataclass(frozen=True)
class Engine:
    """The model that answers, and one to compare it with.

    Of the shipped pair these pool by mean and by CLS, which gave both their names. With models of
    your own `mean` is the first and `cls` the second, whatever their pooling.
    """

    mean: Predictor
    second: Predictor | None = None
    untuned: Predictor | None = None  # its attention alone means something
    own: tuple[Source, ...] = ()  # of the models in their order; empty: the shipped pair

    @classmethod
    def load(
        cls,
        folder: Path,
        device: str = "auto",
        gpu: Decorator | None = None,
        encoder: str | None = None,
        models: Sequence[str] = (),
        runtime: str = "auto",
    ) -> Self:
        """Load both checkpoints from `folder`/mean and `folder`/cls, or other models.

        Args:
            folder: of both.
            device: 'auto' takes the best there is.
            gpu: as `backends.zero_gpu` returns it: the encoders work on a ZeroGPU Space's GPU.
            encoder: folder or Hugging Face id of the encoder before fine-tuning; None: without.
            models: one or two folders or Hugging Face ids, in place of the shipped pair; the first
                one answers, but of a CLS and a mean-pooling model always the latter.
            runtime: of the encoders, as `Predictor` takes it; without `gpu`.

        Raises:
            ModelError: a model of `models`, or `encoder`, can't be loaded or shown, or there are
                two vocabularies.
            CheckpointError: a checkpoint in `folder` can't be loaded.
            ValueError: one there doesn't have the five sentiment classes the page shows.
        """
        if len(models) > MOST_MODELS:
            raise ModelError(
                f"`--models` should name one or two models. Found {len(models)}; leave some out."
            )
        queue = ModelQueue()

        def load(name: str) -> tuple[Source, Predictor]:
            with blamed("models", name) if models else contextlib.nullcontext():
                source = Source(name, resolve_folder(name))
                return source, load_checked(source.folder, device, queue, gpu, runtime)

        with ThreadPoolExecutor() as pool:  # most of it is done without Python's lock
            found = list(pool.map(load, models or [str(folder / part) for part in SHIPPED]))
        sources, loaded = [source for source, _ in found], [one for _, one in found]
        if [one.config.pooling for one in loaded] == ["cls", "mean"]:
            loaded, sources = loaded[::-1], sources[::-1]
        check_vocabularies(loaded, sources)
        untuned = None
        if encoder is not None:
            with blamed("encoder", encoder):
                if encoder in models:
                    raise ValueError("that is a model after fine-tuning.")
                bare = bare_model(encoder, loaded[0].config.max_length)
            untuned = served(bare, device, queue, runtime)
        second = loaded[1] if len(loaded) > 1 else None
        return cls(loaded[0], second, untuned, tuple(sources) if models else ())

    @property
    def cls(self) -> Predictor:
        """Return the second model.

        Raises:
            InputError: there is none.
        """
        if self.second is None:
            raise InputError(NO_SECOND)
        return self.second

    @property
    def answering(self) -> dict[str, Predictor]:
        """Return the models that answer, by their short names, in the figures' order."""
        return {"mean": self.mean} if self.second is None else {"cls": self.cls, "mean": self.mean}

    @property
    def models(self) -> dict[str, Predictor]:
        """Return the models whose attention can be looked at, by their short names."""
        found = {"mean": self.mean, "cls": self.second, "untuned": self.untuned}
        return {name: predictor for name, predictor in found.items() if predictor is not None}

    @property
    def names(self) -> dict[str, str]:
        """Return what the page calls the poolings of the models that answer, by short name."""
        poolings = {name: one.config.pooling for name, one in self.answering.items()}
        alike = len(set(poolings.values())) < len(poolings)
        places = {"mean": " (first)", "cls": " (second)"}
        return {
            name: CALLED.get(pooling, pooling) + (places[name] if alike else "")
            for name, pooling in poolings.items()
        }

    @property
    def splitting(self) -> str | None:
        """Return the short name of the model that can be split exactly; None: neither can."""
        known = self.answering
        return next((n for n in SHIPPED if n in known and known[n].config.pooling == "mean"), None)

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
            raise InputError(
                "Sentence A is empty. Type a sentence there, then press Answer.", "first"
            )
        texts = {"A": first, "B": second} if second else {"A": first}
        for name, text in texts.items():
            if len(text) > LONGEST_TEXT:
                raise InputError(
                    f"Sentence {name} has {len(text):,} characters. "
                    f"The limit is {LONGEST_TEXT:,}; shorten it.",
                    FIELDS[name],
                )
            if not text.isascii() and any("\ud800" <= each <= "\udfff" for each in text):
                raise InputError(
                    f"Sentence {name} has half a surrogate pair, which is no character. "
                    "Take it out.",
                    FIELDS[name],
                )
        pieces = self.mean.tokenizer.pieces(list(texts.values()))
        for (name, text), of_text in zip(texts.items(), pieces, strict=True):
            if not of_text or is_blank(text):
                raise InputError(
                    f"Sentence {name} has only invisible characters. Type some words there.",
                    FIELDS[name],
                )
        return Question(first, second, tuple(map(tuple, pieces)), tuple(self.notices(pieces)))

    def answer(
        self, predictor: Predictor, question: Question, *, states: list[Tensor] | None = None
    ) -> Answer:
        """Answer all tasks of a question with one of the models; `states` as `answer_pieces`."""
        if question.second:
            sentiments, pair = predictor.answer_pieces(*question.pieces, states=states)
            return Answer(tuple(sentiments), pair)
        inputs = predictor.single_inputs(question.pieces)
        left_out = [item.left_out for item in inputs]
        if states is None:
            embeddings = predictor.pooled(inputs, "sentiment")
        else:
            states += predictor.hidden(inputs, "sentiment")
            embeddings = predictor.pool(states)
        return Answer(tuple(predictor.sentiment_of(embeddings, left_out)), None)

    def asked(self, question: Question) -> Asked:
        """Answer with both models; where the first one splits exactly, say what each word adds.

        Its answer and the split come of one pass; with PALs each task has one of its own.
        """
        predictor = self.mean
        other = None if self.second is None else self.answer(self.second, question)
        if predictor.config.pooling != "mean":
            return Asked(question, self.answer(predictor, question), other)
        states: list[Tensor] = []
        answer = self.answer(predictor, question, states=states)
        known: Sequence[Tensor | None] = states or [None] * len(question.pieces)
        moods = tuple(
            split_sentiment(predictor, text, state=state)
            for text, state in zip(question.texts, known, strict=False)
        )
        similarity = None
        if answer.pair and math.prod(len(mood.words) for mood in moods) <= MOST_PAIRS:
            similarity = split_similarity(predictor, *question.texts, states=states or None)
        return Asked(question, answer, other, Splits(moods, similarity))

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
            raise InputError(f"Model should be one of {known}. Found {model!r}.", "model")
        predictor = self.models[model]
        count = predictor.config.encoder.num_hidden_layers
        asked = range(1, count + 1) if layers is None else layers
        for layer in asked or ("none",):
            if layer not in range(1, count + 1):
                raise InputError(
                    f"Layer should be a number from 1 to {count}. Found {layer}.", "layer"
                )
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
        if self.second is not None and self.second.config.max_length != limit:
            other = self.second.config.max_length
            told.append(f"the second model reads {other} tokens, the first {limit}")
        return [*told, "start and end marks counted"]


@contextlib.contextmanager
def blamed(option: str, name: str) -> Iterator[None]:
    """Say of what can't be loaded in the block, in one line, which option named it.

    Raises:
        ModelError: in place of an error of the files or of what they hold.
    """
    try:
        yield
    except (OSError, ValueError) as error:
        kind = "one of our checkpoints" if option == "models" else "a BERT encoder"
        step = "Give the encoder that the models were trained from."
        if option == "models":
            step = "`python -m trainer train NAME` makes one: runs/NAME-0/model."
            if (Path(name) / "model" / CONFIG_FILE).is_file():
                step = f"Give the run's model: {Path(name) / 'model'}."
        told = f"`--{option}` should name the folder or Hugging Face id of {kind}. "
        told += f"Found {name!r}: {error} {step}"
        raise ModelError(" ".join(told.split())) from error


def check_vocabularies(models: Sequence[Predictor], sources: Sequence[Source]) -> None:
    """Check that one tokenisation serves all models.

    Raises:
        ModelError: two vocabularies.
    """
    first, *others = (one.tokenizer.backend.get_vocab() for one in models)
    if any(vocabulary != first for vocabulary in others):
        found = " and ".join(f"{len(one.tokenizer):,} word pieces" for one in models)
        named = " and ".join(source.name for source in sources)
        raise ModelError(
            "`--models` should name two models of one vocabulary, since a text is tokenised once. "
            f"Found two, of {found} ({named}); train both from encoders of one vocabulary, or "
            "start the page once for each."
        )


def load_checked(
    folder: Path,
    device: str,
    queue: ModelQueue,
    gpu: Decorator | None = None,
    runtime: str = "auto",
) -> Predictor:
    """Load a checkpoint that the page can show, for many visitors at once.

    Raises:
        ValueError: other than five sentiment classes, or a runtime that can't be had.
    """
    model = MultitaskBert.from_pretrained(folder)
    if gpu is None:
        predictor = served(model, device, queue, runtime)
    else:  # the platform keeps the queue there
        predictor = on_zero_gpu(model, gpu, "cuda" if device == "auto" else device)
    found = predictor.config.sentiment_classes
    if found != SENTIMENT.classes:
        raise ValueError(
            f"`sentiment_classes` in {folder} should be {SENTIMENT.classes}. Found {found}; "
            "the page shows the five classes of SST."
        )
    return predictor
