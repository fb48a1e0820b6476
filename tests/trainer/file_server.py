"""A server of one file on this machine, with faults on request."""

from __future__ import annotations

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

NAME = "ids-sst-dev.csv"
CONTENT = "".join(f"{line}\tsentence {line} .\n" for line in range(12_000)).encode()


class Server(ThreadingHTTPServer):
    """Serves one file; `faults` says what goes wrong with the first requests, in order."""

    daemon_threads = False  # so that closing the server waits for its handlers

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.content = CONTENT
        self.faults: list[str] = []
        self.knows_ranges = True
        self.ranges: list[str | None] = []  # the Range header of each request
        self.release = threading.Event()  # ends a stalled answer

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/data"


class Handler(BaseHTTPRequestHandler):
    """Answers like a server of plain files, with the fault that is next."""

    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.ranges.append(asked)
        fault = self.server.faults.pop(0) if self.server.faults else ""
        if self.path != f"/data/{NAME}":
            self.send_error(404)
            return
        if fault.isdecimal():
            self.send_error(int(fault))
            return
        content = self.server.content
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        if not self.server.knows_ranges:
            start = 0
        if start >= len(content):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            told = 0 if fault == "other range" else start
            self.send_header("Content-Range", f"bytes {told}-{len(content) - 1}/{len(content)}")
        self.send_header("Content-Length", str(len(content) - start))
        self.end_headers()
        body = content[start:]
        if fault in ("cut", "stall"):
            body = body[: len(body) // 2]
        self.wfile.write(body)
        if fault == "stall":
            self.wfile.flush()
            self.server.release.wait(20)

    def log_message(self, *_: object) -> None:
        """Keep the test's output clean."""
