"""`python app.py --models FIRST SECOND`: two models of our own training, another depth each."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
import torch
from gradio_client import Client
from gradio_client.exceptions import AppError
from playwright.sync_api import expect

from minbert.predictor import Predictor
from tests.browser.walk import open_tab
from tests.own_runs import train_tiny, write_encoder
from tests.page_event import CONTROLS, PageEvents
from tests.read_html import read
from tests.served import ROOT, served
from trainer.publish.visit import Visit

A, B = "The cat sleeps in the park.", "A dog runs in the garden."
PATIENT = 60_000  # milliseconds: a busy machine is slow, not wrong


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Train a model of two layers and one of three, from encoders of one vocabulary."""
    folder = tmp_path_factory.mktemp("own")
    shallow = write_encoder(folder / "shallow")
    deep = write_encoder(folder / "deep", num_hidden_layers=3, num_attention_heads=2)
    return {
        "mean": train_tiny(folder, "mean", shallow),
        "cls": train_tiny(folder, "cls", deep),
        "untuned": shallow,
    }


@pytest.fixture(scope="module")
def address(models: dict[str, Path]) -> Iterator[str]:
    own = ["--models", str(models["mean"]), str(models["cls"])]
    with served(*own, "--encoder", str(models["untuned"])) as (url, _):
        yield url


@pytest.mark.whole
def test_the_endpoints_answer_with_the_models_that_were_given(
    models: dict[str, Path], address: str
) -> None:
    client = Client(address, verbose=False)
    told = client.predict(A, B, api_name="/compare_pooling")
    for name in ("mean", "cls"):
        pair = Predictor.from_pretrained(models[name], "cpu").pairs([(A, B)])[0]
        assert told[name]["similarity"]["raw_joint"] == pytest.approx(pair.joint, abs=1e-5)
        maps = client.predict(A, B, 1, [], name, api_name="/attention")["weights"]
        assert torch.tensor(maps).shape[:2] == {"mean": (2, 4), "cls": (3, 2)}[name]
    with pytest.raises(AppError, match=r"Layer should be a number from 1 to 2\. Found 3"):
        client.predict(A, B, 3, None, "mean", api_name="/attention")
    client.close()
    plain = httpx.post(f"{address}/v1/compare_pooling", json={"first": A, "second": B}, timeout=60)
    assert plain.json()["names"] == told["names"] == {"cls": "CLS", "mean": "mean"}
    assert plain.json()["differences"] == told["differences"]


@pytest.mark.whole
def test_the_tabs_are_of_their_layers_and_tell_their_own_scores(address: str) -> None:
    with httpx.Client(timeout=60) as client:
        events = PageEvents(address, "own", client)
        config = client.get(f"{address}/config").json()
        events.answer(A, B)
        opened = str(events.open("attention"))
        beyond = {**CONTROLS, "layer": 2, "model": "cls"}
        told, *_, layer, head = events.ask("change_model", A, B, *beyond.values())
        about = events.ask("draw_about_numbers", None)
    assert "This is the model with mean pooling." in opened
    assert "This is the model with CLS pooling." in read(told).text
    assert (layer["maximum"], layer["value"], head["maximum"]) == (3, 2, 2)
    parts = {each["props"].get("elem_id"): each["props"] for each in config["components"]}
    assert "2 layers, 4 heads each, 40 tokens" in parts["own-models"]["value"]
    assert "3 layers, 2 heads each, 40 tokens" in parts["own-models"]["value"]
    _, shown = about
    numbers = read(shown)
    assert numbers.tables[0].column(0)[:2] == ["yours: mean pooling", "yours: CLS pooling"]
    shipped = (ROOT / "assets" / "results" / "mean-dev.json").read_text(encoding="utf-8")
    (commit,) = re.findall(r'"commit": "([^"]+)"', shipped)[:1]
    assert commit not in shown + parts["lab-scores"]["value"]


@pytest.mark.whole
def test_the_layer_slider_follows_the_model(visit_at: Callable[..., Visit], address: str) -> None:
    seen = visit_at(address)
    page = seen.page
    open_tab(page, "Attention")
    words = page.locator("#attention-words")
    expect(words).to_contain_text("the model with mean pooling", timeout=PATIENT)
    layer = page.get_by_label(re.compile("range slider for Layer"))
    expect(layer).to_have_attribute("max", "2")
    page.get_by_label("CLS pooling", exact=True).click()
    expect(layer).to_have_attribute("max", "3", timeout=PATIENT)
    layer.fill("3")
    expect(words.locator("h3")).to_contain_text("Layer 3", timeout=PATIENT)
    page.get_by_label("before fine-tuning", exact=True).click()
    expect(words).to_contain_text("This is the encoder before fine-tuning.", timeout=PATIENT)
    expect(words.locator("h3")).to_contain_text("Layer 2", timeout=PATIENT)
    expect(layer).to_have_attribute("max", "2", timeout=PATIENT)
    expect(page.locator("#attention-plot .error")).to_have_count(0)
    expect(page.get_by_text("Error", exact=True)).to_have_count(0)
    assert seen.errors == []
