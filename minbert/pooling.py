"""From hidden states to one embedding: each pooling a function (hidden, mask) -> embedding.

Report: section 4.2. Papers: Devlin et al. 2019 ([CLS] and its tanh pooler); Reimers & Gurevych
2019, "Sentence-BERT", section 3 (mean and max); Lin et al. 2017, "A Structured Self-attentive
Sentence Embedding" (arXiv 1703.03130), section 2.1, with one hop (attention). Differs from the
papers: attention's w_s2 starts at zero, so that it begins as mean pooling, and d_a = D.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

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


class AttentionPooling(nn.Module):
    """A weighted average of the real tokens, by weights softmax(w_s2 . tanh(W_s1 h)).

    With w_s2 = 0, its start, all weights are equal: mean pooling.
    """

    def __init__(self, hidden_size: int, init_std: float) -> None:
        """Create W_s1 with normal weights of `init_std`, and w_s2 with zeros."""
        super().__init__()
        self.projection = nn.Linear(hidden_size, hidden_size, bias=False)  # W_s1
        self.score = nn.Linear(hidden_size, 1, bias=False)  # w_s2
        nn.init.normal_(self.projection.weight, std=init_std)
        nn.init.zeros_(self.score.weight)

    def weights(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Weigh the tokens of (B, T, D) under a mask (B, T): (B, T), rows sum to 1, padding 0."""
        scores = self.score(torch.tanh(self.projection(hidden))).squeeze(-1)  # (B, T)
        lowest = torch.finfo(scores.dtype).min
        return torch.softmax(scores.masked_fill(mask == 0, lowest), dim=-1)

    def forward(self, hidden: Tensor, mask: Tensor) -> Tensor:
        """Pool (B, T, D) under a mask (B, T) to (B, D)."""
        return (hidden * self.weights(hidden, mask).unsqueeze(-1)).sum(dim=1)


POOLERS: dict[str, Pooler] = {"cls": cls_pooling, "mean": mean_pooling, "max": max_pooling}


def pooler_for(
    name: str, encoder: BertModel, attention_pooling: AttentionPooling | None = None
) -> Pooler:
    """Return the pooling called `name`: 'pooler' and 'attention' are the modules given.

    Raises:
        ValueError: an unknown name, where the message lists the known ones; or 'attention'
            without its module.
    """
    if name == "pooler":
        return encoder.pooler
    if name == "attention":
        if attention_pooling is None:
            raise ValueError("`attention_pooling` should be given for 'attention'. Found None.")
        return attention_pooling
    if name not in POOLERS:
        raise choice_error("pooling", name, POOLING_NAMES)
    return POOLERS[name]
