"""Many visitors, one model: nobody is lost, quick questions go first, chunks stay small."""

from __future__ import annotations

import functools
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest
import torch

from minbert.predictor import Predictor
from minbert.serving import (
    TEXTS_PER_CHUNK,
    TOKENS_PER_CHUNK,
    ModelQueue,
    Work,
    bulk_work,
    served,
)
from minbert.text import Encoded
from tests.support import WORDS, assert_close, redraw, tiny_model, watch_encoder

PATIENCE = 30  # seconds until a test gives up on a thread


@pytest.fixture
def queue() -> ModelQueue:
    return ModelQueue()


@pytest.fixture
def asked(tmp_path: Path, queue: ModelQueue) -> Predictor:
    model = tiny_model(tmp_path)
    redraw(model, seed=5, std=0.3)
    return served(model, "cpu", queue)


@pytest.fixture
def plain(asked: Predictor) -> Predictor:
    """Give the same model without a queue."""
    return Predictor(asked.model, "cpu")


class Gate:
    """Holds the model's thread until it is opened."""

    def __init__(self, queue: ModelQueue) -> None:
        self._open = threading.Event()
        reached = threading.Event()

        def hold(_: object) -> None:
            reached.set()
            self._open.wait(PATIENCE)

        queue.submit(Work(None, 1, 1, None, hold, Future()))
        assert reached.wait(PATIENCE)

    def open(self) -> None:
        self._open.set()


@pytest.fixture
def gate(queue: ModelQueue) -> Iterator[Gate]:
    held = Gate(queue)
    yield held
    held.open()


@pytest.fixture
def batches(monkeypatch: pytest.MonkeyPatch) -> list[list[Encoded]]:
    """Watch every batch that the encoder reads."""
    return watch_encoder(monkeypatch)


def sentences(count: int, words: int = 4) -> list[str]:
    return [" ".join(WORDS[(i + j * 7) % len(WORDS)] for j in range(words)) for i in range(count)]


def waiting(queue: ModelQueue, count: int) -> None:
    """Wait until so many pieces of work are queued."""
    deadline = time.monotonic() + PATIENCE
    while len(queue._waiting) < count:
        assert time.monotonic() < deadline
        time.sleep(0.005)


def test_answers_are_the_plain_predictor_s(asked: Predictor, plain: Predictor) -> None:
    texts = sentences(150)
    assert_close(asked.embed(texts), plain.embed(texts))
    assert asked.answer(texts[0], texts[1])[1].joint == pytest.approx(
        plain.answer(texts[0], texts[1])[1].joint, abs=1e-5
    )
    found, wanted = (model.attention(texts[0], layers=[1]) for model in (asked, plain))
    assert_close(found.weights, wanted.weights)
    items = plain.encode_single(texts[:3])
    for state, expected in zip(asked.hidden(items), plain.hidden(items), strict=True):
        assert_close(state, expected)
    assert asked.embed([]).shape == (0, 16)


def test_bulk_work_gives_the_same_answers(asked: Predictor, plain: Predictor) -> None:
    texts = sentences(60, words=9)
    with bulk_work():
        assert_close(asked.embed(texts), plain.embed(texts))


def test_thirty_two_visitors_at_once_are_all_answered(asked: Predictor, plain: Predictor) -> None:
    texts = sentences(32)
    with ThreadPoolExecutor(32) as pool:
        found = list(pool.map(lambda text: asked.sentiment([text])[0].expected, texts))
    wanted = [result.expected for result in plain.sentiment(texts)]
    assert found == pytest.approx(wanted, abs=1e-4)


def test_those_that_wait_together_are_encoded_together(
    asked: Predictor, queue: ModelQueue, gate: Gate, batches: list[list[Encoded]]
) -> None:
    with ThreadPoolExecutor(8) as pool:
        futures = [pool.submit(asked.embed, [text]) for text in sentences(8)]
        waiting(queue, 8)
        gate.open()
        for future in futures:
            assert future.result(PATIENCE).shape == (1, 16)
    assert [len(batch) for batch in batches] == [8]


@pytest.mark.parametrize("every_layer", [False, True])
def test_hidden_states_of_those_that_wait_together_are_their_own(
    asked: Predictor,
    plain: Predictor,
    queue: ModelQueue,
    gate: Gate,
    batches: list[list[Encoded]],
    every_layer: bool,
) -> None:
    questions = [
        plain.encode_single(texts)
        for texts in (sentences(5)[:2], [*sentences(1, 6), *sentences(9)[4:6]])
    ]
    read = functools.partial(asked.hidden, every_layer=every_layer)
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(read, items) for items in questions]
        embedded = pool.submit(asked.embed, sentences(2))
        waiting(queue, 3)
        gate.open()
        found = [future.result(PATIENCE) for future in futures]
        embeddings = embedded.result(PATIENCE)
    assert sorted(map(len, batches)) == [2, 5], "one batch for both, another for embeddings"
    assert_close(embeddings, plain.embed(sentences(2)))
    for states, items in zip(found, questions, strict=True):
        wanted = plain.hidden(items, every_layer=every_layer)
        for state, expected in zip(states, wanted, strict=True):
            assert_close(state, expected)


