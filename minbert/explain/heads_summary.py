"""What each attention head does, in five numbers: to find the heads worth looking at.

Source: Clark et al. 2019, "What Does BERT Look At?" (arXiv 1906.04341), section 3: heads that
attend to [SEP], to near tokens, broadly or narrowly (entropy). Differs from the paper: the numbers
are of one input, or averages over a few sentences of our own, not over a corpus, and distance
takes the place of the shares of the next and the previous token.

A fine-tuned model keeps the layers and heads of the encoder it started from, so head by head the
numbers before and after show what fine-tuning changed.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from minbert.answers import AttentionResult
from minbert.checkpoint import load_encoder
from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor

CLS, SEP = "[CLS]", "[SEP]"
MEASURES = ("entropy", "to_sep", "distance", "a_to_b")  # as in HeadsSummary
Inputs = Sequence[tuple[str, str]]  # sentence, or A and B; B is empty for one sentence


@dataclasses.dataclass(frozen=True)
class HeadsSummary:
    """Each number by layer and head, (L, H), a mean over the map's rows."""

    layers: tuple[int, ...]  # L, 0-based
    entropy: Tensor  # bits: 0 looks at one token, log2(T) at all alike
    to_sep: Tensor  # share of the attention on [SEP], of all rows
    distance: Tensor  # tokens between who looks and what is looked at
    a_to_b: Tensor | None  # share that A's written tokens give to B's; None: one sentence


def summarise_heads(result: AttentionResult) -> HeadsSummary:
    """Summarise every head of every layer that `Predictor.attention` gave.

    `a_to_b` counts written tokens alone: rows and columns of [CLS] and [SEP] are left out of it,
    and what they took is missing from the share. A sentence without a word has a share of 0.
    """
    weights = result.weights.double()  # (L, H, T, T)
    place = torch.arange(weights.shape[-1], dtype=weights.dtype)
    apart = (place[:, None] - place).abs()  # (T, T)
    sep = torch.tensor([token == SEP for token in result.tokens]).to(weights)
    surprise = torch.special.entr(weights).sum(dim=-1) / torch.log(torch.tensor(2.0))
    a, b = (written_of(result, segment) for segment in (0, 1))
    pair = 1 in result.segments
    return HeadsSummary(
        layers=result.layers,
        entropy=surprise.mean(dim=-1),
        to_sep=(weights @ sep).mean(dim=-1),
        distance=(weights * apart).sum(dim=-1).mean(dim=-1),
        a_to_b=_share(weights, a, b) if pair else None,
    )


def written_of(result: AttentionResult, segment: int) -> list[int]:
    """Return the positions of a sentence's tokens, [CLS] and [SEP] left out."""
    return [
        position
        for position, (token, of) in enumerate(zip(result.tokens, result.segments, strict=True))
        if of == segment and token not in (CLS, SEP)
    ]


def _share(weights: Tensor, rows: list[int], columns: list[int]) -> Tensor:
    """Return what the rows give to the columns, a mean over rows: (L, H)."""
    if not rows:
        return torch.zeros(weights.shape[:2], dtype=weights.dtype)
    return weights[:, :, rows][..., columns].sum(dim=-1).mean(dim=-1)


def bare_model(name_or_dir: str | Path, max_length: int = 128) -> MultitaskBert:
    """Put a plain encoder into a model, to look at its attention: its heads are random.

    Args:
        name_or_dir: a folder or a Hugging Face id of a BERT encoder.
        max_length: tokens of one input; fewer where the encoder has fewer positions.

    Raises:
        CheckpointError: as `load_encoder` does.
    """
    encoder, tokenizer, _ = load_encoder(name_or_dir)
    length = min(max_length, encoder.config.max_position_embeddings)
    config = MultitaskConfig(
        encoder=encoder.config,
        max_length=length,
        pair_token_types=encoder.config.type_vocab_size > 1,
    )
    return MultitaskBert(config, tokenizer, encoder).eval()


def example_heads(predictor: Predictor, inputs: Inputs) -> dict[str, list[list[float]]]:
    """Average each head's numbers over some inputs.

    Returns:
        by measure L lists of H numbers, 4 decimals; a_to_b over the pairs, absent without one.

    Raises:
        ValueError: no inputs.
    """
    if not inputs:
        raise ValueError("`inputs` should hold at least one sentence. Found none.")
    found = [summarise_heads(predictor.attention(a, b or None)) for a, b in inputs]
    means = {}
    for name in MEASURES:
        values = [value for one in found if (value := getattr(one, name)) is not None]
        if values:
            mean = torch.stack(values).double().mean(dim=0)
            means[name] = torch.round(mean, decimals=4).tolist()
    return means
