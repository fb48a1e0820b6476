"""Explanations cost what they say: time beside forward passes, and no growing memory.

Whole with MINBERT_HEAVY=1 (`make test-heavy`), at a twentieth of the size otherwise.
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from minbert.explain.attention_view import view_attention
from minbert.explain.heads_summary import summarise_heads
from minbert.explain.ranked import METHODS, explain
from minbert.predictor import Predictor

ROOT = Path(__file__).resolve().parents[2]
SCALE = 1.0 if os.environ.get("MINBERT_HEAVY") == "1" else 0.05
ATTENTION_SECONDS = 0.3
GROWTH_MEGABYTES = 50
PASSES = 12  # forward passes that an explanation may cost beyond its own
FIRST, SECOND = " ".join(["film"] * 31), " ".join(["story"] * 30)  # a joint input of 64 tokens


@pytest.fixture(scope="module")
def predictor() -> Predictor:
    return Predictor.from_pretrained(ROOT / "assets" / "models" / "mean", "cpu")


def best_of(count: int, function: Callable[[], object]) -> float:
    """Return the least processor seconds of some calls: a busy machine doesn't decide."""
    taken = []
    for _ in range(count):
        started = time.process_time()
        function()
        taken.append(time.process_time() - started)
    return min(taken)


def resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


@pytest.mark.heavy
def test_all_attention_of_64_tokens_is_quick(predictor: Predictor) -> None:
    found = predictor.attention(FIRST, SECOND)
    assert found.weights.shape[-1] == 64

    def look() -> None:
        result = predictor.attention(FIRST, SECOND)
        summarise_heads(result)
        view_attention(result, direction="A->B", words=True, hide_specials=True, top=80)

    assert best_of(8, look) < ATTENTION_SECONDS


@pytest.mark.heavy
@pytest.mark.skipif(not Path("/proc/self/statm").exists(), reason="needs Linux's /proc")
def test_many_explanations_leave_no_memory_behind(predictor: Predictor) -> None:
    pair = ("how do I learn the violin quickly", "the fastest way to learn the violin")

    def explain_all(count: int) -> None:
        methods = tuple(METHODS)
        for number in range(count):
            first = f"{pair[0]} {number}"
            explain(predictor, first, pair[1], "similarity", "siamese", methods[number % 4])

    explain_all(8)
    gc.collect()
    before = resident_megabytes()
    explain_all(round(200 * SCALE))
    gc.collect()
    assert resident_megabytes() - before < GROWTH_MEGABYTES


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("method", "inputs"),
    [("gradient", 3), ("rollout", 1), ("occlusion", 16), ("integrated gradients", 34 * 3)],
)
def test_an_explanation_costs_its_definition_and_little_more(
    method: str, inputs: int, predictor: Predictor
) -> None:
    """Count in forward passes; there and back is three, [CLS] and [SEP] cost as words do."""
    text = " ".join(["film"] * 15)
    alone = best_of(15, lambda: predictor.sentiment([text]))
    taken = best_of(3, lambda: explain(predictor, text, None, "sentiment", 2, method))
    assert taken < (inputs + PASSES) * alone
