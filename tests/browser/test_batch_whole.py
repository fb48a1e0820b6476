"""A file as long as the page allows, brought and answered in the browser, beside another visitor.

In the heavy set (`make test-heavy`) alone: a short file is answered in test_batch.py, and beside
other visitors in tests/benchmarks/test_load.py.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from minbert.batch import MOST_ROWS
from tests.browser.test_batch import bring, downloaded
from tests.browser.test_page import ask, findings
from tests.served import served
from trainer.publish.visit import Visit, open_view

ROWS = MOST_ROWS
PATIENCE = 3_720_000  # milliseconds for the whole file
PEAK_MEGABYTES = 1500
MOODS = ("a joy", "a bore", "fine", "too long", "odd")


@pytest.fixture
def server() -> Iterator[tuple[str, int]]:
    """Start the real app for this file alone; give its address and process id."""
    with served() as started:
        yield started


def peak_megabytes(process: int) -> float:
    """Return the most memory that a process has held."""
    told = Path(f"/proc/{process}/status").read_text(encoding="utf-8")
    return int(re.findall(r"VmHWM:\s+(\d+) kB", told)[0]) / 1024


def rows_done(told: str) -> int:
    """Return how many rows the line of progress says are answered."""
    return int(told.split(" of ", maxsplit=1)[0].replace(",", ""))


@pytest.mark.whole
@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux's /proc")
def test_the_longest_file_is_answered_while_another_visitor_asks(
    visit_at: Callable[..., Visit], server: tuple[str, int], tmp_path: Path
) -> None:
    url, process = server
    seen, other = visit_at(url), visit_at(url)
    page = seen.page
    open_view(page, "batch")
    lines = [
        f"r{row},{' and '.join([f'scene {row} is {MOODS[row % 5]}'] * (1 + row % 4))},{row % 5}"
        for row in range(ROWS)
    ]
    bring(page, tmp_path, "\n".join(["id,sentence,sentiment", *lines]))
    expect(page.locator("#batch-file")).to_contain_text("rows")
    page.locator("#batch-run").click()
    bar = page.locator("#batch-notice [role=progressbar]")
    expect(bar).not_to_have_attribute("aria-valuenow", "0", timeout=120_000)
    notice = page.locator("#batch-notice")
    expect(notice).to_contain_text(f"of {ROWS:,} rows")

    before = rows_done(notice.inner_text())
    ask(other.page, "The lake froze early.", "Ice covered the lake sooner than usual.")
    assert len(findings(other.page)) == 4
    now = notice.inner_text()
    assert f"of {ROWS:,} rows ·" in now, "the other visitor was answered in the file's midst"
    assert rows_done(now) >= before

    expect(page.locator("#batch-download")).to_be_visible(timeout=PATIENCE)
    expect(notice).to_contain_text(f"{ROWS:,} rows answered in")
    open_view(page, "batch-scores")
    expect(page.locator("#batch-measures")).to_contain_text(f"of {ROWS:,} labelled rows")
    expect(page.locator("#batch-first-plot .heatmap-label")).to_have_count(25)
    open_view(page, "batch-rows")
    rows = downloaded(page)
    assert [row["id"] for row in rows] == [f"r{row}" for row in range(ROWS)]
    assert all(row["predicted_label"] and not row["problem"] for row in rows)
    assert len({row["p_4"] for row in rows}) > ROWS // 20, "each row has an answer of its own"
    assert (seen.errors, other.errors) == ([], [])
    assert peak_megabytes(process) < PEAK_MEGABYTES
