"""The plain HTTP API, as an application of its own: answers, refusals, limits, its reference."""

from __future__ import annotations

import inspect
import json
import os
from collections.abc import Callable
from html.parser import HTMLParser
from typing import Any

import gradio as gr
import httpx
import pytest
import torch
from fastapi import FastAPI
from gradio.context import LocalContext

from minbert.backends.zero_gpu import on_zero_gpu
from minbert.predictor import Predictor
from minbert.ui.attention.events import Studio
from minbert.ui.batch.events import Batch
from minbert.ui.engine import Engine
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.your_labels import LabelsEndpoint
from minbert.ui.server import forms
from minbert.ui.try_it.events import Handlers
from minbert.ui.v1.middleware import MOST_BODY
from minbert.ui.v1.routes import BATCH, LABELS, MOST_INPUTS, ROUTES, Function, http_api
from minbert.ui.why.api import ExplainEndpoint
from tests.forked_gpu import ForkedGpu
from tests.minbert.ui.sample_engine import tiny_engine
from tests.support import run_async

A, B = "the film is good", "the story is bad"
PAIR = {"first": A, "second": B}
LABELLED = {
    "texts": [f"the {word} is {n}" for n in range(6) for word in ("film", "cat")],
    "labels": [n % 2 for n in range(12)],  # numbers are taken as texts
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("v1"))


def endpoints(engine: Engine) -> dict[str, Function]:
    """Return the functions of the endpoints, by name."""
    handlers = Handlers(engine)
    found = (
        *(handlers.predict, handlers.compare_pooling, Lab(engine).similarity_split),
        *(Studio(engine).attention, ExplainEndpoint(engine).explain),
    )
    return {endpoint.__name__: endpoint for endpoint in found}


@pytest.fixture(scope="module")
def functions(engine: Engine) -> dict[str, Function]:
    return endpoints(engine)


def mounted(functions: dict[str, Function], engine: Engine) -> FastAPI:
    """Return the application over one engine."""
    return http_api(functions, Batch(engine), LabelsEndpoint(engine))


@pytest.fixture(scope="module")
def api(engine: Engine, functions: dict[str, Function]) -> FastAPI:
    return mounted(functions, engine)


