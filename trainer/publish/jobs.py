"""A run on a machine of the Hub, paid by the minute: the code goes up, the run comes back.

Both travel through a private model repo of the job's own: code.tar.gz, and run/ with the model.
What the job does is a shell script of a few lines that a dry run shows (`script`).
"""

from __future__ import annotations

import dataclasses
import math
import re
import shlex
import tarfile
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any

from huggingface_hub import JobHardwareInfo, JobInfo, snapshot_download

from minbert.storage.manifest import MANIFEST_FILE, TRAINED_ON_FILE, verify, verify_file
from trainer.provenance import git_commit
from trainer.publish.errors import PublishError, explain, refused_job, without_token
from trainer.publish.folder import NEVER, ROOT, files_below
from trainer.publish.upload import Hub

IMAGE = "ghcr.io/astral-sh/uv:python3.12-bookworm"  # the Hub's own choice for Python in a job
CODE = "code.tar.gz"
TOP = ("requirements.txt", "LICENSE")
BACK = ("model/*", "result.json", "run.json", "metrics.jsonl", "predictions.json")
REPO = "MODEL_REPO"  # the job's variable that names the repo
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
UNITS = {"second": 1, "minute": 60, "hour": 3600}  # what the Hub bills by, in seconds
LAST_LINES = 15  # of a failed job's log


@dataclasses.dataclass(frozen=True)
class Order:
    """What is to be trained, where, and for how long at most."""

    name: str  # of the run, such as mean-0
    train: tuple[str, ...]  # arguments of `python -m trainer train`: the recipe and its changes
    mines: bool  # hard negatives first, which the recipe reads
    flavor: str | None  # the machine
    seconds: int  # after which the Hub stops it
    root: Path = ROOT


def seconds_of(text: str) -> int:
    """Return a duration in seconds.

    Raises:
        ValueError: it isn't a number above 0 with a unit.
    """
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text)
    if found is None or not (seconds := math.ceil(float(found[1]) * SECONDS[found[2]])):
        raise ValueError(
            f"`--timeout` should be a number above 0 with s, m, h or d. Found {text!r}; write 90m "
            "or 2h."
        )
    return seconds


def machine_for(order: Order, hub: Hub) -> JobHardwareInfo:
    """Return the machine that is asked for, as the Hub offers it now.

    Raises:
        PublishError: the Hub doesn't answer.
        ValueError: it has no such machine, or one whose further GPUs would be paid and idle.
    """
    with hub.doing("asking for machines and prices"):
        offered = [each for each in hub.api.list_jobs_hardware() if is_usable(each)]
    for machine in offered:
        if machine.name == order.flavor:
            return machine
    prices = ", ".join(f"{each.name} (${an_hour(each):.2f} an hour)" for each in offered)
    found = "none" if order.flavor is None else repr(order.flavor)
    raise ValueError(
        "`--flavor` should be a machine that the Hub offers, with one GPU of NVIDIA or without: "
        f"{prices}. Found {found}; choose one of these."
    )


def is_usable(machine: JobHardwareInfo) -> bool:
    """Say whether one process of ours makes use of all that would be paid."""
    gpu = machine.accelerator
    return gpu is None or (gpu.manufacturer.lower() == "nvidia" and str(gpu.quantity) == "1")


def unit_seconds(machine: JobHardwareInfo) -> int:
    """Return the seconds that the machine is billed by.

    Raises:
        PublishError: a unit that we don't know, so that no cost can be told.
    """
    if machine.unit_label not in UNITS:
        raise PublishError(
            f"The Hub's price of {machine.name} should be by one of {', '.join(UNITS)}. Found "
            f"{machine.unit_label!r}; nothing was sent. See https://huggingface.co/docs/hub/jobs-pricing"
        )
    return UNITS[machine.unit_label]


def an_hour(machine: JobHardwareInfo) -> float:
    """Return the machine's price in dollars an hour."""
    return machine.unit_cost_micro_usd / 1e6 * 3600 / unit_seconds(machine)


def at_most(machine: JobHardwareInfo, seconds: int) -> float:
    """Return what so many seconds cost in dollars, begun units and cents counted whole."""
    units = math.ceil(seconds / unit_seconds(machine))
    return math.ceil(machine.unit_cost_micro_usd * units / 10_000) / 100


