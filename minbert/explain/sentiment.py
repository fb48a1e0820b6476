"""What each word does to each sentiment class: the exact split of the logits.

With mean pooling and a linear head, logit_c = b_c + (1/n) sum_i w_c . h_i: one summand a token.
They are contributions of contextual last-layer tokens. The logits are the calibrated ones, whose
softmax is what the page says: the head's, all summands and the bias alike, over the temperature.
"""

from __future__ import annotations

import dataclasses
from typing import cast

import torch
from torch import Tensor

from minbert.explain.mean import check_mean_pooling
from minbert.explain.words import Words, merge_sum, words_of
from minbert.heads import LinearHead, calibrated
from minbert.predictor import Predictor


@dataclasses.dataclass(frozen=True)
class SentimentSplit:
    """The C logits of one sentence as sums over its W words and a bias."""

    words: Words  # [CLS] and [SEP] are needed for the sum
    contributions: Tensor  # (W, C) float64; its columns' sums and the bias give the logits
    bias: Tensor  # (C,) float64
    logits: Tensor  # (C,), the model's own, calibrated
    probabilities: tuple[float, ...]  # C, their softmax
    residual: float  # the largest |logit - its sum|; rounding alone, below 1e-5 or so
    left_out: int  # word pieces that truncation dropped

    @property
    def relative(self) -> Tensor:
        """Return what each word does for a class against the other classes, (W, C).

        The contributions less their mean over the classes: what is added to all logits alike
        changes no probability. Each row sums to 0.
        """
        return self.contributions - self.contributions.mean(dim=1, keepdim=True)


@torch.inference_mode()
def split_sentiment(predictor: Predictor, text: str, *, pieces: bool = False) -> SentimentSplit:
    """Split a sentence's sentiment logits word by word, exactly.

    Args:
        predictor: of a model with mean pooling.
        text: the sentence.
        pieces: an entry for each word piece, not for each word; the sums are the same.

    Raises:
        ValueError: a model with another pooling.
    """
    check_mean_pooling(predictor)
    inputs = predictor.encode_single([text])
    words = words_of(inputs[0], predictor.tokenizer, pieces=pieces)
    (hidden,) = predictor.hidden(inputs, "sentiment")  # (T, D)
    linear = cast(LinearHead, predictor.model.heads["sentiment"]).linear
    temperature = predictor.config.sentiment_temperature
    weight, bias = (
        calibrated(part.cpu().double(), temperature) for part in (linear.weight, linear.bias)
    )
    by_token = hidden.double() @ weight.T / len(hidden)  # (T, C)
    contributions = merge_sum(by_token, words.groups)
    embedding = predictor.pooled(
        inputs, "sentiment"
    )  # by the model: what the sums are held against
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
