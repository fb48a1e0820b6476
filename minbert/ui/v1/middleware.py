"""What stands before the routes: a limit of a body's size, and a proxy's sub-path."""

from __future__ import annotations

from fastapi.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from minbert.batch import MOST_BYTES

MOST_BODY = MOST_BYTES + 100_000  # bytes: the largest table, and JSON around it


class BodyLimit:
    """Middleware that refuses a body once it is too large, with 413."""

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, unless its body is too large."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        told = dict(scope["headers"]).get(b"content-length", b"")
        seen, parts = int(told) if told.isdigit() else 0, list[Message]()
        more = seen <= MOST_BODY
        seen = 0 if more else seen
        while more:
            part = await receive()
            parts.append(part)
            seen += len(part.get("body", b""))
            more = seen <= MOST_BODY and bool(part.get("more_body"))
        if seen > MOST_BODY:
            msg = f"The body should have at most {MOST_BODY:,} bytes. Found more."
            fault = {"loc": ["body"], "msg": msg, "type": "too_much"}
            await JSONResponse({"detail": [fault]}, 413)(scope, receive, send)
            return

        async def again() -> Message:
            return parts.pop(0) if parts else await receive()

        await self.app(scope, again, send)


class SubPath:
    """Middleware for a page under a sub-path, whose proxy takes the prefix away.

    Gradio then tells its root path though the address lacks it, and a mounted application finds
    no route: it looks for the part of the address after the root path.
    """

    def __init__(self, app: ASGIApp) -> None:
        """Stand before an application."""
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with the whole address."""
        outer = scope.get("app_root_path", "")
        if outer and not scope["path"].startswith(f"{outer}/"):
            scope = {**scope, "path": outer + scope["path"]}
        await self.app(scope, receive, send)
