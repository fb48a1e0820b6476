"""Text in, typed results out; the encoder works in a backend (`minbert.backends.local`)."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Self

import torch
from torch import Tensor

from minbert.answers import AttentionResult, PairResult, SentimentResult, TokenCount, check_finite
from minbert.backends.local import Backend, LocalBackend
from minbert.checks import check_pairs, check_string, check_text, check_texts
from minbert.device import choose_device
from minbert.multitask import MultitaskBert
from minbert.pooling import pooler_for
from minbert.text import Encoded, TextTransform, Tokenizer


class Predictor:
    """Answers all three tasks with one multitask model.

    All that takes texts raises `TextError`, a ValueError, for one text where a list is meant, and
    for a text that is missing or has nothing to read.
    """

    def __init__(
        self,
        model: MultitaskBert,
        device: str = "auto",
        *,
        autocast: bool = False,
        runtime: str = "auto",
        backend: Backend | None = None,
        transform: TextTransform | None = None,
    ) -> None:
        """Move the model to the device and switch dropout off.

        Args:
            model: with its tokenizer.
            device: 'auto' takes the best there is; the heads work there.
            autocast: encode in bfloat16, faster and less exact (for scoring while training);
                pooling and heads stay in float32, as does all by default.
            runtime: of the encoder, as `LocalBackend` takes it.
            backend: where the encoder works; None: on `device`, on the thread that asks.
            transform: changes each normalised text before the tokenizer reads it.

        Raises:
            ValueError: the model has no tokenizer, or the machine lacks the device or the runtime.
        """
        if model.tokenizer is None:
            raise ValueError(
                "`model.tokenizer` should be set. Found None; load with from_pretrained."
            )
        self.device = choose_device(device)
        self.model = model.to(self.device).eval()
        self.config = model.config
        self.autocast = autocast
        self.backend = backend or LocalBackend(
            self.model, self.device, autocast=autocast, runtime=runtime
        )
        self._transform = transform
        plain = model.tokenizer
        self.tokenizer: Tokenizer = plain if transform is None else plain.with_transform(transform)

    @classmethod
    def from_pretrained(
        cls, name_or_dir: str | Path, device: str = "auto", *, runtime: str = "auto"
    ) -> Self:
        """Load a multitask checkpoint from a folder or a Hugging Face id."""
        return cls(MultitaskBert.from_pretrained(name_or_dir), device, runtime=runtime)

    def with_backend(self, backend: Backend) -> Predictor:
        """Return a predictor of the same model whose encoder works in `backend`."""
        return self._changed(backend, self._transform)

    def with_transform(self, transform: TextTransform) -> Predictor:
        """Return a predictor of the same model, at the same place, that reads changed texts."""
        return self._changed(self.backend, transform)

    def _changed(self, backend: Backend, transform: TextTransform | None) -> Predictor:
        device, autocast = str(self.device), self.autocast
        return Predictor(
            self.model, device, autocast=autocast, backend=backend, transform=transform
        )

    def count_tokens(self, text: str) -> TokenCount:
        """Count a single sentence's tokens as the model sees them; it may be blank."""
        return self.count_pieces(self.tokenizer.pieces([check_string(text, "text")])[0])

    def count_pieces(self, pieces: Sequence[int]) -> TokenCount:
        """Count a single sentence's tokens, given its word-piece ids."""
        left_out = max(0, len(pieces) + 2 - self.config.max_length)
        unknown, masked = (
            list(pieces).count(index)
            for index in (self.tokenizer.unknown_id, self.tokenizer.mask_id)
        )
        return TokenCount(len(pieces) + 2, left_out, unknown, masked)

    def encode_single(self, texts: Sequence[str]) -> list[Encoded]:
        """Encode each text as `[CLS] A [SEP]`."""
        return self.single_inputs(self.tokenizer.pieces(check_texts(texts)))

    def single_inputs(self, pieces: Iterable[Sequence[int]]) -> list[Encoded]:
        """Encode texts, given as word-piece ids, as `[CLS] A [SEP]`."""
        return [self.tokenizer.single(of_text, self.config.max_length) for of_text in pieces]

    def encode_joint(self, pairs: Sequence[tuple[str, str]]) -> list[Encoded]:
        """Encode each pair as `[CLS] A [SEP] B [SEP]`."""
        pairs = check_pairs(pairs)
        first = self.tokenizer.pieces([pair[0] for pair in pairs])
        second = self.tokenizer.pieces([pair[1] for pair in pairs])
        return self.joint_inputs(zip(first, second, strict=True))

    def joint_inputs(self, pieces: Iterable[tuple[Sequence[int], Sequence[int]]]) -> list[Encoded]:
        """Encode pairs, given as word-piece ids, as `[CLS] A [SEP] B [SEP]`."""
        length, types = self.config.max_length, self.config.pair_token_types
        return [self.tokenizer.joint(a, b, length, token_types=types) for a, b in pieces]

    def pooled(self, inputs: Sequence[Encoded], task: str | None = None) -> Tensor:
        """Embed encoded inputs, (N, D) on the CPU, in their order.

        `task` chooses the encoder's PALs; without them it makes no difference.
        """
        return check_finite(self.backend.pooled(inputs, task), "embeddings", self.model)

    def hidden(
        self, inputs: Sequence[Encoded], task: str | None = None, *, every_layer: bool = False
    ) -> list[Tensor]:
        """Return each input's last hidden states, (T, D) float32 on the CPU, without padding.

        With `every_layer` all layers, embeddings first: (L+1, T, D); `task` as in `pooled`.
        """
        states = self.backend.hidden(inputs, task, every_layer=every_layer)
        return [check_finite(state, "hidden states", self.model) for state in states]

    @torch.inference_mode()
    def pool(self, states: Sequence[Tensor], pooling: str | None = None) -> Tensor:
        """Pool last hidden states, N of (T, D), to (N, D) on the CPU; None: the model's pooling."""
        model, name = self.model, pooling or self.config.pooling
        pool = pooler_for(name, model.encoder, model.attention_pooling)
        embeddings = torch.empty(len(states), self.config.encoder.hidden_size)
        for row, state in enumerate(states):
            hidden = state[None].to(self.device)  # (1, T, D)
            mask = torch.ones(hidden.shape[:2], dtype=torch.long, device=self.device)
            embeddings[row] = pool(hidden, mask)[0].float().cpu()
        return embeddings

    def embed(self, texts: Sequence[str], task: str | None = None) -> Tensor:
        """Return the pooled embedding of each text, (N, D), for `task` where it matters."""
        return self.pooled(self.encode_single(texts), task)

    @torch.inference_mode()
    def sentiment(self, texts: Sequence[str]) -> list[SentimentResult]:
        """Predict the sentiment of each text."""
        inputs = self.encode_single(texts)
        left_out = [item.left_out for item in inputs]
        return self.sentiment_of(self.pooled(inputs, "sentiment"), left_out)

    @torch.inference_mode()
    def joint(self, pairs: Sequence[tuple[str, str]]) -> tuple[Tensor, Tensor]:
        """Score pairs in the given order, on the CPU.

        The similarity comes from the joint input, and so does the probability, unless the
        checkpoint's `paraphrase_head` compares both sentences' embeddings ('two_tower').

        Returns:
            duplicate probability (N,), and joint similarity (N,), not clamped.
        """
        pairs = check_pairs(pairs)
        return self._joint(self._orders(pairs), self._singles(pairs))

    @torch.inference_mode()
    def siamese(self, pairs: Sequence[tuple[str, str]]) -> Tensor:
        """Score pairs by the cosine of their embeddings: similarity (N,), on the CPU."""
        pairs = check_pairs(pairs)
        return self._siamese(self._singles(pairs))

    @torch.inference_mode()
    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairResult]:
        """Predict paraphrase and similarity of each pair, both orders and Siamese."""
        pairs = check_pairs(pairs)
        return self.pairs_of(self._orders(pairs, swapped=True), self._singles(pairs))

    @torch.inference_mode()
    def answer(self, first: str, second: str) -> tuple[list[SentimentResult], PairResult]:
        """Answer all tasks for one pair with one encoder batch: both singles and both orders.

        With PALs each task needs batches of its own.
        """
        texts = [check_text(first, "first"), check_text(second, "second")]
        return self.answer_pieces(*self.tokenizer.pieces(texts))

    @torch.inference_mode()
    def answer_pieces(
        self, first: Sequence[int], second: Sequence[int], *, states: list[Tensor] | None = None
    ) -> tuple[list[SentimentResult], PairResult]:
        """Answer all tasks for one pair, given as word-piece ids.

        To `states` A's and B's last hidden states, (T, D), of the same pass are added; with PALs,
        whose tasks have passes of their own, none.
        """
        singles = TaskEmbeddings(self, lambda: self.single_inputs([first, second]))
        orders = TaskEmbeddings(self, lambda: self.joint_inputs([(first, second), (second, first)]))
        singles.encode_with(orders, states)
        (pair,) = self.pairs_of(orders, singles)
        return self.sentiment_of(singles.of("sentiment"), singles.left_out), pair

    def attention(
        self, first: str | Encoded, second: str | None = None, layers: Collection[int] | None = None
    ) -> AttentionResult:
        """Return attention maps of one sentence, or of the joint pair.

        Args:
            first: the sentence, or A; or a whole input that is already encoded.
            second: B, or None for a single sentence.
            layers: 0-based layers to keep, at least one; None keeps all.

        Raises:
            ValueError: no layer, or one that doesn't exist; or a text that is missing or blank.
        """
        if isinstance(first, Encoded):
            item = first
        elif second is None:
            (item,) = self.encode_single([check_text(first, "first")])
        else:
            texts = check_text(first, "first"), check_text(second, "second")
            (item,) = self.encode_joint([texts])
        every = range(self.config.encoder.num_hidden_layers)
        kept = tuple(sorted(set(every if layers is None else layers)))
        if not kept:
            raise ValueError("`layers` should name at least one layer. Found none.")
        weights = check_finite(self.backend.maps(item, kept), "attention maps", self.model)
        boundary = item.ids.index(self.tokenizer.sep_id) + 1  # of one sentence: the end
        segments = [int(position >= boundary) for position in range(len(item))]
        return AttentionResult(
            self.tokenizer.tokens(item.ids), segments, kept, weights, item.left_out
        )

    @torch.inference_mode()
    def sentiment_of(
        self, embeddings: Tensor, left_out: Sequence[int] | None = None
    ) -> list[SentimentResult]:
        """Answer sentences of which the embeddings (N, D) are given.

        `left_out` are the word pieces that truncation dropped of each; None: of none.
        """
        logits = self.model.calibrated_sentiment(embeddings.to(self.device))
        cut = [0] * len(embeddings) if left_out is None else left_out
        chances = check_finite(logits.softmax(dim=-1), "sentiment probabilities", self.model)
        rows = zip(chances.tolist(), cut, strict=True)
        return [SentimentResult(tuple(row), dropped) for row, dropped in rows]

    def _singles(self, pairs: Sequence[tuple[str, str]]) -> TaskEmbeddings:
        texts = [text for pair in pairs for text in pair]
        return TaskEmbeddings(self, functools.partial(self.encode_single, texts))

    def _orders(self, pairs: Sequence[tuple[str, str]], *, swapped: bool = False) -> TaskEmbeddings:
        """Take (A, B) of each pair, and with `swapped` (B, A) of each pair after them."""
        orders = [*pairs, *((b, a) for a, b in pairs)] if swapped else pairs
        return TaskEmbeddings(self, functools.partial(self.encode_joint, orders))

    def _siamese(self, singles: TaskEmbeddings) -> Tensor:
        embeddings = singles.of("similarity")
        scores = self.model.siamese_similarity(embeddings[0::2], embeddings[1::2])
        return check_finite(scores, "Siamese similarity", self.model)

    def _joint(
        self, orders: TaskEmbeddings, singles: TaskEmbeddings, *, swapped: bool = False
    ) -> tuple[Tensor, Tensor]:
        """Score joint inputs; `singles`, A and B of each pair, serve a head of two towers."""
        if self.config.paraphrase_head == "two_tower":
            embeddings = singles.of("paraphrase")
            first, second = embeddings[0::2], embeddings[1::2]
            if swapped:
                first, second = torch.cat([first, second]), torch.cat([second, first])
            features = self.model.paraphrase_features(first, second)
        else:
            features = orders.of("paraphrase")
        logits = self.model.calibrated_paraphrase(features.to(self.device))
        score = self.model.joint_similarity(orders.of("similarity").to(self.device))
        check_finite(logits, "paraphrase logits", self.model)
        check_finite(score, "joint similarity", self.model)
        return logits.sigmoid().cpu(), score.float().cpu()

    def pairs_of(self, orders: TaskEmbeddings, singles: TaskEmbeddings) -> list[PairResult]:
        """Answer pairs: both orders, (A, B) of each and then (B, A) of each; A and B of each."""
        probability, joint = self._joint(orders, singles, swapped=True)
        siamese = self._siamese(singles)
        count = len(siamese)
        headline = self.headline((joint[:count] + joint[count:]) / 2, siamese)
        scores = torch.stack([*probability.chunk(2), *joint.chunk(2), siamese, headline])
        cut = orders.left_out[:count]  # the other order drops as many
        return [PairResult(*row) for row in zip(*scores.tolist(), cut, strict=True)]

    def headline(self, joint: Tensor, siamese: Tensor) -> Tensor:
        """Return the similarity that the checkpoint stands by, from both scores (N,)."""
        if self.config.similarity_score == "siamese":
            return siamese
        return joint if self.config.similarity_score == "joint" else (joint + siamese) / 2


