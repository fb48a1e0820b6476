"""Length-bucketed batches: little padding, a fresh shuffle each pass, nothing hidden in state.

The n-th pass over a task is a function of (seed, task, n), so a stream is restored from two
numbers.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import torch
from torch import Tensor

from minbert.config import MultitaskConfig
from minbert.tables import Example
from minbert.tasks import Task
from minbert.text import Batch, Encoded, Tokenizer, pad
from trainer.config import TrainConfig
from trainer.seeding import mix_seed

BUCKET_BATCHES = 50  # batches whose examples are sorted by length together


@dataclasses.dataclass(frozen=True)
class EncodedTask:
    """A task's training examples, tokenized once."""

    task: Task
    inputs: list[Encoded]  # single sentences, or joint pairs
    sides: list[tuple[Encoded, Encoded]]  # A and B alone, for the Siamese score; else empty
    labels: Tensor  # (N,)

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

    @property
    def tokens(self) -> int:
        """Count the real tokens that the encoder reads in this step."""
        return self.inputs.tokens + (self.sides.tokens if self.sides else 0)

    def to(self, device: torch.device) -> TaskBatch:
        """Return the batch on `device`."""
        sides = self.sides.to(device) if self.sides else None
        return TaskBatch(self.task, self.inputs.to(device), sides, self.labels.to(device))


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
        ValueError: an example without a label.
    """
    labels = [example.label for example in examples if example.label is not None]
    if len(labels) != len(examples):
        raise ValueError(
            f"`examples` of {task.name} should all be labelled. "
            f"Found {len(examples) - len(labels)} without a label."
        )
    first = tokenizer.pieces([example.texts[0] for example in examples])
    length = config.max_length
    if not task.pair:
        singles = [tokenizer.single(pieces, length) for pieces in first]
        return EncodedTask(task, singles, [], torch.tensor(labels))
    second = tokenizer.pieces([example.texts[1] for example in examples])
    pairs = list(zip(first, second, strict=True))
    joint = [tokenizer.joint(a, b, length, token_types=config.pair_token_types) for a, b in pairs]
    sides = [(tokenizer.single(a, length), tokenizer.single(b, length)) for a, b in pairs]
    return EncodedTask(task, joint, sides if siamese else [], torch.tensor(labels))


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
        return TaskBatch(data.task, inputs, sides, data.labels[list(rows)])

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
