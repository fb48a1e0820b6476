"""Several processes train as one would: equal gradients, equal weights, one result."""

from __future__ import annotations

import dataclasses
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from minbert.files import read_json, read_tensors
from tests.trainer.run.processes import start
from tests.trainer.run.two_processes import CASES, STEPS, Joined, both, descend, tuning_with
from trainer.cli import main
from trainer.config import TrainConfig
from trainer.publish.check import free_port
from trainer.run.distributed import World
from trainer.run.folder import Run
from trainer.run.train import check_world, train

REPOSITORY = Path(__file__).resolve().parents[3]
PATIENCE = 300  # seconds for two processes
PAIR = World(rank=1, size=2, local_rank=1)
SETTINGS = {
    "--device": "cpu",
    "--epochs": "2",
    "--steps-per-epoch": "5",
    "--checkpoint-every": "3",
    "--head-epochs": "1",
    "--learning-rate": "3e-3",
    "--max-length": "48",
    "--batch-examples": "8",
    "--batch-tokens": "256",
    "--surgery": "yes",
}


@dataclasses.dataclass(frozen=True)
class Ended:
    """What a process ended with."""

    tensors: dict[str, Tensor]
    told: dict[str, Any]

    def named(self, prefix: str) -> dict[str, Tensor]:
        """Return the tensors whose names begin so."""
        return {name: t for name, t in self.tensors.items() if name.startswith(prefix)}


class StoppedError(Exception):
    """Stands for a kill."""


def arguments_of(data: Path, encoder: Path, out: Path) -> list[str]:
    """Return the arguments of the run in `out`."""
    settings = {**SETTINGS, "--data": str(data), "--encoder": str(encoder), "--out": str(out)}
    return ["train", "mean", *[text for pair in settings.items() for text in pair]]


def stop_at(step: int, arguments: list[str]) -> None:
    """Train in this process until the safe point at a step is written."""
    save_state = Run.save_state

    def stopping(run: Run, tensors: dict[str, Tensor], counters: dict[str, Any]) -> None:
        save_state(run, tensors, counters)
        if counters.get("step") == step:
            raise StoppedError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Run, "save_state", stopping)
        with pytest.raises(StoppedError):
            main(arguments)


