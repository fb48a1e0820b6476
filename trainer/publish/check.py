"""The Space's folder, tried before it is uploaded: started alone, asked over HTTP."""

from __future__ import annotations

import contextlib
import json
import math
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

from minbert.files import json_text
from trainer.publish.errors import PublishError

KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "SYSTEMROOT", "OMP_NUM_THREADS")
PATIENCE = 480.0  # seconds until the app has answered
SETTLING = 2.0  # seconds that a page which answers still needs for its own start
TOO_BUSY = "localhost is not accessible"  # gradio's words after 3 s without its own answer
ASKED = ["What a lovely little film.", "The film is a small delight."]


def check_space(
    folder: Path,
    report: Callable[[str], None],
    *,
    python: str = sys.executable,
    patience: float = PATIENCE,
) -> dict[str, Any]:
    """Start the folder's app in a process of its own and ask it one question.

    The process has the folder as its working directory, no PYTHONPATH, no token and no Hub.

    Returns:
        the answer of the app's endpoint `predict`.

    Raises:
        PublishError: it stops, doesn't answer in time, or answers something else.
    """
    report("Checking: the folder's own app starts and answers ...")
    begun = time.monotonic()
    with running(folder, report, python=python, patience=patience) as (_, answer):
        report(f"It answers; {time.monotonic() - begun:.0f} s from start to answer")
    return answer


@contextlib.contextmanager
def running(
    folder: Path,
    report: Callable[[str], None],
    *,
    python: str = sys.executable,
    patience: float = PATIENCE,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Run a folder's app, which was asked one question, until the block ends.

    The block gets its address and that answer.

    Raises:
        PublishError: as `check_space`.
    """
    with contextlib.ExitStack() as stack:
        try:
            asked = stack.enter_context(started(folder, python, time.monotonic() + patience))
        except PublishError as error:
            if TOO_BUSY not in str(error):
                raise
            report("Gradio couldn't reach itself within its 3 s, on a busy machine; once more ...")
            asked = stack.enter_context(started(folder, python, time.monotonic() + patience))
        yield asked


@contextlib.contextmanager
def started(folder: Path, python: str, deadline: float) -> Iterator[tuple[str, dict[str, Any]]]:
    """Start the folder's app and ask it; stop it when the block ends.

    Raises:
        PublishError: as `check_space`, with the app's last words.
    """
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [python, "-B", "app.py"],
            cwd=folder,
            env=clean_environment(port),
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            try:
                answer = ask_patiently(process, url, deadline)
            except (PublishError, OSError, ValueError) as error:
                why = how_it_ended(process) or str(error)
                raise PublishError(
                    f"The folder's app doesn't work, so nothing was uploaded: {why}\n"
                    f"Its last words:\n{last_lines(log)}"
                ) from error
            yield url, answer
        finally:
            stop(process)


def clean_environment(port: int) -> dict[str, str]:
    """Return the environment that the app is checked in: nothing of ours, no token."""
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return {
        **kept,
        "GRADIO_SERVER_NAME": "127.0.0.1",
        "GRADIO_SERVER_PORT": str(port),
        "HF_HUB_OFFLINE": "1",
        "PYTHONUNBUFFERED": "1",
    }


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def ask_patiently(process: subprocess.Popen[bytes], url: str, deadline: float) -> dict[str, Any]:
    """Ask again and again until the app listens; then once for an answer.

    Raises:
        PublishError: the app stopped, the time is up, or the answer isn't one.
    """
    while True:
        if told := how_it_ended(process):
            raise PublishError(told)
        left = deadline - time.monotonic()
        if left <= 0:
            raise PublishError("it did not answer in time.")
        try:
            with urllib.request.urlopen(f"{url}/", timeout=left):
                break
        except OSError:  # not listening yet
            time.sleep(0.2)
    time.sleep(SETTLING)
    return check_answer(predict(url, max(1.0, deadline - time.monotonic())))


def how_it_ended(process: subprocess.Popen[bytes]) -> str | None:
    """Say how the app ended, if it did."""
    status = process.poll()
    return None if status is None else f"it stopped with exit status {status}."


def predict(url: str, seconds: float) -> object:
    """Ask the page's endpoint `predict`, as the README tells a person to."""
    call = f"{url}/gradio_api/call/predict"
    request = urllib.request.Request(
        call,
        data=json.dumps({"data": ASKED}, allow_nan=False).encode(),
        headers={"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=seconds) as response:
        event = json.load(response)["event_id"]
    with urllib.request.urlopen(f"{call}/{event}", timeout=seconds) as response:
        lines = response.read().decode().splitlines()
    told = [line.removeprefix("data: ") for line in lines if line.startswith("data: ")]
    if "event: complete" not in lines or not told:
        raise PublishError(f"it answers with an error: {' '.join(lines)[:300]}")
    answer: object = json.loads(told[-1])
    return answer


def check_answer(answer: object) -> dict[str, Any]:
    """Return the answer's values when they are what three tasks say of a pair.

    Raises:
        PublishError: they aren't.
    """
    try:
        values = cast(list[dict[str, Any]], answer)[0]  # whatever else it is raises
        chances = [sum(told["probabilities"].values()) for told in values["sentiment"]]
        numbers = [values["paraphrase"]["probability"], values["similarity"]["score"]]
        good = len(chances) == 2 and all(abs(total - 1) < 1e-3 for total in chances)
        good = good and all(math.isfinite(number) for number in numbers) and 0 <= numbers[0] <= 1
    except (TypeError, ValueError, KeyError, IndexError, AttributeError):
        good = False
    if not good:
        raise PublishError(f"it answers with no prediction: {json_text(answer)[:300]}")
    return values


def stop(process: subprocess.Popen[bytes]) -> None:
    """End the app, gently first."""
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def last_lines(log: Any, most: int = 15) -> str:  # noqa: ANN401 - a temporary file
    """Return the end of what the app printed."""
    log.seek(0)
    lines = log.read().decode(errors="replace").splitlines()
    return "\n".join(f"  {line}" for line in lines[-most:]) or "  (none)"