def cost_lines(order: Order, machine: JobHardwareInfo) -> list[str]:
    """Return what the job costs, for a person to read before it starts."""
    gpu = machine.accelerator
    parts = [machine.cpu, machine.ram, *([f"{gpu.model} with {gpu.vram}"] if gpu else [])]
    return [
        f"{machine.name} ({', '.join(parts)}) costs ${an_hour(machine):.2f} an hour, the Hub says",
        f"The job is stopped after {order.seconds / 60:g} minutes: at most "
        f"${at_most(machine, order.seconds):.2f}, and the minutes that the machine takes to start",
    ]


def script(order: Order, machine: JobHardwareInfo) -> str:
    """Return what the job runs, as a script of bash."""
    gpu = ("--device", "cuda") if machine.accelerator and "--device" not in order.train else ()
    train = shlex.join((*order.train, *gpu, "--out", "run"))
    back = " ".join(f"--include {shlex.quote(pattern)}" for pattern in BACK)
    lines = [
        "set -e",
        'cd "$(mktemp -d)"',
        "uv venv --quiet env",
        ". env/bin/activate",
        "uv pip install --quiet huggingface_hub",
        f'hf download "${REPO}" {CODE} --local-dir .',
        f"tar -xzf {CODE}",
        "uv pip install --quiet --torch-backend auto -r requirements.txt",
        "python -m trainer download",
        *(["python -m trainer mine"] if order.mines else []),
        f"python -m trainer train {train}",
        f'hf upload "${REPO}" run run {back}',
    ]
    return "\n".join(lines)


def code_files(root: Path) -> list[str]:
    """Return the files of a checkout that a job needs, with forward slashes.

    Raises:
        PublishError: `root` isn't a checkout.
    """
    missing = [name for name in TOP if not (root / name).is_file()]
    if missing:
        raise PublishError(
            f"{root} should hold {', '.join(missing)}. Found nothing there; run the command in a "
            "whole checkout of minBERT Lab."
        )
    found = [*files_below(root, "minbert"), *files_below(root, "trainer")]
    return [*TOP, *(name for name, path in found if path.suffix not in NEVER)]


def pack_code(root: Path, out: Path) -> int:
    """Pack the code into `out`, a folder that is there; return the number of files."""
    names = code_files(root)
    with tarfile.open(out / CODE, "w:gz") as file:
        for name in names:
            file.add(root / name, name)
    return len(names)


def describe(order: Order, machine: JobHardwareInfo, repo: str) -> list[str]:
    """Return what would be sent, line by line; nothing is."""
    with tempfile.TemporaryDirectory() as folder:
        count = pack_code(order.root, Path(folder))
        size = (Path(folder) / CODE).stat().st_size / 1e6
    return [
        f"To the private model repo {repo}: {CODE}, {count} files of minbert/ and trainer/, "
        f"{size:.1f} MB",
        f"To the job: the name of that repo, your token as a secret, the image {IMAGE}, and",
        *(f"  {line}" for line in script(order, machine).splitlines()),
    ]


def repo_of(order: Order, owner: str) -> str:
    """Return the name of a repo for this job alone."""
    return f"{owner}/minbert-{order.name}-{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}"


def start(order: Order, machine: JobHardwareInfo, hub: Hub, owner: str) -> tuple[JobInfo, str]:
    """Send the code and start the job; return it and its repo. Where that fails, nothing is left.

    Raises:
        PublishError: the Hub refuses; where money is the reason, with the ways out.
    """
    repo, commit = repo_of(order, owner), git_commit() or ""
    with tempfile.TemporaryDirectory() as folder:
        pack_code(order.root, Path(folder))
        hub.create(repo, "model", private=True)
        try:
            message = f"minBERT Lab, commit {commit or 'unknown'}, for a job"
            hub.upload(Path(folder), repo, "model", message)
            job = ask_for(order, machine, hub, owner, {REPO: repo, "MINBERT_COMMIT": commit})
        except BaseException:
            hub.take_back(repo, "model")
            raise
    hub.report(f"Started the job {job.id}: {job.url}")
    return job, repo


