"""A run's folder: settings, metrics as JSON lines, one resumable state, the result.

    run.json            the settings and what they were applied to
    metrics.jsonl       one line per event
    state.safetensors   weights, optimizer and counters of the last safe point
    best/               the best model so far, float32
    model/              the best model, as it is shipped (float16)
    predictions.json    its answers to the dev files, without their texts
    result.json         what came out
    .lock               locked while a process trains here; the kernel unlocks it at any end

The state is one file, written beside and renamed. It holds the length of metrics.jsonl at that
moment; resuming cuts the lines that came after, so they are written once.
"""

from __future__ import annotations

import dataclasses
import errno
import fcntl
import json
import os
import shutil
import time
from pathlib import Path
from typing import Any, Protocol, Self

from safetensors import safe_open
from torch import Tensor

from minbert.files import (
    CheckpointError,
    json_text,
    read_json,
    read_tensors,
    write_json,
    write_tensors,
)


class Settings(Protocol):
    """A frozen configuration that can be written down."""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for JSON."""


def defaults_of(config: Settings) -> dict[str, Any]:
    """Return each setting's default: what it was for runs begun before it was there."""
    if not dataclasses.is_dataclass(config):
        return {}
    missing = dataclasses.MISSING
    fields = dataclasses.fields(config)
    return {field.name: field.default for field in fields if field.default is not missing}


NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # some clusters' network file systems


class RunError(ValueError):
    """A run folder that can't be used as asked; the message says what to do."""


class Run:
    """One run's folder; as a context it is locked from `prepare` to its end."""

    def __init__(self, folder: Path) -> None:
        """Name the folder; `prepare` makes it."""
        self._lock: int | None = None
        self.folder = folder
        self.best = folder / "best"
        self.model = folder / "model"
        self.result = folder / "result.json"
        self.predictions = folder / "predictions.json"
        self._settings = folder / "run.json"
        self._metrics = folder / "metrics.jsonl"
        self._state = folder / "state.safetensors"
        self._earlier_seconds = 0.0
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        """Begin; nothing is locked yet."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let another process have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def prepare(self, config: Settings, files: dict[str, str], *, resume: bool) -> None:
        """Make the folder, or check that it holds a part of this very run; lock it.

        Args:
            config: the run's settings.
            files: SHA-256 of each training and dev file, by name.
            resume: continue what is there.

        Raises:
            RunError: a run is there but wasn't to be resumed, or one with other settings or data,
                or one that is still going on.
        """
        settings = {"config": config.to_dict(), "files": files}
        if self._settings.exists():
            if not resume:
                raise RunError(
                    f"`--out` should name a fresh folder. Found a run in {self.folder}; "
                    "add --resume to continue it, or name another folder."
                )
            earlier = read_json(self._settings)
            earlier["config"] = {**defaults_of(config), **earlier["config"]}
            changed = [
                f"{part}.{name}: {earlier[part].get(name)!r} then, {now.get(name)!r} now"
                for part, now in settings.items()
                for name in sorted(set(now) | set(earlier[part]))
                if earlier[part].get(name) != now.get(name)
            ]
            if changed:
                raise RunError(
                    f"--resume should continue the run in {self.folder} as it was begun. "
                    f"Found differences: {'; '.join(changed)}."
                )
        self.folder.mkdir(parents=True, exist_ok=True)
        self._take()
        write_json(self._settings, settings)

    def _take(self) -> None:
        """Lock the folder: two processes would cut and mix each other's metrics and states.

        The kernel drops the lock when the process ends, however it does.
        """
        if self._lock is None:
            self._lock = os.open(self.folder / ".lock", os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.__exit__()
            raise RunError(
                f"A run's folder should be written by one process. Found another that is training "
                f"in {self.folder}; wait for its end, or stop it and continue with --resume."
            ) from error
        except OSError as error:
            if error.errno not in NO_LOCKS:
                raise

    def load_state(self, *, cut: bool = True) -> tuple[dict[str, Tensor], dict[str, Any]] | None:
        """Return the last safe point's tensors and counters, or None where there is none.

        Cuts metrics.jsonl back to that point, unless another process does.

        Raises:
            CheckpointError: the state file is torn.
        """
        if not self._state.exists():
            if cut:
                self._metrics.write_bytes(b"")
            return None
        tensors = read_tensors(self._state)
        with safe_open(self._state, framework="pt") as file:
            counters: dict[str, Any] = json.loads(file.metadata()["counters"])
        written = self._metrics.stat().st_size if self._metrics.exists() else 0
        if written < counters["metrics_bytes"]:
            raise CheckpointError(
                f"{self._metrics} should have at least {counters['metrics_bytes']} bytes. "
                f"Found {written}; it was cut after the state was saved. Start the run afresh."
            )
        if cut:
            os.truncate(self._metrics, counters["metrics_bytes"])
        self._earlier_seconds = counters["seconds"]
        self._started = time.monotonic()
        return tensors, counters

    def save_state(self, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        """Write a safe point, whole or not at all."""
        known = {
            "metrics_bytes": self._metrics.stat().st_size,
            "seconds": self.seconds,
        }
        write_tensors(self._state, tensors, {"counters": json_text({**counters, **known})})

    def log(self, **values: Any) -> None:  # noqa: ANN401 - whatever JSON takes
        """Append one line to metrics.jsonl, with the run's seconds so far."""
        line = json_text({**values, "seconds": round(self.seconds, 2)})
        with self._metrics.open("a", encoding="utf-8") as file:
            file.write(line + "\n")
            file.flush()
            os.fsync(file.fileno())

    def logged(self, phase: str) -> list[dict[str, Any]]:
        """Return the lines of metrics.jsonl that belong to a phase, oldest first."""
        lines = self._metrics.read_text(encoding="utf-8").splitlines()
        return [line for line in map(json.loads, lines) if line["phase"] == phase]

    def prune(self) -> None:
        """Remove what only a run that goes on needs: state, float32 weights and lock."""
        (self.folder / ".lock").unlink(missing_ok=True)
        self._state.unlink(missing_ok=True)
        shutil.rmtree(self.best, ignore_errors=True)

    @property
    def seconds(self) -> float:
        """Return the seconds that this run has taken, earlier parts counted."""
        return self._earlier_seconds + time.monotonic() - self._started
