"""The tools of `python app.py --mcp`, asked by MCP's own client: `make test-ecosystem`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client
from mcp import ClientSession, types
from mcp.client.streamable_http import streamable_http_client

from minbert.explain import integrated_gradients, split_similarity
from minbert.predictor import Predictor
from minbert.ui.page import build_page
from minbert.ui.question import LONGEST_TEXT
from minbert.ui.server.sessions import Session
from minbert.ui.server.tools import TOOLS
from minbert.ui.theme import launch_options
from tests.minbert.ui.sample_engine import tiny_engine
from tests.served import ROOT, Program, free_ports, serving
from tests.support import run_async, tiny_lesson

A, B = "The lake froze early this winter.", "Ice covered the lake sooner than usual."
SECRET = "my landlord is a crook"
Call = tuple[str, dict[str, Any]]


def asked(url: str, *calls: Call) -> tuple[list[types.Tool], list[types.CallToolResult]]:
    """Return a server's tools, and its answers to some calls."""

    async def ask() -> tuple[list[types.Tool], list[types.CallToolResult]]:
        there = f"{url}/gradio_api/mcp/"
        async with (
            streamable_http_client(there) as (read, write, _),
            ClientSession(read, write) as s,
        ):
            await s.initialize()
            return (await s.list_tools()).tools, [await s.call_tool(*call) for call in calls]

    return run_async(ask())


def answer(url: str, name: str, **given: str) -> Any:  # noqa: ANN401 - JSON
    """Return a tool's answer, which is that of /v1."""
    _tools, (result,) = asked(url, (name, given))
    assert not result.isError, result
    (content,) = result.content
    told = json.loads(content.text)
    assert told == httpx.post(f"{url}/v1/{name}", json=given, timeout=60).json()
    return told


@pytest.fixture(scope="module")
def page() -> Iterator[tuple[str, Program]]:
    """Start the page as a person would; give its address and the program."""
    (port,) = free_ports(1)
    ready, there = f"http://127.0.0.1:{port}/gradio_api/mcp/", {"GRADIO_SERVER_PORT": str(port)}
    with serving(["app.py", "--mcp"], ready=ready, **there) as program:
        yield f"http://127.0.0.1:{port}", program


@pytest.fixture(scope="module")
def url(page: tuple[str, Program]) -> str:
    return page[0]


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_pretrained(ROOT / "assets" / "models" / "mean", "cpu")


def test_four_tools_are_offered_with_all_that_an_agent_should_know(url: str) -> None:
    tools, _ = asked(url)
    assert {tool.name for tool in tools} == set(TOOLS)
    for tool in tools:
        assert tool.description is not None
        assert "Returns:" in tool.description
        given = tool.inputSchema["properties"]
        assert all(
            f"{name}: {each['description']}" in tool.description for name, each in given.items()
        )
        assert all(each["description"].endswith(".") for each in given.values()), (
            "cut in the middle"
        )
        wanted = ["first", "second"] if tool.name == "similarity_split" else ["first"]
        assert tool.inputSchema["required"] == wanted
    (explain,) = (tool for tool in tools if tool.name == "explain")
    choices = explain.inputSchema["properties"]
    assert choices["task"]["enum"] == ["sentiment", "paraphrase", "similarity"]
    assert "rollout" in choices["method"]["enum"]


def test_predict_and_compare_pooling(url: str, predictor: Predictor) -> None:
    told, both = answer(url, "predict", first=A, second=B), answer(url, "compare_pooling", first=A)
    (pair,), (mood, _) = predictor.pairs([(A, B)]), predictor.sentiment([A, B])
    assert told["similarity"]["score"] == pytest.approx(pair.score, abs=1e-4)
    assert told["paraphrase"]["probability"] == pytest.approx(pair.paraphrase, abs=1e-4)
    assert both["mean"]["sentiment"][0]["expected"] == pytest.approx(mood.expected, abs=1e-4)
    cls = Predictor.from_pretrained(ROOT / "assets" / "models" / "cls", "cpu")
    (other,) = cls.sentiment([A])
    assert both["cls"]["sentiment"][0]["expected"] == pytest.approx(other.expected, abs=1e-4)
    assert both["differences"]


