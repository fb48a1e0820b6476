"""Many visitors, one model: a single thread does all model work, in chunks.

Quick questions go first, and those that wait together are encoded together; the rows of a long
file come in small chunks between them. A chunk has at most 64 texts, so nobody waits longer for
the model than one chunk takes.
"""

from __future__ import annotations

import contextlib
import contextvars
import dataclasses
import heapq
import itertools
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Any, Self, TypeVar

import torch
from torch import Tensor

from minbert.answers import AttentionResult
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
        future: Future[Answer] = Future()
        self.submit(Work(None, 1, 1, None, lambda _: function(), future))
        return future.result()

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


class ServedPredictor(Predictor):
    """A predictor for many visitors at once: its model work goes through a `ModelQueue`."""

    def __init__(self, model: MultitaskBert, device: str = "auto", *, queue: ModelQueue) -> None:
        """Serve a model through the queue; several models may share one."""
        super().__init__(model, device)
        self.queue = queue

    @classmethod
    def serve(cls, name_or_dir: str | Path, device: str, queue: ModelQueue) -> Self:
        """Load a multitask checkpoint to be served through `queue`."""
        return cls(MultitaskBert.from_pretrained(name_or_dir), device, queue=queue)

    def pooled(self, inputs: Sequence[Encoded], task: str | None = None) -> Tensor:
        """Embed encoded inputs, (N, D) on the CPU, in their order, chunk by chunk."""
        plain = super().pooled
        if self.queue.here:
            return plain(inputs, task)
        urgency = _urgency.get()
        chunks = list(length_batches(inputs, TEXTS_PER_CHUNK[urgency], TOKENS_PER_CHUNK[urgency]))
        futures = []
        for rows in chunks:
            chunk = [inputs[row] for row in rows]
            longest = max(len(item) for item in chunk)

            def run(items: list[Encoded]) -> Tensor:
                return plain(items, task)

            futures.append(
                self.queue.submit(Work((id(self), task), len(chunk), longest, chunk, run, Future()))
            )
        embeddings = torch.empty(len(inputs), self.config.encoder.hidden_size)
        try:
            for rows, future in zip(chunks, futures, strict=True):
                embeddings[rows] = future.result()
        finally:
            for future in futures:  # after an error nobody waits for the others
                future.cancel()
        return embeddings

    def hidden(
        self, inputs: Sequence[Encoded], task: str | None = None, *, every_layer: bool = False
    ) -> list[Tensor]:
        """Return hidden states, as `Predictor.hidden` does, from the model's thread."""
        plain = super().hidden
        return self.queue.call(lambda: plain(inputs, task, every_layer=every_layer))

    def attention(self, *arguments: Any, **options: Any) -> AttentionResult:  # noqa: ANN401 - as Predictor.attention
        """Return attention maps, as `Predictor.attention` does, from the model's thread."""
        return self.queue.call(
            lambda: super(ServedPredictor, self).attention(*arguments, **options)
        )