def ask_for(
    order: Order, machine: JobHardwareInfo, hub: Hub, owner: str, variables: dict[str, str]
) -> JobInfo:
    """Ask the Hub for the job, with `variables` in its environment."""
    try:
        return hub.api.run_job(
            image=IMAGE,
            command=["bash", "-c", script(order, machine)],
            env={**variables, "HF_HUB_DISABLE_PROGRESS_BARS": "1"},
            secrets={"HF_TOKEN": hub.token},
            flavor=machine.name,
            timeout=order.seconds,
            name=f"minbert-{order.name}",
            namespace=owner,
        )
    except Exception as error:
        told = refused_job(error, machine.name)
        if told is not None:
            raise PublishError(without_token(told, hub.token)) from error
        again = (
            "Should a job run all the same, it ends by itself, since its code is deleted: "
            "`hf jobs ls` lists them. Run the same command again."
        )
        raise explain(error, "starting the job", hub.token, again) from error


def look_at(job_id: str, hub: Hub, owner: str) -> tuple[JobInfo, str]:
    """Return a job that was started earlier, and its repo.

    Raises:
        PublishError: the Hub has none of this name, or it isn't one of ours.
    """
    with hub.doing(f"looking for the job {job_id}"):
        job = hub.api.inspect_job(job_id=job_id, namespace=owner)
    repo = (job.environment or {}).get(REPO)
    if repo is None:
        raise PublishError(
            f"`--attach` should be a job that this command started. Found another, {job_id}; "
            "`hf jobs ls` lists them."
        )
    return job, str(repo)


def await_run(job: JobInfo, repo: str, hub: Hub, out: Path, attach: str) -> Path:
    """Follow a job's log until it ends, then bring its run to `out`; return the model's folder.

    Args:
        job: one that `start` or `look_at` returned.
        repo: the job's, USER/NAME.
        hub: the account.
        out: a folder that is new or empty.
        attach: the command that comes back here.

    Raises:
        PublishError: the job failed, with its last lines, or the connection was lost.
        CheckpointError: what came back isn't what its manifest lists.
    """
    delete = f"`hf repos delete {repo}` deletes it"
    again = f"The job goes on. `{attach}` comes back to it, `hf jobs cancel {job.id}` ends it."
    try:
        last = follow(job, hub, again)
        if last.stage != "COMPLETED":
            raise PublishError(
                without_token(
                    f"The job should end as COMPLETED. Found {last.stage}{last.said}\nThe whole "
                    f"log is at {job.url}. Nothing came back; mend what it names and start anew. "
                    f"Its code is still in {hub.address(repo, 'model')}: {delete}.",
                    hub.token,
                )
            )
        again = f"The run is whole on the Hub: `{attach}` brings it."
        fetch(repo, hub, out, again)
    except (KeyboardInterrupt, SystemExit):
        hub.report(again)
        raise
    hub.report(f"The run is in {out}, and in the private {hub.address(repo, 'model')}: {delete}")
    return out / "model"


@dataclasses.dataclass(frozen=True)
class End:
    """How a job ended."""

    stage: str
    said: str  # the Hub's words, and the log's last lines


def follow(job: JobInfo, hub: Hub, again: str) -> End:
    """Report a job's log as it grows; return how it ended."""
    where: dict[str, Any] = {"job_id": job.id, "namespace": job.owner.name}
    lines: deque[str] = deque(maxlen=LAST_LINES)
    with hub.doing(f"following the job {job.id}", again):
        for text in hub.api.fetch_job_logs(**where, follow=True):
            lines.append(text.rstrip())
            hub.report(lines[-1])
        status = hub.api.wait_for_job(**where, poll_interval=hub.pause).status
    said = f": {status.message}" if status.message else ""
    return End(
        getattr(status.stage, "value", status.stage),
        "\n".join([f"{said}. Its last lines:", *(f"  {line}" for line in lines)]),
    )


def fetch(repo: str, hub: Hub, out: Path, again: str) -> None:
    """Bring run/ of a repo to `out`, whole and verified, or not at all."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".minbert-job-") as folder:
        with hub.doing(f"bringing the run from {repo}", again):
            snapshot_download(
                repo,
                allow_patterns=["run/*"],
                local_dir=folder,
                token=hub.token,
                endpoint=hub.api.endpoint,
            )
        run = Path(folder) / "run"
        if not verify(run / "model"):
            raise PublishError(f"{repo} should hold run/model/{MANIFEST_FILE}. Found none. {again}")
        verify_file(run / "model" / TRAINED_ON_FILE)
        run.replace(out)
