"""Long model work in steps: a thread that tells how far it is, and stops when nobody waits.

All of it stands back behind quick questions (`minbert.serving.bulk_work`).
"""

from __future__ import annotations

import dataclasses
import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, TypeVar

import torch
from torch import Tensor

from minbert.backends.local import Backend
from minbert.predictor import Predictor
from minbert.serving import bulk_work
from minbert.text import Encoded

TEXTS_AT_ONCE = 32  # between two tellings of how far it is
Found = TypeVar("Found")


@dataclasses.dataclass(frozen=True)
class Far:
    """How far a piece of work is."""

    what: str
    done: int
    whole: int

    @property
    def told(self) -> str:
        """Return it as a sentence's part."""
        return f"{self.what}: {self.counted}"

    @property
    def counted(self) -> str:
        """Return its numbers."""
        return f"{self.done:,} of {self.whole:,}"

    @property
    def share(self) -> float:
        """Return what part of it is done."""
        return self.done / self.whole if self.whole else 0.0


@dataclasses.dataclass(frozen=True)
class Done(Generic[Found]):
    """What the work found."""

    value: Found


class StoppedError(Exception):
    """Nobody waits for the work any more."""


Tell = Callable[[Far], None]  # raises `StoppedError` when nobody waits


class Press:
    """One visitor's work under way: the events that end it share this object, none has a copy.

    Gradio's own cancelling would leave the work going until it tells twice more, and may show a
    line of progress that was sent before; work that is over ends by itself, with a last line.
    """

    def __init__(self) -> None:
        """Begin with nothing under way."""
        self._number = 0
        self.ended = True  # nothing was begun since the last end
        self.forgotten: tuple[str, ...] = ()  # the parts that the end emptied

    def begin(self) -> Callable[[], bool]:
        """Begin a piece of work, which ends the one before; return what says that it is over."""
        self._number += 1
        self.ended, mine = False, self._number
        return lambda: self._number != mine

    def end(self, *forgotten: str) -> None:
        """End what is under way, where it tells next; `forgotten` are parts that are emptied."""
        self._number += 1
        self.ended, self.forgotten = True, forgotten


def in_steps(
    work: Callable[[Tell], Found], over: Callable[[], bool] = lambda: False
) -> Iterator[Far | Done[Found]]:
    """Run `work` in a thread of its own; yield how far it is, at last what it found.

    Closing the iterator stops the work where it tells next; so does `over`, and the iterator ends.
    An error of the work is raised here.
    """
    told: queue.SimpleQueue[Far | Done[Found] | BaseException] = queue.SimpleQueue()
    nobody_waits = threading.Event()

    def tell(far: Far) -> None:
        if nobody_waits.is_set() or over():
            raise StoppedError
        told.put(far)

    def run() -> None:
        try:
            with bulk_work():
                told.put(Done(work(tell)))
        except BaseException as error:  # it belongs to whoever waits for it
            told.put(error)

    threading.Thread(target=run, name="explanation", daemon=True).start()
    try:
        while True:
            step = told.get()
            while not told.empty():  # the latest is enough
                step = told.get()
            if isinstance(step, StoppedError) or over():
                return
            if isinstance(step, BaseException):
                raise step
            yield step
            if isinstance(step, Done):
                return
    finally:
        nobody_waits.set()


class WatchedBackend:
    """A backend that reports how many texts it has embedded, for explanations that only embed."""

    def __init__(self, plain: Backend, what: str, tell: Tell) -> None:
        """Leave the work to `plain`; `what` names it in the reports."""
        self._plain, self._what, self._tell = plain, what, tell
        self.hidden, self.maps, self.call = plain.hidden, plain.maps, plain.call

    def pooled(self, inputs: Sequence[Encoded], task: str | None) -> Tensor:
        """Return the pooled embeddings; report before each chunk."""
        if not inputs:
            return self._plain.pooled(inputs, task)
        rows = sorted(range(len(inputs)), key=lambda row: len(inputs[row]))
        found = []
        for start in range(0, len(rows), TEXTS_AT_ONCE):
            self._tell(Far(self._what, start, len(rows)))
            chunk = rows[start : start + TEXTS_AT_ONCE]
            found.append(self._plain.pooled([inputs[row] for row in chunk], task))
        joined = torch.cat(found)
        embeddings = torch.empty_like(joined)
        embeddings[rows] = joined
        return embeddings


def watched(predictor: Predictor, what: str, tell: Tell) -> Predictor:
    """Return a predictor that reports how many texts it has embedded."""
    return predictor.with_backend(WatchedBackend(predictor.backend, what, tell))
