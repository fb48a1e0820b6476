"""The routes of /v1, over the functions that gradio's endpoints call.

A handler holds no thread while the model works (`minbert.backends.waiting`), makes no session, and
passes the request on as gradio does, by which a ZeroGPU Space counts the caller's quota.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import functools
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Annotated, Any, Protocol

import gradio as gr
from fastapi import Body, FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, JSONResponse
from gradio.context import LocalContext
from pydantic import BaseModel, Discriminator, Field, Tag, create_model
from pydantic_core import to_json
from starlette.exceptions import HTTPException

from minbert.backends.waiting import answered
from minbert.batch import BatchTable, RowAnswer
from minbert.labels import MOST_ROWS, Comparison, LabelWork
from minbert.ui.parts.events import LABEL_PLACES
from minbert.ui.server import forms
from minbert.ui.v1 import answers
from minbert.ui.v1.middleware import BodyLimit, SubPath
from minbert.ui.v1.reference import reference
from minbert.ui.v1.refusals import (
    FieldRefused,
    TooMuch,
    broken,
    malformed,
    refused,
    too_much,
    unread,
)

MOST_INPUTS = 64  # of one request; a table is for more


class Answer(JSONResponse):
    """Plain values as JSON, fast for long lists of numbers; what isn't a number is null."""

    def render(self, content: Any) -> bytes:  # noqa: ANN401 - plain values
        """Return the body."""
        return to_json(content, inf_nan_mode="null")


class Rows(Protocol):
    """What answers a table, part by part."""

    def begun(
        self, file: None, text: str, task: str, columns: str | None
    ) -> tuple[BatchTable, list[BatchTable]]:
        """Return the table, and its parts to answer one after the other."""
        ...

    def part(self, part: BatchTable, model: str) -> list[RowAnswer]:
        """Answer one part."""
        ...

    def told(self, table: BatchTable, found: Sequence[RowAnswer], model: str) -> dict[str, Any]:
        """Return the answers of all parts as plain values."""
        ...


class Labels(Protocol):
    """What compares poolings on somebody's labels, chunk by chunk."""

    def begun(self, texts: Sequence[str], labels: Sequence[str]) -> LabelWork:
        """Return the work to do."""
        ...

    def told(self, found: Comparison) -> dict[str, Any]:
        """Return what was found as plain values."""
        ...


@dataclasses.dataclass(frozen=True)
class Route:
    """One address: what it takes and what it answers."""

    name: str
    form: type[forms.Form]
    answer: type[BaseModel]
    summary: str


ROUTES = (
    Route("predict", forms.Question, answers.Prediction, "All three tasks, by the mean model"),
    Route("compare_pooling", forms.Question, answers.Comparison, "Both models, and differences"),
    Route("similarity_split", forms.Pair, answers.Split, "Why A and B are similar, word by word"),
    Route("attention", forms.Attention, answers.AttentionMaps, "Attention maps"),
    Route("explain", forms.Explain, answers.Explanation, "What each word does for an answer"),
)
BATCH = Route("batch", forms.Batch, answers.Table, "Up to 2,000 rows, with labels also scores")
LABELS = Route(
    "labels",
    forms.Labels,
    answers.LabelComparison,
    "Which pooling serves labels of your own, up to 5,000 sentences",
)
Function = Callable[..., dict[str, Any]]


def http_api(functions: Mapping[str, Function], rows: Rows, labels: Labels) -> FastAPI:
    """Return the application to mount at /v1.

    Args:
        functions: of the endpoints, by their names.
        rows: answers tables.
        labels: compares poolings on somebody's labels.
    """
    api = FastAPI(
        title="minBERT Lab",
        version="1",
        docs_url=None,
        redoc_url=None,
        description="Sentiment, paraphrase and similarity by one small shared encoder.",
    )
    api.add_middleware(BodyLimit)
    api.add_middleware(SubPath)
    api.exception_handlers |= {
        RequestValidationError: malformed,
        HTTPException: unread,
        FieldRefused: refused,
        TooMuch: too_much,
        Exception: broken,
    }
    for route in ROUTES:
        add_route(api, route, functions[route.name])
    add_batch(api, rows)
    add_labels(api, labels)

    @api.get("/", include_in_schema=False)
    def docs() -> HTMLResponse:
        return HTMLResponse(reference(api.openapi()))  # api keeps what it says

    return api


