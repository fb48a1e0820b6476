"""What each head does on a few sentences, on average: to compare an encoder with what became of it.

A fine-tuned model keeps the layers and heads of the encoder it started from, so head by head the
numbers of `summarise_heads` before and after say what fine-tuning changed.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import torch

from minbert.checkpoint import load_encoder
from minbert.config import MultitaskConfig
from minbert.explain.heads_summary import summarise_heads
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor

MEASURES = ("entropy", "to_sep", "distance", "a_to_b")  # as in HeadsSummary
Inputs = Sequence[tuple[str, str]]  # sentence, or A and B; B is empty for one sentence


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
    config = MultitaskConfig(encoder=encoder.config, max_length=length)
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
