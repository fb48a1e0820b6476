"""Integrated gradients on the word embeddings, and gradient x input beside them.

Papers: Sundararajan, Taly & Yan 2017, "Axiomatic Attribution for Deep Networks" (arXiv
1703.01365), sections 3 and 5; gradient x input: Shrikumar et al. 2016, "Not Just a Black Box"
(arXiv 1605.01713). An attribution is (x - x') times the gradient's mean on the straight line from
the baseline x' to x, summed over the embedding's units; all attributions together make
f(x) - f(x'), and how far they miss it (`gap`) is told. Differs from the paper: the mean is taken
by Clenshaw and Curtis's rule (1960, "A method for numerical integration on an automatic computer"),
not in equal steps, with twice the points where the gap is too wide, and the baseline is not the
zero vector but the text with [PAD] (or [MASK]) in each word's place: [CLS], [SEP], positions and
token types stay, so that the line begins at an input the encoder could be given.

Two texts without words are alike: the Siamese score begins at its top, and words mostly take from
it. The joint score begins wherever the head puts two blank texts.

Points of the line are run as batches, and a served model's thread takes one batch at a time, so
that other visitors get their turns. No parameter gets a `.grad`, and dropout stays off.
"""

from __future__ import annotations

import dataclasses
import functools
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from minbert.config import choice_error
from minbert.explain.targets import Reading, Target, WordScores, gather, target_for
from minbert.pooling import pooler_for
from minbert.predictor import Predictor
from minbert.text import Encoded, pad

BASELINES = ("pad", "mask")
STEPS = 32  # of the line at first, with one point more
MOST_STEPS = 64
ALLOWED = tuple(2**power for power in range(1, 10))
GAP = (
    0.01  # share of max(|f(x) - f(x')|, LEAST) that the gap may be; if it is more, twice the steps
)
LEAST = 0.05
TOKENS_PER_CALL = 512  # that the model's thread takes at a time
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
    steps: int  # of the line

    @property
    def gap(self) -> float:
        """Return by how much the attributions' sum misses f(x) - f(x')."""
        return self.total - (self.value - self.baseline_value)