@pytest.fixture(scope="module")
def folder(data: Path, encoder_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train all cases in two processes, and go on there with a run that stopped at step 6."""
    out = tmp_path_factory.mktemp("two")
    arguments = arguments_of(data, encoder_folder, out / "run")
    stop_at(6, arguments)
    port = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port()), "WORLD_SIZE": "2"}
    processes = [
        start(
            *(out / f"told-{rank}.txt", both, out, [*arguments, "--resume"]),
            environment={**port, "RANK": rank, "LOCAL_RANK": rank},
        )
        for rank in ("0", "1")
    ]
    told = ""
    for rank, process in enumerate(processes):
        process.join(PATIENCE)
        told += (out / f"told-{rank}.txt").read_text(encoding="utf-8")
    assert [process.exitcode for process in processes] == [0, 0], told
    assert told.count("Continuing in fine-tuning at step 6.") == 1
    return out


def ended(folder: Path, case: str) -> list[Ended]:
    """Read what both processes ended with."""
    return [
        Ended(
            read_tensors(folder / rank / f"{case}.safetensors"),
            read_json(folder / rank / f"{case}.json"),
        )
        for rank in ("0", "1")
    ]


def alone(folder: Path, case: str) -> Ended:
    """Train a case in this process, on both processes' batches joined."""
    changes = {**CASES[case], "batch_examples": 4}
    return Ended(*descend(tuning_with(folder, stream=Joined, **changes)))


def off_by(found: dict[str, Tensor], wanted: dict[str, Tensor]) -> float:
    """Return the distance of two sets of tensors in relation to their length."""
    assert sorted(found) == sorted(wanted)
    first, second = (
        torch.cat([tensors[name].flatten().double() for name in sorted(tensors)])
        for tensors in (found, wanted)
    )
    return float((first - second).norm() / second.norm())


@pytest.mark.parametrize("case", CASES)
def test_two_processes_train_as_one_does_on_both_s_batches(
    folder: Path, tmp_path: Path, case: str
) -> None:
    wanted = alone(tmp_path, case)
    first, second = ended(folder, case)
    assert first.told["size"] == second.told["size"] == 2
    for step in range(STEPS):
        prefix = f"gradient.{step}."
        assert off_by(first.named(prefix), wanted.named(prefix)) < 1e-5
    assert off_by(first.named("weight."), wanted.named("weight.")) < 1e-5
    start = {f"weight.{n}": t for n, t in tuning_with(tmp_path).model.state_dict().items()}
    moved = {n: t for n, t in wanted.named("weight.").items() if n in start}
    assert off_by(moved, start) > 1e-3, "nothing was trained"
    for found in (first, second):
        assert found.told["tokens"] == wanted.told["tokens"] > 0


@pytest.mark.parametrize("case", CASES)
def test_both_processes_hold_the_same_bits(folder: Path, case: str) -> None:
    first, second = ended(folder, case)
    assert sorted(first.tensors) == sorted(second.tensors)
    differing = [n for n, t in first.tensors.items() if not torch.equal(t, second.tensors[n])]
    assert differing == []


@pytest.mark.parametrize("case", [case for case in CASES if "surgery" in case])
def test_surgery_works_on_gradients_that_are_averaged_already(
    folder: Path, tmp_path: Path, case: str
) -> None:
    wanted = alone(tmp_path, case)
    assert wanted.told["conflicts"] > 0, "nothing was projected"
    for found in ended(folder, case):
        assert found.told["conflicts"] == wanted.told["conflicts"]
        for cosines, others in zip(found.told["cosines"], wanted.told["cosines"], strict=True):
            assert cosines == pytest.approx(others, abs=1e-4)


def test_each_process_takes_its_own_batch_and_its_own_dropout(tmp_path: Path) -> None:
    tunings = [tuning_with(tmp_path, batch_examples=4) for _ in range(3)]
    worlds = [World(), World(0, 2), World(1, 2)]
    drawn, masks = [], []
    for tuning, world in zip(tunings, worlds, strict=True):
        tuning.world = world
        for _ in range(2 if world.size == 1 else 1):
            drawn.append(tuning.next_batch(0).inputs.input_ids.tolist())
        tuning.seed_dropout()
        masks.append(torch.rand(4).tolist())
    assert drawn[:2] == drawn[2:]
    assert drawn[0] != drawn[1]
    assert masks[0] == masks[1] != masks[2]
    assert len({tuning.tokens for tuning in tunings}) == 1


def lines_of(out: Path) -> list[dict[str, Any]]:
    """Read a run's metrics, without the clock's readings."""
    text = (out / "metrics.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return [{name: value for name, value in line.items() if name != "seconds"} for line in lines]


def assert_one_whole_run(out: Path) -> None:
    """Assert that a run of ten steps was written by one process, each line once."""
    lines = lines_of(out)
    tasks = ("sentiment", "paraphrase", "similarity")
    assert [line["task"] for line in lines if line["phase"] == "heads"] == [*tasks]
    assert [line["epoch"] for line in lines if line["phase"] == "validation"] == [0, 1, 2]
    steps = [line for line in lines if line["phase"] == "fine-tuning"]
    assert [line["step"] for line in steps] == [3, 5, 6, 9, 10]
    assert [line["step"] for line in lines if line["phase"] == "surgery"] == list(range(1, 11))
    assert [*out.parent.rglob("result.json")] == [out / "result.json"]
    assert [*out.parent.rglob("*.partial")] == []
    result = read_json(out / "result.json")
    assert set(result["metrics"]) == set(tasks)
    assert result["tokens"] == steps[-1]["tokens"]


@pytest.mark.whole
def test_the_command_under_torchrun_leaves_one_result(
    data: Path, encoder_folder: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone"]
    done = subprocess.run(
        [
            *command,
            "--nproc-per-node",
            "2",
            "-m",
            "trainer",
            *arguments_of(data, encoder_folder, out),
        ],
        cwd=REPOSITORY,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("Scoring the finished model") == 1, "the first process reports"
    assert_one_whole_run(out)


def test_a_stopped_run_goes_on_in_both_processes(folder: Path) -> None:
    assert_one_whole_run(folder / "run")


def test_one_process_may_do_what_several_may_not() -> None:
    check_world(TrainConfig(contrastive="nt_xent", mlm_passes=1.0), World())
    check_world(TrainConfig(surgery=True), PAIR)


@pytest.mark.parametrize("form", ["nt_xent", "in_batch"])
def test_simcse_is_refused_with_several_processes(form: str) -> None:
    with pytest.raises(ValueError, match=rf"`contrastive` should be 'off'.* Found '{form}' with 2"):
        check_world(TrainConfig(contrastive=form), PAIR)


def test_masked_language_modelling_is_refused_with_several_processes() -> None:
    with pytest.raises(ValueError, match=r"`mlm_passes` should be 0 .* Found 0.5; run"):
        check_world(TrainConfig(mlm_passes=0.5), PAIR)


def test_a_refused_run_leaves_nothing_behind(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(World, "join", lambda: World(rank=0, size=2))
    config, out = TrainConfig(contrastive="nt_xent"), tmp_path / "run"
    with pytest.raises(ValueError, match="Train with one"):
        train(config, data, out, resume=False, device_name="cpu", report=lambda _: None)
    assert not out.exists()


def test_a_process_that_nobody_launched_is_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    world = World.join()
    assert world == World(rank=0, size=1)
    assert world.main
    world.wait()
    world.leave()


def test_each_process_takes_its_own_gpu_and_any_shares_the_cpu() -> None:
    gpu, cpu = torch.device("cuda"), torch.device("cpu")
    assert PAIR.device(gpu) == torch.device("cuda", 1)
    assert PAIR.device(cpu) == cpu
    assert World().device(gpu) == gpu
    assert not PAIR.main


@pytest.mark.parametrize(("local", "gpus", "wanted"), [("0", 2, [0]), ("1", 2, [1]), ("3", 2, [1])])
def test_each_process_of_torchrun_takes_a_gpu_of_its_own(
    monkeypatch: pytest.MonkeyPatch, local: str, gpus: int, wanted: list[int]
) -> None:
    taken: list[int] = []
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    monkeypatch.setattr(torch.cuda, "set_device", taken.append)
    World.of_environment().take_gpu()
    assert (World.of_environment(), taken) == (World(0, 1, 0), [])
    for name, value in (("RANK", "5"), ("WORLD_SIZE", "8"), ("LOCAL_RANK", local)):
        monkeypatch.setenv(name, value)
    World.of_environment().take_gpu()
    assert (World.of_environment(), taken) == (World(5, 8, int(local)), wanted)
