"""Batches: every example once a pass, within both limits, and continued exactly."""

from __future__ import annotations

import dataclasses
import random

import pytest
import torch

from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.tasks import TASKS
from minbert.text import Encoded, Tokenizer, pad
from tests.support import assert_close, assert_seed_decides, tiny_config
from tests.trainer.samples import task_examples
from trainer.data.batches import BatchStream, EncodedTask, TaskBatch, cut_into_batches, encode_task


def numbered(count: int, *, longest: int = 30, seed: int = 0) -> EncodedTask:
    """Make inputs of random lengths; the second id and the label are the row's number."""
    draw = random.Random(seed)
    lengths = [draw.randint(3, longest) for _ in range(count)]
    inputs = [Encoded([2, row, *[9] * (size - 2)], [0] * size) for row, size in enumerate(lengths)]
    return EncodedTask(TASKS["sentiment"], inputs, [], torch.arange(float(count)))


def one_pass(stream: BatchStream) -> list[TaskBatch]:
    """Draw batches until each example was seen."""
    batches: list[TaskBatch] = []
    while sum(len(batch.labels) for batch in batches) < len(stream.data):
        batches.append(stream.next())
    return batches


def rows_of(batch: TaskBatch) -> list[int]:
    """Return the row numbers that a batch of `numbered` holds."""
    return batch.inputs.input_ids[:, 1].tolist()


@pytest.mark.parametrize("count", [1, 7, 64, 1000])
def test_a_pass_holds_every_example_exactly_once(count: int) -> None:
    stream = BatchStream(numbered(count), 3, examples=8, tokens=120)
    for _ in range(3):
        seen = [row for batch in one_pass(stream) for row in rows_of(batch)]
        assert sorted(seen) == list(range(count))


def test_labels_stay_with_their_inputs() -> None:
    for batch in one_pass(BatchStream(numbered(90), 3, examples=8, tokens=120)):
        assert batch.labels.tolist() == rows_of(batch)


@pytest.mark.parametrize(("examples", "tokens"), [(8, 10_000), (10_000, 90), (8, 90), (1, 90)])
def test_batches_keep_both_limits(examples: int, tokens: int) -> None:
    batches = one_pass(BatchStream(numbered(300), 3, examples=examples, tokens=tokens))
    assert max(len(batch.labels) for batch in batches) <= examples
    assert max(batch.inputs.input_ids.numel() for batch in batches) <= tokens
    fullest = max(
        max(len(batch.labels) / examples, batch.inputs.input_ids.numel() / tokens)
        for batch in batches
    )
    assert fullest > 0.9


def test_an_example_longer_than_the_token_limit_stands_alone() -> None:
    data = numbered(6, longest=5)
    long = dataclasses.replace(
        data, inputs=[*data.inputs[:-1], Encoded([2, 5, *[9] * 38], [0] * 40)]
    )
    batches = one_pass(BatchStream(long, 0, examples=4, tokens=20))
    assert [rows_of(batch) for batch in batches if batch.inputs.input_ids.shape[1] == 40] == [[5]]


def test_cut_by_hand() -> None:
    lengths = [2, 3, 3, 4, 9]
    assert cut_into_batches(range(5), lengths, 3, 100) == [[0, 1, 2], [3, 4]]
    assert cut_into_batches(range(5), lengths, 9, 9) == [[0, 1, 2], [3], [4]]
    assert cut_into_batches([], lengths, 3, 9) == []


def test_the_next_pass_is_shuffled_afresh() -> None:
    stream = BatchStream(numbered(60), 3, examples=8, tokens=200)
    passes = [[rows_of(batch) for batch in one_pass(stream)] for _ in range(3)]
    assert passes[0] != passes[1]
    assert passes[1] != passes[2]
    together = [{frozenset(rows) for rows in found} for found in passes]
    assert together[0] != together[1], "other batches, and not the same in another order"


def test_batches_of_one_pass_do_not_come_by_length() -> None:
    batches = one_pass(BatchStream(numbered(400), 3, examples=8, tokens=10_000))
    widths = [batch.inputs.input_ids.shape[1] for batch in batches]
    assert widths != sorted(widths)
    assert widths != sorted(widths, reverse=True)


def test_the_seed_decides_the_order() -> None:
    data = numbered(50)

    def order(seed: int) -> list[list[int]]:
        stream = BatchStream(data, seed, examples=8, tokens=200)
        return [rows_of(stream.next()) for _ in range(20)]

    assert_seed_decides(order)


def test_streams_leave_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    wanted = torch.rand(3)
    torch.manual_seed(5)
    one_pass(BatchStream(numbered(50), 1, examples=8, tokens=200))
    assert torch.equal(torch.rand(3), wanted)


