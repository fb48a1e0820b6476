"""Integrated gradients on the word embeddings, and gradient x input beside them.

Papers: Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks" (arXiv
1703.01365), sections 3 and 5; gradient x input: Shrikumar et al. 2016, "Not Just a Black Box"
(arXiv 1605.01713). An attribution is (x - x') times the gradient's mean on the straight line from
the baseline x' to x, summed over the embedding's units; all attributions together make
f(x) - f(x'), and how far they miss it (`gap`) is told. Differs from the paper: the mean is taken
at Gauss-Legendre nodes, not in equal steps, and the baseline is not the zero vector but the text
with [PAD] (or [MASK]) in each word's place: [CLS], [SEP], positions and token types stay, so that
the line begins at an input the encoder could be given.

Two texts without words are alike: the Siamese score begins at its top, and words mostly take from
it. The joint score begins wherever the head puts two blank texts.

Points of the line are run as batches, and a served model's thread takes one batch at a time, so
that other visitors get their turns. No parameter gets a `.grad`, and dropout stays off.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np
import torch
from torch import Tensor

from minbert.config import choice_error
from minbert.explain.targets import Reading, Target, WordScores, gather, target_for
from minbert.pooling import pooler_for
from minbert.predictor import Predictor
from minbert.text import Encoded

BASELINES = ("pad", "mask")
STEPS = 32  # points of the line
MOST_STEPS = 512
ROWS_PER_CALL = 16  # encoder inputs that the model's thread takes at a time
TOKENS_PER_CALL = 512
Progress = Callable[[int, int], None]  # points done, and of how many; may raise to stop


@dataclasses.dataclass(frozen=True)
class IntegratedGradients:
    """What each word adds to the target, against a text without words."""

    target: Target
    first: WordScores  # A's words
    second: WordScores  # B's; empty for sentiment
    first_pieces: WordScores  # the same by word piece
    second_pieces: WordScores
    gradient: tuple[WordScores, WordScores]  # gradient x input, by word
    value: float  # f(x)
    baseline_value: float  # f(x')
    total: float  # the sum of all attributions; those of [CLS] and [SEP] are 0
    baseline: str
    steps: int

    @property
    def gap(self) -> float:
        """Return by how much the attributions' sum misses f(x) - f(x')."""
        return self.total - (self.value - self.baseline_value)


@dataclasses.dataclass(frozen=True)
class _Points:
    """What P points of the line yield."""

    values: Tensor  # (P,) f
    along: list[Tensor]  # for each reading (P, T): gradient . (x - x')
    times_input: list[Tensor]  # for each reading (P, T): gradient . x, x the word embedding


def integrated_gradients(
    predictor: Predictor,
    first: str,
    second: str | None = None,
    *,
    task: str,
    target: int | str | None = None,
    baseline: str = "pad",
    steps: int = STEPS,
    progress: Progress | None = None,
) -> IntegratedGradients:
    """Attribute the target to the words of A and B.

    Args:
        predictor: of a model with any pooling.
        first: A.
        second: B, or None for sentiment.
        task: 'sentiment', 'paraphrase' or 'similarity'.
        target: see `minbert.explain.targets`; None takes what the page says.
        baseline: 'pad' or 'mask', the piece in each word's place at the line's beginning.
        steps: points of the line, 1 to 512; the gap says whether they are enough.
        progress: told after each batch.

    Raises:
        ValueError: an unknown name, or a number of steps out of range.
    """
    if baseline not in BASELINES:
        raise choice_error("baseline", baseline, BASELINES)
    if not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"`steps` should lie between 1 and {MOST_STEPS}. Found {steps}.")
    asked = target_for(predictor, task, target, first, second)
    readings = asked.readings(predictor, first, second)
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    places = [0.0, 1.0, *((nodes + 1) / 2).tolist()]  # both ends beside the nodes
    found = _along_line(predictor, asked, readings, places, baseline, progress)
    shares = torch.tensor([0.0, 0.0, *(weights / 2).tolist()], dtype=torch.float64)
    by_token = [shares @ part.double() for part in found.along]  # each (T,)
    a, b = gather(predictor, readings, by_token)
    a_pieces, b_pieces = gather(predictor, readings, by_token, pieces=True)
    return IntegratedGradients(
        target=asked,
        first=a,
        second=b,
        first_pieces=a_pieces,
        second_pieces=b_pieces,
        gradient=gather(predictor, readings, [part[1].double() for part in found.times_input]),
        value=found.values[1].item(),
        baseline_value=found.values[0].item(),
        total=sum(part.sum().item() for part in by_token),
        baseline=baseline,
        steps=steps,
    )


def gradient_times_input(
    predictor: Predictor, target: Target, first: str, second: str | None = None
) -> tuple[WordScores, WordScores]:
    """Return gradient x input of A's words and of B's: one pass there and back."""
    readings = target.readings(predictor, first, second)
    found = _along_line(predictor, target, readings, [1.0], "pad", None)
    return gather(predictor, readings, [part[0].double() for part in found.times_input])


def baseline_ids(predictor: Predictor, item: Encoded, baseline: str) -> list[int]:
    """Return the input's ids with [PAD] or [MASK] for all but [CLS] and [SEP]."""
    tokenizer = predictor.tokenizer
    blank = tokenizer.pad_id if baseline == "pad" else tokenizer.mask_id
    kept = (tokenizer.cls_id, tokenizer.sep_id)
    return [index if index in kept else blank for index in item.ids]


