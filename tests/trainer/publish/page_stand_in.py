"""A page that answers and looks, from outside, as ours does; its faults are chosen."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[3]
HTML = """<!doctype html><title>page</title><link rel="icon" href="data:,">
<div id="predictions"><p class="mb-card">0.7</p></div>
<button role="tab" data-tab-id="try" aria-selected="true">Try it</button>
<button role="tab" data-tab-id="why">Why?</button>
<button role="tab" data-tab-id="why-words">Words</button>
<button role="tab" data-tab-id="about">About</button>
<div id="view-try">cards</div><div id="view-why-words">lines</div><div id="view-about">who</div>
<script>
for (const tab of document.querySelectorAll("[role=tab]"))
    tab.onclick = () => tab.setAttribute("aria-selected", "true");
</script>
"""
PREDICTION = [
    {
        "sentiment": [{"probabilities": {"a": 0.25, "b": 0.75}}] * 2,
        "paraphrase": {"probability": 0.5},
        "similarity": {"score": 5.2},
    }
]


@dataclasses.dataclass
class StandIn:
    """What the page says, what it asks for, and what it was asked."""

    title: str = "minBERT Lab"
    off: dict[str, float] = dataclasses.field(default_factory=dict)  # endpoint: added to its score
    more: str = ""  # HTML
    token: str = ""  # without it, nobody is let in
    headers: list[dict[str, str]] = dataclasses.field(default_factory=list)

    def found(self, path: str, body: Any) -> Any:  # noqa: ANN401 - JSON
        """Return the answer to a path."""
        name = path.rpartition("/")[2]
        if path.startswith("/v1/") and body is not None:
            score = 0.5 + len(str(body)) / 1000 + self.off.get(name, 0.0)
            return {"name": name, "words": [{"word": "so", "score": score}]}
        return {
            "/v1/openapi.json": {"info": {"title": self.title}},
            "/gradio_api/call/predict": {"event_id": "7"},
            "/gradio_api/call/predict/7": f"event: complete\ndata: {json.dumps(PREDICTION)}\n\n",
        }.get(path, HTML + self.more)


class Handler(BaseHTTPRequestHandler):
    """One request."""

    page: StandIn

    def answer(self) -> None:
        """Answer any request."""
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.page.headers.append(dict(self.headers))
        found = self.page.found(self.path.partition("?")[0], json.loads(body) if body else None)
        let_in = self.page.token in (self.headers.get("X-HF-Authorization") or "")
        text = found if isinstance(found, str) else json.dumps(found)
        self.send_response(200 if let_in else 404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(text.encode() if let_in else b"Sorry")

    do_GET = do_POST = answer  # noqa: N815 - names that Python's server looks for

    def log_message(self, *_: object) -> None:
        """Keep quiet."""


def server_of(page: StandIn, port: int = 0) -> ThreadingHTTPServer:
    """Return a server of a page."""
    handler = type("Page", (Handler,), {"page": page})
    return ThreadingHTTPServer(("127.0.0.1", port), handler)


@contextlib.contextmanager
def standing_in(page: StandIn) -> Iterator[str]:
    """Serve a page until the block ends; give its address."""
    with server_of(page) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write_app(folder: Path) -> Path:
    """Write an app.py that serves a sound page; return its folder."""
    lines = [
        f"import sys; sys.path.insert(0, {str(REPOSITORY)!r})",
        "from tests.trainer.publish.page_stand_in import serve",
        "serve()",
    ]
    (folder / "app.py").write_text("\n".join(lines), encoding="utf-8")
    return folder


def serve() -> None:
    """Serve a sound page where the environment says, as gradio does."""
    server_of(StandIn(), int(os.environ["GRADIO_SERVER_PORT"])).serve_forever()
