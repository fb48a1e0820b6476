"""What a model answers, as values."""

from __future__ import annotations

import dataclasses

from torch import Tensor, nn

from minbert.tasks import SENTIMENT, clamped, similarity_band

SENTIMENT_NAMES = {5: SENTIMENT.labels, 2: ("negative", "positive")}  # by number of classes


class NotFiniteError(ValueError):
    """Numbers of a model that are NaN or infinite; the message says where and why."""


def check_finite(values: Tensor, what: str, model: nn.Module) -> Tensor:
    """Return `values` (any shape), which a model has computed, once they are known to be finite.

    Args:
        values: to be checked.
        what: their name, for the message.
        model: searched for the cause when they aren't finite.

    Raises:
        NotFiniteError: one is NaN or infinite.
    """
    if bool(values.isfinite().all()):
        return values
    named = model.named_parameters()
    wrong = next((name for name, each in named if not each.isfinite().all()), None)
    cause = (
        f"{wrong} holds NaN or infinity, as after a training that diverged: load a whole "
        "checkpoint, or train with a lower learning rate."
        if wrong
        else "All weights are finite, but so large that numbers overflow on the way: train with a "
        "lower learning rate, or compute in float32."
    )
    raise NotFiniteError(f"The {what} should be finite numbers. Found NaN or infinity. {cause}")


@dataclasses.dataclass(frozen=True)
class SentimentResult:
    """Class probabilities of one sentence: five, or as many as the checkpoint has classes."""

    probabilities: tuple[float, ...]  # very negative ... very positive, sum 1
    left_out: int = 0  # word pieces that truncation dropped

    @property
    def label(self) -> str:
        """Return the most probable class's name; of other counts than 5 and 2 its number."""
        most = self.probabilities.index(max(self.probabilities))
        names = SENTIMENT_NAMES.get(len(self.probabilities))
        return f"class {most}" if names is None else names[most]

    @property
    def expected(self) -> float:
        """Return the expected rating, from 0 to 4 (very positive) where there are 5 classes."""
        return sum(rating * p for rating, p in enumerate(self.probabilities))


@dataclasses.dataclass(frozen=True)
class PairResult:
    """Paraphrase and similarity of one pair, in both orders of the joint input.

    The fields are the model's own numbers, which correlations are computed of; a similarity among
    them may lie a little outside 0 to 5. What people are told is `score`.
    """

    paraphrase_ab: float  # probability that A and B ask the same, read as A then B
    paraphrase_ba: float  # the same, read as B then A
    joint_ab: float  # joint similarity 0-5, not clamped, A then B
    joint_ba: float  # B then A
    siamese: float  # Siamese similarity 0-5, not clamped, symmetric by construction
    similarity: float  # the checkpoint's `similarity_score`, not clamped
    left_out: int = 0  # word pieces of both that truncation dropped from the joint input

    @property
    def paraphrase(self) -> float:
        """Return the mean of both orders' probabilities."""
        return (self.paraphrase_ab + self.paraphrase_ba) / 2

    @property
    def joint(self) -> float:
        """Return the mean of both orders' joint similarities."""
        return (self.joint_ab + self.joint_ba) / 2

    @property
    def score(self) -> float:
        """Return the similarity within 0 to 5, as the page shows it."""
        return clamped(self.similarity)

    @property
    def raw(self) -> float:
        """Return the similarity as the model computes it: `similarity`, not clamped."""
        return self.similarity

    @property
    def band(self) -> str:
        """Say what the similarity means in words."""
        return similarity_band(self.similarity)


@dataclasses.dataclass(frozen=True)
class AttentionResult:
    """Attention maps of one encoder input."""

    tokens: list[str]  # T word pieces, special tokens included
    segments: list[int]  # T: 0 for A, 1 for B
    layers: tuple[int, ...]  # the layers asked for
    weights: Tensor  # (len(layers), H, T, T); each row sums to 1
    left_out: int  # word pieces that truncation dropped


@dataclasses.dataclass(frozen=True)
class TokenCount:
    """How the model sees the length of a text."""

    tokens: int  # special tokens included, before truncation
    left_out: int  # word pieces beyond the model's length
    unknown: int  # word pieces that the vocabulary doesn't have
    masked: int  # [MASK]s: words hidden from the model