@dataclasses.dataclass(frozen=True)
class _Points:
    """What P points of the line yield; the readings' tokens, S, stand behind one another."""

    values: Tensor  # (P,) f
    along: Tensor  # (P, S): gradient . (x - x')
    times_input: Tensor  # (P, S): gradient . x, x the word embedding

    def with_between(self, between: _Points) -> _Points:
        """Return these points with others between each two of them."""
        order = torch.arange(len(self.values) + len(between.values))
        order = order // 2 + order % 2 * len(self.values)  # 0, P, 1, P + 1, ...
        both = (torch.cat(pair)[order] for pair in zip(self.parts, between.parts, strict=True))
        return _Points(*both)

    @property
    def parts(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return all three, by which points are joined."""
        return self.values, self.along, self.times_input


def integrated_gradients(
    predictor: Predictor,
    first: str,
    second: str | None = None,
    *,
    task: str,
    target: int | str | None = None,
    baseline: str = "pad",
    steps: int = MOST_STEPS,
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
        steps: the most of the line, which has a point more: a power of two, 2 to 512. Half of them,
            a quarter, down to 32 will do where the gap is within a hundredth of f(x) - f(x').
        progress: told after each batch how many points are done, and how many there may be.

    Raises:
        ValueError: an unknown name, or a number of steps that isn't allowed.
    """
    if baseline not in BASELINES:
        raise choice_error("baseline", baseline, BASELINES)
    if steps not in ALLOWED:
        raise ValueError(f"`steps` should be one of {', '.join(map(str, ALLOWED))}. Found {steps}.")
    asked = target_for(predictor, task, target, first, second)
    line = _Line(predictor, asked, asked.readings(predictor, first, second), baseline)
    taken = min(STEPS, steps)
    found = line.at(places(taken), steps, progress)
    while taken < steps and not _suffices(found):
        taken *= 2
        found = found.with_between(line.at(places(taken)[1::2], steps, progress))
    shares = weights(taken)
    by_token = line.by_reading(shares @ found.along.double())
    a, b = gather(predictor, line.readings, by_token)
    a_pieces, b_pieces = gather(predictor, line.readings, by_token, pieces=True)
    return IntegratedGradients(
        target=asked,
        first=a,
        second=b,
        first_pieces=a_pieces,
        second_pieces=b_pieces,
        gradient=gather(predictor, line.readings, line.by_reading(found.times_input[-1].double())),
        value=found.values[-1].item(),
        baseline_value=found.values[0].item(),
        total=sum(part.sum().item() for part in by_token),
        baseline=baseline,
        steps=taken,
    )


def places(steps: int) -> list[float]:
    """Return the places of the rule's points on the line, from 0 to 1; every other one has half."""
    return [math.sin(math.pi / 2 * place / steps) ** 2 for place in range(steps + 1)]


def weights(steps: int) -> Tensor:
    """Return the weights of the points, (steps + 1,), which sum to 1; `steps` is even."""
    angles = torch.arange(steps + 1, dtype=torch.float64) * math.pi / steps
    even = torch.arange(0, steps + 1, 2, dtype=torch.float64)
    parts = 2 / (1 - even**2)  # the integrals of the cosines
    parts[0], parts[-1] = parts[0] / 2, parts[-1] / 2
    found = torch.cos(angles[:, None] * even) @ parts / steps
    found[0], found[-1] = found[0] / 2, found[-1] / 2
    return found


def _suffices(found: _Points) -> bool:
    """Say whether the attributions of these points make the difference of both ends."""
    total = weights(len(found.values) - 1) @ found.along.double().sum(dim=1)
    difference = (found.values[-1] - found.values[0]).item()
    return abs(total.item() - difference) <= GAP * max(abs(difference), LEAST)


def gradient_times_input(
    predictor: Predictor, target: Target, first: str, second: str | None = None
) -> tuple[WordScores, WordScores]:
    """Return gradient x input of A's words and of B's: one pass there and back."""
    line = _Line(predictor, target, target.readings(predictor, first, second))
    (found,) = line.at([1.0]).times_input.double()
    return gather(predictor, line.readings, line.by_reading(found))


def baseline_ids(predictor: Predictor, item: Encoded, baseline: str) -> list[int]:
    """Return the input's ids with [PAD] or [MASK] for all but [CLS] and [SEP]."""
    tokenizer = predictor.tokenizer
    blank = tokenizer.pad_id if baseline == "pad" else tokenizer.mask_id
    kept = (tokenizer.cls_id, tokenizer.sep_id)
    return [index if index in kept else blank for index in item.ids]


@dataclasses.dataclass
class _Line:
    """The straight line from the baseline to what was asked about, in all R readings at once."""

    predictor: Predictor
    target: Target
    readings: list[Reading]
    baseline: str = "pad"
    _done: int = 0

    def __post_init__(self) -> None:
        """Lay the readings beside one another, (R, T), the shorter ones padded."""
        items, pad_id = [reading.item for reading in self.readings], self.predictor.tokenizer.pad_id
        blank = [
            dataclasses.replace(item, ids=baseline_ids(self.predictor, item, self.baseline))
            for item in items
        ]
        self._lengths = [len(item) for item in items]
        self._end, self._begin = pad(items, pad_id), pad(blank, pad_id)

    def by_reading(self, tokens: Tensor) -> list[Tensor]:
        """Part what the tokens have, (S,), into the readings' own."""
        return list(torch.split(tokens, self._lengths))

    def at(
        self, where: Sequence[float], most: int = 0, progress: Progress | None = None
    ) -> _Points:
        """Evaluate target and gradient at some places of the line, 0 its beginning, in batches."""
        size = max(1, TOKENS_PER_CALL // sum(self._lengths))
        parts = []
        for start in range(0, len(where), size):
            run = functools.partial(self._evaluate, where[start : start + size])
            parts.append(self.predictor.backend.call(run))
            if progress is not None:
                self._done += len(parts[-1].values)
                progress(self._done, most + 1)
        return _Points(*(torch.cat(each) for each in zip(*(p.parts for p in parts), strict=True)))

    def _evaluate(self, where: Sequence[float]) -> _Points:
        """Run one batch of P points there and back, on the thread that calls."""
        model = self.predictor.model
        word = model.encoder.embeddings.word.weight.detach()
        pool = pooler_for(model.config.pooling, model.encoder, model.attention_pooling)
        batch, begin = (each.to(word.device) for each in (self._end, self._begin))
        with torch.inference_mode(mode=False), torch.enable_grad():
            shares = torch.tensor(where, dtype=word.dtype, device=word.device)[:, None, None]
            end = word[batch.input_ids][:, None]  # (R, 1, T, D)
            step = end - word[begin.input_ids][:, None]
            words = (end - (1 - shares) * step).requires_grad_()  # (R, P, T, D)
            mask, types = (
                each[:, None].expand(words.shape[:3]).flatten(0, 1)
                for each in (batch.attention_mask, batch.token_type_ids)
            )
            embedded = model.encoder.embeddings.from_words(words.flatten(0, 1), types)
            hidden = model.encoder.encode(embedded, mask, self.target.task).hidden.float()
            embeddings = [
                pool(of_one[:, :length], mask.new_ones(len(where), length))
                for of_one, length in zip(
                    hidden.chunk(len(self.readings)), self._lengths, strict=True
                )
            ]
            values = self.target.of(model, embeddings)
            (gradient,) = torch.autograd.grad(values.sum(), [words])
        real = batch.attention_mask.bool()
        along, times_input = (
            (gradient * each).sum(-1).transpose(1, 2)[real].T.cpu() for each in (step, end)
        )
        return _Points(values.detach().cpu(), along, times_input)
