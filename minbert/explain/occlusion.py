"""What an answer becomes when a word is left out: it works with every pooling.

Paper: Zeiler & Fergus 2014, "Visualizing and Understanding Convolutional Networks" (arXiv
1311.2901), section 4.2; for words Li, Monroe & Jurafsky 2016, "Understanding Neural Networks
through Representation Erasure" (arXiv 1612.08220). Differs from the papers: the change of the
score itself is told, not of the log-likelihood. The changes don't add up to the score, and a
sentence without a word may be one that nobody would write.

A word is taken out of the input as the model read it: what truncation dropped stays dropped. All
variants are encoded in batches. A text may hold 64 words (`MOST_WORDS`) that are tried, the first
ones; each costs an encoder input, two in a pair's joint input, and `skipped` counts the others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence

import torch
from torch import Tensor

from minbert.answers import SentimentResult
from minbert.config import choice_error
from minbert.explain.words import words_of
from minbert.predictor import Predictor, TaskEmbeddings
from minbert.text import Encoded

MODES = ("remove", "mask")  # the word's pieces go, or each becomes [MASK]
MOST_WORDS = 64  # of a sentence, that are left out in turn


@dataclasses.dataclass(frozen=True)
class SimilarityOcclusion:
    """The Siamese score of a pair, and what it becomes without each word."""

    first: tuple[str, ...]  # A's words, W_A, without [CLS] and [SEP]
    second: tuple[str, ...]  # B's words, W_B
    score: float  # Siamese similarity 0-5, not clamped
    without_first: tuple[float, ...]  # W_A: the score without that word of A
    without_second: tuple[float, ...]  # W_B
    skipped: tuple[int, int]  # further words of A and B, not tried


@dataclasses.dataclass(frozen=True)
class SentimentOcclusion:
    """A sentence's sentiment, and what it becomes without each word."""

    words: tuple[str, ...]  # W, without [CLS] and [SEP]
    result: SentimentResult
    without: tuple[SentimentResult, ...]  # W
    skipped: int  # further words, not tried


@dataclasses.dataclass(frozen=True)
class JointScore:
    """The two answers to a pair, each the mean of both orders."""

    paraphrase: float  # probability that A and B ask the same
    similarity: float  # joint similarity 0-5, not clamped


@dataclasses.dataclass(frozen=True)
class JointOcclusion:
    """A pair's joint answers, and what they become without each word."""

    first: tuple[str, ...]  # A's words, W_A, without [CLS] and [SEP]
    second: tuple[str, ...]  # B's words, W_B
    score: JointScore
    without_first: tuple[JointScore, ...]  # W_A
    without_second: tuple[JointScore, ...]  # W_B
    skipped: tuple[int, int]  # further words of A and B, not tried


@torch.inference_mode()
def occlude_similarity(
    predictor: Predictor, first: str, second: str, *, mode: str = "remove"
) -> SimilarityOcclusion:
    """Tell what the Siamese score of A and B becomes without each word of A, and of B.

    Raises:
        ValueError: an unknown mode.
    """
    mask = mask_for(mode, predictor)
    inputs = predictor.encode_single([first, second])
    (a, skipped_a), (b, skipped_b) = (words_to_try(predictor, item) for item in inputs)
    counts = (len(a), len(b))
    u = trials(predictor, inputs[0], (0, None), counts, mask)
    v = trials(predictor, inputs[1], (None, 0), counts, mask)
    embeddings = embedder(predictor, [*u, *v])("similarity")
    found = predictor.model.siamese_similarity(embeddings[: len(u)], embeddings[len(u) :])
    whole, *without = found.tolist()
    return SimilarityOcclusion(
        first=a,
        second=b,
        score=whole,
        without_first=tuple(without[: len(a)]),
        without_second=tuple(without[len(a) :]),
        skipped=(skipped_a, skipped_b),
    )


@torch.inference_mode()
def occlude_sentiment(
    predictor: Predictor, text: str, *, mode: str = "remove"
) -> SentimentOcclusion:
    """Tell what a sentence's sentiment becomes without each of its words.

    Raises:
        ValueError: an unknown mode.
    """
    mask = mask_for(mode, predictor)
    (item,) = predictor.encode_single([text])
    words, skipped = words_to_try(predictor, item)
    embeddings = embedder(predictor, trials(predictor, item, (0,), (len(words),), mask))
    whole, *without = predictor.sentiment_of(embeddings("sentiment"))
    return SentimentOcclusion(words, whole, tuple(without), skipped)


