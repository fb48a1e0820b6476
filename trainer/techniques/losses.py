"""The loss of each task: pure functions of outputs and targets.

Report: section 4.1 (cross entropy, binary cross entropy, mean squared error).
Differs from the report: nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

Loss = Callable[[Tensor, Tensor], Tensor]


def sentiment_loss(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Return the mean cross entropy of logits (B, C) against class numbers (B,).

    Args:
        logits: scores of C classes.
        labels: class numbers.
        smoothing: share of each target that is spread evenly over all C classes.
    """
    return F.cross_entropy(logits.float(), labels.long(), label_smoothing=smoothing)


def paraphrase_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean binary cross entropy of logits (B,) against 0/1 labels (B,)."""
    return F.binary_cross_entropy_with_logits(logits.float(), labels.float())


def similarity_loss(scores: Tensor, labels: Tensor) -> Tensor:
    """Return the mean squared error of scores (B,) against similarities 0-5 (B,)."""
    return torch.mean((scores.float() - labels.float()) ** 2)


LOSSES: dict[str, Loss] = {
    "sentiment": sentiment_loss,
    "paraphrase": paraphrase_loss,
    "similarity": similarity_loss,
}
