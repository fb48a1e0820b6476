"""Explanations cost what they say: time beside forward passes, and no growing memory.

Passes are counted in every run; times and memory with MINBERT_HEAVY=1 (`make test-heavy`) alone,
times on an idle machine.
"""

from __future__ import annotations

import gc
import math
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from gradio_client import Client
from torch import Tensor

from minbert.backends.unpadded import TOKENS_TOGETHER
from minbert.explain.gradients import STEPS
from minbert.explain.occlusion import leave_out
from minbert.explain.ranked import METHODS, explain
from minbert.predictor import Predictor
from minbert.text import Encoded
from minbert.ui.engine import Engine
from minbert.ui.why.events import Why
from minbert.ui.why.subject import OF_A, PARAPHRASE, SIMILARITY
from tests.served import ROOT
from tests.support import watch_encoder

EXPLANATIONS = 200
GROWTH_MEGABYTES = 50
PASSES = 12  # forward passes that an explanation may cost beyond its definition's own
ROWS = 16  # encoder inputs that a batch holds at least where there are so many
WORDS = 38
TEXT = " ".join(["film", "story"] * (WORDS // 2))
PAIR = ("how do I learn the violin quickly", "the fastest way to learn the violin")
POINTS = STEPS + 1  # of integrated gradients, both ends with them
NEEDED = {  # encoder inputs that a method's definition names, for one sentence
    "integrated gradients": POINTS,
    "gradient": 1,
    "occlusion": WORDS + 1,
    "rollout": 1,
}

needs_proc = pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(ROOT / "assets" / "models", "cpu")


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_pretrained(ROOT / "assets" / "models" / "mean", "cpu")


def best_of(count: int, function: Callable[[], object]) -> float:
    """Return the least seconds that a call took."""
    taken = []
    for _ in range(count):
        started = time.perf_counter()
        function()
        taken.append(time.perf_counter() - started)
    return min(taken)


def resident_megabytes(process: int | str = "self") -> float:
    pages = int(Path(f"/proc/{process}/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.heavy
@pytest.mark.parametrize("method", METHODS)
def test_an_explanation_encodes_its_definition_in_batches(
    method: str, predictor: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows: list[int] = []
    plain = watch_encoder(monkeypatch)
    handle = predictor.model.encoder.layers[0].register_forward_pre_hook(
        lambda _layer, inputs: rows.append(len(inputs[0]))
    )
    explain(predictor, TEXT, None, "sentiment", None, method)
    handle.remove()
    needed = NEEDED[method]
    assert needed <= sum(rows) + sum(map(len, plain)) <= needed + PASSES
    answer = 1  # which class to explain
    assert len(rows) <= math.ceil(needed / ROWS) + answer
    tokens = sum(len(item) for batch in plain for item in batch)
    assert len(plain) <= math.ceil(tokens / (TOKENS_TOGETHER / 2)) + answer


@pytest.mark.whole
@pytest.mark.parametrize("method", METHODS)
def test_an_explanation_takes_its_definition_s_time_and_little_more(
    method: str, predictor: Predictor
) -> None:
    """Time the definition's own inputs, as plain batches; [CLS] and [SEP] cost as words do."""
    (item,) = predictor.encode_single([TEXT])
    assert len(item) == WORDS + 2
    alone = best_of(20, lambda: predictor.sentiment([TEXT]))
    own = {
        "integrated gradients": lambda: there_and_back(predictor, item, POINTS),
        "gradient": lambda: there_and_back(predictor, item, 1),
        "occlusion": lambda: predictor.pooled(
            [item, *(leave_out(item, [place]) for place in range(1, WORDS + 1))]
        ),
        "rollout": lambda: predictor.attention(item),
    }[method]
    needed = best_of(5, own)
    taken = best_of(5, lambda: explain(predictor, TEXT, None, "sentiment", None, method))
    print(f"{method}: {taken:.3f} s; its own {needed:.3f} s, a pass {alone:.4f} s")  # noqa: T201 - the figure the check is for
    assert taken <= needed + PASSES * alone


def there_and_back(predictor: Predictor, item: Encoded, count: int) -> list[Tensor]:
    """Run one input so often, in batches, with the gradient of its word embeddings."""
    model, gradients = predictor.model, []
    for start in range(0, count, ROWS):
        size = (min(ROWS, count - start), -1)
        ids = torch.tensor(item.ids).expand(*size)
        types, mask = torch.tensor(item.token_types).expand(*size), torch.ones_like(ids)
        words = model.encoder.embeddings.word(ids).detach().requires_grad_()
        hidden = model.encoder.encode(model.encoder.embeddings.from_words(words, types), mask)
        value = model.sentiment_logits(hidden.hidden.mean(dim=1))[:, 0].sum()
        gradients += torch.autograd.grad(value, [words])
    return gradients


@pytest.mark.whole
@needs_proc
def test_many_explanations_of_the_tab_leave_no_memory_behind(engine: Engine) -> None:
    """All four methods, as a press of the button makes them."""
    why, kinds = Why(engine), (OF_A, PARAPHRASE, SIMILARITY)

    def explain_all(count: int) -> None:
        for number in range(count):
            first = f"{PAIR[0]} {number}"
            pressed = why.explain(
                first, PAIR[1], kinds[number % 3], "answer", False, parts=["words"]
            )
            assert len([shown for shown in pressed if "words" in shown]) == 3

    explain_all(6)
    gc.collect()
    before = resident_megabytes()
    explain_all(EXPLANATIONS)
    gc.collect()
    grown = resident_megabytes() - before
    print(f"{EXPLANATIONS} of the tab: {grown:+.1f} MB")  # noqa: T201 - the figure the check is for
    assert grown < GROWTH_MEGABYTES


@pytest.mark.whole
@needs_proc
def test_many_explanations_of_the_endpoint_leave_no_memory_behind(app: tuple[str, int]) -> None:
    methods, (url, process) = tuple(METHODS), app
    client = Client(url, verbose=False)

    def explain_all(count: int) -> None:
        for number in range(count):
            asked = (f"{PAIR[0]} {number}", PAIR[1], "similarity", "siamese")
            told = client.predict(*asked, methods[number % 4], api_name="/explain")
            assert told["first"]

    explain_all(8)
    before = resident_megabytes(process)
    explain_all(EXPLANATIONS)
    grown = resident_megabytes(process) - before
    client.close()
    print(f"{EXPLANATIONS} of the endpoint: {grown:+.1f} MB")  # noqa: T201 - the figure the check is for
    assert grown < GROWTH_MEGABYTES
