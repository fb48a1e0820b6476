"""The task heads.

Report: section 4.1 (dropout and a linear layer for each task) and 4.5 (the Siamese cosine score,
after Reimers & Gurevych 2019, "Sentence-BERT", section 3); the two-tower features are InferSent's
(Conneau et al. 2017, arXiv 1705.02364, section 3.1). Differs from the report: the joint
similarity head is linear, since ReLU * 5 has no gradient below zero and may die; the report's
form is `similarity_head="relu"`.

Calibration: temperature scaling, Guo et al. 2017, "On Calibration of Modern Neural Networks"
(arXiv 1706.04599), section 4.2; with an offset, for two classes, it is Platt scaling (Platt 1999,
"Probabilistic Outputs for Support Vector Machines").
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

COSINE_EPSILON = 1e-8


class LinearHead(nn.Module):
    """Dropout and one linear layer: (B, D) -> (B, C)."""

    def __init__(self, hidden_size: int, outputs: int, dropout: float, init_std: float) -> None:
        """Create the layer with normal weights of `init_std` and zero biases."""
        super().__init__()
        self.dropout = nn.Dropout(dropout)
        self.linear = nn.Linear(hidden_size, outputs)
        nn.init.normal_(self.linear.weight, std=init_std)
        nn.init.zeros_(self.linear.bias)

    def forward(self, embedding: Tensor) -> Tensor:
        """Score the embedding (B, D); returns logits (B, C)."""
        logits: Tensor = self.linear(self.dropout(embedding))
        return logits


def calibrated(logits: Tensor, temperature: float, offset: float = 0.0) -> Tensor:
    """Return logits (any shape) over the temperature, plus the offset; 1 and 0 change nothing."""
    return logits / temperature + offset


def two_tower_features(first: Tensor, second: Tensor) -> Tensor:
    """Compare embeddings (B, D) and (B, D): [u, v, |u - v|, u * v], (B, 4D). Not symmetric."""
    return torch.cat([first, second, (first - second).abs(), first * second], dim=-1)


def joint_similarity(raw: Tensor, form: str) -> Tensor:
    """Turn the joint head's raw output (B,) into a score: itself, or the report's ReLU * 5."""
    return torch.relu(raw) * 5.0 if form == "relu" else raw


def cosine(first: Tensor, second: Tensor) -> Tensor:
    """Return the cosine of embeddings (B, D) and (B, D) as (B,); a zero vector gives 0."""
    return F.cosine_similarity(first, second, dim=-1, eps=COSINE_EPSILON)


def siamese_similarity(first: Tensor, second: Tensor, scaling: str) -> Tensor:
    """Score two embeddings (B, D) by their cosine, on the scale of the labels.

    'shifted' is the report's 2.5 * (cos + 1), which spans 0 to 5 but forces an unrelated pair
    to cos = -1; 'positive' is 5 * cos, against labels / 5.
    """
    similarity = cosine(first, second)
    return 5.0 * similarity if scaling == "positive" else 2.5 * (similarity + 1.0)
