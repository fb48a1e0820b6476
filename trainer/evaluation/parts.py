"""A long file's answers in parts, so that work that was stopped goes on, alone or shared.

The parts lie in a folder beside the output, each written whole or not at all, with a digest: what
is torn all the same is made again. A manifest says what they belong to. Several processes with a
shared folder need nothing else: each makes the parts that are its own, the first one joins them.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from minbert.files import json_text, read_json, write_bytes, write_json
from minbert.tables import DataError

MANIFEST = "manifest.json"
NAMES = "part-" + 6 * "[0-9]"
POLL = 0.5  # seconds between two looks for another process's work
TELL = 60.0  # seconds between two lines while waiting
PATIENCE = 600.0  # seconds that the first process may take to begin


@dataclasses.dataclass(frozen=True)
class Part:
    """The answers to some rows."""

    cut: int  # rows that the model doesn't read whole
    content: bytes


class Parts:
    """The folder of an output's parts."""

    def __init__(self, target: Path, count: int, made_by: Mapping[str, Any]) -> None:
        """Name the folder; nothing is there yet.

        Args:
            target: the output.
            count: of parts.
            made_by: input, options and model, as JSON: all that decides the answers.
        """
        self.target, self.count, self._made_by = target, count, dict(made_by)
        resolved = target.resolve()
        self.folder = resolved.with_name(resolved.name + ".parts")

    def begin(self) -> bool:
        """Make the folder, or go on in one that fits; always True.

        Raises:
            DataError: it belongs to another command, or isn't a folder of parts.
        """
        if self.begun:
            self._check()
            return True
        strange = [path for path in self.folder.glob("*") if path.suffix != ".partial"]
        if strange:
            raise DataError(
                f"{self.folder} should be the folder of the output's parts. Found {strange[0].name}"
                f" and no {MANIFEST}; move it away, or choose another --output."
            )
        write_json(self.folder / MANIFEST, self._made_by)
        return True

    def wait_for_begin(self, report: Callable[[str], None]) -> bool:
        """Wait for the first process to make the folder; False: it isn't needed any more.

        Raises:
            DataError: as `begin`, or nothing comes.
        """
        started = time.monotonic()
        while not self.begun:
            if time.monotonic() - started > PATIENCE:
                if self.target.exists():
                    report(f"{self.target} is there; this process has nothing to do")
                    return False
                raise DataError(
                    f"{self.folder} should be made by the first process (RANK 0) within "
                    f"{PATIENCE:.0f} seconds. Found nothing there; start it, with a folder that "
                    "all processes share."
                )
            time.sleep(POLL)
        self._check()
        return True

    @property
    def begun(self) -> bool:
        """Say whether the folder is there; it goes when the parts have been joined."""
        return (self.folder / MANIFEST).exists()

    def _check(self) -> None:
        found = read_json(self.folder / MANIFEST)
        wanted = json.loads(json_text(self._made_by))
        other = [name for name in wanted if found.get(name) != wanted[name]]
        if other or len(found) != len(wanted):
            raise DataError(
                f"{self.folder} holds parts of a command that was stopped; it should fit this one. "
                f"Found another {' and '.join(other) or 'version'}; give the same command as then, "
                "or remove that folder to begin anew."
            )

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}"

    def read(self, number: int) -> Part | None:
        """Return a part; None: it isn't there, or is torn."""
        try:
            head, _, content = self._path(number).read_bytes().partition(b"\n")
            values = json.loads(head)
            whole = values["sha256"] == hashlib.sha256(content).hexdigest()
            return Part(values["cut"], content) if whole else None
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            return None

    def write(self, number: int, part: Part) -> None:
        """Write a part, whole or not at all."""
        values = {"cut": part.cut, "sha256": hashlib.sha256(part.content).hexdigest()}
        write_bytes(self._path(number), json_text(values).encode() + b"\n" + part.content)

    def done(self) -> int:
        """Count the parts that are there."""
        return sum(1 for _ in self.folder.glob(NAMES))

    def all(self, report: Callable[[str], None]) -> Iterator[Part]:
        """Yield all parts in order, each when it is there: other processes may be at work on it."""
        told = time.monotonic()
        for number in range(self.count):
            while (part := self.read(number)) is None:
                if time.monotonic() - told > TELL:
                    told = time.monotonic()
                    report(
                        f"waiting for part {number + 1} of {self.count}, which another process "
                        "makes; if none is at work, stop this one and give the command again"
                    )
                time.sleep(POLL)
            yield part

    def remove(self) -> None:
        """Remove the folder, the manifest first; what isn't ours in it stays."""
        for path in (self.folder / MANIFEST, *self.folder.glob(f"{NAMES}*")):
            path.unlink(missing_ok=True)
        for path in self.folder.glob("*.partial"):
            path.unlink(missing_ok=True)
        if not any(self.folder.iterdir()):
            self.folder.rmdir()