def ask(api: FastAPI, name: str, body: object, **options: Any) -> httpx.Response:  # noqa: ANN401 - httpx's own
    """Send one request, as JSON unless it is bytes."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=api, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
            headers = {"content-type": "application/json", **options.pop("headers", {})}
            sent = {"content": body} if isinstance(body, bytes) else {"json": body}
            return await client.post(f"/{name}", **sent, headers=headers, **options)

    return run_async(send())


def read(api: FastAPI, path: str) -> httpx.Response:
    """Fetch a page."""

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
            return await client.get(path)

    return run_async(send())


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("predict", {"first": A}),
        ("predict", PAIR),
        ("compare_pooling", PAIR),
        ("similarity_split", PAIR),
        ("attention", {"first": A, "layer": 2}),
        ("attention", {**PAIR, "layers": [1, 2], "model": "cls"}),
        ("explain", PAIR),
        ("explain", {**PAIR, "task": "similarity", "method": "occlusion"}),
        ("explain", {"first": A, "target": 3, "method": "rollout"}),
    ],
)
def test_the_answer_is_the_endpoint_s_and_of_the_declared_type(
    api: FastAPI, functions: dict[str, Function], name: str, body: dict[str, Any]
) -> None:
    (route,) = (route for route in ROUTES if route.name == name)
    answer = ask(api, name, body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == json.loads(json.dumps(functions[name](**body)))
    typed = route.answer.model_validate(answer.json()).model_dump(exclude_unset=True)
    assert typed == answer.json()  # the declared type leaves nothing out


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.name)
def test_many_inputs_get_their_answers_in_order(
    api: FastAPI,
    functions: dict[str, Function],
    route: Any,  # noqa: ANN401 - a route
) -> None:
    inputs = [PAIR, {"first": B, "second": A}, PAIR]
    answer = ask(api, route.name, {"inputs": inputs}).json()
    assert answer == {
        "answers": [json.loads(json.dumps(functions[route.name](**one))) for one in inputs]
    }


def test_a_table_is_answered_and_scored(api: FastAPI, engine: Engine) -> None:
    text = "id\tsentence\tsentiment\n" + "".join(f"r{n}\t{A}\t{n % 5}\n" for n in range(70))
    answer = ask(api, "batch", {"text": text, "model": "cls"})
    assert answer.status_code == 200, answer.text
    expected = Batch(engine).batch(text=text, model="cls")
    assert answer.json() == json.loads(json.dumps(expected))
    assert BATCH.answer.model_validate(answer.json()).model_dump() == answer.json()
    assert len(answer.json()["rows"]) == 70


@pytest.mark.parametrize("models", [1, 2])
def test_labels_of_ones_own_are_compared(
    api: FastAPI, functions: dict[str, Function], engine: Engine, models: int
) -> None:
    if models == 1:
        engine = Engine(engine.mean)
        api = mounted(functions, engine)
    answer = ask(api, "labels", LABELLED)
    assert answer.status_code == 200, answer.text
    labels = [str(label) for label in LABELLED["labels"]]
    expected = LabelsEndpoint(engine).your_labels(LABELLED["texts"], labels)
    assert answer.json() == json.loads(json.dumps(expected))
    assert LABELS.answer.model_validate(answer.json()).model_dump() == answer.json()
    assert answer.json()["classes"] == ["0", "1"]
    assert (answer.json()["cls"] is None) == (models == 1)


def test_too_many_labels_are_413(api: FastAPI) -> None:
    many = {"texts": [A] * 5001, "labels": ["a"] * 5001}
    assert ask(api, "labels", many).status_code == 413


@pytest.mark.parametrize(
    ("name", "body", "loc"),
    [
        ("predict", {}, ["body", "first"]),
        ("predict", {"first": 5}, ["body", "first"]),
        ("predict", {"first": None}, ["body", "first"]),
        ("predict", {"first": [A]}, ["body", "first"]),
        ("predict", {"first": A, "second": None}, ["body", "second"]),
        ("predict", {"first": A, "secund": B}, ["body", "secund"]),
        ("predict", {"first": "  "}, ["body", "first"]),
        ("predict", {"first": A, "second": "\u200b"}, ["body", "second"]),
        ("predict", {"first": "x" * 100_001}, ["body", "first"]),
        ("predict", b'{"first": "\\ud800"}', ["body", "first"]),
        ("predict", {"inputs": []}, ["body", "inputs"]),
        ("predict", {"inputs": A}, ["body", "inputs"]),
        ("predict", {"inputs": [{"first": A}, {"first": 1}]}, ["body", "inputs", 1, "first"]),
        ("predict", {"inputs": [{"first": A}, {"first": ""}]}, ["body", "inputs", 1, "first"]),
        ("predict", [A], ["body"]),
        ("predict", b"first=A", ["body"]),
        ("predict", b"", ["body"]),
        ("predict", b"[" * 5_000, ["body"]),
        ("similarity_split", {"first": A}, ["body", "second"]),
        ("similarity_split", {"first": A, "second": ""}, ["body", "second"]),
        ("attention", {"first": A, "layer": "1"}, ["body", "layer"]),
        ("attention", {"first": A, "layer": 1.5}, ["body", "layer"]),
        ("attention", {"first": A, "layer": True}, ["body", "layer"]),
        ("attention", {"first": A, "layers": 1}, ["body", "layers"]),
        ("attention", {"first": A, "layer": 99}, ["body", "layer"]),
        ("attention", {"first": A, "model": "bert"}, ["body", "model"]),
        ("explain", {"first": A, "task": "mood"}, ["body", "task"]),
        ("explain", {"first": A, "method": "shap"}, ["body", "method"]),
        ("batch", {"text": ""}, ["body", "text"]),
        ("batch", {"text": A, "task": "mood"}, ["body", "task"]),
        ("batch", {"text": A, "model": "max"}, ["body", "model"]),
        ("labels", {"texts": [A]}, ["body", "labels"]),
        ("labels", {"texts": A, "labels": ["a"]}, ["body", "texts"]),
        ("labels", {"texts": [A, 5, 6], "labels": ["a", "b", "a"]}, ["body", "texts", 1]),
        ("labels", {"texts": [A, B], "labels": ["a", None]}, ["body", "labels", 1]),
        ("labels", {"texts": [A, B], "labels": ["a"]}, ["body", "labels"]),
        ("labels", {"texts": [A] * 9, "labels": ["a"] * 9}, ["body", "texts"]),
        ("labels", {"texts": LABELLED["texts"], "labels": ["a"] * 12}, ["body", "labels"]),
    ],
)
def test_what_is_wrong_is_told_with_its_field(
    api: FastAPI, name: str, body: object, loc: list[str | int]
) -> None:
    answer = ask(api, name, body)
    assert answer.status_code == 422, answer.text
    (fault,) = answer.json()["detail"]
    assert fault["loc"] == loc
    assert fault["msg"].endswith((".", ".txt"))
    assert "Error" not in fault["msg"]


def test_a_whole_number_may_be_written_with_a_point(api: FastAPI) -> None:
    assert ask(api, "attention", {"first": A, "layer": 2.0}).json()["layers"] == [2]


def test_too_much_is_413(api: FastAPI) -> None:
    many = {"inputs": [{"first": A}] * (MOST_INPUTS + 1)}
    assert ask(api, "predict", many).status_code == 413
    assert ask(api, "predict", {"inputs": many["inputs"][1:]}).status_code == 200


@pytest.mark.parametrize("told", [True, False], ids=["length told", "length not told"])
def test_a_body_that_is_too_large_is_refused(api: FastAPI, told: bool) -> None:
    async def chunks() -> Any:  # noqa: ANN401 - an iterator of bytes
        for _ in range(MOST_BODY // 65_536 + 2):
            yield b" " * 65_536

    body = b" " * (MOST_BODY + 1) if told else chunks()
    headers = {"content-type": "application/json"}

    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(app=api)
        async with httpx.AsyncClient(transport=transport, base_url="http://v1") as client:
            return await client.post("/predict", content=body, headers=headers)

    assert run_async(send()).status_code == 413


def test_a_mistake_of_the_server_is_told_without_details(
    functions: dict[str, Function], engine: Engine
) -> None:
    def broken(first: str, second: str = "") -> dict[str, Any]:
        raise KeyError(first + second)

    answer = ask(mounted({**functions, "predict": broken}, engine), "predict", PAIR)
    assert answer.status_code == 500
    assert A not in answer.text
    assert answer.json()["detail"][0]["loc"] == ["body"]


def test_the_function_sees_the_request_as_gradio_passes_it(
    functions: dict[str, Function], engine: Engine
) -> None:
    """By it ZeroGPU counts the caller's quota."""

    def who(first: str, second: str = "") -> dict[str, Any]:
        request = LocalContext.request.get()
        assert isinstance(request, gr.Request)
        return {"ip": request.headers["x-ip-token"], "texts": [first, second]}

    api = mounted({**functions, "predict": who}, engine)
    answer = ask(api, "predict", {"first": A}, headers={"x-ip-token": "a visitor's"})
    assert answer.json() == {"ip": "a visitor's", "texts": [A, ""]}


