"""A run's folder: settings that have to fit, a state that is whole, metrics cut back to it."""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from minbert.files import CheckpointError
from tests.support import assert_says
from trainer import provenance as provenance_module
from trainer.config import TrainConfig
from trainer.provenance import ELSEWHERE, git_commit, provenance
from trainer.run.folder import Run, RunError

CONFIG = TrainConfig(name="tiny", epochs=2)
FILES = {"a.csv": "11", "b.csv": "22"}


@pytest.fixture
def run(tmp_path: Path) -> Run:
    with Run(tmp_path / "some" / "run") as fresh:
        fresh.prepare(CONFIG, FILES, resume=False)
    return fresh


def metrics_of(run: Run) -> list[dict[str, object]]:
    text = (run.folder / "metrics.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def test_a_fresh_folder_holds_the_settings(run: Run) -> None:
    stored = json.loads((run.folder / "run.json").read_text(encoding="utf-8"))
    assert stored == {"config": dataclasses.asdict(CONFIG), "files": FILES}


def test_a_folder_with_a_run_is_refused_unless_resumed(run: Run) -> None:
    with pytest.raises(RunError, match=r"`--out` should name a fresh folder.*add --resume"):
        Run(run.folder).prepare(CONFIG, FILES, resume=False)
    Run(run.folder).prepare(CONFIG, FILES, resume=True)


def test_a_folder_belongs_to_one_run_at_a_time(run: Run) -> None:
    with Run(run.folder) as first:
        first.prepare(CONFIG, FILES, resume=True)
        first.log(epoch=1)
        with pytest.raises(RunError) as refused:
            Run(run.folder).prepare(CONFIG, FILES, resume=True)
        first.prepare(CONFIG, FILES, resume=True)  # its own
    assert_says(refused.value, rule="one process", found=str(run.folder), step="--resume")
    assert [line["epoch"] for line in metrics_of(run)] == [1]
    with Run(run.folder) as third:
        third.prepare(CONFIG, FILES, resume=True)


@pytest.mark.parametrize(("number", "goes_on"), [(errno.ENOLCK, True), (errno.EIO, False)])
def test_a_file_system_without_locks_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def flock(_file: int, _how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    with contextlib.nullcontext() if goes_on else pytest.raises(OSError, match=r"Errno 5"):
        Run(tmp_path / "run").prepare(CONFIG, FILES, resume=False)
    assert (tmp_path / "run" / "run.json").exists() == goes_on


def test_resuming_a_folder_that_is_not_there_starts_a_run(tmp_path: Path) -> None:
    run = Run(tmp_path / "new")
    run.prepare(CONFIG, FILES, resume=True)
    assert (run.folder / "run.json").is_file()
    assert run.load_state() is None


def test_resuming_with_other_settings_or_data_names_every_difference(run: Run) -> None:
    changed = dataclasses.replace(CONFIG, epochs=3, sampler="round_robin")
    files = {"a.csv": "11", "b.csv": "33", "c.csv": "44"}
    before = (run.folder / "run.json").read_bytes()
    with pytest.raises(RunError, match="as it was begun") as refused:
        Run(run.folder).prepare(changed, files, resume=True)
    differences = (
        "config.epochs: 2 then, 3 now",
        "config.sampler: 'annealed' then, 'round_robin' now",
        "files.b.csv: '22' then, '33' now",
        "files.c.csv: None then, '44' now",
    )
    assert_says(refused.value, found=differences, never="files.a.csv")
    assert (run.folder / "run.json").read_bytes() == before


def test_a_run_begun_before_a_setting_was_there_goes_on_with_its_default(run: Run) -> None:
    path = run.folder / "run.json"
    stored = json.loads(path.read_text(encoding="utf-8"))
    del stored["config"]["ema"]
    path.write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(RunError, match=r"config\.ema: 0\.0 then, 0\.9 now"):
        Run(run.folder).prepare(dataclasses.replace(CONFIG, ema=0.9), FILES, resume=True)
    Run(run.folder).prepare(CONFIG, FILES, resume=True)


def test_a_state_comes_back_with_the_metrics_cut_to_it(run: Run) -> None:
    run.log(epoch=1)
    tensors = {"x": torch.arange(6.0).reshape(2, 3), "y": torch.tensor(7)}
    run.save_state(tensors, {"phase": "heads", "best": {"value": None}})
    run.log(epoch=2)
    assert len(metrics_of(run)) == 2
    again = Run(run.folder)
    loaded = again.load_state()
    assert loaded is not None
    assert [line["epoch"] for line in metrics_of(run)] == [1]
    assert {name: tensor.tolist() for name, tensor in loaded[0].items()} == {
        name: tensor.tolist() for name, tensor in tensors.items()
    }
    assert loaded[1]["phase"] == "heads"
    assert loaded[1]["best"] == {"value": None}
    again.log(epoch=2)
    assert [line["epoch"] for line in metrics_of(run)] == [1, 2]


def test_a_half_written_line_is_cut_as_well(run: Run) -> None:
    run.log(epoch=1)
    run.save_state({"x": torch.ones(1)}, {"phase": "heads"})
    with (run.folder / "metrics.jsonl").open("a", encoding="utf-8") as file:
        file.write('{"epoch": 2, "lo')
    Run(run.folder).load_state()
    assert [line["epoch"] for line in metrics_of(run)] == [1]


def test_without_a_state_the_metrics_start_afresh(run: Run) -> None:
    run.log(epoch=1)
    assert Run(run.folder).load_state() is None
    assert metrics_of(run) == []


def test_seconds_go_on_from_the_state(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr("time.monotonic", lambda: now)
    first = Run(run.folder)
    now += 50
    first.log(epoch=1)
    first.save_state({"x": torch.ones(1)}, {"phase": "heads"})
    now += 500
    second = Run(run.folder)
    now += 3
    second.load_state()
    now += 7
    second.log(epoch=2)
    assert [line["seconds"] for line in metrics_of(run)] == [50.0, 57.0]


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.99])
def test_a_torn_state_is_told(run: Run, share: float) -> None:
    run.log(epoch=1)
    run.save_state({"x": torch.ones(500)}, {"phase": "heads"})
    state = run.folder / "state.safetensors"
    content = state.read_bytes()
    state.write_bytes(content[: int(len(content) * share)])
    with pytest.raises(CheckpointError, match=r"state\.safetensors.*torn or damaged"):
        Run(run.folder).load_state()
    assert len(metrics_of(run)) == 1


def test_metrics_that_are_shorter_than_the_state_says_are_told(run: Run) -> None:
    run.log(epoch=1)
    run.save_state({"x": torch.ones(1)}, {"phase": "heads"})
    (run.folder / "metrics.jsonl").write_text("{}\n", encoding="utf-8")
    with pytest.raises(CheckpointError, match=r"metrics\.jsonl should have at least \d+ bytes"):
        Run(run.folder).load_state()


def test_provenance_says_on_what_a_number_was_made() -> None:
    found = provenance(torch.device("cpu"))
    assert found["torch"] == torch.__version__
    assert found["threads"] == torch.get_num_threads() == 1
    assert "cores" in found["machine"]


def git(folder: Path, *arguments: str) -> str:
    """Run git in a folder, undisturbed by the settings around; return what it prints."""
    environment = {name: text for name, text in os.environ.items() if name not in ELSEWHERE}
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *arguments]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_the_commit_is_of_the_repository_that_holds_the_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for folder in (ours, theirs):
        folder.mkdir()
        git(folder, "init", "-q")
        git(folder, "commit", "-q", "--allow-empty", "-m", "first")
    code = shutil.copy(provenance_module.__file__, ours)
    monkeypatch.setattr(provenance_module, "__file__", code)
    assert git_commit() is None  # a copy in somebody's project, who hasn't committed it
    git(ours, "add", ".")
    git(ours, "commit", "-q", "-m", "second")
    commit = git(ours, "rev-parse", "HEAD")[:12]
    assert git_commit() == commit
    monkeypatch.setenv("GIT_DIR", str(theirs / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(theirs))
    monkeypatch.setenv("GIT_INDEX_FILE", str(theirs / ".git" / "index"))
    assert git_commit() == commit
    with (ours / "provenance.py").open("a", encoding="utf-8") as file:
        file.write("# changed\n")
    assert git_commit() == commit + "+"
    monkeypatch.setattr(provenance_module, "__file__", str(tmp_path / "provenance.py"))
    assert git_commit() is None
