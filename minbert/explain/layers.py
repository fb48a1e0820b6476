"""How alike two sentences are after each layer, under one pooling and under another."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from minbert.checks import check_texts
from minbert.config import choice_error
from minbert.heads import cosine
from minbert.pooling import POOLERS, Pooler
from minbert.predictor import Predictor


@torch.inference_mode()
def layer_similarity(
    predictor: Predictor,
    first: str,
    second: str,
    poolings: Sequence[str] = ("cls", "mean"),
    states: Sequence[Tensor] | None = None,
) -> dict[str, tuple[float, ...]]:
    """Return the cosine of A and B after each layer, by pooling.

    L+1 values each, the embeddings' first. There [CLS] is the same in every sentence: its cosine
    is 1. Under the model's own pooling the last value is the Siamese cosine.

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B.
        poolings: names in `POOLERS`.
        states: hidden states of every layer (L+1, T, D) of A and of B; None: the model is asked.

    Raises:
        ValueError: a pooling that isn't a plain function of the hidden states.
    """
    for name in check_texts(poolings, "poolings"):
        if name not in POOLERS:
            raise choice_error("poolings", name, tuple(POOLERS))
    if states is None:
        inputs = predictor.encode_single([first, second])
        states = predictor.hidden(inputs, "similarity", every_layer=True)
    a, b = states  # (L+1, T, D)
    return {
        name: tuple(cosine(each_layer(a, POOLERS[name]), each_layer(b, POOLERS[name])).tolist())
        for name in poolings
    }


def each_layer(states: Tensor, pool: Pooler) -> Tensor:
    """Pool one sentence's hidden states (L+1, T, D) layer by layer: (L+1, D)."""
    return pool(states, torch.ones(states.shape[:2], dtype=torch.long))
