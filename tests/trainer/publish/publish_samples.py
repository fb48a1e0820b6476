"""A small checkout to publish: the real code and texts, with two tiny models."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support import redraw, tiny_model
from tests.trainer.publish.hub_state import TOKEN, Repo
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan
from trainer.publish.publish import publish
from trainer.publish.upload import Hub

SPACE, MODEL = "anna/minbert-lab", "anna/minbert"
REPOSITORY = Path(__file__).resolve().parents[3]
COPIED = (
    *("app.py", "LICENSE", "requirements.txt", "minbert", "trainer"),
    *("assets/examples.json", "assets/publish", "assets/models/README.md"),
    *("assets/results", "assets/screenshots/try-it.png"),
)


def small_checkout(folder: Path) -> Path:
    """Copy what publishing reads of this repository into `folder`, with tiny models."""
    for name in COPIED:
        source, target = REPOSITORY / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copyfile(source, target)
    for record in (folder / "assets" / "results").glob("*-calibration.json"):
        record.unlink()  # of other models than the tiny ones
    for pooling in ("mean", "cls"):
        model = tiny_model(folder.parent / "words", pooling=pooling)
        redraw(model, seed=3, std=0.3)
        model.save_pretrained(folder / "assets" / "models" / pooling)
        (folder / "assets" / "models" / pooling / "trained_on.safetensors").write_bytes(b"hashes")
    return folder


def run_plan(plan: Plan, silence: float = 20.0) -> list[str]:
    """Publish without starting the app; return what was told."""
    told: list[str] = []
    publish(plan, Hub(told.append, silence=silence, pause=0.01), told.append, unchecked)
    return told


def unchecked(*_: object) -> None:
    """Stand for the check of the Space's folder."""


def refused(plan: Plan, silence: float = 20.0) -> str:
    """Publish in vain; return the error's message, which never holds the token."""
    with pytest.raises(PublishError) as caught:
        run_plan(plan, silence)
    assert TOKEN not in str(caught.value)
    return str(caught.value)


def process(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run Python in a folder; of this process's Hub it knows nothing."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HF_")}
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def of_hub(url: str, home: Path) -> dict[str, str]:
    """Return the variables by which a process finds a Hub of ours, and keeps to `home`."""
    return {
        **{"HF_ENDPOINT": url, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1"},
        **{"HF_HOME": str(home)},
    }


def laid_out(repo: Repo, folder: Path) -> Path:
    """Write a repo's files, as they were uploaded, into a folder."""
    for name, content in repo.files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder
