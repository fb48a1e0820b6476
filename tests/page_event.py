"""Calling an event of the page as the page itself does, which programs are not offered."""

from __future__ import annotations

import json
from typing import Any

import httpx

CONTROLS: dict[str, Any] = {  # of the attention studio, in their order, and what it keeps
    **{"scope": "A alone", "layer": 1, "head": 1, "model": "mean", "view": "One head"},
    **{"direction": "all", "hide": False, "pieces": False, "top": 100, "latest": None},
}
KIND = "Sentiment of A"  # that the tab Why? explains
ANSWER, POOLING = 4, 17  # places among the outputs of an answer: as JSON, both poolings' figure


class PageEvents:
    """The events of a served page, by name, for one visitor."""

    def __init__(self, url: str, session: str, client: httpx.Client) -> None:
        """Read which events there are; `session` is the visitor's name for the server."""
        self._calls, self._session, self._client = f"{url}/gradio_api/queue", session, client
        config = client.get(f"{url}/config").json()
        self._numbers = {each["api_name"]: each["id"] for each in config["dependencies"]}

    def send(self, name: str, *inputs: object) -> bytes:
        """Return all that the server sends for an event, a state's input being None."""
        asked = {"data": inputs, "fn_index": self._numbers[name], "session_hash": self._session}
        self._client.post(f"{self._calls}/join", json=asked).raise_for_status()
        return self._client.get(f"{self._calls}/data?session_hash={self._session}").content

    def ask(self, name: str, *inputs: object) -> list[Any]:
        """Return an event's outputs."""
        return outputs_in(self.send(name, *inputs))

    def answer(self, first: str, second: str) -> list[Any]:
        """Press Answer."""
        return self.ask("answer", *answer_inputs(first, second))

    def open(self, tab: str) -> list[Any]:
        """Open a tab after an answer."""
        return self.ask(f"open_{tab}", None, 0.5, None, None, *CONTROLS.values(), KIND)


def answer_inputs(first: str, second: str) -> list[object]:
    """Return what the page sends when Answer is pressed."""
    return [first, second, None, 0.5, None, None, *CONTROLS.values(), KIND]


def outputs_in(sent: bytes) -> list[Any]:
    """Return the outputs of an event out of what the server sent."""
    messages = [json.loads(line[6:]) for line in sent.splitlines() if line]
    (done,) = [each for each in messages if each["msg"] == "process_completed"]
    assert done["success"], done
    outputs: list[Any] = done["output"]["data"]
    return outputs
