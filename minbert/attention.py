"""Scaled dot-product attention in three levels: probabilities, attention, the module.

Paper: Vaswani et al. 2017, "Attention Is All You Need", section 3.2; as used in BERT
(Devlin et al. 2019). Differs from the paper: nothing. The fused kernel returns no
probabilities, so there are two paths, with outputs equal but for rounding: fused for scoring and
on a GPU; explicit when a map is asked for, and for dropout on a CPU, where the kernel isn't fused
and takes twice as long.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from minbert.config import BertConfig
from minbert.dropout import drop_units
from minbert.packing import Packing


def additive_mask(attention_mask: Tensor, dtype: torch.dtype) -> Tensor:
    """Turn a 1/0 mask (B, T) into one that is added to scores, (B, 1, 1, T): 0 or the minimum."""
    blocked = attention_mask[:, None, None, :] == 0
    mask = torch.zeros(blocked.shape, dtype=dtype, device=attention_mask.device)
    return mask.masked_fill(blocked, torch.finfo(dtype).min)


def attention_probabilities(query: Tensor, key: Tensor, mask: Tensor) -> Tensor:
    """Return softmax(QK^T / sqrt(D/H) + mask), before any dropout.

    Args:
        query: (B, H, T, D/H).
        key: (B, H, T, D/H).
        mask: additive, (B, 1, 1, T).

    Returns:
        (B, H, T, T); each row sums to 1.
    """
    scores = query @ key.transpose(-2, -1) / math.sqrt(query.shape[-1])  # (B, H, T, T)
    return torch.softmax(scores + mask, dim=-1)


def attend(
    query: Tensor, key: Tensor, value: Tensor, mask: Tensor, dropout: float, *, with_map: bool
) -> tuple[Tensor, Tensor | None]:
    """Mix the values by attention; give the map too when it is asked for.

    Args:
        query: (B, H, T, D/H); `key` and `value` likewise.
        key: see `query`.
        value: see `query`.
        mask: additive, (B, 1, 1, T).
        dropout: probability with which an attention weight is dropped (0 outside training).
        with_map: take the explicit path and return the pre-dropout probabilities.

    Returns:
        context (B, H, T, D/H), and the map (B, H, T, T) or None.
    """
    if not with_map and not (dropout > 0 and query.device.type == "cpu"):
        context = F.scaled_dot_product_attention(
            query, key, value, attn_mask=mask.to(query.dtype), dropout_p=dropout
        )
        return context, None
    precise = torch.promote_types(query.dtype, torch.float32)  # as the kernel computes bfloat16
    with torch.autocast(query.device.type, enabled=False):
        probabilities = attention_probabilities(query.to(precise), key.to(precise), mask)
        kept = drop_units(probabilities, dropout, training=dropout > 0)
        context = (kept @ value.to(precise)).to(query.dtype)
    return context, probabilities if with_map else None


class SelfAttention(nn.Module):
    """Multi-head self-attention of one layer, without its output projection."""

    def __init__(self, config: BertConfig) -> None:
        """Create the three projections."""
        super().__init__()
        self.heads = config.num_attention_heads
        self.dropout = config.attention_probs_dropout_prob
        self.query = nn.Linear(config.hidden_size, config.hidden_size)
        self.key = nn.Linear(config.hidden_size, config.hidden_size)
        self.value = nn.Linear(config.hidden_size, config.hidden_size)

    def forward(
        self,
        hidden: Tensor,
        mask: Tensor,
        packing: Packing | None = None,
        *,
        with_map: bool = False,
    ) -> tuple[Tensor, Tensor | None]:
        """Attend over `hidden` (B, T, D) under an additive mask (B, 1, 1, T).

        With a packing `hidden` and the context are (S, D).

        Returns:
            context (B, T, D), and the attention map (B, H, T, T) or None.
        """
        batch, length = (packing.batch, packing.length) if packing else hidden.shape[:2]

        def split(projected: Tensor) -> Tensor:
            if packing:
                projected = packing.padded(projected)
            return projected.view(batch, length, self.heads, -1).transpose(1, 2)  # (B, H, T, D/H)

        context, attention_map = attend(
            split(self.query(hidden)),
            split(self.key(hidden)),
            split(self.value(hidden)),
            mask,
            self.dropout if self.training else 0.0,
            with_map=with_map,
        )
        context = context.transpose(1, 2).reshape(batch, length, -1)  # (B, T, D)
        return packing.packed(context) if packing else context, attention_map
