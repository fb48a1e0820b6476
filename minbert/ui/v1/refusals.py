"""What /v1 says when it can't answer: the field, the rule, what was found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gradio as gr
from fastapi import Request, Response
from fastapi.exception_handlers import http_exception_handler
from fastapi.responses import JSONResponse

from minbert.ui.server.forms import rule_of

FAILED = "The server made a mistake; its log contains the place."
NO_JSON = {"loc": ["body"], "msg": "The body should be JSON.", "type": "json_invalid"}
TAGS = ("one", "many", "str", "function-before[whole(), int]")  # pydantic's names of alternatives


class TooMuch(Exception):  # noqa: N818 - a limit, not a mistake
    """More than one request may have."""


class FieldRefused(gr.Error):
    """A function's refusal, with the input it belongs to."""

    def __init__(self, error: gr.Error, place: int | None) -> None:
        """Take over a refusal; `place` counts inputs of one request, None: there is one."""
        super().__init__(error.message, print_exception=False)
        field = getattr(error, "field", None)
        where = [] if place is None else ["inputs", place]
        self.loc = ["body", *where, *([] if field is None else [field])]


def told(status: int, faults: Sequence[dict[str, Any]]) -> JSONResponse:
    """Return a refusal; texts that were sent are not repeated."""
    return JSONResponse({"detail": list(faults)}, status)


async def malformed(_: Request, error: Any) -> JSONResponse:  # noqa: ANN401 - FastAPI's
    """Refuse a request that isn't what the form says."""
    return told(422, [fault(wrong) for wrong in error.errors()])


def fault(wrong: dict[str, Any]) -> dict[str, Any]:
    """Return one of pydantic's errors in the project's words."""
    loc = [part for part in wrong["loc"] if part not in TAGS]
    if wrong["type"] == "json_invalid":
        return NO_JSON
    name = ".".join(str(part) for part in loc[1:]) or "body"
    return {"loc": loc, "msg": f"`{name}` {rule_of(wrong)}", "type": wrong["type"]}


async def unread(request: Request, error: Any) -> Response:  # noqa: ANN401 - an HTTPException
    """Refuse a body that the reader of JSON gave up on, as one nested without end."""
    if error.status_code == 400:
        return told(422, [NO_JSON])
    return await http_exception_handler(request, error)


async def refused(_: Request, error: Any) -> JSONResponse:  # noqa: ANN401 - a FieldRefused
    """Refuse what a function can't answer, in its words."""
    return told(422, [{"loc": error.loc, "msg": str(error.message), "type": "refused"}])


async def too_much(_: Request, error: Exception) -> JSONResponse:
    """Refuse more than a request may have."""
    return told(413, [{"loc": ["body"], "msg": str(error), "type": "too_much"}])


async def broken(_: Request, _error: Exception) -> JSONResponse:
    """Report a mistake of the server's own, of which uvicorn logs the place."""
    return told(500, [{"loc": ["body"], "msg": FAILED, "type": "mistake"}])
