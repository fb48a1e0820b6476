"""A killed run, continued, ends bit for bit as an unbroken one.

The real command runs in processes of its own and is killed with SIGKILL: at random times, and at
exact points of its file writing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import random
import signal
import subprocess
import sys
import time
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import pytest

from minbert.files import read_tensors
from tests.trainer.run.processes import start
from trainer.cli import main

REPOSITORY = Path(__file__).resolve().parents[3]
SETTINGS = {
    "--threads": "1",
    "--seed": "1",  # one with which fine-tuning beats the start
    "--device": "cpu",
    "--epochs": "2",
    "--steps-per-epoch": "30",
    "--checkpoint-every": "7",
    "--head-epochs": "2",
    "--hidden-dropout": "0.2",
    "--sampler": "annealed",
    "--learning-rate": "3e-3",
    "--max-length": "48",
    "--batch-examples": "8",
    "--batch-tokens": "256",
}
MODEL_FILES = (
    *("model.safetensors", "heads.safetensors", "config.json"),
    *("tokenizer.json", "tokenizer_config.json"),
)
RANDOM_KILLS = 2
WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
HEAVY_KILLS = 20
PATIENCE = 180  # seconds for one process


@dataclasses.dataclass(frozen=True)
class Work:
    """What the command works on."""

    data: Path
    encoder: Path

    def command(self, out: Path) -> list[str]:
        """Return the arguments that train, or continue, the run in `out`."""
        settings = {**SETTINGS, "--data": str(self.data), "--encoder": str(self.encoder)}
        flat = [text for pair in settings.items() for text in pair]
        return ["train", "mean", "--resume", "--out", str(out), *flat]

    def start(self, out: Path, stop: str = "") -> ForkServerProcess:
        """Start the command in a process of its own, with a point to stop at where one is given."""
        return start(told_of(out), main, self.command(out), stop=stop)

    def complete(self, out: Path) -> None:
        """Run the command to its end."""
        process = self.start(out)
        process.join(PATIENCE)
        assert process.exitcode == 0, told_of(out).read_text(encoding="utf-8")


def told_of(out: Path) -> Path:
    """Return the file of what the run's last process printed."""
    return out.with_suffix(".txt")


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What a finished run leaves behind, the clock's readings left out."""

    files: dict[str, bytes]
    trained_on: dict[str, list[int]]
    lines: list[dict[str, Any]]
    result: dict[str, Any]


