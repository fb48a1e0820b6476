"""The streams of batches of a run, and a task's batches out of two tables in stated shares."""

from __future__ import annotations

from typing import Any

import torch

from minbert.multitask import MultitaskBert
from minbert.tables import Table
from minbert.tasks import TASKS, Task
from minbert.text import Tokenizer
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, EncodedTask, TaskBatch, encode_task, reads_of
from trainer.data.run_data import RunData
from trainer.seeding import mix_seed

STREAM_SEED, PHRASE_SEED, SHARE_SEED = 4, 22, 23
ALONE_SEED, ALONE_SHARE_SEED = 24, 25
STATEMENT_SEED, STATEMENT_SHARE_SEED = 26, 27


class MixedStream:
    """Batches of a task's own table, and at a given share of the draws of another one.

    Which table a draw takes is a function of (seed, number of the draw), so a stream is restored
    from its counters. It counts as its own table's size when tasks are drawn.
    """

    def __init__(
        self, own: BatchStream | MixedStream, other: BatchStream, share: float, seed: int
    ) -> None:
        """Mix two streams; `share` in [0, 1] is the other one's."""
        self.own, self.other = own, other
        self.share = share
        self.seed = seed
        self.drawn = 0

    @property
    def data(self) -> EncodedTask:
        """Return the task's own examples."""
        return self.own.data

    def next(self) -> TaskBatch:
        """Return the next batch of either table."""
        generator = torch.Generator().manual_seed(mix_seed(self.seed, self.drawn))
        self.drawn += 1
        other = float(torch.rand((), dtype=torch.float64, generator=generator)) < self.share
        return (self.other if other else self.own).next()

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        return {"drawn": self.drawn, "own": self.own.state(), "other": self.other.state()}

    def restore(self, state: dict[str, Any]) -> None:
        """Continue where `state` was taken."""
        self.drawn = state["drawn"]
        self.own.restore(state["own"])
        self.other.restore(state["other"])


def make_streams(
    model: MultitaskBert, tables: RunData, config: TrainConfig
) -> list[BatchStream | MixedStream]:
    """Tokenize every trained task's examples and stream them.

    Raises:
        ValueError: the model has no tokenizer.
    """
    tokenizer = model.tokenizer
    if tokenizer is None:
        raise ValueError("`model.tokenizer` should be set. Found None.")
    streams: list[BatchStream | MixedStream] = []
    for index, task in enumerate(TASKS.values()):
        if task.name not in tables.train:
            continue
        seed = mix_seed(config.seed, STREAM_SEED, index)
        stream: BatchStream | MixedStream = stream_of(
            task, tables.train[task.name], seed, model, tokenizer, config
        )
        if task.name == "sentiment" and tables.phrases is not None:
            seed = mix_seed(config.seed, PHRASE_SEED)
            phrases = stream_of(task, tables.phrases, seed, model, tokenizer, config)
            share, seed = config.sentiment_phrases, mix_seed(config.seed, SHARE_SEED)
            stream = MixedStream(stream, phrases, share, seed)
        if task.name == "paraphrase" and tables.statements is not None:
            seed = mix_seed(config.seed, STATEMENT_SEED)
            stated = stream_of(task, tables.statements, seed, model, tokenizer, config)
            share = config.paraphrase_statements
            seed = mix_seed(config.seed, STATEMENT_SHARE_SEED)
            stream = MixedStream(stream, stated, share, seed)
        if task.name in tables.alone:
            seed = mix_seed(config.seed, ALONE_SEED, index)
            alone = stream_of(task, tables.alone[task.name], seed, model, tokenizer, config)
            share, seed = config.unlabelled_share, mix_seed(config.seed, ALONE_SHARE_SEED, index)
            stream = MixedStream(stream, alone, share, seed)
        streams.append(stream)
    return streams


def stream_of(
    task: Task,
    table: Table,
    seed: int,
    model: MultitaskBert,
    tokenizer: Tokenizer,
    config: TrainConfig,
) -> BatchStream:
    """Tokenize one table and stream it."""
    siamese = reads_of(task, config).sides
    data = encode_task(task, table.examples, tokenizer, model.config, siamese=siamese)
    return BatchStream(
        data,
        seed,
        examples=config.batch_examples,
        tokens=config.batch_tokens,
        pad_id=tokenizer.pad_id,
    )
