"""A function that waits for the model without a thread: its answer, its errors, its end."""

from __future__ import annotations

import asyncio
import functools
import threading
from concurrent.futures import Future
from pathlib import Path

import pytest

from minbert.backends.waiting import answered
from minbert.predictor import Predictor
from minbert.serving import ModelQueue, Work, served
from tests.support import run_async, tiny_model, watch_encoder

PAIR = ("the film is good", "the story is bad")


@pytest.fixture
def queue() -> ModelQueue:
    return ModelQueue()


@pytest.fixture
def predictor(tmp_path: Path, queue: ModelQueue) -> Predictor:
    return served(tiny_model(tmp_path), "cpu", queue)


def held(queue: ModelQueue) -> threading.Event:
    """Hold the model's thread until the event is set."""
    opened = threading.Event()
    queue.submit(Work(None, 1, 1, None, lambda _: opened.wait(30), Future()))
    return opened


def test_the_answer_is_the_plain_one(predictor: Predictor) -> None:
    plain = predictor.pairs([PAIR])
    assert run_async(answered(functools.partial(predictor.pairs, [PAIR]))) == plain


def test_several_questions_in_a_row_and_calls_are_all_answered(predictor: Predictor) -> None:
    runs = []

    def several() -> list[float]:
        runs.append(1)
        first = predictor.sentiment([PAIR[0]])[0].expected
        (states,) = predictor.hidden(predictor.encode_single([PAIR[1]]))
        return [first, float(states.sum()), predictor.siamese([PAIR]).item()]

    assert run_async(answered(several)) == several()
    assert len(runs) == 1 + 3 + 1  # once more for each thing that was waited for; and by itself


def test_no_thread_is_held_while_the_model_is_busy(predictor: Predictor, queue: ModelQueue) -> None:
    running = set()

    def ask() -> float:
        running.add(threading.current_thread())
        try:
            return predictor.siamese([PAIR]).item()
        finally:
            running.discard(threading.current_thread())

    async def many() -> list[float]:
        opened = held(queue)
        tasks = [asyncio.ensure_future(answered(ask)) for _ in range(40)]
        while len(queue._waiting) < 40:  # all have asked, more than the pool has threads
            await asyncio.sleep(0.01)
        assert not running
        opened.set()
        return await asyncio.gather(*tasks)

    assert run_async(many()) == [pytest.approx(ask())] * 40


def test_an_error_of_the_model_reaches_who_asked(
    predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off() -> None:
        raise RuntimeError("out of memory")

    watch_encoder(monkeypatch, break_off)
    with pytest.raises(RuntimeError, match="out of memory"):
        run_async(answered(functools.partial(predictor.siamese, [PAIR])))
    monkeypatch.undo()
    assert predictor.siamese([PAIR]).shape == (1,)  # the queue goes on


def test_who_hangs_up_takes_the_work_out_of_the_queue(
    predictor: Predictor, queue: ModelQueue, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = watch_encoder(monkeypatch)

    async def hang_up() -> None:
        opened = held(queue)
        task = asyncio.ensure_future(answered(functools.partial(predictor.siamese, [PAIR])))
        while not queue._waiting:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        opened.set()

    run_async(hang_up())
    queue.call(lambda: None)  # behind it
    assert not done