class Counted(ForkedGpu):
    """Also remembers whose request each task was done for, as ZeroGPU does to count quota."""

    def __init__(self) -> None:
        super().__init__()
        self.callers: list[str] = []

    def __call__(self, task: Callable[..., bytes]) -> Callable[..., bytes]:
        decorated = super().__call__(task)

        def counted(*arguments: object, **options: object) -> bytes:
            request = LocalContext.request.get()
            assert request is not None
            self.callers.append(request.headers["x-ip-token"])
            return decorated(*arguments, **options)

        return counted


@pytest.mark.filterwarnings("ignore:.*multi-threaded, use of fork:DeprecationWarning")
def test_on_zero_gpu_the_work_is_done_there_for_the_caller(engine: Engine) -> None:
    """With a double that forks; a real ZeroGPU Space was not tried."""
    gpu, threads = Counted(), torch.get_num_threads()
    there = Engine(*(on_zero_gpu(one.model, gpu, "cpu") for one in (engine.mean, engine.cls)))
    api = mounted(endpoints(there), there)
    torch.set_num_threads(1)  # OpenMP's others don't survive a fork
    try:
        answer = ask(api, "predict", PAIR, headers={"x-ip-token": "anna"})
    finally:
        torch.set_num_threads(threads)
    plain = (Predictor(one.model, "cpu", runtime="torch") for one in (engine.mean, engine.cls))
    assert answer.json() == json.loads(json.dumps(Handlers(Engine(*plain)).predict(A, B)))
    assert set(gpu.callers) == {"anna"}
    assert os.getpid() not in gpu.processes


