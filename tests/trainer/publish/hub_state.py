"""What a small Hub of our own keeps in memory, and its rules; `hub_server` speaks for it."""

from __future__ import annotations

import dataclasses
import hashlib
import re
import threading
from pathlib import Path
from typing import Any

import yaml

from tests.trainer.publish.hub_jobs import MACHINES, Job

TOKEN, OTHER, READER = "hf_annaCanWriteHere", "hf_someoneElse", "hf_onlyReads"
LARGE = 20_000  # bytes from which a file goes to LFS; the real Hub says 10 MB, and by kind
BINARY = (".safetensors", ".png")
FIRST_PAGE = {  # what the Hub puts into a new static Space
    "index.html": b"<h1>Welcome to your static Space!</h1>",
    "style.css": b"body { padding: 2rem; }",
    "README.md": b"---\nsdk: static\n---\n",
}
COLOURS = ("red", "yellow", "green", "blue", "indigo", "purple", "pink", "gray")


@dataclasses.dataclass
class Repo:
    """A repository: its commits, the last one first in force."""

    kind: str
    name: str
    private: bool = False
    sdk: str | None = None
    hardware: str | None = None
    host: str | None = None  # where a Space's page answers
    commits: list[tuple[str, dict[str, bytes]]] = dataclasses.field(default_factory=list)

    @property
    def files(self) -> dict[str, bytes]:
        """Return what the last commit holds."""
        return self.commits[-1][1]

    @property
    def head(self) -> str:
        """Return the last commit's id."""
        return self.commits[-1][0]

    def commit(self, files: dict[str, bytes]) -> str:
        """Add a commit; return its id."""
        text = f"{self.kind}{self.name}{len(self.commits)}{sorted(files)}"
        self.commits.append((hashlib.sha1(text.encode()).hexdigest(), files))
        return self.head


@dataclasses.dataclass
class Fault:
    """Something that goes wrong with the next requests that match."""

    method: str
    path: str  # a pattern
    action: str = "answer"  # or "cut", or "stall"
    status: int = 500
    body: str = "broken"
    times: int = 1
    after: int = 0  # matching requests that pass first


class FakeHub:
    """People, repositories, large files, and the faults that requests will meet."""

    def __init__(self) -> None:
        """Begin with three tokens and no repository."""
        self.people: dict[str, dict[str, Any]] = {
            TOKEN: person("anna", "write", orgs=[("lab", "write"), ("museum", "read")]),
            OTHER: person("bert", "write"),
            READER: person("anna", "read"),
        }
        self.repos: dict[tuple[str, str], Repo] = {}
        self.large: dict[str, bytes] = {}  # by SHA-256
        self.requests: list[tuple[str, str]] = []
        self.faults: list[Fault] = []
        self.stages = ["RUNNING"]  # a look at a Space takes the next; the last one stays
        self.build_log = ["Collecting torch", "ERROR: no such version"]
        self.paid = True  # False: a Gradio Space on a CPU is refused
        self.xet_folder: str | None = None
        self.credits = True  # False: a job is refused
        self.machines = [dict(each) for each in MACHINES]
        self.jobs: dict[str, Job] = {}
        self.job_folder = Path("/nowhere")  # holds course/, the data of a job's download
        self.crashes: list[str] = []  # errors of the server itself
        self.url = ""
        self.stopping = threading.Event()

    def asked(self, method: str, pattern: str) -> list[str]:
        """Return the paths asked for with this method that match."""
        return [path for verb, path in self.requests if verb == method and re.search(pattern, path)]

    def next_fault(self, method: str, path: str) -> Fault | None:
        """Take the fault that this request meets."""
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.path, path):
                if fault.after:
                    fault.after -= 1
                    continue
                fault.times -= 1
                return fault
        return None

    def pause(self, seconds: float) -> None:
        """Wait, but not longer than the server runs."""
        self.stopping.wait(seconds)


def person(name: str, role: str, orgs: list[tuple[str, str]] | None = None) -> dict[str, Any]:
    """Return what whoami tells."""
    return {
        "type": "user",
        "name": name,
        "orgs": [{"name": org, "roleInOrg": rights} for org, rights in orgs or []],
        "auth": {"type": "access_token", "accessToken": {"displayName": "x", "role": role}},
    }


def blob_id(content: bytes) -> str:
    """Return git's id of a blob."""
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def is_large(path: str, size: int) -> bool:
    """Say whether a file goes to LFS."""
    return size > 0 and (size >= LARGE or path.endswith(BINARY))


def yaml_problem(kind: str, content: str) -> str | None:
    """Say what the Hub refuses in a README's front matter."""
    found = re.match(r"---\n(.*?)\n---\n", content, flags=re.DOTALL)
    if found is None:
        return '"---" front matter is missing'
    head = yaml.safe_load(found.group(1))
    if kind == "space":
        if len(head.get("short_description", "")) > 60:
            return '"short_description" length must be less than or equal to 60 characters long'
        for name in ("title", "sdk", "app_file"):
            if not isinstance(head.get(name), str):
                return f'"{name}" is required'
        for name in ("colorFrom", "colorTo"):
            if head.get(name) not in COLOURS:
                return f'"{name}" must be one of {COLOURS}'
        app = head["sdk"] != "static"
        if app and not re.fullmatch(r"\d+\.\d+\.\d+", str(head.get("sdk_version"))):
            return '"sdk_version" must be a version'
        if app and not isinstance(head.get("python_version"), str):
            return '"python_version" must be a string'
    for name in ("models", "datasets"):
        if not all(re.fullmatch(r"[\w.-]+/[\w.-]+", each) for each in head.get(name, [])):
            return f'"{name}" must be ids'
    return None


def entry(path: str, content: bytes) -> dict[str, Any]:
    """Return a file as the tree lists it."""
    told: dict[str, Any] = {"type": "file", "path": path, "size": len(content)}
    told["oid"] = blob_id(content)
    if is_large(path, len(content)):
        digest = hashlib.sha256(content).hexdigest()
        told["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 130}
    return told
