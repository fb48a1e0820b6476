"""Housekeeping: old files of our own, answers that nobody collects."""

from __future__ import annotations

import os
import re
import sys
import time
from asyncio import Queue
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from minbert.ui.server.upkeep import (
    delete_old_files,
    forget_uncollected,
    give_memory_back,
)


def aged(path: Path, seconds: float) -> Path:
    """Write a file that is so old."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("somebody's sentences", encoding="utf-8")
    os.utime(path, (time.time() - seconds,) * 2)
    return path


def test_files_of_a_killed_process_go_when_they_are_old(tmp_path: Path) -> None:
    folder = tmp_path / "minbert-lab-0"
    old, new = aged(folder / "a" / "rows.csv", 3700), aged(folder / "b" / "rows.csv", 3500)
    assert delete_old_files(folder) == 1
    assert not old.parent.exists()
    assert new.exists()


def test_a_folder_that_isn_t_ours_is_left_alone(tmp_path: Path) -> None:
    theirs = aged(tmp_path / "gradio" / "a" / "rows.csv", 9999)
    assert delete_old_files(theirs.parents[1]) == 0
    assert theirs.exists()


def test_a_link_is_deleted_and_not_what_it_leads_to(tmp_path: Path) -> None:
    precious = aged(tmp_path / "precious" / "thesis.txt", 9999)
    folder = tmp_path / "minbert-lab-0"
    folder.mkdir()
    (folder / "link").symlink_to(precious.parent)
    os.utime(folder / "link", (0, 0), follow_symlinks=False)
    delete_old_files(folder)
    assert precious.exists()
    assert [*folder.iterdir()] == []


def test_a_folder_that_is_not_there_is_no_error(tmp_path: Path) -> None:
    assert delete_old_files(tmp_path / "minbert-lab-0") == 0


@pytest.fixture
def queue() -> Any:  # noqa: ANN401 - what gradio's queue has of it
    return SimpleNamespace(
        event_ids_to_events={}, pending_messages_per_session={}, pending_event_ids_session={}
    )


def looks(queue: Any, times: int) -> None:  # noqa: ANN401 - as above
    app: Any = SimpleNamespace(get_blocks=lambda: SimpleNamespace(_queue=queue))
    seen: set[tuple[str, int]] = set()
    for _ in range(times):
        seen = forget_uncollected(app, seen)


def message_for(queue: Any, name: str, *, pending: bool) -> None:  # noqa: ANN401 - as above
    queue.pending_messages_per_session[name] = Queue()
    queue.pending_event_ids_session[name] = {"event"} if pending else set()
    if pending:
        queue.pending_messages_per_session[name].put_nowait("an answer")


@pytest.mark.parametrize("pending", [True, False], ids=["an answer", "the trace of one"])
def test_what_nobody_collects_is_forgotten_at_the_second_look(queue: Any, pending: bool) -> None:  # noqa: ANN401 - as above
    message_for(queue, "gone", pending=pending)
    looks(queue, 1)
    assert "gone" in queue.pending_messages_per_session
    looks(queue, 2)
    assert not queue.pending_messages_per_session
    assert not queue.pending_event_ids_session


def test_what_is_still_worked_at_stays(queue: Any) -> None:  # noqa: ANN401 - as above
    message_for(queue, "waits", pending=True)
    queue.event_ids_to_events["event"] = SimpleNamespace(session_hash="waits")
    looks(queue, 3)
    assert "waits" in queue.pending_messages_per_session


@pytest.mark.skipif(sys.platform != "linux", reason="memory is read from Linux's /proc")
def test_what_is_free_between_what_stays_is_given_back() -> None:
    def megabytes() -> float:
        return int(re.findall(r"VmRSS:\s+(\d+)", Path("/proc/self/status").read_text())[0]) / 1024

    taken = [bytes(2_000) for _ in range(30_000)]
    kept = taken[::10]
    del taken
    before = megabytes()
    give_memory_back()
    assert before - megabytes() > 20
    assert len(kept) == 3_000
