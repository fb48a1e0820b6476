"""The page as gradio's Blocks, with inputs that are checked and errors that are told in words."""

from __future__ import annotations

import traceback
from typing import Any

import gradio as gr
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse

from minbert.ui.parts.refusal import refusal
from minbert.ui.server import forms
from minbert.ui.server.fetching import names_address
from minbert.ui.server.log import print_place

FAILED = "This can't be answered: the server made a mistake, which its log tells the place of."


class Page(gr.Blocks):
    """Blocks whose events refuse in words what they can't take."""

    http_api: FastAPI | None = None  # what is mounted at /v1 beside the page

    def validate_inputs(self, block_fn: Any, inputs: list[Any]) -> None:  # noqa: ANN401 - gradio's own
        """Check a call's inputs, and fill in those of an endpoint that may be left out.

        Raises:
            gr.Error: inputs that are missing or of another kind.
        """
        if block_fn.api_name in forms.FORMS and block_fn.api_visibility == "public":
            try:
                inputs[:] = forms.filled(block_fn.api_name, inputs)
            except ValueError as error:
                raise refusal(str(error)) from None
        elif len(inputs) < len(block_fn.inputs):
            wanted = len(block_fn.inputs)
            raise refusal(f"`data` should have {wanted} inputs. Found {len(inputs)}.")

    async def preprocess_data(
        self,
        block_fn: Any,  # noqa: ANN401 - gradio's own
        inputs: list[Any],
        *args: Any,  # noqa: ANN401 - as above
        **options: Any,  # noqa: ANN401 - as above
    ) -> list[Any]:
        """Return the inputs as the event's function takes them.

        Raises:
            gr.Error: an input that its component can't read.
        """
        if names_address(inputs):
            raise refusal("A file should be uploaded first. Found an address, which isn't fetched.")
        try:
            found: list[Any] = await super().preprocess_data(block_fn, inputs, *args, **options)
        except gr.Error as error:
            raise refusal(str(error.message)) from None
        except Exception:
            raise refusal(
                "An input can't be read: it isn't what its control sends. "
                "Send texts as texts, and a file as the upload returned it."
            ) from None
        return found

    async def process_api(self, *args: Any, **options: Any) -> dict[str, Any]:  # noqa: ANN401 - gradio's own
        """Run an event.

        Raises:
            gr.Error: a refusal, or in general words what shouldn't have happened.
        """
        try:
            found: dict[str, Any] = await super().process_api(*args, **options)
        except gr.Error:
            raise
        except Exception:
            print_place()
            raise refusal(FAILED) from None
        return found


async def no_such_event(_request: Request, error: Exception) -> JSONResponse:
    """Answer a call of an endpoint or an event that isn't there, which gradio looks up."""
    frames = [frame for frame, _line in traceback.walk_tb(error.__traceback__)]
    if not frames[-1].f_globals.get("__name__", "").startswith("gradio."):
        raise error
    return JSONResponse({"detail": "There is no such endpoint."}, 404)