def add_route(api: FastAPI, route: Route, function: Function) -> None:
    """Add one address: it takes one input, or `inputs`, a list of such."""
    one: Any = route.form
    answer: Any = route.answer
    many: Any = create_model(
        f"Many{one.__name__}",
        __base__=forms.Form,
        inputs=(list[one], Field(min_length=1)),
    )
    listed: Any = create_model(f"Many{answer.__name__}", answers=(list[answer], ...))
    either = Annotated[
        Annotated[one, Tag("one")] | Annotated[many, Tag("many")], Discriminator(kind_of_body)
    ]

    async def handle(request: Request, body: Any) -> Response:  # noqa: ANN401 - one form or the other
        if not isinstance(body, many):
            return Answer(await called(request, function, body))
        count = len(body.inputs)
        if count > MOST_INPUTS:
            raise TooMuch(f"`inputs` should have at most {MOST_INPUTS}. Found {count}.")
        waiting = (called(request, function, each, n) for n, each in enumerate(body.inputs))
        return Answer({"answers": await asyncio.gather(*waiting)})

    handle.__annotations__ |= {"request": Request, "body": Annotated[either, Body()]}
    add(api, route, handle, answer | listed)


def add_batch(api: FastAPI, rows: Rows) -> None:
    """Add the address that answers a whole table."""

    async def handle(request: Request, body: forms.Batch) -> Response:
        with passed_on(request):
            asked = (None, body.text, body.task, body.columns)
            table, parts = await asyncio.to_thread(rows.begun, *asked)
            found: list[RowAnswer] = []
            for part in parts:
                found += await answered(functools.partial(rows.part, part, body.model))
            return Answer(await asyncio.to_thread(rows.told, table, found, body.model))

    handle.__annotations__ |= {"request": Request, "body": forms.Batch}
    add(api, BATCH, handle, answers.Table)


def add_labels(api: FastAPI, labels: Labels) -> None:
    """Add the address that compares poolings on somebody's labels."""
    places = asyncio.Semaphore(LABEL_PLACES)

    async def handle(request: Request, body: forms.Labels) -> Response:
        if len(body.texts) > MOST_ROWS:
            raise TooMuch(
                f"`texts` should have at most {MOST_ROWS:,}. Found {len(body.texts):,}; leave some "
                "out, drawn at random."
            )
        with passed_on(request):
            async with places:
                work = await asyncio.to_thread(labels.begun, body.texts, body.labels)
                for chunk in work.chunks:
                    work.put(chunk, await answered(chunk.embed))
                steps = work.judge()
                step = await asyncio.to_thread(next, steps)
                while not isinstance(step, Comparison):  # a thread for one fit at a time
                    step = await asyncio.to_thread(next, steps)
                return Answer(await asyncio.to_thread(labels.told, step))

    handle.__annotations__ |= {"request": Request, "body": forms.Labels}
    add(api, LABELS, handle, answers.LabelComparison)


def add(api: FastAPI, route: Route, handle: Callable[..., Any], answer: Any) -> None:  # noqa: ANN401 - a model, or one of two
    """Register a handler; its answers are documented, not validated again."""
    refusals: dict[int | str, dict[str, Any]] = {
        413: {"model": answers.Refusal, "description": "Too much at once"},
        422: {"model": answers.Refusal, "description": "Something wrong, with the field"},
    }
    api.post(
        f"/{route.name}",
        name=route.name,
        summary=route.summary,
        description=route.form.__doc__,
        response_model=answer,
        responses=refusals,
    )(handle)


def kind_of_body(body: Any) -> str:  # noqa: ANN401 - JSON
    """Say whether a body is one input, or many."""
    return "many" if isinstance(body, dict) and "inputs" in body else "one"


async def called(
    request: Request, function: Function, form: forms.Form, place: int | None = None
) -> dict[str, Any]:
    """Return a function's answer to a form; `place` is the form's in a list."""
    values = [getattr(form, field) for field in type(form).model_fields]
    with passed_on(request, place):
        return await answered(functools.partial(function, *values))


@contextlib.contextmanager
def passed_on(request: Request, place: int | None = None) -> Iterator[None]:
    """Let what is called see the request; name the field of what it refuses."""
    LocalContext.request.set(gr.Request(request))
    try:
        yield
    except gr.Error as error:
        raise FieldRefused(error, place) from error
