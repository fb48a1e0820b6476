"""The check before an upload: an app that works passes, and one that doesn't is told."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support import assert_says
from trainer.publish.check import check_answer, check_space, clean_environment
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan, build_space

GOOD = [
    {
        "sentiment": [{"probabilities": {"a": 0.25, "b": 0.75}}] * 2,
        "paraphrase": {"probability": 0.5},
        "similarity": {"score": 5.2},
    }
]
# Speaks as a Gradio page does, without being one.
STAND_IN = """
import os, sys, json
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        text = "page" if self.path == "/" else %(stream)r
        self.send(text)
    def do_POST(self):
        assert len(json.loads(self.rfile.read(int(self.headers["Content-Length"])))["data"]) == 2
        assert self.path == "/gradio_api/call/predict"
        self.send('{"event_id": "7"}')
    def send(self, text):
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())
    def log_message(self, *_): pass
print("told:", sorted(os.environ), os.getcwd())
where = os.environ["GRADIO_SERVER_NAME"], int(os.environ["GRADIO_SERVER_PORT"])
HTTPServer(where, Handler).serve_forever()
"""


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Ask a stand-in as soon as it listens."""
    if "checkout" not in request.fixturenames:
        monkeypatch.setattr("trainer.publish.check.SETTLING", 0.0)


def stand_in(folder: Path, answer: object = GOOD, event: str = "complete") -> Path:
    """Write an app that gives this answer."""
    stream = f"event: {event}\ndata: {json.dumps(answer)}\n\n"
    (folder / "app.py").write_text(STAND_IN % {"stream": stream}, encoding="utf-8")
    return folder


def failure(folder: Path, patience: float = 20.0) -> str:
    """Check in vain; return the message."""
    with pytest.raises(PublishError) as caught:
        check_space(folder, print, patience=patience)
    return str(caught.value)


@pytest.mark.whole
def test_the_space_s_folder_answers_alone(checkout: Path, tmp_path: Path) -> None:
    """The real app, as it would be uploaded, without the checkout around it."""
    folder = build_space(Plan("anna/lab", root=checkout), tmp_path / "space")
    before = sorted(folder.rglob("*"))
    told: list[str] = []
    answer = check_space(folder, told.append)
    assert len(answer["sentiment"][0]["probabilities"]) == 5
    assert set(answer) == {"sentiment", "paraphrase", "similarity"}
    assert sorted(folder.rglob("*")) == before


def test_an_answer_is_returned(tmp_path: Path) -> None:
    assert check_space(stand_in(tmp_path), print) == GOOD[0]


def test_an_app_that_stops_is_told_with_its_last_words(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import no_such_module_of_ours", encoding="utf-8")
    assert_says(failure(tmp_path), found=("exit status 1", "'no_such_module_of_ours'"))


def test_a_start_that_failed_on_a_busy_machine_is_tried_once_more(tmp_path: Path) -> None:
    good = stand_in(tmp_path)
    text = (good / "app.py").read_text(encoding="utf-8")
    busy = """
import pathlib
tried = pathlib.Path("tried")
tried.write_text(tried.read_text() + "x" if tried.exists() else "x")
if len(tried.read_text()) <= TIMES:
    raise ValueError("When localhost is not accessible, ...")
"""
    (good / "app.py").write_text(busy.replace("TIMES", "1") + text, encoding="utf-8")
    assert check_space(good, print) == GOOD[0]
    assert (good / "tried").read_text(encoding="utf-8") == "xx"
    (good / "tried").unlink()
    (good / "app.py").write_text(busy.replace("TIMES", "2") + text, encoding="utf-8")
    assert_says(failure(good), found="localhost is not accessible")
    assert (good / "tried").read_text(encoding="utf-8") == "xx"


def test_an_app_that_never_listens_is_told(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text("import time; print('zzz'); time.sleep(60)", encoding="utf-8")
    assert_says(failure(tmp_path, patience=1.5), found=("in time", "zzz"))


def test_an_error_of_the_app_is_told(tmp_path: Path) -> None:
    assert_says(failure(stand_in(tmp_path, None, "error")), found="event: error")


@pytest.mark.parametrize(
    "answer",
    [
        [],
        None,
        ["text"],
        [{**GOOD[0], "sentiment": [{"probabilities": {"a": 1.0}}]}],
        [{**GOOD[0], "sentiment": [{"probabilities": {"a": 0.5}}] * 2}],
        [{**GOOD[0], "paraphrase": {"probability": 1.5}}],
        [{**GOOD[0], "similarity": {"score": float("nan")}}],
        [{**GOOD[0], "similarity": {}}],
    ],
)
def test_what_is_no_prediction_is_told(answer: object) -> None:
    assert check_answer(GOOD) == GOOD[0]
    with pytest.raises(PublishError, match="no prediction"):
        check_answer(answer)


def test_the_app_sees_nothing_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HF_TOKEN", "PYTHONPATH", "MINBERT_DATA", "HF_ENDPOINT"):
        monkeypatch.setenv(name, "x")
    seen = clean_environment(7)
    assert not {"HF_TOKEN", "PYTHONPATH", "MINBERT_DATA", "HF_ENDPOINT"} & set(seen)
    assert seen["PATH"] == os.environ["PATH"]
    assert seen["GRADIO_SERVER_PORT"] == "7"
    assert seen["HF_HUB_OFFLINE"] == "1"
