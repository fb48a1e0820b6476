"""A small Hub of our own over HTTP: what huggingface_hub asks for, answered from memory.

It holds callers to what the real one is known to hold them to: tokens and their rights, names,
front matter, content by its digest, a commit as a whole.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.trainer.publish.hub_jobs import Job
from tests.trainer.publish.hub_state import (
    FIRST_PAGE,
    FakeHub,
    Repo,
    blob_id,
    entry,
    is_large,
    yaml_problem,
)


class Refusal(Exception):  # noqa: N818 - an answer, not an error of ours
    """An answer other than 200."""

    def __init__(self, status: int, message: str, code: str | None = None, **more: str) -> None:
        """Refuse with a status, a message, the Hub's error code and further fields."""
        super().__init__(message)
        self.status, self.message, self.code, self.more = status, message, code, more


class HubHandler(BaseHTTPRequestHandler):
    """One request."""

    hub: FakeHub
    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        """Keep quiet."""

    def answer(self) -> None:
        """Answer any request: first a fault where one is asked for, then as the Hub does."""
        path = unquote(urlsplit(self.path).path)
        self.body = self.received()
        self.hub.requests.append((self.command, path))
        self.token = (self.headers.get("Authorization") or "").removeprefix("Bearer ") or None
        fault = self.hub.next_fault(self.command, path)
        try:
            if fault is None:
                self.route(path)
            elif fault.action == "answer":
                raise Refusal(fault.status, fault.body)
            else:
                if fault.action == "stall":
                    self.hub.pause(30)
                self.close_connection = True
        except Refusal as refusal:
            headers = {"X-Error-Message": refusal.message}
            if refusal.code:
                headers["X-Error-Code"] = refusal.code
            told = {"error": refusal.message, **refusal.more}
            self.send(json.dumps(told).encode(), refusal.status, headers)
        except Exception as error:  # of this server itself: no test passes over it
            self.hub.crashes.append(f"{self.command} {path}: {error!r}")
            self.send(b"{}", 418)

    do_GET = do_POST = do_PUT = do_HEAD = do_DELETE = answer  # noqa: N815 - names that Python's server looks for

    def received(self) -> bytes:
        """Return the request's body, sent whole or in chunks."""
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def route(self, path: str) -> None:
        """Find who answers this path."""
        for pattern, method in ROUTES:
            if found := re.fullmatch(pattern, f"{self.command} {path}"):
                getattr(self, method)(**found.groupdict())
                return
        raise Refusal(404, f"this Hub has no {self.command} {path}")

    def send(
        self, content: bytes, status: int = 200, headers: dict[str, str] | None = None
    ) -> None:
        """Send an answer."""
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def tell(self, values: object) -> None:
        """Send JSON."""
        self.send(json.dumps(values).encode(), headers={"Content-Type": "application/json"})

    # Who asks

    def me(self, *, to_write: str | None = None) -> dict[str, Any]:
        """Return who asks, and see that they may write under `to_write`."""
        if self.token not in self.hub.people:
            raise Refusal(401, "Invalid credentials in Authorization header")
        asker = self.hub.people[self.token]
        orgs = {org["name"] for org in asker["orgs"] if org["roleInOrg"] != "read"}
        rights = asker["auth"]["accessToken"]["role"]
        if to_write is not None and (to_write not in {asker["name"], *orgs} or rights == "read"):
            raise Refusal(403, "You don't have the rights to create or write under this namespace")
        return asker

    def repo(self, kind: str, name: str, *, write: bool = False) -> Repo:
        """Return a repository that the asker may see, or write to."""
        found = self.hub.repos.get((kind.rstrip("s") or "model", name))
        mine = name.split("/")[0] in str(self.hub.people.get(self.token or ""))
        if found is None or (found.private and not mine):
            raise Refusal(404, "Repository not found", "RepoNotFound")
        if write:
            self.me(to_write=name.split("/")[0])
        return found

    def whoami(self) -> None:
        self.tell(self.me())

    # Repositories

    def create(self) -> None:
        asked = json.loads(self.body)
        owner = asked.get("organization") or self.me()["name"]
        self.me(to_write=owner)
        kind, name = asked.get("type", "model"), f"{owner}/{asked['name']}"
        if (kind, name) in self.hub.repos:
            said = f"You already created this {kind} repo: {name}"
            raise Refusal(409, said, url=f"{self.hub.url}/{name}")
        free = kind == "space" and asked["sdk"] == "gradio" and not self.hub.paid
        if free and asked.get("hardware", "cpu-basic").startswith("cpu"):
            raise Refusal(402, "Subscribe to PRO to host Gradio Spaces on cpu-basic")
        page = asked.get("sdk") == "static"
        if page and asked.get("hardware"):
            raise Refusal(400, "A static Space has no hardware")
        made = Repo(kind, name, asked.get("visibility") == "private")
        made.sdk, made.hardware = asked.get("sdk"), asked.get("hardware")
        first = {".gitattributes": b"*.safetensors filter=lfs\n"}
        made.commit({**first, **(FIRST_PAGE if page else {})})
        self.hub.repos[kind, name] = made
        self.tell({"url": f"{self.hub.url}/{'spaces/' if kind == 'space' else ''}{name}"})

    def delete(self) -> None:
        asked = json.loads(self.body)
        kind, name = asked.get("type", "model"), f"{asked['organization']}/{asked['name']}"
        self.repo(kind, name, write=True)
        del self.hub.repos[kind, name]
        self.tell({})

    def validate(self) -> None:
        asked = json.loads(self.body)
        if problem := yaml_problem(asked["repoType"], asked["content"]):
            raise Refusal(400, problem)
        self.tell({"errors": [], "warnings": []})

    def info(self, kind: str, name: str) -> None:
        found = self.repo(kind, name)
        siblings = [{"rfilename": path} for path in found.files]
        told = {"id": name, "sha": found.head, "private": found.private, "siblings": siblings}
        more = {"sdk": found.sdk, "host": found.host} if found.kind == "space" else {}
        self.tell(told | more)

    def tree(self, kind: str, name: str) -> None:
        found = self.repo(kind, name)
        self.tell([entry(path, content) for path, content in found.files.items()])

    # Uploads

    def preupload(self, kind: str, name: str) -> None:
        there = self.repo(kind, name, write=True).files
        told = []
        for file in json.loads(self.body)["files"]:
            large = is_large(file["path"], file["size"])
            known = there.get(file["path"])
            oid = None
            if known is not None:
                oid = hashlib.sha256(known).hexdigest() if large else blob_id(known)
            mode = "lfs" if large else "regular"
            told.append({**file, "uploadMode": mode, "shouldIgnore": False, "oid": oid})
        self.tell({"files": told})

    def batch(self, kind: str | None, name: str) -> None:
        self.repo(kind or "model", name, write=True)
        told: list[dict[str, Any]] = []
        for item in json.loads(self.body)["objects"]:
            if item["oid"] not in self.hub.large:
                item["actions"] = {
                    "upload": {"href": f"{self.hub.url}/lfs/{item['oid']}"},
                    "verify": {"href": f"{self.hub.url}/lfs-verify"},
                }
            told.append(item)
        self.tell({"transfer": "basic", "objects": told})

    def put(self, oid: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != oid:
            raise Refusal(400, "the content doesn't have this SHA-256")
        self.hub.large[oid] = self.body
        self.send(b"")

    def verify(self) -> None:
        asked = json.loads(self.body)
        if len(self.hub.large.get(asked["oid"], b"")) != asked["size"]:
            raise Refusal(422, "the file isn't whole")
        self.tell({})

    def commit(self, kind: str, name: str) -> None:
        found = self.repo(kind, name, write=True)
        files = dict(found.files)
        for line in self.body.splitlines():
            told = json.loads(line)
            value = told["value"]
            if told["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif told["key"] == "lfsFile":
                if value["oid"] not in self.hub.large and self.hub.xet_folder is None:
                    raise Refusal(400, f"{value['path']}: its content was never uploaded")
                files[value["path"]] = self.hub.large.get(value["oid"], value["oid"].encode())
            elif told["key"] == "deletedFile" and files.pop(value["path"], None) is None:
                raise Refusal(404, "A file with this name doesn't exist", "EntryNotFound")
        oid = found.commit(files)
        self.tell(
            {
                "success": True,
                "commitOid": oid,
                "commitUrl": f"{self.hub.url}/{kind}/{name}/commit/{oid}",
            }
        )

    def xet(self, kind: str, name: str) -> None:
        self.repo(kind, name, write=True)
        if self.hub.xet_folder is None:
            raise Refusal(404, "this Hub has no Xet")
        address, end = f"local://{self.hub.xet_folder}", int(time.time()) + 3600
        self.tell({"casUrl": address, "accessToken": "x", "exp": end})

    # Downloads

    def resolve(self, kind: str | None, name: str, path: str) -> None:
        found = self.repo(kind or "model", name)
        content = found.files.get(path)
        if content is None:
            raise Refusal(404, "Entry not found", "EntryNotFound")
        digest = hashlib.sha256(content).hexdigest()
        etag = digest if is_large(path, len(content)) else blob_id(content)
        self.send(content, headers={"ETag": f'"{etag}"', "X-Repo-Commit": found.head})

    # Spaces

    def runtime(self, name: str) -> None:
        found = self.repo("space", name)
        stage = self.hub.stages[0]
        if len(self.hub.stages) > 1:
            del self.hub.stages[0]
        hardware = {"current": found.hardware, "requested": found.hardware}
        told = {"stage": stage, "hardware": hardware, "sha": found.head}
        if "ERROR" in stage:
            told["errorMessage"] = "Job failed with exit code: 1"
        self.tell(told)

    def ask_hardware(self, name: str) -> None:
        found = self.repo("space", name, write=True)
        found.hardware = json.loads(self.body)["flavor"]
        self.runtime(name)

    def logs(self, name: str, log: str) -> None:
        self.repo("space", name)
        events = [
            {"data": f"{line}\n", "timestamp": "2026-01-01T00:00:00.000Z"}
            for line in (*self.hub.build_log, f"the {log}'s end")
        ]
        lines = "".join(f"data: {json.dumps(event)}\n\n" for event in events)
        self.send(lines.encode(), headers={"Content-Type": "text/event-stream"})

    # Jobs

    def hardware(self) -> None:
        self.tell(self.hub.machines)

    def start_job(self, owner: str) -> None:
        self.me(to_write=owner)
        asked = json.loads(self.body)
        if not self.hub.credits:
            raise Refusal(402, "Pre-paid credit balance is insufficient")
        if asked["flavor"] not in {each["name"] for each in self.hub.machines}:
            raise Refusal(400, "Invalid flavor")
        job = Job(f"job{len(self.hub.jobs)}", owner, asked)
        self.hub.jobs[job.id] = job
        job.begin(self.hub)
        self.tell(job.told())

    def job(self, owner: str, job: str) -> Job:
        """Return a job that the asker may see."""
        self.me(to_write=owner)
        found = self.hub.jobs.get(job)
        if found is None or found.owner != owner:
            raise Refusal(404, "Job not found")
        return found

    def look_at_job(self, owner: str, job: str) -> None:
        self.tell(self.job(owner, job).told())

    def follow_job(self, owner: str, job: str) -> None:
        events = self.job(owner, job).events()
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Connection", "close")
        self.end_headers()
        self.close_connection = True
        with contextlib.suppress(ConnectionError):  # nobody reads on
            for event in events:
                self.wfile.write(event)

    def cancel_job(self, owner: str, job: str) -> None:
        self.job(owner, job).end("CANCELED")
        self.look_at_job(owner, job)


REPO = r"/api/(?P<kind>models|spaces)/(?P<name>[^/]+/[^/]+)"
FILE = r"/(?:(?P<kind>spaces)/)?(?P<name>[^/]+/[^/]+)"
SPACE = r"/api/spaces/(?P<name>[^/]+/[^/]+)"
ROUTES = [
    ("GET /api/whoami-v2", "whoami"),
    ("GET /api/jobs/hardware", "hardware"),
    ("POST /api/jobs/(?P<owner>[^/]+)", "start_job"),
    ("GET /api/jobs/(?P<owner>[^/]+)/(?P<job>[^/]+)", "look_at_job"),
    ("GET /api/jobs/(?P<owner>[^/]+)/(?P<job>[^/]+)/logs", "follow_job"),
    ("POST /api/jobs/(?P<owner>[^/]+)/(?P<job>[^/]+)/cancel", "cancel_job"),
    ("POST /api/repos/create", "create"),
    ("DELETE /api/repos/delete", "delete"),
    ("POST /api/validate-yaml", "validate"),
    (f"GET {SPACE}/runtime", "runtime"),
    (f"POST {SPACE}/hardware", "ask_hardware"),
    (f"GET {SPACE}/logs/(?P<log>build|run)", "logs"),
    (f"GET {REPO}(?:/revision/[^/]+)?", "info"),
    (f"GET {REPO}/tree/[^/]+", "tree"),
    (f"GET {REPO}/xet-write-token/[^/]+", "xet"),
    (f"POST {REPO}/preupload/[^/]+", "preupload"),
    (f"POST {REPO}/commit/[^/]+", "commit"),
    (rf"POST {FILE}\.git/info/lfs/objects/batch", "batch"),
    ("PUT /lfs/(?P<oid>[0-9a-f]{64})", "put"),
    ("POST /lfs-verify", "verify"),
    (rf"(?:HEAD|GET) {FILE}/resolve/[^/]+/(?P<path>.+)", "resolve"),
]


@contextlib.contextmanager
def serving(hub: FakeHub) -> Iterator[FakeHub]:
    """Serve a Hub on a free port until the block ends; its `url` tells where."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (HubHandler,), {"hub": hub}))
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield hub
    finally:
        hub.stopping.set()
        for job in hub.jobs.values():
            job.end("DELETED")
        server.shutdown()
        server.server_close()
