"""A log without what people type: an error is reported by its kind and its place.

Messages of errors and warnings quote what was sent. Gradio prints them, asyncio, uvicorn and mcp
log them; here each is cut to the exception's class and the lines of code that led to it.
"""

from __future__ import annotations

import logging
import sys
import traceback
import types
import warnings

import gradio.queueing
import gradio.route_utils
import gradio.routes
import gradio.utils

LOGGERS = (
    *("asyncio", "concurrent.futures", "uvicorn.error"),
    *("root", "mcp.server.lowlevel.server", "mcp.server.sse", "mcp.server.streamable_http"),
    "mcp.server.streamable_http_manager",
)


def place_of(error: BaseException) -> str:
    """Return an exception's class and the calls that led to it, and those of its causes."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    before = f"{place_of(cause)}\nwhich led to:\n" if cause is not None else ""
    calls = "".join(traceback.format_tb(error.__traceback__))
    return f"{before}{type(error).__name__} at\n{calls}".rstrip()


def print_place() -> None:
    """Print the place of the exception that is being handled."""
    error = sys.exc_info()[1]
    if error is not None:
        sys.stderr.write(place_of(error) + "\n")


class PlaceOnly(logging.Filter):
    """Replaces a record's exception and details by the place."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Keep the record's first line, and the place of its exception."""
        lines = str(record.msg).splitlines()  # not getMessage: arguments may quote
        error = record.exc_info[1] if record.exc_info else None
        where = [] if error is None else [place_of(error)]
        record.msg, record.args = "\n".join([*lines[:1], *where]), ()
        record.exc_info = record.exc_text = None
        return True


def keep_texts_out() -> None:
    """Report errors by their place from now on, in gradio and in what serves it."""
    for module in (gradio.queueing, gradio.route_utils, gradio.routes, gradio.utils):
        quiet = types.SimpleNamespace(print_exc=print_place)
        module.traceback = quiet  # type: ignore[attr-defined] # imported there, not exported
    for name in LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(each, PlaceOnly) for each in logger.filters):
            logger.addFilter(PlaceOnly())
    warnings.filterwarnings("ignore", module=r"gradio(\.|$)")  # they are for whoever builds a page
