"""Processes forked from one that has imported the trainer: each is killed as a real one is.

A fresh interpreter spends several times as long on imports as a tiny run does on training.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import torch

FORKED = multiprocessing.get_context("forkserver")
FORKED.set_forkserver_preload(
    [
        *("trainer.cli", "trainer.run.chain", "tests.trainer.run.two_processes"),
        *(
            "torch._dynamo",
            "transformers.models.bert.tokenization_bert",
        ),  # imported when first used
    ]
)


def start(
    told: Path,
    target: Callable[..., int],
    *arguments: object,
    stop: str = "",
    environment: dict[str, str] | None = None,
) -> ForkServerProcess:
    """Start a function in a process of its own, whose exit status it returns.

    Args:
        told: the file that gets what the process prints.
        target: a function of a module.
        arguments: the function's.
        stop: where SIGKILL ends it, around a rename of a file onto its place: the file's ending,
            the count of such renames, and the moment. "torn" is before it, with the file that is
            written beside cut in half, "after" is right after it.
        environment: variables to set.
    """
    rest = (told, target, arguments, stop, environment or {})
    process = FORKED.Process(target=_run, args=rest, daemon=True)
    process.start()
    return process


def _run(
    told: Path,
    target: Callable[..., int],
    arguments: tuple[object, ...],
    stop: str,
    environment: dict[str, str],
) -> None:
    words = os.open(told, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(words, stream)
    os.environ.update(environment)
    torch.set_num_threads(1)
    if stop:
        _stop_at(*stop.split(":"))
    sys.exit(target(*arguments))


def _stop_at(name: str, number: str, moment: str) -> None:
    """Let this process end around the N-th rename of a file onto its place."""
    replace, left = os.replace, int(number)

    def stopping(source: str, target: str) -> None:
        nonlocal left
        left -= str(target).endswith(name)
        last = str(target).endswith(name) and left == 0
        if last and moment == "torn":
            os.truncate(source, os.path.getsize(source) // 2)  # noqa: PTH202 - as it is called
            os.kill(os.getpid(), signal.SIGKILL)
        replace(source, target)
        if last:
            os.kill(os.getpid(), signal.SIGKILL)

    os.replace = stopping  # type: ignore[assignment]
