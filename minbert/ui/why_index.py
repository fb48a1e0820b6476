"""The index of training sentences, read once and kept until its folder changes."""

from __future__ import annotations

import threading
from pathlib import Path

from minbert.explain import NearestIndex
from minbert.explain.nearest import default_folder


class Indexes:
    """Reads the index where the library looks by default."""

    def __init__(self) -> None:
        """Nothing is read before it is asked for."""
        self._lock = threading.Lock()
        self._known: tuple[Path, int, NearestIndex] | None = None

    def load(self) -> NearestIndex | None:
        """Return the index, or None where there is none.

        Raises:
            CheckpointError: it is torn; the message says how to build it again.
        """
        folder = default_folder()
        with self._lock:
            try:
                changed = (folder / "index.json").stat().st_mtime_ns
            except OSError:
                self._known = None
                return None
            if self._known is None or self._known[:2] != (folder, changed):
                self._known = (folder, changed, NearestIndex.load(folder))
            return self._known[2]