def test_each_of_those_encoded_together_gets_their_own_rows(
    asked: Predictor,
    plain: Predictor,
    queue: ModelQueue,
    gate: Gate,
    batches: list[list[Encoded]],
) -> None:
    questions = [sentences(5)[:2], sentences(9)[4:7], sentences(12)[9:]]
    with ThreadPoolExecutor(3) as pool:
        futures = [pool.submit(asked.embed, texts) for texts in questions]
        waiting(queue, 3)
        gate.open()
        found = [future.result(PATIENCE) for future in futures]
    assert [len(batch) for batch in batches] == [8], "one batch for all three"
    for embeddings, texts in zip(found, questions, strict=True):
        assert_close(embeddings, plain.embed(texts))


def test_a_chunk_never_holds_more_than_it_may(
    asked: Predictor, queue: ModelQueue, gate: Gate, batches: list[list[Encoded]]
) -> None:
    with ThreadPoolExecutor(30) as pool:
        futures = [pool.submit(asked.embed, sentences(7)) for _ in range(30)]
        waiting(queue, 30)
        gate.open()
        assert sum(len(future.result(PATIENCE)) for future in futures) == 210
    assert max(len(batch) for batch in batches) <= max(TEXTS_PER_CHUNK.values()) == 64
    assert len(batches) < 30


def test_bulk_chunks_are_small(asked: Predictor, batches: list[list[Encoded]]) -> None:
    with bulk_work():
        asked.embed([*sentences(40), *sentences(20, words=40)])
    assert sum(len(batch) for batch in batches) == 60
    assert all(len(batch) <= TEXTS_PER_CHUNK[1] for batch in batches)
    assert all(sum(map(len, batch)) <= TOKENS_PER_CHUNK[1] for batch in batches)


def test_a_quick_question_goes_before_the_rest_of_a_long_file(
    asked: Predictor, queue: ModelQueue, gate: Gate
) -> None:
    order: list[str] = []

    def read_file() -> None:
        with bulk_work():
            asked.embed(sentences(160))
        order.append("file")

    def ask() -> None:
        asked.embed(["a good film"])
        order.append("question")

    with ThreadPoolExecutor(2) as pool:
        pool.submit(read_file)
        waiting(queue, 10)
        pool.submit(ask)
        waiting(queue, 11)
        gate.open()
    assert order == ["question", "file"]


def test_a_quick_question_takes_no_row_of_a_file_into_its_batch(
    asked: Predictor, queue: ModelQueue, gate: Gate, batches: list[list[Encoded]]
) -> None:
    def read_file() -> None:
        with bulk_work():
            asked.embed(sentences(160))

    with ThreadPoolExecutor(2) as pool:
        pool.submit(read_file)
        waiting(queue, 10)
        pool.submit(asked.embed, ["a good film"])
        waiting(queue, 11)
        gate.open()
    assert len(batches[0]) == 1
    assert sum(len(batch) for batch in batches) == 161


def test_two_models_share_a_queue_and_are_not_mixed_up(
    asked: Predictor, queue: ModelQueue, gate: Gate, tmp_path: Path
) -> None:
    model = tiny_model(tmp_path / "other")
    redraw(model, seed=6, std=0.3)
    other = served(model, "cpu", queue)
    wanted = [Predictor(p.model, "cpu").embed(["a good film"]) for p in (asked, other)]
    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(p.embed, ["a good film"]) for p in (asked, other)]
        waiting(queue, 2)
        gate.open()
        for future, expected in zip(futures, wanted, strict=True):
            assert_close(future.result(PATIENCE), expected)
    assert not torch.allclose(wanted[0], wanted[1], atol=1e-3)


@pytest.mark.parametrize("chunked", [True, False])
def test_an_error_reaches_who_asked_and_the_queue_goes_on(
    asked: Predictor, queue: ModelQueue, monkeypatch: pytest.MonkeyPatch, chunked: bool
) -> None:
    def break_off() -> None:
        raise RuntimeError("out of memory")

    watch_encoder(monkeypatch, break_off)
    ask = functools.partial(asked.embed, ["a good film"])
    with pytest.raises(RuntimeError, match="out of memory"):
        ask() if chunked else queue.call(ask)
    monkeypatch.undo()
    assert asked.embed(["a good film"]).shape == (1, 16)


def test_after_an_error_the_other_chunks_of_a_question_do_not_run(
    asked: Predictor, queue: ModelQueue, monkeypatch: pytest.MonkeyPatch, gate: Gate
) -> None:
    def break_off() -> None:
        time.sleep(0.2)  # longer than the asker needs to let the others go
        raise RuntimeError("out of memory")

    read = watch_encoder(monkeypatch, break_off)
    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(asked.embed, sentences(64 * 6))
        waiting(queue, 6)
        gate.open()
        with pytest.raises(RuntimeError, match="out of memory"):
            future.result(PATIENCE)
    assert queue.call(lambda: 7) == 7
    assert len(read) <= 2, "the first, and perhaps one that had begun"


def test_a_call_from_the_model_s_own_thread_runs_at_once(queue: ModelQueue) -> None:
    assert queue.call(lambda: queue.call(lambda: 7)) == 7


def test_work_that_was_cancelled_is_left_out(
    asked: Predictor, queue: ModelQueue, gate: Gate
) -> None:
    done: list[str] = []
    futures = [
        queue.submit(Work(None, 1, 1, None, lambda _, name=name: done.append(name), Future()))
        for name in ("first", "second")
    ]
    assert futures[0].cancel()
    gate.open()
    futures[1].result(PATIENCE)
    assert done == ["second"]
    assert isinstance(asked.encode_single(["a film"])[0], Encoded)