@pytest.mark.parametrize("taken", [0, 1, 6, 7, 8, 20])
def test_a_restored_stream_continues_identically(taken: int) -> None:
    data = numbered(50)
    first = BatchStream(data, 4, examples=8, tokens=10_000)  # 7 batches a pass
    for _ in range(taken):
        first.next()
    state = dict(first.state())
    second = BatchStream(data, 4, examples=8, tokens=10_000)
    second.restore(state)
    for _ in range(15):
        wanted, found = first.next(), second.next()
        assert torch.equal(found.inputs.input_ids, wanted.inputs.input_ids)
        assert torch.equal(found.labels, wanted.labels)
    assert second.state() == first.state()


def test_batches_are_padded_far_less_than_in_random_order() -> None:
    data = numbered(2000, longest=60)
    batches = one_pass(BatchStream(data, 3, examples=16, tokens=10_000))
    real = sum(batch.tokens for batch in batches)
    assert real == sum(map(len, data.inputs))
    padded = sum(batch.inputs.input_ids.numel() for batch in batches)
    order = random.Random(1).sample(range(2000), 2000)
    unsorted = 0
    for start in range(0, 2000, 16):
        rows = order[start : start + 16]
        unsorted += len(rows) * max(len(data.inputs[row]) for row in rows)
    assert unsorted / real > 1.5
    assert padded / real < 1.1


def test_the_siamese_side_holds_the_first_sentences_then_the_second(tokenizer: Tokenizer) -> None:
    encoder = tiny_config(vocab_size=len(tokenizer))
    model_config = MultitaskConfig(encoder=encoder, max_length=48)
    examples = task_examples("similarity", 9, 4)
    data = encode_task(TASKS["similarity"], examples, tokenizer, model_config, siamese=True)
    batch = BatchStream(data, 0, examples=9, tokens=10_000).gather([4, 0, 7])
    assert batch.sides is not None
    texts = [examples[row].texts[side] for side in (0, 1) for row in (4, 0, 7)]
    alone = pad([tokenizer.single(pieces, 48) for pieces in tokenizer.pieces(texts)])
    assert torch.equal(batch.sides.input_ids, alone.input_ids)
    assert torch.equal(batch.sides.attention_mask, alone.attention_mask)
    assert batch.labels.tolist() == [pytest.approx(examples[row].label) for row in (4, 0, 7)]
    assert batch.tokens == int(batch.inputs.attention_mask.sum() + alone.attention_mask.sum())


@pytest.mark.parametrize("name", TASKS)
def test_a_task_s_inputs(name: str, model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    examples = task_examples(name, 5, 2)
    data = encode_task(TASKS[name], examples, model.tokenizer, model.config, siamese=False)
    assert data.sides == []
    assert len(data) == 5
    assert data.labels.tolist() == pytest.approx([example.label for example in examples])
    first, second = model.tokenizer.pieces([examples[3].texts[0], examples[3].texts[-1]])
    if TASKS[name].pair:
        assert data.inputs[3] == model.tokenizer.joint(first, second, 48, token_types=True)
    else:
        assert data.inputs[3] == model.tokenizer.single(first, 48)


def test_inputs_are_truncated_and_typed_as_the_model_says(model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    config = dataclasses.replace(model.config, max_length=9, pair_token_types=False)
    examples = task_examples("paraphrase", 5, 2)
    data = encode_task(TASKS["paraphrase"], examples, model.tokenizer, config, siamese=True)
    assert max(map(len, data.inputs)) == 9
    assert {kind for item in data.inputs for kind in item.token_types} == {0}
    assert max(len(side) for pair in data.sides for side in pair) <= 9


def test_batch_mates_do_not_change_an_embedding(model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    examples = task_examples("similarity", 40, 4)
    data = encode_task(TASKS["similarity"], examples, model.tokenizer, model.config, siamese=True)
    stream = BatchStream(data, 0, examples=8, tokens=10_000)
    alone = stream.gather([11])
    mates = stream.gather([3, 11, 30, 17])
    assert mates.sides is not None
    assert alone.sides is not None
    assert mates.inputs.input_ids.shape[1] > alone.inputs.input_ids.shape[1]
    with torch.no_grad():
        assert_close(model.embed(mates.inputs)[1], model.embed(alone.inputs)[0])
        assert_close(model.embed(mates.sides)[[1, 5]], model.embed(alone.sides))


def test_an_example_without_a_label_is_refused(model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    examples = task_examples("sentiment", 4, 1)
    examples[2] = dataclasses.replace(examples[2], label=None)
    told = r"`examples` of sentiment should all be labelled\. Found 1 without a label\."
    with pytest.raises(ValueError, match=told):
        encode_task(TASKS["sentiment"], examples, model.tokenizer, model.config, siamese=False)


def test_a_label_of_zero_is_a_label(model: MultitaskBert) -> None:
    assert model.tokenizer is not None
    examples = [dataclasses.replace(row, label=0.0) for row in task_examples("sentiment", 4, 1)]
    data = encode_task(TASKS["sentiment"], examples, model.tokenizer, model.config, siamese=False)
    assert data.labels.tolist() == [0.0] * 4
