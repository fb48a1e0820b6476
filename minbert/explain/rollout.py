"""Attention rollout: how much of each token's input reaches each token's output, by attention.

Paper: Abnar & Zuidema 2020, "Quantifying Attention Flow in Transformers" (arXiv 2005.00928),
section 3: each layer's map, averaged over heads, is mixed half and half with the identity for the
residual connection; the layers' maps are multiplied, the lowest rightmost. Differs from the
paper: nothing. It knows nothing of what is asked: no task, no class, no sign.
"""

from __future__ import annotations

import torch
from torch import Tensor


def attention_rollout(maps: Tensor) -> Tensor:
    """Multiply the maps of all layers, each mixed with the identity.

    Args:
        maps: (L, H, T, T) of all layers, lowest first; rows sum to 1.

    Returns:
        (T, T): row i says how much of each token's input is in token i's output. Rows sum to 1.

    Raises:
        ValueError: another shape.
    """
    if maps.ndim != 4 or maps.shape[-1] != maps.shape[-2] or not len(maps):
        raise ValueError(f"`maps` should be (L, H, T, T). Found shape {tuple(maps.shape)}.")
    identity = torch.eye(maps.shape[-1]).to(maps)
    found = identity
    for layer in maps.mean(dim=1):  # (T, T), lowest first
        found = (layer + identity) / 2 @ found
    return found


def pooled_rollout(rolled: Tensor, pooling: str) -> Tensor:
    """Return how much of each token's input is in the embedding, (T,), which sums to 1.

    Under 'cls' and 'pooler' the embedding is [CLS]'s output; under 'mean' the average of all
    outputs, so the rows are averaged. 'max' and 'attention' weigh the outputs in ways that a
    rollout doesn't know: there the rows are averaged too.
    """
    return rolled[0] if pooling in ("cls", "pooler") else rolled.mean(dim=0)
