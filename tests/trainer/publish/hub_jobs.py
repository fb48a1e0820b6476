"""Jobs of our small Hub: their command really runs, as a process of this machine.

What stands for the image and for the world outside is a `uv` that installs nothing: the Python it
gives is this one, whose `-m trainer download` takes the course's small files from a folder.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tests.trainer.publish.hub_state import FakeHub

A10G = {"type": "gpu", "model": "A10G", "quantity": "1", "vram": "24 GB", "manufacturer": "Nvidia"}


def machine(name: str, micro: int, gpu: dict[str, str] | None = None) -> dict[str, Any]:
    """Return a machine as the Hub lists it; `micro` is its price, in millionths of a dollar."""
    told = {"name": name, "prettyName": name, "cpu": "4 vCPU", "ram": "15 GB", "accelerator": gpu}
    return {**told, "unitCostMicroUSD": micro, "unitCostUSD": micro / 1e6, "unitLabel": "minute"}


MACHINES = [
    *(machine("cpu-basic", 167), machine("a10g-small", 16_667, A10G)),
    machine("a10g-largex2", 50_000, {**A10G, "quantity": "2"}),
    machine("inf2x6", 12_500, {**A10G, "manufacturer": "AWS"}),
]

UV = """
case "$1" in
venv) ln -s {folder}/image "$3";;
pip) for last; do :; done; [ "$last" = huggingface_hub ] || [ -f "$last" ];;
esac
"""
PYTHON = """
[ "$*" = "-m trainer download" ] && exec cp -r {data} data
exec {python} "$@"
"""


@dataclasses.dataclass
class Job:
    """A job: what was asked for, and its process."""

    id: str
    owner: str
    asked: dict[str, Any]
    lines: list[str] = dataclasses.field(default_factory=list)
    stage: str = "RUNNING"
    message: str | None = None
    process: subprocess.Popen[str] | None = None

    def begin(self, hub: FakeHub) -> None:
        """Run the command, in an environment of its own, with the secrets."""
        folder = Path(tempfile.mkdtemp(dir=hub.job_folder))
        python, image = Path(sys.executable), folder / "image"
        data = hub.job_folder / "course"
        for path, text in {
            folder / "bin" / "uv": UV.format(folder=folder),
            image / "bin" / "activate": f"PATH={image}/bin:$PATH",
            image / "bin" / "python": PYTHON.format(data=data, python=python),
            image / "bin" / "hf": f'exec {python.with_name("hf")} "$@"',
        }.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"#!/bin/sh\n{text}\n", encoding="utf-8")
            path.chmod(0o755)
        environment = {
            **{"PATH": f"{folder}/bin:/usr/bin:/bin", "HOME": str(folder), "TMPDIR": str(folder)},
            **{"HF_ENDPOINT": hub.url, "HF_HUB_DISABLE_XET": "1", "OMP_NUM_THREADS": "1"},
            **self.asked["environment"],
            **self.asked["secrets"],
        }
        self.process = subprocess.Popen(
            self.asked["command"],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        stop = threading.Timer(self.asked["timeoutSeconds"], self.end, ("ERROR", "Job timeout"))
        stop.start()
        self.lines.extend(line.rstrip("\n") for line in self.process.stdout)
        self.process.stdout.close()
        code = self.process.wait()
        stop.cancel()
        if self.stage == "RUNNING":
            self.stage = "ERROR" if code else "COMPLETED"
            self.message = f"Job failed with exit code: {code}" if code else None

    def end(self, stage: str, message: str | None = None) -> None:
        """Kill the job, where it still runs."""
        if self.stage == "RUNNING":
            self.stage, self.message = stage, message
            assert self.process is not None
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)

    def told(self) -> dict[str, Any]:
        """Return the job as the Hub tells it: secrets by name alone."""
        return {
            "id": self.id,
            "owner": {"id": "1", "name": self.owner, "type": "user"},
            "createdAt": "2026-01-01T00:00:00.000Z",
            "status": {"stage": self.stage, "message": self.message},
            **{name: self.asked[name] for name in ("command", "environment", "flavor", "labels")},
        }

    def events(self) -> Any:  # noqa: ANN401 - a generator of bytes
        """Yield the log as it grows, until the job ends."""
        sent = 0
        while True:
            running = self.stage == "RUNNING"
            for line in self.lines[sent:]:
                sent += 1
                told = {"data": line, "timestamp": "2026-01-01T00:00:00.000Z"}
                yield f"data: {json.dumps(told)}\n\n".encode()
            if not running:
                return
            time.sleep(0.02)