class TaskEmbeddings:
    """Embeddings of some inputs, task by task: encoded when first asked for, and only once.

    Without PALs one encoding serves all tasks.
    """

    def __init__(self, predictor: Predictor, encode: Callable[[], list[Encoded]]) -> None:
        """Remember how the inputs are encoded; nothing is computed yet."""
        self._predictor = predictor
        self._inputs = functools.cache(encode)
        self._known: dict[str | None, Tensor] = {}

    def encode_with(self, others: TaskEmbeddings, states: list[Tensor] | None = None) -> None:
        """Encode these inputs and those of another group together, where no PALs part them.

        These inputs' last hidden states, (T, D), are added to `states`.
        """
        if self._predictor.model.encoder.pals_active:
            return
        mine, theirs = self._inputs(), others._inputs()
        if states is None:
            embeddings = self._predictor.pooled([*mine, *theirs])
        else:
            hidden = self._predictor.hidden([*mine, *theirs])
            embeddings = self._predictor.pool(hidden)
            states += hidden[: len(mine)]
        self._known[None], others._known[None] = embeddings[: len(mine)], embeddings[len(mine) :]

    @property
    def left_out(self) -> list[int]:
        """Return how many word pieces truncation dropped of each input."""
        return [item.left_out for item in self._inputs()]

    def of(self, task: str) -> Tensor:
        """Return the inputs' embeddings for the task, (N, D) on the CPU."""
        key = task if self._predictor.model.encoder.pals_active else None
        if key not in self._known:
            self._known[key] = self._predictor.pooled(self._inputs(), key)
        return self._known[key]
