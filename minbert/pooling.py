"""From hidden states to one embedding: each pooling a function (hidden, mask) -> embedding.

Report: section 4.2. Papers: Devlin et al. 2019 ([CLS] and its tanh pooler); Reimers & Gurevych
2019, "Sentence-BERT", section 3 (mean and max). Differs from the papers: nothing.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from minbert.bert import BertModel
from minbert.config import POOLING_NAMES, choice_error

Pooler = Callable[[Tensor, Tensor], Tensor]


def cls_pooling(hidden: Tensor, mask: Tensor) -> Tensor:  # noqa: ARG001 - a pooler's signature
    """Return the raw last hidden state of [CLS]: (B, T, D) -> (B, D)."""
    return hidden[:, 0]


def mean_pooling(hidden: Tensor, mask: Tensor) -> Tensor:
    """Average the hidden states of all real tokens: (B, T, D), (B, T) -> (B, D)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)  # (B, T, 1)
    return (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1)


def max_pooling(hidden: Tensor, mask: Tensor) -> Tensor:
    """Take each unit's maximum over real tokens: (B, T, D), (B, T) -> (B, D)."""
    lowest = torch.finfo(hidden.dtype).min
    return hidden.masked_fill(mask.unsqueeze(-1) == 0, lowest).amax(dim=1)


POOLERS: dict[str, Pooler] = {"cls": cls_pooling, "mean": mean_pooling, "max": max_pooling}


def pooler_for(name: str, encoder: BertModel) -> Pooler:
    """Return the pooling called `name`; 'pooler' is the encoder's own tanh layer.

    Raises:
        ValueError: an unknown name; the message lists the known ones.
    """
    if name == "pooler":
        return encoder.pooler
    if name not in POOLERS:
        raise choice_error("pooling", name, POOLING_NAMES)
    return POOLERS[name]
