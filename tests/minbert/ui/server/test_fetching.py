"""The server fetches no address that a visitor names, by whichever road."""

from __future__ import annotations

from typing import Any

import pytest

from minbert.ui.server.fetching import fetches, names_address


@pytest.mark.parametrize(
    "path",
    [
        "/gradio_api/file=http://example.org/a",
        "/gradio_api/file=HTTPS://example.org/a",
        "/gradio_api/file=%68ttp://example.org/a",
        "/gradio_api/file/http://example.org/a",
        "/gradio_api/proxy=https://a.hf.space/",
        "/sub/path/gradio_api/file=https://example.org/a",
    ],
)
def test_an_address_is_not_fetched(path: str) -> None:
    assert fetches(path)


@pytest.mark.parametrize(
    "path",
    ["/gradio_api/file=/tmp/minbert-lab-0/a/http.txt", "/assets/http.js", "/v1/predict", "/"],
)
def test_a_file_of_the_page_is(path: str) -> None:
    assert not fetches(path)


@pytest.mark.parametrize(
    ("value", "named"),
    [
        ({"path": "https://example.org/a.csv"}, True),
        ([None, [{"value": {"path": " http://example.org"}}]], True),
        ({"path": "/tmp/a.csv", "url": "http://127.0.0.1:7860/gradio_api/file=/tmp/a.csv"}, False),
        (["A text: http://example.org", None, 3], False),
    ],
)
def test_a_file_given_as_an_address_is_found(value: Any, named: bool) -> None:  # noqa: ANN401 - JSON
    assert names_address(value) is named
