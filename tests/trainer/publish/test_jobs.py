"""Training on a rented machine: a real job in a process of ours, its price, and how it can fail."""

from __future__ import annotations

import functools
import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from minbert.predictor import Predictor
from minbert.storage.manifest import verify
from tests.support import assert_says
from tests.trainer.publish.hub_state import READER, TOKEN, FakeHub, Fault, Repo
from tests.trainer.samples import write_course_files
from trainer.cli import main
from trainer.provenance import git_commit
from trainer.publish import jobs

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

ON = ["--on", "hf-jobs", "--flavor", "cpu-basic"]
TINY = [
    *("--encoder", "anna/tiny", "--epochs", "1", "--steps-per-epoch", "3", "--head-epochs", "1"),
    *("--max-length", "48", "--precision", "fp32"),
]


@pytest.fixture
def machines(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    """Give the Hub with a place for its jobs, and work in an empty folder."""
    hub.job_folder = tmp_path / "jobs"
    write_course_files(hub.job_folder / "course")
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    monkeypatch.delenv("MINBERT_DATA", raising=False)
    return hub


@pytest.fixture
def quick(slim: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Send next to no code: the job ends where the trainer should begin."""
    monkeypatch.setattr(jobs, "Order", functools.partial(jobs.Order, root=slim))


def train(*arguments: str, recipe: str = "mean") -> int:
    return main(["train", recipe, *arguments])


@pytest.mark.whole
def test_the_model_that_comes_back_was_trained_by_the_job(
    machines: FakeHub, encoder_folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tiny = Repo("model", "anna/tiny", private=True)
    tiny.commit({path.name: path.read_bytes() for path in encoder_folder.iterdir()})
    machines.repos["model", "anna/tiny"] = tiny
    assert train(*ON, "--yes", "--timeout", "10m", *TINY) == 0, capsys.readouterr().err
    told = capsys.readouterr()
    out = Path("runs/mean-0")
    assert verify(out / "model")
    assert len(Predictor.from_pretrained(out / "model").sentiment(["a funny film"])) == 1
    result = json.loads((out / "result.json").read_text(encoding="utf-8"))
    assert (result["recipe"], result["config"]["steps_per_epoch"]) == ("mean", 3)
    assert result["commit"] == git_commit()
    # What training here would make, to the bit
    here = ["--data", str(machines.job_folder / "course"), "--encoder", str(encoder_folder)]
    assert train(*TINY[2:], *here, "--out", "here") == 0
    for name in ("model.safetensors", "heads.safetensors"):
        assert (out / "model" / name).read_bytes() == Path("here/model", name).read_bytes()
    assert {path.name for path in Path("runs").iterdir()} == {"mean-0"}
    (name,) = (name for _, name in machines.repos if name != "anna/tiny")
    repo = machines.repos["model", name]
    assert repo.private
    assert {path.split("/")[0] for path in repo.files} == {".gitattributes", "code.tar.gz", "run"}
    (job,) = machines.jobs.values()
    assert (job.asked["flavor"], job.asked["timeoutSeconds"]) == ("cpu-basic", 600)
    assert job.asked["secrets"] == {"HF_TOKEN": TOKEN}
    assert_says(
        told.err,
        found=("$0.01 an hour", "at most $0.01", "similarity: ", str(out), f"/{name}"),
        step=f"hf repos delete {name}",
        never=(TOKEN, "--device"),
    )
    assert told.out == ""
    # Again from the job alone, into another folder
    assert train("--on", "hf-jobs", "--attach", job.id, "--out", "again") == 0
    model = Path("again/model/model.safetensors").read_bytes()
    assert model == (out / "model" / "model.safetensors").read_bytes()
    assert len(machines.jobs) == 1


def test_a_dry_run_tells_price_and_script_and_sends_nothing(
    machines: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.machines[1]["unitCostMicroUSD"] = 25_000  # whatever the Hub says today
    arguments = ["--on", "hf-jobs", "--flavor", "a10g-small", "--dry-run", "--seed", "3"]
    assert train(*arguments, "--timeout", "90m", recipe="best") == 0
    told = capsys.readouterr().err
    assert_says(
        told,
        found=("$1.50 an hour", "$2.25", "anna/minbert-best-3-", "code.tar.gz"),
        step=("trainer mine", "trainer train best --seed=3 --device cuda --out run"),
        never=TOKEN,
    )
    assert {verb for verb, _ in machines.requests} == {"GET"}
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr("trainer.publish.upload.get_token", lambda: None)
    assert train(*arguments) == 0
    assert_says(capsys.readouterr().err, found=("$1.50 an hour", "USER/minbert-mean-3-"))


def test_only_a_yes_starts_a_job(
    machines: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for answer in ("\n", "n\n", "yes please\n", ""):
        monkeypatch.setattr("sys.stdin", io.StringIO(answer))
        assert train(*ON) == 1
        told = capsys.readouterr().err
        assert told.index("an hour") < told.index("[y/N]")
        assert_says(told, found=repr(answer.strip()), step="--yes")
    assert {verb for verb, _ in machines.requests} == {"GET"}


@pytest.mark.usefixtures("quick")
def test_a_job_that_fails_shows_its_last_lines(
    machines: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("y\n"))
    assert train(*ON) == 1
    (name,) = (name for _, name in machines.repos)
    told = capsys.readouterr().err
    assert_says(
        told.split("error: ")[1],
        rule="COMPLETED",
        found=("ERROR", "exit code: 1", "No module named trainer", "/jobs/anna/job0"),
        step=f"hf repos delete {name}",
        never=(TOKEN, "same command again"),
    )
    assert not Path("runs/mean-0").exists()


@pytest.mark.usefixtures("quick")
def test_ctrl_c_leaves_the_job_running_and_says_how_to_go_on(
    machines: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(jobs, "script", lambda *_: "echo begun; sleep 60")
    told: list[str] = []

    def hear(line: str) -> None:
        told.append(line)
        if line == "begun" and told.count(line) == 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("trainer.commands.train.tell", hear)
    assert train(*ON, "--yes") == 130
    (job,) = machines.jobs.values()
    assert job.stage == "RUNNING"
    attach = f"python -m trainer train mean --on hf-jobs --out runs/mean-0 --attach {job.id}"
    assert_says(told[-1], step=(attach, f"hf jobs cancel {job.id}"))
    machines.faults = [Fault("GET", f"/{job.id}/logs", status=404, body="gone")]
    assert main(attach.split()[3:]) == 1
    assert_says(capsys.readouterr().err, found="gone", step=(attach, "hf jobs cancel"))
    job.end("CANCELED")
    assert main(attach.split()[3:]) == 1
    assert_says(capsys.readouterr().err, found=("CANCELED", "  begun"))


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize(
    ("path", "status", "body", "says"),
    [
        ("/api/jobs/anna$", 402, "Pre-paid credit balance is insufficient", "settings/billing"),
        ("/api/jobs/anna$", 403, "Upgrade to PRO to run jobs", "docs/training.ipynb"),
        ("/api/jobs/anna$", 403, "Missing permissions", "settings/tokens"),
        ("/api/jobs/anna$", 503, "down", "hf jobs ls"),
        ("/commit/", 413, "too large", "settings/storage"),
    ],
)
def test_what_the_hub_refuses_leaves_nothing_there(
    machines: FakeHub,
    capsys: pytest.CaptureFixture[str],
    path: str,
    status: int,
    body: str,
    says: str,
) -> None:
    machines.faults = [Fault("POST", path, status=status, body=body, times=9)]
    assert train(*ON, "--yes") == 1
    assert_says(capsys.readouterr().err.split("error: ")[1], found=body, step=says, never=TOKEN)
    assert (machines.repos, machines.jobs) == ({}, {})


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ([*ON[:2]], {"parameter": "`--flavor`", "rule": "a10g-small ($1.00", "found": "none"}),
        ([*ON[:3], "abacus"], {"rule": "cpu-basic ($0.01", "found": "'abacus'"}),
        ([*ON[:3], "a10g-largex2"], {"rule": "one GPU", "found": "'a10g-largex2'"}),
        ([*ON[:3], "inf2x6"], {"rule": "NVIDIA", "found": "'inf2x6'"}),
        ([*ON, "--timeout", "long"], {"parameter": "`--timeout`", "found": "'long'"}),
        ([*ON, "--timeout", "0h"], {"parameter": "`--timeout`", "found": "'0h'"}),
        ([*ON, "--data", "mine"], {"parameter": "`--data`", "found": "mine"}),
        ([*ON, "--encoder", "."], {"parameter": "`--encoder`", "found": "."}),
        ([*ON, "--soft-labels", "x"], {"parameter": "`--soft-labels`", "found": "x"}),
        ([*ON, "--resume"], {"parameter": "`--resume`"}),
        ([*ON, "--out", "/"], {"parameter": "`--out`", "rule": "empty", "found": "/"}),
        ([*ON, "--pal-size", "8"], {"parameter": "`pal_epochs`"}),
        (["--flavor", "cpu-basic"], {"parameter": "`--flavor`", "step": "--on hf-jobs"}),
        (["--yes"], {"parameter": "`--yes`", "step": "--on hf-jobs"}),
        ([*ON, "--attach", "other"], {"found": "404", "parameter": "other"}),
    ],
)
def test_wrong_arguments_are_told_before_anything_is_sent(
    machines: FakeHub,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: dict[str, str],
) -> None:
    assert train(*arguments) == 1
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error")]
    assert_says(line, **says)
    assert {verb for verb, _ in machines.requests} <= {"GET"}


def test_a_price_that_we_cannot_read_is_no_price(
    machines: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    machines.machines = [{**machines.machines[0], "unitLabel": "fortnight"}]
    assert train(*ON, "--yes") == 1
    assert_says(capsys.readouterr().err, rule="minute", found="'fortnight'")
    assert machines.jobs == {}


@pytest.mark.parametrize(
    ("token", "says"),
    [("hf_expired", "401"), (READER, "can only read"), ("", "token is needed")],
)
@pytest.mark.usefixtures("machines")
def test_a_token_is_needed_that_may_write(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], token: str, says: str
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", "/nowhere/at/all")
    assert train(*ON, "--yes") == 1
    assert_says(capsys.readouterr().err, found=says, step="https://huggingface.co/settings/tokens")


@pytest.mark.usefixtures("quick")
def test_only_a_whole_model_comes_back(
    machines: FakeHub,
    model_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(jobs, "script", lambda *_: "true")
    assert train(*ON, "--yes") == 1
    assert_says(capsys.readouterr().err, found="minbert_manifest.json", step="--attach job0")
    (repo,) = machines.repos.values()
    files = [path for path in model_folder.rglob("*") if path.is_file()]
    model = {f"run/model/{f.relative_to(model_folder)}": f.read_bytes() for f in files}
    attach = ("--on", "hf-jobs", "--attach", "job0")
    repo.commit({**model, "run/model/heads.safetensors": b"torn"})
    assert train(*attach) == 1
    assert_says(capsys.readouterr().err, parameter="heads.safetensors", rule="SHA-256")
    assert not any(Path("runs").iterdir())
    repo.commit(model)
    assert train(*attach) == 0
    assert verify(Path("runs/mean-0/model"))