def test_forms_have_the_inputs_of_the_functions_in_their_order(
    functions: dict[str, Function], engine: Engine
) -> None:
    """Gradio's API sends a list, /v1 an object; both are read by the same form."""
    every = {
        **functions,
        "similarity_matrix": Lab(engine).similarity_matrix,
        "batch": Batch(engine).batch,
        "your_labels": LabelsEndpoint(engine).your_labels,
    }
    assert every.keys() == forms.FORMS.keys()
    for name, function in every.items():
        fields = forms.FORMS[name].model_fields
        parameters = inspect.signature(function).parameters
        assert [*fields] == [*parameters], name
        for field, parameter in zip(fields.values(), parameters.values(), strict=True):
            wanted = parameter.default is inspect.Parameter.empty
            assert field.is_required() == wanted
            assert wanted or field.default == parameter.default


class Links(HTMLParser):
    """Gathers what a page would fetch, and its scripts."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("script", "link", "img", "iframe")
        self.found += [value or "" for name, value in attrs if name in ("href", "src")]


def test_the_reference_names_every_field_and_asks_no_other_host(api: FastAPI) -> None:
    page = read(api, "/").text
    first, *others = Links(page).found
    assert first == "openapi.json"
    for link in others:  # to objects, which are explained further down
        assert f'id="{link.removeprefix("#")}"' in page
    assert "url(" not in page
    assert "@import" not in page
    for route in (*ROUTES, BATCH, LABELS):
        assert f"POST /v1/{route.name}" in page
        for field in (*route.form.model_fields, *route.answer.model_fields):
            assert f"<code>{field}</code>" in page


def test_openapi_describes_every_address(api: FastAPI) -> None:
    told = read(api, "/openapi.json").json()
    assert {*told["paths"]} == {f"/{route.name}" for route in (*ROUTES, BATCH, LABELS)}
    for path in told["paths"].values():
        assert {"200", "413", "422"} <= path["post"]["responses"].keys()


def test_it_works_under_a_sub_path(api: FastAPI) -> None:
    """A proxy passes /lab/v1/... on, with /lab as root path; links on the page are relative."""
    parent = FastAPI()
    parent.mount("/v1", api)

    async def send() -> tuple[httpx.Response, httpx.Response, httpx.Response]:
        transport = httpx.ASGITransport(app=parent, root_path="/lab")
        async with httpx.AsyncClient(transport=transport, base_url="http://proxy") as client:
            return (
                await client.post("/v1/predict", json={"first": A}),
                await client.get("/v1/"),
                await client.get("/v1/openapi.json"),
            )

    answer, page, schema = run_async(send())
    assert answer.json()["sentiment"]
    assert 'href="/' not in page.text
    assert schema.json()["servers"] == [{"url": "/lab/v1"}]
