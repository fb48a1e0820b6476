"""Waiting for the model, on the thread that asks or without one.

A function that answers a question asks the model's queue and waits. On a server with many callers
each would hold a thread meanwhile. `answered` runs the function until it has to wait, lets go of
the thread, and runs it again from its start once the model is done, with what is known by then.
So the function has to ask the same things in the same order each time, and ask few times.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

Found = TypeVar("Found")


class Unanswered(BaseException):
    """Ends a run that has to wait; not an Exception, so that nothing on the way swallows it."""

    def __init__(self, futures: Sequence[Future[Any]]) -> None:
        """Say what is waited for."""
        super().__init__()
        self.futures = futures


class Replay:
    """What a function asked the model in its runs so far, in order."""

    def __init__(self) -> None:
        """Begin with nothing asked."""
        self.asked: list[Sequence[Future[Any]]] = []
        self.place = 0

    def results(self, submit: Callable[[], Sequence[Future[Any]]]) -> list[Any]:
        """Return the results of the next thing asked.

        Raises:
            Unanswered: they aren't there yet.
        """
        if self.place == len(self.asked):
            self.asked.append(submit())
            raise Unanswered(self.asked[-1])
        self.place += 1
        return [future.result() for future in self.asked[self.place - 1]]


_replay: contextvars.ContextVar[Replay | None] = contextvars.ContextVar("replay", default=None)


def results_of(submit: Callable[[], Sequence[Future[Any]]]) -> list[Any]:
    """Submit work, and return its results when they are there.

    After an error nobody waits for the rest: what hasn't begun is cancelled.
    """
    replay = _replay.get()
    if replay is not None:
        return replay.results(submit)
    futures = submit()
    try:
        return [future.result() for future in futures]
    finally:
        for future in futures:
            future.cancel()


async def answered(function: Callable[[], Found]) -> Found:
    """Return a function's result; while it waits for the model it holds no thread.

    A task that is cancelled (the caller hung up) takes its work out of the queue.
    """
    replay = Replay()
    token = _replay.set(replay)  # threads started from here see the task's context
    try:
        while True:
            replay.place = 0
            try:
                return await asyncio.to_thread(function)
            except Unanswered as waits:
                waited = [asyncio.wrap_future(each) for each in waits.futures]
                await asyncio.gather(*waited, return_exceptions=True)  # told in the next run
    finally:
        _replay.reset(token)
        for futures in replay.asked:
            for future in futures:
                future.cancel()
