"""No fetching for others: the server asks no address that a visitor names.

Gradio's file route, its proxy route and files given as addresses make the server fetch them, for
anybody and under its own address (gradio issue 13593). This page needs none of the three.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

ROUTES = ("/file=", "/file/", "/proxy=")
SCHEMES = ("http:", "https:")


class NoFetching:
    """Middleware that refuses gradio's routes that fetch an address, with 403."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless it would have the server fetch an address."""
        if scope["type"] == "http" and fetches(scope["path"]):
            told = {"detail": "This server fetches no addresses."}
            await JSONResponse(told, 403)(scope, receive, send)
            return
        await self.app(scope, receive, send)


def fetches(path: str) -> bool:
    """Say whether a route's path names an address to fetch."""
    parts = (path.partition(route)[2] for route in ROUTES if route in path)
    return any(is_address(unquote(part)) for part in parts)


def is_address(text: object) -> bool:
    """Say whether a text is an address rather than a path."""
    return isinstance(text, str) and text.strip().lower().startswith(SCHEMES)


def names_address(value: Any) -> bool:  # noqa: ANN401 - JSON
    """Say whether an input has a file, however deep, whose path is an address."""
    if isinstance(value, dict):
        return is_address(value.get("path")) or any(map(names_address, value.values()))
    return isinstance(value, list) and any(map(names_address, value))
