"""Starting what a person would start, as a process of its own, and stopping it."""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

ROOT = Path(__file__).resolve().parents[1]


def free_ports(count: int) -> list[int]:
    """Return ports that nobody listens on."""
    with contextlib.ExitStack() as probes:
        opened = [probes.enter_context(socket.socket()) for _ in range(count)]
        for probe in opened:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in opened]


class Program:
    """A running program whose output is read all the while: a full pipe would halt it."""

    def __init__(self, process: subprocess.Popen[str], output: IO[str], ready: str) -> None:
        """Read on until `ready` is printed, then on the side until the program ends.

        Raises:
            RuntimeError: the program stopped before that; with what it printed.
        """
        self.process = process
        self.lines: list[str] = []
        for line in output:
            self.lines.append(line)
            if ready in line:
                break
        else:
            raise RuntimeError("stopped before it told its address:\n" + "".join(self.lines))
        self.reader = threading.Thread(target=lambda: self.lines.extend(output), daemon=True)
        self.reader.start()

    def stop(self) -> str:
        """End the program; return all that it printed."""
        self.process.terminate()
        self.reader.join()
        return "".join(self.lines)


@contextlib.contextmanager
def serving(
    arguments: Sequence[str],
    ready: str,
    *,
    python: str = sys.executable,
    folder: Path = ROOT,
    **environment: str,
) -> Iterator[Program]:
    """Run Python with these arguments until the block ends; it begins when `ready` is printed.

    The block gets the program.

    Args:
        arguments: after `python`.
        ready: printed when the block may begin.
        python: the interpreter.
        folder: where it runs.
        environment: variables, beside this process's own.

    Raises:
        RuntimeError: the program stopped before that; with what it printed.
    """
    with subprocess.Popen(
        [python, *arguments],
        cwd=folder,
        env={**os.environ, "HF_HUB_OFFLINE": "1", **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        assert process.stdout is not None
        program = Program(process, process.stdout, ready)
        try:
            yield program
        finally:
            program.stop()


@contextlib.contextmanager
def served_app(
    folder: Path = ROOT, *, python: str = sys.executable, **environment: str
) -> Iterator[str]:
    """Start a folder's app as a person would, on a free port; give its address."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    there = {"GRADIO_SERVER_PORT": str(port), **environment}
    with serving(["app.py"], ready=url, python=python, folder=folder, **there):
        yield url


@contextlib.contextmanager
def served(*options: str, **environment: str) -> Iterator[tuple[str, int]]:
    """Start the real app with these options on a free port; give its address and process id."""
    (port,) = free_ports(1)
    url = f"http://127.0.0.1:{port}"
    there = {"GRADIO_SERVER_PORT": str(port), **environment}
    with serving(["app.py", *options], ready=url, **there) as program:
        yield url, program.process.pid
