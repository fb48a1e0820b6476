"""Exact splits under mean pooling: a cosine over pairs of words, a logit over words.

With mean pooling, u = (1/n) sum_i h_i and v = (1/m) sum_j k_j, so that
cos(u, v) = sum_ij h_i . k_j / (n m |u| |v|): a matrix whose sum is the cosine. It explains the
Siamese score alone, not the joint one. With a linear head, logit_c = b_c + (1/n) sum_i w_c . h_i:
one summand a token. The logits are the calibrated ones, whose softmax is what the page shows: the
head's, all summands and the bias alike, over the temperature.

All are contributions of contextual last-layer tokens: the state at "film" also knows the words
around it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from decimal import ROUND_HALF_UP, Decimal
from typing import cast

import torch
from torch import Tensor

from minbert.explain.words import Words, merge_sum, words_of
from minbert.heads import COSINE_EPSILON, LinearHead, calibrated, cosine
from minbert.predictor import Predictor
from minbert.tasks import clamped


@dataclasses.dataclass(frozen=True)
class SimilaritySplit:
    """The cosine of A and B as a sum over their words; [CLS] and [SEP] are needed for the sum."""

    first: Words  # A's W_A words
    second: Words  # B's W_B words
    matrix: Tensor  # (W_A, W_B) float64; its sum is the cosine
    cosine: float  # the model's own, of the embeddings that it pools itself
    raw: float  # Siamese similarity by the checkpoint's `cosine_scaling`, not clamped
    residual: float  # |cosine - the matrix's sum|; rounding alone, below 1e-5
    formula: str  # the line that turns the cosine into `raw`, by `score_formula`
    left_out: tuple[int, int]  # word pieces of A and B that truncation dropped

    @property
    def score(self) -> float:
        """Return the Siamese similarity within 0 to 5."""
        return clamped(self.raw)

    @property
    def first_sums(self) -> Tensor:
        """Return what each word of A contributes, (W_A,): the rows' sums."""
        return self.matrix.sum(dim=1)

    @property
    def second_sums(self) -> Tensor:
        """Return what each word of B contributes, (W_B,): the columns' sums."""
        return self.matrix.sum(dim=0)


@torch.inference_mode()
def split_similarity(
    predictor: Predictor,
    first: str,
    second: str,
    *,
    pieces: bool = False,
    states: Sequence[Tensor] | None = None,
) -> SimilaritySplit:
    """Split the cosine of two sentences word by word, exactly.

    Args:
        predictor: of a model with mean pooling.
        first: A.
        second: B.
        pieces: an entry for each word piece, not for each word; the sum is the same.
        states: last hidden states (T, D) of A and of B for this task; None: the model is asked.

    Raises:
        ValueError: a model with another pooling.
    """
    check_mean_pooling(predictor)
    inputs = predictor.encode_single([first, second])
    rows, columns = (words_of(item, predictor.tokenizer, pieces=pieces) for item in inputs)
    known = predictor.hidden(inputs, "similarity") if states is None else states
    h, k = (hidden.double() for hidden in known)
    by_word = merge_sum(token_matrix(h, k), rows.groups)
    matrix = merge_sum(by_word, columns.groups, dim=1)
    # by the model: what the sum is held against
    embeddings = predictor.pooled(inputs, "similarity") if states is None else predictor.pool(known)
    found = cosine(embeddings[:1], embeddings[1:]).item()
    return SimilaritySplit(
        first=rows,
        second=columns,
        matrix=matrix,
        cosine=found,
        raw=predictor.model.siamese_similarity(embeddings[:1], embeddings[1:]).item(),
        residual=abs(found - matrix.sum().item()),
        formula=score_formula(found, predictor.config.cosine_scaling),
        left_out=(inputs[0].left_out, inputs[1].left_out),
    )


def token_matrix(first: Tensor, second: Tensor) -> Tensor:
    """Split the cosine of two means: h_i . k_j / (n m |u| |v|).

    Args:
        first: hidden states of A's tokens, (n, D).
        second: hidden states of B's tokens, (m, D).

    Returns:
        (n, m), whose sum is the cosine of both means; zeros where a mean is the zero vector.
    """
    length_u = first.mean(dim=0).norm().clamp(min=COSINE_EPSILON)
    length_v = second.mean(dim=0).norm().clamp(min=COSINE_EPSILON)
    dots = first @ second.T  # (n, m)
    split: Tensor = dots / (len(first) * len(second) * length_u * length_v)
    return split


def score_formula(similarity: float, scaling: str) -> str:
    """Write how a cosine becomes a score, '5 × 0.83 = 4.2' or '2.5 × (0.83 + 1) = 4.6'.

    The cosine gets as many decimals, two at least, as it takes for the line to be right as it
    stands.
    """
    result = written(scaled(similarity, scaling), 1)
    shown = written(similarity, 2)
    for decimals in range(2, 7):
        shown = written(similarity, decimals)
        if written(scaled(float(shown), scaling), 1) == result:
            break
    if scaling == "positive":
        return f"5 × {f'({shown})' if shown.startswith('-') else shown} = {result}"
    return f"2.5 × ({shown} + 1) = {result}"


def scaled(similarity: float, scaling: str) -> float:
    """Put a cosine on the scale of the labels, as `minbert.heads.siamese_similarity` does."""
    return 5.0 * similarity if scaling == "positive" else 2.5 * (similarity + 1.0)


