"""Full-size checks of the served page: 32 visitors at once, a long file beside them, the start.

Whole with MINBERT_HEAVY=1 (`make test-heavy`). Times are compared with times there alone, on an
otherwise idle machine; every run asks for 32 visitors at once.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator

import pytest
from gradio_client import Client

from tests.served import ROOT, served_app

WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
VISITORS = 32
QUESTIONS = 60  # timed one after the other
ROWS = 2_000  # of the file beside them, again and again
START_RATIO = 1.5
LOAD_RATIO = 3.0
SETTLE = 2.0  # seconds until the file is surely being read

times_count = pytest.mark.skipif(not WHOLE, reason="times count on an idle machine: test-heavy")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with served_app() as url:
        yield url


def question(number: int) -> tuple[str, str]:
    """Return a pair that nobody asked before."""
    return (
        f"Scene {number} drags, yet the ending works.",
        f"After {number} dull minutes it is good.",
    )


def percentile_95(seconds: list[float]) -> float:
    return sorted(seconds)[round(0.95 * (len(seconds) - 1))]


def timed(client: Client, first_number: int) -> list[float]:
    """Ask one question after the other; return how long each answer took, in seconds."""
    taken = []
    for number in range(first_number, first_number + QUESTIONS):
        started = time.perf_counter()
        client.predict(*question(number), api_name="/predict")
        taken.append(time.perf_counter() - started)
    return taken


@pytest.mark.heavy
def test_thirty_two_visitors_at_once_are_all_answered(address: str) -> None:
    client = Client(address, verbose=False)
    alone = [client.predict(*question(n), api_name="/predict") for n in range(VISITORS)]
    jobs = [client.submit(*question(n), api_name="/predict") for n in range(VISITORS)]
    answers = [job.result(timeout=120) for job in jobs]
    for answer, wanted in zip(answers, alone, strict=True):
        assert answer["similarity"]["score"] == pytest.approx(
            wanted["similarity"]["score"], abs=1e-3
        )
    client.close()


@pytest.mark.heavy
@times_count
def test_a_quick_question_stays_quick_beside_a_long_file(address: str) -> None:
    client, reader = Client(address, verbose=False), Client(address, verbose=False)
    client.predict(*question(0), api_name="/predict")
    idle = percentile_95(timed(client, 1_000))
    text = "\n".join(
        f"Scene {row} drags, yet the ending of part {row} works." for row in range(ROWS)
    )
    jobs = [reader.submit(None, text, "sentiment", "mean", api_name="/batch") for _ in range(12)]
    time.sleep(SETTLE)
    busy = percentile_95(timed(client, 2_000))
    assert not jobs[-1].done(), "the file was read to its end before the questions were"
    print(f"p95 of a quick question: idle {idle:.3f} s, beside a file {busy:.3f} s")  # noqa: T201 - the figure the check is for
    for job in jobs:
        job.cancel()
    assert busy <= LOAD_RATIO * idle
    client.close()
    reader.close()


@pytest.mark.heavy
@times_count
def test_the_page_answers_soon_after_its_libraries_are_imported() -> None:
    """Take the best of three of both, so that a busy machine doesn't decide."""
    imported, answered = [], []
    for _ in range(3):
        started = time.perf_counter()
        subprocess.run([sys.executable, "-c", "import gradio, torch"], cwd=ROOT, check=True)
        imported.append(time.perf_counter() - started)
        started = time.perf_counter()
        with served_app() as url:
            assert urllib.request.urlopen(url, timeout=30).status == 200
            answered.append(time.perf_counter() - started)
    print(f"imports {min(imported):.1f} s, the page answers after {min(answered):.1f} s")  # noqa: T201 - the figure the check is for
    assert min(answered) <= START_RATIO * min(imported)
