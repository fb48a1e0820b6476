"""A stand-in for `spaces.GPU`, which is only on ZeroGPU Spaces: it forks as that does."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from collections.abc import Callable
from typing import Any


class ForkedGpu:
    """Does as `spaces.GPU` does: a task runs in a forked process, and what crosses is pickled."""

    def __init__(self) -> None:
        """Remember where each task ran."""
        self.processes: list[int] = []

    def __call__(self, task: Callable[..., bytes]) -> Callable[..., bytes]:
        """Decorate a task."""
        context = multiprocessing.get_context("fork")

        def run(crossed: bytes, answers: Any) -> None:  # noqa: ANN401 - a multiprocessing queue
            arguments, options = pickle.loads(crossed)
            threads = [thread.name for thread in threading.enumerate()]
            try:
                found: object = task(*arguments, **options)
            except Exception as error:  # it belongs to whoever asked
                found = error
            answers.put((os.getpid(), threads, found))

        def decorated(*arguments: object, **options: object) -> bytes:
            answers = context.SimpleQueue()
            crossed = pickle.dumps((arguments, options))
            process = context.Process(target=run, args=(crossed, answers), daemon=True)
            process.start()
            pid, threads, found = answers.get()
            process.join(10)
            assert "model" not in threads, "a fork has no queue to wait for"
            self.processes.append(pid)
            if isinstance(found, Exception):
                raise found
            assert isinstance(found, bytes)
            return found

        return decorated