def _along_line(
    predictor: Predictor,
    target: Target,
    readings: Sequence[Reading],
    places: Sequence[float],
    baseline: str,
    progress: Progress | None,
) -> _Points:
    """Evaluate target and gradient at `places` of the line, 0 its beginning, batch by batch."""
    tokens = sum(len(reading.item) for reading in readings)
    size = max(1, min(ROWS_PER_CALL // len(readings), TOKENS_PER_CALL // tokens))
    parts = []
    for start in range(0, len(places), size):
        chunk = places[start : start + size]

        def run(chunk: Sequence[float] = chunk) -> _Points:
            return _evaluate(predictor, target, readings, chunk, baseline)

        parts.append(predictor.backend.call(run))
        if progress is not None:
            progress(min(start + size, len(places)), len(places))
    joined = range(len(readings))
    return _Points(
        torch.cat([part.values for part in parts]),
        [torch.cat([part.along[reading] for part in parts]) for reading in joined],
        [torch.cat([part.times_input[reading] for part in parts]) for reading in joined],
    )


def _evaluate(
    predictor: Predictor,
    target: Target,
    readings: Sequence[Reading],
    places: Sequence[float],
    baseline: str,
) -> _Points:
    """Run one batch of points there and back, on the thread that calls."""
    model = predictor.model
    word = model.encoder.embeddings.word.weight
    pool = pooler_for(model.config.pooling, model.encoder, model.attention_pooling)
    share = torch.tensor(places, dtype=word.dtype, device=word.device)[:, None, None]
    with torch.inference_mode(mode=False), torch.enable_grad():
        points, inputs, steps, embeddings = [], [], [], []
        for reading in readings:
            item = reading.item
            end, begin = (
                word.detach()[torch.tensor(ids, device=word.device)]  # (T, D)
                for ids in (item.ids, baseline_ids(predictor, item, baseline))
            )
            line = (begin + share * (end - begin)).requires_grad_()  # (P, T, D)
            types = torch.tensor(item.token_types, device=word.device).expand(len(places), -1)
            mask = torch.ones_like(types)
            hidden = model.encoder.encode(
                model.encoder.embeddings.from_words(line, types), mask, target.task
            ).hidden
            embeddings.append(pool(hidden.float(), mask))
            points.append(line)
            inputs.append(end)
            steps.append(end - begin)
        values = target.of(model, embeddings)
        gradients = torch.autograd.grad(values.sum(), points)
    return _Points(
        values.detach().cpu(),
        [(g * step).sum(-1).cpu() for g, step in zip(gradients, steps, strict=True)],
        [(g * end).sum(-1).cpu() for g, end in zip(gradients, inputs, strict=True)],
    )
