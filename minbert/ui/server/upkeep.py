"""Housekeeping while the server runs: old files, answers that nobody collects, free memory.

Gradio deletes the files that this process made, an hour after, and all of them when it ends. Files
of a process that was killed are nobody's; so the page has a folder of its own (minbert/ui/app.py),
from which everything older is deleted, at the start and while it runs.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import itertools
import time
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from anyio import to_thread
from gradio.routes import App
from gradio.utils import get_upload_folder

from minbert.ui.parts.events import FILES_CHECKED, FILES_KEPT
from minbert.ui.server.log import keep_texts_out
from minbert.ui.server.sessions import Sessions
from minbert.ui.server.tools import offer_tools

FOLDER = "minbert-lab"  # a folder of files that visitors bring and fetch begins with this
UNCOLLECTED = 60  # seconds between looks for answers that nobody fetches
FREED = 10  # seconds between looks for free memory


def delete_old_files(folder: Path, age: float = FILES_KEPT) -> int:
    """Delete the folder's files that are older than `age` seconds, and folders left empty.

    Links are not followed. Returns how many files were deleted.
    """
    deleted = 0
    if not folder.name.startswith(FOLDER):  # somebody else's, where other programs keep files
        return deleted
    for path in sorted(folder.rglob("*"), reverse=True):  # what is in a folder before the folder
        with contextlib.suppress(OSError):  # another process of ours may have been quicker
            if path.is_dir() and not path.is_symlink():
                path.rmdir()
            elif time.time() - path.lstat().st_mtime > age:
                path.unlink()
                deleted += 1
    return deleted


def forget_uncollected(app: App, before: Iterable[tuple[str, int]]) -> set[tuple[str, int]]:
    """Forget what waits for a caller since the last look, and return what waits now.

    A call over HTTP is asked for in one request and fetched in another; gradio keeps the answer
    until it is fetched, and a trace of it for ever.

    Args:
        app: the running page.
        before: what this returned the last time: sessions, each with its number of messages.
    """
    queue = app.get_blocks()._queue
    active = {event.session_hash for event in queue.event_ids_to_events.values()}
    waiting = {
        (name, messages.qsize())
        for name, messages in queue.pending_messages_per_session.items()
        if name not in active
    }
    for name, count in waiting & set(before):
        if count or not queue.pending_event_ids_session.get(name):
            queue.pending_messages_per_session.pop(name, None)
            queue.pending_event_ids_session.pop(name, None)
    return waiting


def give_memory_back() -> None:
    """Give free memory back to the system, in a few milliseconds.

    Of what a page's load takes for a moment, glibc keeps the pieces between what stays: the
    sessions of 500 visitors, 4 MB, kept 30 MB more.
    """
    with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


async def keep_up(app: App) -> None:
    """Look after files, answers and memory until the server stops."""
    waiting: set[tuple[str, int]] = set()
    for since in itertools.count(FREED, FREED):
        await asyncio.sleep(FREED)
        give_memory_back()
        if since % UNCOLLECTED == 0:
            waiting = forget_uncollected(app, waiting)
        if since % FILES_CHECKED == 0:
            await to_thread.run_sync(delete_old_files, Path(get_upload_folder()))


@contextlib.asynccontextmanager
async def lifespan(app: App) -> AsyncIterator[None]:
    """Run what the server does beside answering, from its start to its end."""
    keep_texts_out()
    app.state_holder = Sessions(app.get_blocks())
    if (tools := app.get_blocks().mcp_server_obj) is not None:
        offer_tools(tools)
    await to_thread.run_sync(delete_old_files, Path(get_upload_folder()))
    task = asyncio.create_task(keep_up(app))
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
