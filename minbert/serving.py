"""Many visitors, one model: a single thread does all model work, in chunks.

Quick questions go first, and those that wait together are encoded together; the rows of a long
file come in small chunks between them. A chunk has at most 64 texts, so nobody waits longer for
the model than one chunk takes.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import functools
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

import torch
from torch import Tensor

from minbert.backends.local import Backend
from minbert.backends.waiting import results_of
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.text import Encoded, length_batches

QUICK, BULK = 0, 1
TEXTS_PER_CHUNK = {QUICK: 64, BULK: 16}
TOKENS_PER_CHUNK = {QUICK: 4096, BULK: 256}  # padding counted; 256 take one core about 0.07 s
Answer = TypeVar("Answer")

_urgency = contextvars.ContextVar("urgency", default=QUICK)


@contextlib.contextmanager
def bulk_work() -> Iterator[None]:
    """Let all model work of this block stand back behind quick questions."""
    token = _urgency.set(BULK)
    try:
        yield
    finally:
        _urgency.reset(token)


@dataclasses.dataclass
class Work:
    """Something to do with a model; items with the same key can be done together."""

    key: object  # None: it is done alone
    texts: int
    longest: int  # tokens of its longest input
    inputs: Any
    run: Callable[[Any], Any]
    future: Future[Any]


class ModelQueue:
    """The one thread that does model work, and what waits for it."""

    def __init__(self) -> None:
        """Start the thread; it ends with the program."""
        self._waiting: list[tuple[int, int, Work]] = []  # a heap: urgency, number, work
        self._numbers = itertools.count()
        self._change = threading.Condition()
        self._thread = threading.Thread(target=self._serve, name="model", daemon=True)
        self._thread.start()

    def submit(self, work: Work) -> Future[Any]:
        """Queue a piece of work behind what is as urgent; return its future."""
        with self._change:
            heapq.heappush(self._waiting, (_urgency.get(), next(self._numbers), work))
            self._change.notify()
        return work.future

    @property
    def here(self) -> bool:
        """Say whether this is the model's own thread, which must not wait for itself."""
        return threading.current_thread() is self._thread

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Run a short function on the model's thread, alone, and wait for its result.

        On that thread itself it runs at once.
        """
        if self.here:
            return function()
        work = Work(None, 1, 1, None, lambda _: function(), Future[Answer]())
        (found,) = results_of(lambda: [self.submit(work)])
        return found  # type: ignore[no-any-return] # the function's own

    def _serve(self) -> None:
        while True:
            with self._change:
                while not self._waiting:
                    self._change.wait()
                together = self._take()
            together = [work for work in together if work.future.set_running_or_notify_cancel()]
            if together:
                self._do(together)

    def _take(self) -> list[Work]:
        """Take the most urgent work, and what is as urgent and can be done with it in one chunk."""
        urgency, _, first = heapq.heappop(self._waiting)
        taken = [first]
        if first.key is None:
            return taken
        kept = []
        for entry in sorted(self._waiting, key=lambda entry: entry[:2]):
            other_urgency, _, other = entry
            texts = sum(work.texts for work in taken) + other.texts
            longest = max(other.longest, *(work.longest for work in taken), 0)
            fits = texts <= TEXTS_PER_CHUNK[urgency]
            fits = fits and texts * longest <= TOKENS_PER_CHUNK[urgency]
            if other.key == first.key and other_urgency == urgency and fits:
                taken.append(other)
            else:
                kept.append(entry)
        self._waiting = kept
        heapq.heapify(self._waiting)
        return taken

    def _do(self, together: list[Work]) -> None:
        first = together[0]
        try:
            if first.key is None:
                first.future.set_result(first.run(first.inputs))
                return
            results = first.run([item for work in together for item in work.inputs])
            start = 0
            for work in together:
                work.future.set_result(results[start : start + work.texts])
                start += work.texts
        except Exception as error:  # it belongs to whoever waits for it
            for work in together:
                if not work.future.done():
                    work.future.set_exception(error)


class QueuedBackend:
    """A backend for many visitors at once: its work goes through a `ModelQueue`."""

    def __init__(self, plain: Backend, queue: ModelQueue) -> None:
        """Let the queue's thread do what `plain` does; several backends may share a queue."""
        self._plain, self.queue = plain, queue

    def pooled(self, inputs: Sequence[Encoded], task: str | None) -> Tensor:
        """Return the pooled embeddings, chunk by chunk."""
        if self.queue.here or not inputs:
            return self._plain.pooled(inputs, task)
        run = functools.partial(self._plain.pooled, task=task)
        chunks, found = self._by_chunks(inputs, run, ("pooled", task))
        embeddings = torch.empty(len(inputs), found[0].shape[1])
        for rows, part in zip(chunks, found, strict=True):
            embeddings[rows] = part
        return embeddings

    def hidden(
        self, inputs: Sequence[Encoded], task: str | None, *, every_layer: bool
    ) -> list[Tensor]:
        """Return the hidden states, chunk by chunk."""
        if self.queue.here or not inputs:
            return self._plain.hidden(inputs, task, every_layer=every_layer)
        run = functools.partial(self._plain.hidden, task=task, every_layer=every_layer)
        chunks, found = self._by_chunks(inputs, run, ("hidden", task, every_layer))
        by_row = {
            row: state
            for rows, part in zip(chunks, found, strict=True)
            for row, state in zip(rows, part, strict=True)
        }
        return [by_row[row] for row in range(len(inputs))]

    def _by_chunks(
        self, inputs: Sequence[Encoded], run: Callable[[Any], Any], task: tuple[object, ...]
    ) -> tuple[list[list[int]], list[Any]]:
        """Return the chunks' rows, and what `run` makes of each; `task` names what it computes."""
        urgency = _urgency.get()
        chunks = list(length_batches(inputs, TEXTS_PER_CHUNK[urgency], TOKENS_PER_CHUNK[urgency]))

        def submit(rows: Sequence[int]) -> Future[Any]:
            chunk = [inputs[row] for row in rows]
            longest, future = max(len(item) for item in chunk), Future[Any]()
            work = Work((id(self._plain), task), len(chunk), longest, chunk, run, future)
            return self.queue.submit(work)

        return chunks, results_of(lambda: [submit(rows) for rows in chunks])

    def maps(self, item: Encoded, layers: Sequence[int], task: str | None = None) -> Tensor:
        """Return the attention maps, from the model's thread."""
        return self.call(lambda: self._plain.maps(item, layers, task))

    def call(self, function: Callable[[], Answer]) -> Answer:
        """Run a short function on the model's thread, alone, and wait for it."""
        return self.queue.call(function)


def served(
    model: MultitaskBert, device: str, queue: ModelQueue, runtime: str = "auto"
) -> Predictor:
    """Return a predictor of a model whose work goes through the queue; rest as `Predictor`."""
    plain = Predictor(model, device, runtime=runtime)
    return plain.with_backend(QueuedBackend(plain.backend, queue))
