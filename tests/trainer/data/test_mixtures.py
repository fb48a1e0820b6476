"""A task's batches out of two tables: their shares, their order, and going on after a stop."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from minbert.tables import Table
from minbert.tasks import TASKS
from tests.support import tiny_model
from tests.trainer.samples import task_examples
from tests.trainer.tuning import streams_of
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream
from trainer.data.mixtures import MixedStream, make_streams
from trainer.data.run_data import RunData

OWN, OTHER = 40, 24


@pytest.fixture
def pair(tmp_path: Path) -> tuple[BatchStream, BatchStream]:
    """Give two streams of sentiment, of different sizes."""
    model = tiny_model(tmp_path)
    return streams_of(model, count=OWN)[0], streams_of(model, count=OTHER)[0]


def sources(mixed: MixedStream, count: int) -> list[bool]:
    """Draw batches; say of each whether it came from the other table."""
    found = []
    for _ in range(count):
        before = mixed.other.state()
        mixed.next()
        found.append(mixed.other.state() != before)
    return found


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 1.0])
def test_the_other_table_has_its_share(pair: tuple[BatchStream, BatchStream], share: float) -> None:
    draws = 1000
    found = sum(sources(MixedStream(*pair, share, seed=3), draws)) / draws
    assert abs(found - share) <= 3 * math.sqrt(share * (1 - share) / draws)


def test_batches_are_those_of_the_streams(pair: tuple[BatchStream, BatchStream]) -> None:
    fresh = [BatchStream(s.data, s.seed, examples=s.examples, tokens=s.tokens) for s in pair]
    mixed = MixedStream(*pair, 0.5, seed=3)
    assert len(mixed.data) == OWN  # what the sampler of tasks sees
    draws = sources(MixedStream(*fresh, 0.5, seed=3), 12)
    assert 0 < sum(draws) < 12
    again = [BatchStream(s.data, s.seed, examples=s.examples, tokens=s.tokens) for s in pair]
    for other in draws:
        wanted, found = again[other].next(), mixed.next()
        assert torch.equal(wanted.inputs.input_ids, found.inputs.input_ids)
        assert torch.equal(wanted.labels, found.labels)


def test_seeds_draw_differently_and_repeat_themselves(
    pair: tuple[BatchStream, BatchStream],
) -> None:
    drawn = [sources(MixedStream(*pair, 0.5, seed), 40) for seed in (3, 3, 4)]
    assert drawn[0] == drawn[1] != drawn[2]


def test_a_restored_mixture_goes_on_where_it_stopped(
    pair: tuple[BatchStream, BatchStream],
) -> None:
    def fresh() -> MixedStream:
        own, other = (BatchStream(s.data, s.seed, examples=8, tokens=200) for s in pair)
        return MixedStream(own, other, 0.5, seed=3)

    unbroken, first, second = fresh(), fresh(), fresh()
    wanted = [unbroken.next() for _ in range(30)][17:]
    for _ in range(17):
        first.next()
    second.restore(first.state())
    for batch in wanted:
        assert torch.equal(batch.inputs.input_ids, second.next().inputs.input_ids)
    assert second.state() == unbroken.state()


def test_a_run_mixes_sentiment_alone_and_only_where_phrases_are_there(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    train = {name: Table(tmp_path, task_examples(name, 20, 1), []) for name in TASKS}
    phrases = Table(tmp_path, task_examples("sentiment", 33, 2), [])
    config = TrainConfig(sentiment_phrases=0.25, batch_examples=8)
    mixed = make_streams(model, RunData(train, {}, {}, {}, phrases), config)
    plain = make_streams(model, RunData(train, {}, {}, {}), config)
    assert [type(stream) for stream in mixed] == [MixedStream, BatchStream, BatchStream]
    assert [type(stream) for stream in plain] == [BatchStream] * 3
    assert [stream.data.task.name for stream in mixed] == list(TASKS)
    first = mixed[0]
    assert isinstance(first, MixedStream)
    assert (first.share, len(first.other.data), len(first.data)) == (0.25, 33, 20)
    assert first.other.seed != first.own.seed
    for stream, other in zip(mixed[1:], plain[1:], strict=True):
        assert torch.equal(stream.next().inputs.input_ids, other.next().inputs.input_ids)
    assert torch.equal(first.own.next().labels, plain[0].next().labels)
