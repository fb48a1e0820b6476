"""docs/training.ipynb: its cells run in order, here on a tiny model, a CPU and a Hub of ours."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from minbert.multitask import MultitaskBert
from minbert.storage.manifest import verify
from tests.trainer.publish.hub_state import FakeHub
from tests.trainer.publish.publish_samples import REPOSITORY, laid_out, of_hub
from tests.trainer.samples import write_course_files
from trainer.cli import main
from trainer.publish.folder import space_files
from trainer.publish.jobs import code_files

NOTEBOOK = REPOSITORY / "docs" / "training.ipynb"
OPTIONS = "--epochs 1 --steps-per-epoch 2 --head-epochs 1 --max-length 48 --precision fp32"


def cells(kind: str) -> list[str]:
    """Return the sources of the notebook's cells of one kind."""
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in found if cell["cell_type"] == kind]


def as_python(source: str) -> str:
    """Return a cell with `!` and `%` lines as calls, names in braces filled in."""
    line = re.compile(r"^( *)([!%])(.+)$", flags=re.MULTILINE)
    return line.sub(lambda found: f"{found[1]}run_line({found[2]!r}, f{found[3]!r})", source)


def small_repository(folder: Path) -> str:
    """Make a repository of a few files to clone; return its address."""
    for name in ("requirements.txt", "trainer/__init__.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes((REPOSITORY / name).read_bytes())
    author = ("-c", "user.name=x", "-c", "user.email=x@x")
    for words in (["init", "-q"], ["add", "."], [*author, "commit", "-q", "-m", "x"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return f"file://{folder}"


# The client's own call of httpx2, in huggingface_hub.lfs
@pytest.mark.whole
@pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")
def test_every_cell_runs(
    hub: FakeHub,
    encoder_folder: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    bin_folder = str(Path(sys.executable).parent)
    surroundings = {**os.environ, **of_hub(hub.url, tmp_path / "home")}
    surroundings["PATH"] = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    ran: list[str] = []

    def run_line(sign: str, line: str) -> None:
        """Do what a notebook does; the trainer in this process, and pip without installing."""
        words = shlex.split(line)
        ran.append(" ".join(words[:4] if "trainer" in words else words[:2]))
        if sign == "%" and words[0] == "cd":
            monkeypatch.chdir(words[1])
        elif sign == "%":
            checked = [*words, "--dry-run", "--no-index", "--disable-pip-version-check"]
            subprocess.run([sys.executable, "-m", *checked], check=True)
        elif words[:3] == ["python", "-m", "trainer"]:
            assert main(words[3:]) == 0, capsys.readouterr().err
        else:
            subprocess.run(words, check=True, env=surroundings)

    def download(data: Path, **_: object) -> None:
        write_course_files(data)

    monkeypatch.setattr("trainer.data.download.download", download)
    monkeypatch.setattr("trainer.data.treebank_download.download_trees", lambda *_, **__: None)
    monkeypatch.delenv("MINBERT_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    parameters, *others = cells("code")
    names: dict[str, Any] = {"run_line": run_line}
    exec(parameters, names)
    wanted = {
        "REPOSITORY": small_repository(tmp_path / "origin"),
        "FOLDER": "lab",
        "RECIPE": "mean",
        "OPTIONS": f"--encoder {encoder_folder} {OPTIONS}",
        "PUSH_TO": "anna/tried",
    }
    assert set(wanted) == set(names) - {"run_line", "__builtins__"}
    names |= wanted
    for cell in others:
        exec(as_python(cell), names)
    commands = ("download", "train", "evaluate", "export")
    trained = [f"python -m trainer {command}" for command in commands]
    assert ran == ["git clone", "cd lab", "pip install", *trained, "hf upload"]
    run = tmp_path / "lab" / names["RUN"]
    assert verify(run / "model")
    assert Path(names["archive"]).is_file()
    assert names["mood"].label in capsys.readouterr().out
    pushed = hub.repos["model", "anna/tried"]
    assert pushed.private
    found = MultitaskBert.from_pretrained(laid_out(pushed, tmp_path / "pushed"))
    assert found.config == MultitaskBert.from_pretrained(run / "model").config


def test_it_holds_no_outputs_and_travels_nowhere() -> None:
    stored = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    code = [cell for cell in stored["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and cell["execution_count"] is None for cell in code)
    assert all(len(text.split()) < 70 for text in cells("markdown"))
    travels = {*space_files(REPOSITORY), *code_files(REPOSITORY)}
    assert {"app.py", "trainer/cli.py"} <= travels
    assert [name for name in travels if name.endswith(".ipynb") or "docs/" in name] == []