def written(value: float, decimals: int) -> str:
    """Write a number with `decimals`, halves away from zero, and without a minus before zero."""
    exact = Decimal(f"{value:.6f}")  # what lies beyond is rounding
    return str(exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP) + 0)


def check_mean_pooling(predictor: Predictor) -> None:
    """Refuse a model whose embedding isn't the mean of its tokens' hidden states.

    Raises:
        ValueError: another pooling.
    """
    found = predictor.config.pooling
    if found != "mean":
        raise ValueError(
            f"`pooling` of the model should be 'mean' for an exact split. Found {found!r}; "
            "leave its words out one by one instead (`minbert.explain.occlusion`)."
        )


def class_steps(classes: int) -> Tensor:
    """Return each class's distance from the middle one, (C,) float64."""
    return torch.arange(classes, dtype=torch.float64) - (classes - 1) / 2


@dataclasses.dataclass(frozen=True)
class Leaning:
    """The sum over the C classes of (class - (C-1)/2) x logit, split over W words and the bias.

    Above 0 the positive classes outweigh the negative ones, each counted by its distance from the
    middle. The weights sum to 0, so the logits' common part drops out: the log-probabilities of an
    answer give the same sum.
    """

    values: tuple[float, ...]  # W, [CLS] and [SEP] among them
    bias: float
    total: float  # of the model's own logits: the values and the bias, to 1e-5


@dataclasses.dataclass(frozen=True)
class LogitSplit:
    """The C logits of one sentence as sums over its W words and a bias."""

    words: Words  # [CLS] and [SEP] are needed for the sum
    contributions: Tensor  # (W, C) float64; its columns' sums and the bias give the logits
    bias: Tensor  # (C,) float64
    logits: Tensor  # (C,), the head's own; of sentiment calibrated
    probabilities: tuple[float, ...]  # C, their softmax
    residual: float  # the largest |logit - its sum|; rounding alone, below 1e-5 or so
    left_out: int  # word pieces that truncation dropped

    @property
    def leaning(self) -> Leaning:
        """Split what leans the rating up or down; see `Leaning`."""
        steps = class_steps(len(self.bias))
        return Leaning(
            values=tuple((self.contributions @ steps).tolist()),
            bias=(self.bias @ steps).item(),
            total=(self.logits.double() @ steps).item(),
        )

    @property
    def relative(self) -> Tensor:
        """Return what each word does for a class against the other classes, (W, C).

        The contributions less their mean over the classes: what is added to all logits alike
        changes no probability. Each row sums to 0.
        """
        return self.contributions - self.contributions.mean(dim=1, keepdim=True)


SentimentSplit = LogitSplit


def logits_by_word(state: Tensor, words: Words, weight: Tensor) -> Tensor:
    """Split a linear head's logits under mean pooling: (w_c . sum of h_i of the word) / T.

    Args:
        state: last hidden states (T, D).
        words: W words of the T tokens.
        weight: of the head, (C, D) float64.

    Returns:
        (W, C) float64; with the bias its columns' sums are the logits.
    """
    hidden = state.double()
    return merge_sum(hidden @ weight.T / len(hidden), words.groups)


def sentiment_head(predictor: Predictor) -> tuple[Tensor, Tensor]:
    """Return weight (C, D) and bias (C,) of the calibrated sentiment logits, float64 on the CPU."""
    linear = cast(LinearHead, predictor.model.heads["sentiment"]).linear
    temperature = predictor.config.sentiment_temperature
    weight, bias = (
        calibrated(part.detach().cpu().double(), temperature)
        for part in (linear.weight, linear.bias)
    )
    return weight, bias


def leaning_weights(predictor: Predictor) -> tuple[Tensor, float]:
    """Return what gives a token's part of `Leaning`: weights (D,), float64, and the bias.

    The part is weights . h_i / n for each of the n tokens' hidden states.

    Raises:
        ValueError: a model with another pooling than the mean.
    """
    check_mean_pooling(predictor)
    weight, bias = sentiment_head(predictor)
    steps = class_steps(len(bias))
    return steps @ weight, (steps @ bias).item()


@torch.inference_mode()
def split_sentiment(
    predictor: Predictor, text: str, *, pieces: bool = False, state: Tensor | None = None
) -> SentimentSplit:
    """Split a sentence's sentiment logits word by word, exactly.

    Args:
        predictor: of a model with mean pooling.
        text: the sentence.
        pieces: an entry for each word piece, not for each word; the sums are the same.
        state: its last hidden states (T, D) for this task; None: the model is asked.

    Raises:
        ValueError: a model with another pooling.
    """
    check_mean_pooling(predictor)
    inputs = predictor.encode_single([text])
    words = words_of(inputs[0], predictor.tokenizer, pieces=pieces)
    hidden = predictor.hidden(inputs, "sentiment")[0] if state is None else state  # (T, D)
    weight, bias = sentiment_head(predictor)
    contributions = logits_by_word(hidden, words, weight)
    # by the model: what the sums are held against
    embedding = predictor.pooled(inputs, "sentiment") if state is None else predictor.pool([state])
    logits = predictor.model.calibrated_sentiment(embedding.to(predictor.device))[0].cpu()
    return SentimentSplit(
        words=words,
        contributions=contributions,
        bias=bias,
        logits=logits,
        probabilities=tuple(logits.softmax(dim=-1).tolist()),
        residual=(logits - bias - contributions.sum(dim=0)).abs().max().item(),
        left_out=inputs[0].left_out,
    )