@torch.inference_mode()
def occlude_joint(
    predictor: Predictor, first: str, second: str, *, mode: str = "remove"
) -> JointOcclusion:
    """Tell what the paraphrase probability and the joint similarity become without each word.

    Raises:
        ValueError: an unknown mode.
    """
    mask, model = mask_for(mode, predictor), predictor.model
    orders = predictor.encode_joint([(first, second), (second, first)])
    # of a long pair truncation keeps most of the sentence in front
    (a, skipped_a), (b, skipped_b) = (words_to_try(predictor, item) for item in orders)
    counts = (len(a), len(b))
    there = trials(predictor, orders[0], (0, 1), counts, mask)
    back = trials(predictor, orders[1], (1, 0), counts, mask)
    joint = embedder(predictor, [*there, *back])
    if predictor.config.paraphrase_head == "two_tower":
        singles = predictor.encode_single([first, second])
        u = trials(predictor, singles[0], (0, None), counts, mask)
        v = trials(predictor, singles[1], (None, 0), counts, mask)
        tower = embedder(predictor, [*u, *v, *v, *u])("paraphrase")
        features = model.paraphrase_features(tower[: 2 * len(u)], tower[2 * len(u) :])
    else:
        features = joint("paraphrase")
    chances = model.calibrated_paraphrase(features.to(predictor.device)).sigmoid()
    scores = model.joint_similarity(joint("similarity").to(predictor.device)).float()
    both = torch.stack([chances, scores], dim=1).cpu()  # (2E, 2): E trials there, E back
    whole, *without = [JointScore(*row) for row in both.reshape(2, -1, 2).mean(dim=0).tolist()]
    return JointOcclusion(
        first=a,
        second=b,
        score=whole,
        without_first=tuple(without[: len(a)]),
        without_second=tuple(without[len(a) :]),
        skipped=(skipped_a, skipped_b),
    )


def mask_for(mode: str, predictor: Predictor) -> int | None:
    """Return the id that takes the pieces' place, or None where they are removed.

    Raises:
        ValueError: an unknown mode.
    """
    if mode not in MODES:
        raise choice_error("mode", mode, MODES)
    return predictor.tokenizer.mask_id if mode == "mask" else None


def words_to_try(predictor: Predictor, item: Encoded) -> tuple[tuple[str, ...], int]:
    """Return the first words of the sentence in front, and how many more it has."""
    words = words_of(item, predictor.tokenizer)
    entries = words.sentences[0]
    tried = tuple(words.labels[entry] for entry in entries[:MOST_WORDS])
    return tried, len(entries) - len(tried)


def trials(
    predictor: Predictor,
    item: Encoded,
    places: Sequence[int | None],
    counts: Sequence[int],
    mask: int | None,
) -> list[Encoded]:
    """Return the input whole, then without each word of A, then without each word of B.

    Args:
        predictor: for its tokenizer.
        item: an input that holds A, B, or both.
        places: which of the input's sentences A is, and B; None: it isn't in there.
        counts: words of A, and of B, to leave out.
        mask: see `leave_out`.

    Returns:
        one input and one more for each word; of a word that isn't in there the input whole.
    """
    words = words_of(item, predictor.tokenizer)
    made = [item]
    for place, count in zip(places, counts, strict=True):
        entries = () if place is None else words.sentences[place]
        groups = [words.groups[entry] for entry in entries[:count]]
        made += [leave_out(item, group, mask) for group in groups]
        made += [item] * (count - len(groups))
    return made


def leave_out(item: Encoded, positions: Collection[int], mask: int | None = None) -> Encoded:
    """Return the input without the tokens at `positions`, or with `mask` in each one's place."""
    if mask is not None:
        ids = [mask if place in positions else index for place, index in enumerate(item.ids)]
        return dataclasses.replace(item, ids=ids)
    kept = [place for place in range(len(item)) if place not in positions]
    return dataclasses.replace(
        item,
        ids=[item.ids[place] for place in kept],
        token_types=[item.token_types[place] for place in kept],
    )


def embedder(predictor: Predictor, inputs: Sequence[Encoded]) -> Callable[[str], Tensor]:
    """Return a function: task -> embeddings (N, D) on the CPU; equal inputs are encoded once."""
    keys = [(tuple(item.ids), tuple(item.token_types)) for item in inputs]
    distinct = dict(zip(keys, inputs, strict=True))
    place = {key: row for row, key in enumerate(distinct)}
    rows = [place[key] for key in keys]
    embeddings = TaskEmbeddings(predictor, lambda: list(distinct.values()))
    return lambda task: embeddings.of(task)[rows]
