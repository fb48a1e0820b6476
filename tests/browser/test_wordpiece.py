"""Word pieces in a real Chromium: the tokenizer's own, on awkward texts and on all of Unicode."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from minbert.browser.package import scripts
from minbert.browser.words import PLANES, SURROGATES, words_data
from minbert.config import MultitaskConfig
from minbert.files import read_json
from minbert.text import Tokenizer, normalise
from tests.browser.live_texts import texts
from tests.served import ROOT

MODEL = ROOT / "assets" / "models" / "mean"
TEXTS = texts()


@pytest.fixture(scope="module")
def config() -> MultitaskConfig:
    return MultitaskConfig.from_dict(read_json(MODEL / "config.json"))


@pytest.fixture(scope="module")
def tokenizer() -> Tokenizer:
    return Tokenizer.from_folder(MODEL)


@pytest.fixture(scope="module")
def page(browser: Browser, tokenizer: Tokenizer, config: MultitaskConfig) -> Iterator[Page]:
    """Open an empty page that has the script and its data."""
    page = browser.new_page()
    page.add_script_tag(content=scripts())
    data = json.dumps(words_data(tokenizer, config))
    page.evaluate("data => { window.split = makeWordPieces(JSON.parse(data)); }", data)
    yield page
    page.close()


def told(page: Page, function: str, values: object) -> list[list[Any]]:
    """Call a function in the page; values travel as JSON, so half an emoji arrives as it is."""
    call = f"data => JSON.stringify(({function})(JSON.parse(data)))"
    found: list[list[Any]] = json.loads(page.evaluate(call, json.dumps(values)))
    return found


def test_pieces_are_the_tokenizer_s(page: Page, tokenizer: Tokenizer) -> None:
    assert len(TEXTS) > 380
    found = told(page, "texts => texts.map(split.pieces)", TEXTS)
    wanted = tokenizer.pieces(TEXTS)
    assert [pair for pair in zip(TEXTS, found, wanted, strict=True) if pair[1] != pair[2]] == []
    assert sum(tokenizer.mask_id in pieces for pieces in wanted) > 20
    assert sum(tokenizer.unknown_id in pieces for pieces in wanted) > 50


def test_texts_are_normalised_alike(page: Page) -> None:
    found = told(page, "texts => texts.map(split.normalise)", TEXTS)
    assert found == [normalise(text) for text in TEXTS]


@pytest.mark.whole
def test_every_character_is_read_alike(page: Page, tokenizer: Tokenizer) -> None:
    """Each stands between two letters, so that a dropped one joins them and a gap parts them."""
    codes = [code for plane in PLANES for code in range(plane << 16, (plane + 1) << 16)]
    asked = [f"a{chr(code)}b" for code in codes if code not in SURROGATES]
    wrong = []
    for start in range(0, len(asked), 1 << 16):
        some = asked[start : start + (1 << 16)]
        codes_of = tokenizer.backend.encode_batch(some, add_special_tokens=False)
        found = told(page, "texts => texts.map(text => split.ids(text))", some)
        wrong += [
            (text, ids)
            for text, code, ids in zip(some, codes_of, found, strict=True)
            if code.ids != ids
        ]
    assert wrong == []


def test_inputs_are_built_and_cut_alike(
    page: Page, tokenizer: Tokenizer, config: MultitaskConfig
) -> None:
    sizes = [(0, 0), (3, 4), (126, 1), (127, 0), (62, 63), (63, 63), (200, 5), (5, 200), (300, 301)]
    pairs = [([7] * first, [8] * second) for first, second in sizes]
    found = told(
        page, "pairs => pairs.map(([a, b]) => [split.single(a), split.joint(a, b)])", pairs
    )
    for (first, second), (single, joint) in zip(pairs, found, strict=True):
        one = tokenizer.single(first, config.max_length)
        both = tokenizer.joint(
            first, second, config.max_length, token_types=config.pair_token_types
        )
        for shown, wanted in ((single, one), (joint, both)):
            assert shown["ids"] == wanted.ids
            assert shown["types"] == wanted.token_types
            assert shown["leftOut"] == wanted.left_out
