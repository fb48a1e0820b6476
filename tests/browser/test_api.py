"""The endpoints, called as a program would: with gradio_client."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError

from minbert.ui.v1.routes import ROUTES
from tests.page_event import PageEvents
from tests.support import assert_says
from trainer.publish.verify import QUESTIONS

A, B = "The lake froze early this winter.", "Ice covered the lake sooner than usual."


@pytest.fixture(scope="module")
def client(app_url: str) -> Iterator[Client]:
    client = Client(app_url, verbose=False)
    yield client
    client.close()


def test_programs_are_offered_the_endpoints_alone(client: Client) -> None:
    named = client.view_api(return_format="dict", print_info=False)
    assert isinstance(named, dict)
    assert set(named["named_endpoints"]) == {
        "/attention",
        "/batch",
        "/compare_pooling",
        "/explain",
        "/predict",
        "/similarity_matrix",
        "/similarity_split",
        "/your_labels",
    }
    assert named["unnamed_endpoints"] == {}


def raw(url: str, name: str, data: object) -> tuple[str, Any]:
    """Call an endpoint as any language can: return complete or error, and what was sent."""
    calls = f"{url}/gradio_api/call/{name}"
    ticket = httpx.post(calls, json={"data": data}, timeout=60)
    said = httpx.get(f"{calls}/{ticket.json()['event_id']}", timeout=60).text
    event, found = said.strip().split("\n")[:2]
    return event.removeprefix("event: "), json.loads(found.removeprefix("data: "))


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("predict", [A]),
        ("compare_pooling", [A]),
        ("attention", [A]),
        ("attention", [A, B, 2.0]),
        ("explain", [A]),
        ("similarity_matrix", [[A, B]]),
        ("batch", [None, A]),
    ],
)
def test_optional_inputs_may_be_left_out(app_url: str, name: str, data: list[object]) -> None:
    event, (answer,) = raw(app_url, name, data)
    assert event == "complete"
    assert answer


@pytest.mark.parametrize(
    ("name", "data", "told"),
    [
        ("predict", [], ["first", "missing"]),
        ("predict", [5], ["first", "number"]),
        ("predict", [None], ["first", "nothing"]),
        ("predict", [[A], B], ["first", "list"]),
        ("predict", [A, B, "C"], ["at most 2", "Found 3"]),
        ("similarity_split", [A], ["second", "missing"]),
        ("attention", [A, "", "2"], ["layer", "whole number"]),
        ("attention", [A, "", 99], ["Layer", "99"]),
        ("explain", [A, "", "mood"], ["task", "mood"]),
        ("similarity_matrix", [A], ["sentences", "list"]),
        ("similarity_matrix", [[A, 5]], ["sentences.1", "number"]),
        ("batch", ["rows.csv"], ["file", "object"]),
        ("your_labels", [[A], "a"], ["labels", "list"]),
        ("your_labels", [[A], ["a"]], ["at least 8 rows", "Found 1"]),
        ("batch", [{"path": "/etc/passwd", "meta": {"_type": "gradio.FileData"}}], ["read"]),
        ("answer", [A], ["17", "Found 1"]),
    ],
)
def test_inputs_of_another_kind_are_refused_in_words(
    app_url: str, name: str, data: list[object], told: list[str]
) -> None:
    event, error = raw(app_url, name, data)
    assert event == "error"
    assert_says(error["error"], rule=told)


def test_an_endpoint_that_is_not_there_is_404(app_url: str) -> None:
    called = httpx.post(f"{app_url}/gradio_api/call/predicted", json={"data": [A]})
    joined = {"data": [], "fn_index": 9_999, "session_hash": "a"}
    assert called.status_code == 404
    assert httpx.post(f"{app_url}/gradio_api/queue/join", json=joined).status_code == 404


def test_one_request_is_enough_over_v1(app_url: str, client: Client) -> None:
    told = httpx.post(f"{app_url}/v1/predict", json={"first": A, "second": B}, timeout=60).json()
    assert told == client.predict(A, B, api_name="/predict")
    assert "POST /v1/predict" in httpx.get(f"{app_url}/v1/").text


def test_a_visitor_s_page_is_not_written_to_disk_for_a_link(app_url: str) -> None:
    """Gradio stores all that a session shows when it is asked for a deep link."""
    with httpx.Client(timeout=60) as client:
        PageEvents(app_url, "linked", client).answer("My landlord is a crook.", "")
        name = client.get(f"{app_url}/gradio_api/deep_link?session_hash=linked").json()
        found = client.get(f"{app_url}/config?deep_link={name}").text
    assert "landlord" not in found


@pytest.mark.parametrize("name", ["answer", "lesson-chosen"])
def test_a_click_is_one_event(app_url: str, name: str) -> None:
    """Of a lesson the page knows the sentences; what follows their change asks the server once."""
    config = httpx.get(f"{app_url}/config").json()
    ids = {each["props"].get("elem_id"): each["id"] for each in config["components"]}
    events = config["dependencies"]
    (clicked,) = [each for each in events if [ids[name], "click"] in each["targets"]]
    followed = [each for each in events if each["trigger_after"] == clicked["id"]]
    asked = [each for each in (clicked, *followed) if each["backend_fn"]]
    assert len(asked) == 1
    assert not any(each["trigger_after"] == asked[0]["id"] for each in events)


def test_predict_answers_all_three_tasks(client: Client) -> None:
    answer = client.predict(A, B, api_name="/predict")
    assert len(answer["sentiment"]) == 2
    for sentiment in answer["sentiment"]:
        assert sum(sentiment["probabilities"].values()) == pytest.approx(1, abs=1e-5)
    paraphrase = answer["paraphrase"]
    mean = (paraphrase["a_then_b"] + paraphrase["b_then_a"]) / 2
    assert paraphrase["probability"] == pytest.approx(mean)
    assert answer["similarity"]["joint"] != answer["similarity"]["siamese"]
    assert answer["similarity"]["score"] > 2.5  # the two do say much the same


def test_predict_of_one_sentence_has_no_pair(client: Client) -> None:
    assert set(client.predict(A, api_name="/predict")) == {"sentiment"}


def test_compare_pooling_holds_two_different_models(client: Client) -> None:
    told = client.predict(A, B, api_name="/compare_pooling")
    assert told["mean"] == client.predict(A, B, api_name="/predict")
    assert told["cls"]["similarity"] != told["mean"]["similarity"]
    assert len(told["differences"]) == 5


def test_attention_rows_sum_to_one(client: Client) -> None:
    told = client.predict(A, B, 6, api_name="/attention")
    size = len(told["tokens"])
    assert told["tokens"][0] == "[CLS]"
    assert told["tokens"].count("[SEP]") == 2
    assert len(told["weights"]) == 12
    for head in told["weights"]:
        assert len(head) == size
        for row in head:
            assert sum(row) == pytest.approx(1, abs=1e-4)


def test_typed_marks_break_no_pair_and_a_typed_mask_is_one(client: Client) -> None:
    told = client.predict("the lake [SEP] [CLS]", "[MASK] froze [PAD]", api_name="/attention")
    tokens = told["tokens"]
    assert (tokens.count("[CLS]"), tokens.count("[SEP]"), tokens.count("[PAD]")) == (1, 2, 0)
    assert tokens.count("[MASK]") == 1
    assert told["segments"][tokens.index("[MASK]")] == 1


def test_similarity_split_sums_to_the_cosine(client: Client) -> None:
    told = client.predict(A, B, api_name="/similarity_split")
    assert told["first"][0] == told["second"][0] == "[CLS]"
    assert len(told["matrix"]) == len(told["first"])
    assert sum(map(sum, told["matrix"])) == pytest.approx(told["cosine"], abs=1e-5)
    answer = client.predict(A, B, api_name="/predict")
    assert told["score"] == pytest.approx(answer["similarity"]["siamese"], abs=1e-4)


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "pooler"])
def test_similarity_matrix_compares_a_set(client: Client, pooling: str) -> None:
    texts = [A, "The bus was late again.", B]
    told = client.predict(texts, pooling, api_name="/similarity_matrix")
    assert [row[place] for place, row in enumerate(told["matrix"])] == pytest.approx([1, 1, 1])
    assert sorted(told["order"]) == [0, 1, 2]
    assert len(told["points"]) == 3
    assert abs(told["order"].index(0) - told["order"].index(2)) == 1, "alike, so neighbours"


@pytest.mark.parametrize(
    ("endpoint", "arguments", "said"),
    [
        ("/predict", ("", B), "Sentence A is empty"),
        ("/compare_pooling", (A, "\u200b"), "Sentence B has only invisible"),
        ("/attention", (A, B, 7), "Layer should be a number from 1 to 6"),
        ("/similarity_split", (A, ""), "Sentence B is empty"),
        ("/similarity_matrix", ([A, " "], "mean"), "Sentence 2 of the set"),
        ("/explain", (A, B, "sentiment", "7"), "should be one of 0, 1, 2, 3, 4, 'expected'"),
    ],
)
def test_a_refusal_reaches_the_caller(
    client: Client, endpoint: str, arguments: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(*arguments, api_name=endpoint)


def test_explain_adds_up_and_names_its_target(client: Client) -> None:
    told = client.predict(A, B, "similarity", "siamese", api_name="/explain")
    assert (told["target"], told["method"], told["skipped"]) == (
        "siamese",
        "integrated gradients",
        0,
    )
    scores = [word["score"] for side in ("first", "second") for word in told[side]]
    sums = told["completeness"]
    assert sum(scores) == pytest.approx(sums["total"], abs=1e-4)
    assert sums["total"] == pytest.approx(sums["value"] - sums["blank"] + sums["gap"], abs=1e-4)
    answer = client.predict(A, B, api_name="/predict")
    assert sums["value"] == pytest.approx(answer["similarity"]["siamese"], abs=1e-3)
    alone = client.predict(A, "", "sentiment", "negative", "occlusion", api_name="/explain")
    assert (alone["target"], alone["second"], alone["completeness"]) == ("negative", [], None)
    assert [word["word"] for word in alone["first"]][:2] == ["the", "lake"]


def test_attention_of_several_layers_keeps_the_old_call(client: Client) -> None:
    one = client.predict(A, B, 6, api_name="/attention")
    several = client.predict(A, B, layers=[6, 1], api_name="/attention")
    assert several["layers"] == [1, 6]
    for found, wanted in zip(several["weights"][1], one["weights"], strict=True):
        for row, old in zip(found, wanted, strict=True):
            assert row == pytest.approx(old, abs=1e-5)
    every = client.predict(A, B, layers=[], model="cls", api_name="/attention")
    assert len(every["weights"]) == 6
    first, other = every["weights"][5][0][0], one["weights"][0][0]
    assert first != pytest.approx(other, abs=1e-3)


@pytest.mark.parametrize(
    "text",
    ["word " * 10_000, "🎬🎉", "שלום עולם", "<script>alert(1)</script>"],
)
def test_odd_texts_are_answered(client: Client, text: str) -> None:
    answer: dict[str, Any] = client.predict(text, text, api_name="/predict")
    assert answer["similarity"]["siamese"] == pytest.approx(5, abs=1e-3)


def test_what_verify_asks_is_answered_and_one_text_refused(app_url: str) -> None:
    """Two pages that both refuse everything would be equal."""
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    endpoints = {name for name, _ in questions}
    assert (len(questions), endpoints) == (20, {*(route.name for route in ROUTES), "batch"})
    replies = [
        httpx.post(f"{app_url}/v1/{name}", json=inputs, timeout=60) for name, inputs in questions
    ]
    refused = [
        inputs["first"]
        for (_, inputs), reply in zip(questions, replies, strict=True)
        if reply.status_code == 422
    ]
    assert refused == [""]
    assert {reply.status_code for reply in replies} == {200, 422}
    assert any(reply.json().get("sentiment", [{}])[0].get("left_out") for reply in replies)
    *_, sentences, table = (reply.json() for reply in replies)
    assert (len(sentences["rows"]), len(table["rows"])) == (3, 3)
    assert table["scores"] is not None