def test_similarity_split_and_explain(url: str, predictor: Predictor) -> None:
    split, wanted = (
        answer(url, "similarity_split", first=A, second=B),
        split_similarity(predictor, A, B),
    )
    assert split["cosine"] == pytest.approx(wanted.cosine, abs=1e-4)
    assert split["matrix"][1] == pytest.approx(wanted.matrix[1].tolist(), abs=1e-4)
    why = answer(url, "explain", first=A, second=B, task="similarity", target="joint")
    found = integrated_gradients(predictor, A, B, task="similarity", target="joint")
    assert [each["word"] for each in why["second"]] == list(found.second.words)
    scores = [each["score"] for each in why["first"]]
    assert scores == pytest.approx(list(found.first.values), abs=1e-4)


@pytest.mark.parametrize(
    ("name", "given", "told"),
    [
        ("predict", {}, "'first' is a required property"),
        ("predict", {"first": 5}, "5 is not of type 'string'"),
        ("predict", {"first": " "}, "Sentence A is empty"),
        ("predict", {"first": "a" * (LONGEST_TEXT + 1)}, "The limit is"),
        ("predict", {"first": A, "third": B}, "`third`"),
        ("similarity_split", {"first": A, "second": ""}, "Sentence B is empty"),
        ("explain", {"first": A, "task": "mood"}, "'mood' is not one of ['sentiment'"),
        ("explain", {"first": A, "target": "7"}, "should be one of 0, 1, 2, 3, 4, 'expected'"),
        ("batch", {"text": A}, "Unknown tool"),
        ("attention", {"first": A}, "Unknown tool"),
    ],
)
def test_what_is_wrong_is_told(url: str, name: str, given: dict[str, Any], told: str) -> None:
    _tools, (result,) = asked(url, (name, given))
    assert result.isError
    (content,) = result.content
    assert told in content.text


def test_page_and_programs_are_served_beside_it(url: str) -> None:
    assert "minBERT Lab" in httpx.get(url).text
    client = Client(url, verbose=False)
    assert client.predict(A, B, api_name="/predict") == answer(url, "predict", first=A, second=B)
    assert client.predict(A, "", 6, api_name="/attention")["weights"]
    client.close()


def test_the_log_keeps_nothing_of_a_text(page: tuple[str, Program]) -> None:
    url, program = page
    kinds = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
    wrong = [
        {"jsonrpc": "2.0", "id": 1, "method": SECRET, "params": {"name": SECRET}},
        {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"arguments": SECRET}},
        {"jsonrpc": "2.0", SECRET: SECRET},
        SECRET,
    ]
    for body in wrong:
        httpx.post(f"{url}/gradio_api/mcp/", json=body, headers=kinds)
    asked(url, ("predict", {"first": SECRET}), (SECRET, {}), ("explain", {"first": SECRET, "x": 1}))
    log = program.stop()
    assert "Failed to validate request" in log
    assert SECRET not in log


def test_calls_leave_nothing_in_the_sessions(tmp_path: Path) -> None:
    """Gradio's MCP server asks the page as one visitor, whose session has no state."""
    shown = build_page(tiny_engine(tmp_path), [tiny_lesson("a good film")], tmp_path)
    options = {**launch_options(shown, mcp=True), "server_port": free_ports(1)[0], "quiet": True}
    app, url, _ = shown.launch(**options, prevent_thread_lock=True)
    try:
        for _ in range(3):
            _tools, results = asked(url.rstrip("/"), *[("predict", {"first": "the film"})] * 3)
            assert not any(result.isError for result in results)
        (session,) = app.state_holder.session_data.values()
        assert isinstance(session, Session)
        assert (session.state_data, session.changed, session.just_made) == ({}, {}, {})
        assert not app.get_blocks()._queue.event_ids_to_events
    finally:
        shown.close()