def outcome(out: Path) -> Outcome:
    """Read a finished run."""
    assert [path for path in out.rglob("*") if path.name.endswith(".partial")] == []
    names = [f"{folder}/{name}" for folder in ("best", "model") for name in MODEL_FILES]
    text = (out / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    for line in lines:
        del line["seconds"]
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    hashes = read_tensors(out / "model" / "trained_on.safetensors")
    told = {name: value for name, value in result.items() if name not in ("minutes", "commit")}
    return Outcome(
        {name: (out / name).read_bytes() for name in names},
        {name: values.tolist() for name, values in hashes.items()},
        lines,
        told,
    )


def assert_same(found: Outcome, wanted: Outcome) -> None:
    """Assert that two runs ended the same; say first what differs."""
    assert [about(line) for line in found.lines] == [about(line) for line in wanted.lines]
    assert found.lines == wanted.lines
    differing = [name for name, content in wanted.files.items() if found.files[name] != content]
    assert differing == []
    assert found.trained_on == wanted.trained_on
    assert found.result == wanted.result


def about(line: dict[str, Any]) -> tuple[Any, ...]:
    """Say which event a line of metrics.jsonl tells."""
    return tuple(line.get(name) for name in ("phase", "task", "epoch", "step"))


@pytest.fixture(scope="module")
def work(data: Path, encoder_folder: Path) -> Work:
    return Work(data, encoder_folder)


@dataclasses.dataclass(frozen=True)
class Unbroken:
    """The run that nobody killed."""

    seconds: float
    outcome: Outcome


@pytest.fixture(scope="module")
def unbroken(work: Work, tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    folder = tmp_path_factory.mktemp("runs") / "unbroken"
    start(told_of(folder), int).join(PATIENCE)  # the first process waits for the imports
    started = time.monotonic()
    work.complete(folder)
    return Unbroken(time.monotonic() - started, outcome(folder))


def kill_at_random(work: Work, out: Path, seconds: float, kills: int, seed: int) -> int:
    """Start the run again and again and kill it at random times; return how often that was."""
    draw = random.Random(seed)
    killed = 0
    for _ in range(kills):
        process = work.start(out)
        process.join(draw.uniform(0.0, seconds))
        process.kill()
        process.join(PATIENCE)
        told = told_of(out).read_text(encoding="utf-8")
        assert process.exitcode in (0, -signal.SIGKILL), told
        killed += process.exitcode != 0
    return killed


def stop_at(work: Work, out: Path, stop: str) -> None:
    """Run until the point `stop`: a file's ending, the count of its renames, the moment."""
    process = work.start(out, stop)
    process.join(PATIENCE)
    told = told_of(out).read_text(encoding="utf-8")
    assert process.exitcode == -signal.SIGKILL, f"{stop} was never reached: {told}"


def test_the_unbroken_run_is_one_that_can_tell_differences(unbroken: Unbroken) -> None:
    found = unbroken.outcome
    assert found.result["best"]["epoch"] > 0, "the best model is one that fine-tuning made"
    validations = [line for line in found.lines if line["phase"] == "validation"]
    assert [line["epoch"] for line in validations] == [0, 1, 2]
    assert len({line["selection"] for line in validations}) == 3
    steps = [line["step"] for line in found.lines if line["phase"] == "fine-tuning"]
    assert steps == [7, 14, 21, 28, 30, 35, 42, 49, 56, 60]
    assert [about(line)[:3] for line in found.lines[:6]] == [
        ("heads", task, epoch)
        for task in ("sentiment", "paraphrase", "similarity")
        for epoch in (1, 2)
    ]


@pytest.mark.whole
def test_killed_at_random_times_and_continued(
    work: Work, unbroken: Unbroken, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert kill_at_random(work, out, unbroken.seconds, RANDOM_KILLS, seed=1) > 0
    command = [sys.executable, "-m", "trainer", *work.command(out)]
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode == 0, done.stderr
    assert_same(outcome(out), unbroken.outcome)


def test_a_second_process_is_refused_while_the_first_trains(
    work: Work, unbroken: Unbroken, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    metrics, process = out / "metrics.jsonl", work.start(out)
    assert process.pid is not None
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends and not (metrics.exists() and metrics.stat().st_size):
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGSTOP)
    try:
        before = metrics.read_bytes()
        assert main(work.command(out)) == 1
        assert "Found another that is training" in capsys.readouterr().err
        assert metrics.read_bytes() == before
    finally:
        process.kill()
        process.join(PATIENCE)
    work.complete(out)
    assert_same(outcome(out), unbroken.outcome)


@pytest.mark.whole
def test_killed_at_many_random_times_and_continued(
    work: Work, unbroken: Unbroken, tmp_path: Path
) -> None:
    for number in range(HEAVY_KILLS):
        out = tmp_path / f"run-{number}"
        kill_at_random(work, out, unbroken.seconds, 1, seed=100 + number)
        work.complete(out)
        assert_same(outcome(out), unbroken.outcome)


def test_killed_at_the_change_of_phase(work: Work, unbroken: Unbroken, tmp_path: Path) -> None:
    out = tmp_path / "run"
    stop_at(work, out, "state.safetensors:3:after")  # the last head's safe point
    stop_at(work, out, "state.safetensors:1:after")  # fine-tuning's first, at step 0
    work.complete(out)
    assert_same(outcome(out), unbroken.outcome)


def test_killed_in_phase_2_and_while_it_ends(
    work: Work, unbroken: Unbroken, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    stop_at(work, out, "state.safetensors:6:torn")  # three heads, step 0, 7 and 14
    assert (out / "state.safetensors.partial").exists()
    stop_at(work, out, "best/model.safetensors:1:after")  # saved, its state not yet
    stop_at(work, out, "result.json:1:torn")
    assert not (out / "result.json").exists()
    work.complete(out)
    assert_same(outcome(out), unbroken.outcome)
