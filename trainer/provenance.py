"""Where a number comes from: commit, machine, versions."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from typing import Any

import torch

ELSEWHERE = (  # lead git to another repository than the one around; its own hooks set them
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_COMMON_DIR", "GIT_INDEX_FILE"),
    *("GIT_OBJECT_DIRECTORY", "GIT_NAMESPACE", "GIT_PREFIX"),
)


def provenance(device: torch.device) -> dict[str, Any]:
    """Say on what and with what a number was made."""
    return {
        "commit": git_commit(),
        "machine": machine_name(device),
        "threads": torch.get_num_threads(),
        "torch": torch.__version__,
        "python": platform.python_version(),
    }


def git_commit() -> str | None:
    """Return the commit of the code that runs, `+` appended when files differ.

    Outside git, and where the repository around does not hold this code (a copy that lies in
    another project, or in its virtual environment), it is what MINBERT_COMMIT says, or None.
    """
    here = Path(__file__).resolve()
    environment = {name: text for name, text in os.environ.items() if name not in ELSEWHERE}
    answers = []
    for arguments in (
        ["ls-files", "--error-unmatch", here.name],
        ["rev-parse", "HEAD"],
        ["status", "--porcelain", "--untracked-files=no"],
    ):
        try:
            done = subprocess.run(
                ["git", *arguments],
                cwd=here.parent,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
        except (OSError, subprocess.CalledProcessError):
            return os.environ.get("MINBERT_COMMIT") or None
        answers.append(done.stdout.strip())
    return answers[1][:12] + ("+" if answers[2] else "")


def machine_name(device: torch.device) -> str:
    """Name the processor that computes."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    information = Path("/proc/cpuinfo")
    model = platform.processor() or platform.machine()
    if information.exists():
        for line in information.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    return f"{model}, {os.cpu_count()} cores"
