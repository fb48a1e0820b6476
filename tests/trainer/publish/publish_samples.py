"""A small checkout to publish: the real code and texts, with two tiny models."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from huggingface_hub import close_session, constants, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from tests.support import redraw, tiny_model
from tests.trainer.publish.hub_server import serving
from tests.trainer.publish.hub_state import TOKEN, FakeHub, Repo
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan
from trainer.publish.publish import publish
from trainer.publish.upload import Hub

SPACE, MODEL = "anna/minbert-lab", "anna/minbert"
REPOSITORY = Path(__file__).resolve().parents[3]
COPIED = (  # all that the app needs
    *("app.py", "LICENSE", "requirements.txt", "minbert", "trainer"),
    *("assets/lessons.toml", "assets/examples", "assets/publish", "assets/models/README.md"),
    *("assets/results", "assets/screenshots/try-it.png"),
)
SLIM = (  # what publishing looks for, and no more of the app
    *("app.py", "LICENSE", "requirements.txt", "minbert/__init__.py", "minbert/multitask.py"),
    *("assets/publish", "assets/results/mean.json", "assets/results/mean-dev.json"),
    "assets/screenshots/try-it.png",
)


def small_checkout(folder: Path, copied: tuple[str, ...] = COPIED) -> Path:
    """Copy what publishing reads of this repository into `folder`, with tiny models."""
    for name in copied:
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


@contextlib.contextmanager
def our_hub(patch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Serve a Hub, and point the client at it: its token, its address, plain LFS."""
    with serving(FakeHub()) as fake:
        patch.setenv("HF_TOKEN", TOKEN)
        files = fake.url + "/{repo_id}/resolve/{revision}/{filename}"
        patch.setattr(constants, "ENDPOINT", fake.url)
        patch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", files)
        patch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        patch.setattr(constants, "HF_HUB_OFFLINE", False)
        yield fake
    assert fake.crashes == []
    set_client_factory(default_client_factory)
    close_session()


def run_plan(plan: Plan, silence: float = 20.0, told: list[str] | None = None) -> list[str]:
    """Publish without starting the app; return what was told, in `told` where it is given."""
    told = [] if told is None else told
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
