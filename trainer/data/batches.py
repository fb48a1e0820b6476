"""Length-bucketed batches: little padding, a fresh shuffle each pass, nothing hidden in state.

The n-th pass over a task is a function of (seed, task, n), so a stream is restored from two
numbers.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from minbert.config import MultitaskConfig
from minbert.tables import Example
from minbert.tasks import Task
from minbert.text import Batch, Encoded, Tokenizer, pad
from trainer.config import TrainConfig
from trainer.data.soft_labels import SoftExample
from trainer.seeding import mix_seed

BUCKET_BATCHES = 50  # batches whose examples are sorted by length together


@dataclasses.dataclass(frozen=True)
class EncodedTask:
    """A task's training examples, tokenized once."""

    task: Task
    inputs: list[Encoded]  # single sentences, or joint pairs
    sides: list[tuple[Encoded, Encoded]]  # A and B alone, for the Siamese score; else empty
    labels: Tensor  # (N,); NaN where there is a soft label alone
    soft: Tensor | None = None  # (N, C) or (N,): a teacher's outputs, NaN where a row has none

    def __len__(self) -> int:
        """Return the number of examples."""
        return len(self.inputs)


@dataclasses.dataclass(frozen=True)
class TaskBatch:
    """What one training step sees."""

    task: Task
    inputs: Batch
    sides: Batch | None  # (2B, T): all A's, then all B's, each alone
    labels: Tensor  # (B,)
    soft: Tensor | None = None  # (B, C) or (B,), as in `EncodedTask`; None: no row has one

    @property
    def tokens(self) -> int:
        """Count the real tokens that the encoder reads in this step."""
        return self.inputs.tokens + (self.sides.tokens if self.sides else 0)

    def to(self, device: torch.device) -> TaskBatch:
        """Return the batch on `device`."""
        sides = self.sides.to(device) if self.sides else None
        soft = self.soft.to(device) if self.soft is not None else None
        labels = self.labels.to(device)
        return TaskBatch(self.task, self.inputs.to(device), sides, labels, soft)


def encode_task(
    task: Task,
    examples: Sequence[Example],
    tokenizer: Tokenizer,
    config: MultitaskConfig,
    *,
    siamese: bool,
) -> EncodedTask:
    """Tokenize examples; `siamese` also keeps both sentences of a pair on their own.

    Raises:
        ValueError: an example without a label, gold or soft.
    """
    labels, soft = gold_and_soft(task, examples)
    first = tokenizer.pieces([example.texts[0] for example in examples])
    length = config.max_length
    if not task.pair:
        singles = [tokenizer.single(pieces, length) for pieces in first]
        return EncodedTask(task, singles, [], labels, soft)
    second = tokenizer.pieces([example.texts[1] for example in examples])
    pairs = list(zip(first, second, strict=True))
    joint = [tokenizer.joint(a, b, length, token_types=config.pair_token_types) for a, b in pairs]
    sides = [(tokenizer.single(a, length), tokenizer.single(b, length)) for a, b in pairs]
    return EncodedTask(task, joint, sides if siamese else [], labels, soft)


def gold_and_soft(task: Task, examples: Sequence[Example]) -> tuple[Tensor, Tensor | None]:
    """Return gold labels (N,) and soft ones (N, C) or (N,), NaN where a row has none.

    Raises:
        ValueError: an example without either.
    """
    softened = [row for row in examples if isinstance(row, SoftExample)]
    gold = [row.label for row in examples]
    without = sum(row.label is None and not isinstance(row, SoftExample) for row in examples)
    if without:
        raise ValueError(
            f"`examples` of {task.name} should all be labelled. Found {without} without a label."
        )
    labels = torch.tensor([math.nan if label is None else label for label in gold])
    if not softened:
        return labels, None
    nothing = (math.nan,) * task.classes
    soft = torch.tensor([row.soft if isinstance(row, SoftExample) else nothing for row in examples])
    return labels, soft if task.classes > 1 else soft.squeeze(1)


class BatchStream:
    """Endless batches of one task, pass after pass."""

    def __init__(
        self, data: EncodedTask, seed: int, *, examples: int, tokens: int, pad_id: int = 0
    ) -> None:
        """Stream batches of at most `examples` rows and, padding counted, `tokens` tokens."""
        self.data = data
        self.seed = seed
        self.examples = examples
        self.tokens = tokens
        self.pad_id = pad_id
        self.passes = 0
        self.position = 0
        self._order = self._shuffled(0)

    @property
    def batches_per_pass(self) -> int:
        """Count the batches of this pass; a later one may differ by a few."""
        return len(self._order)

    def next(self) -> TaskBatch:
        """Return the next batch, starting a fresh pass when one is used up."""
        if self.position == len(self._order):
            self.passes, self.position = self.passes + 1, 0
            self._order = self._shuffled(self.passes)
        rows = self._order[self.position]
        self.position += 1
        return self.gather(rows)

    def gather(self, rows: Sequence[int]) -> TaskBatch:
        """Pad the given rows into a batch."""
        data = self.data
        sides = None
        if data.sides:
            sides = pad([data.sides[row][side] for side in (0, 1) for row in rows], self.pad_id)
        inputs = pad([data.inputs[row] for row in rows], self.pad_id)
        soft = data.soft[list(rows)] if data.soft is not None else None
        return TaskBatch(data.task, inputs, sides, data.labels[list(rows)], soft)

    def state(self) -> dict[str, int]:
        """Return what `restore` needs."""
        return {"passes": self.passes, "position": self.position}

    def restore(self, state: dict[str, int]) -> None:
        """Continue where `state` was taken."""
        self.passes, self.position = state["passes"], state["position"]
        self._order = self._shuffled(self.passes)

    def _shuffled(self, number: int) -> list[list[int]]:
        generator = torch.Generator().manual_seed(mix_seed(self.seed, number))
        lengths = [len(item) for item in self.data.inputs]
        order = torch.randperm(len(lengths), generator=generator).tolist()
        bucket = self.examples * BUCKET_BATCHES
        batches: list[list[int]] = []
        for start in range(0, len(order), bucket):
            rows = sorted(order[start : start + bucket], key=lambda row: lengths[row])
            batches += cut_into_batches(rows, lengths, self.examples, self.tokens)
        return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def cut_into_batches(
    rows: Sequence[int], lengths: Sequence[int], examples: int, tokens: int
) -> list[list[int]]:
    """Cut rows, sorted by length, into batches within both limits; every row lands in one."""
    batches: list[list[int]] = []
    current: list[int] = []
    for row in rows:
        if current and (len(current) == examples or (len(current) + 1) * lengths[row] > tokens):
            batches.append(current)
            current = []
        current.append(row)
    return [*batches, current] if current else batches


@dataclasses.dataclass(frozen=True)
class Reads:
    """What the encoder reads of a task's batch."""

    inputs: bool  # single sentences, or joint pairs
    sides: bool  # both sentences of a pair, each alone
    twice: bool  # the sentences once more, under another dropout mask


def reads_of(task: Task, config: TrainConfig) -> Reads:
    """Return what the losses of a task need."""
    contrastive = config.contrastive != "off" and config.contrastive_weight > 0
    if not task.pair:
        return Reads(inputs=True, sides=False, twice=contrastive)
    if task.name == "paraphrase":
        towers = config.paraphrase_head == "two_tower"
        return Reads(inputs=not towers, sides=towers or contrastive, twice=contrastive)
    siamese = config.siamese_weight > 0
    return Reads(config.joint_weight > 0, siamese or contrastive, contrastive)
