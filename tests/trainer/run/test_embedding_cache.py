"""Phase 1's cache: what it holds is what would be computed, and nothing stale is ever taken."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import torch

from minbert.predictor import Predictor
from minbert.tasks import TASKS
from tests.support import redraw, tiny_model
from tests.trainer.samples import task_examples
from trainer.run.heads import embed_examples, labels_of


@pytest.mark.parametrize("name", TASKS)
def test_cached_embeddings_are_the_fresh_ones_and_nothing_is_encoded_twice(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, examples = TASKS[name], task_examples(name, 7, 3)
    predictor = Predictor(tiny_model(tmp_path), "cpu")
    fresh = embed_examples(predictor, task, examples)
    first = embed_examples(predictor, task, examples, tmp_path / "cache")
    monkeypatch.setattr(predictor, "pooled", lambda *_: pytest.fail("encoded again"))
    redraw(predictor.model.heads, seed=9)  # heads decide nothing of it
    again = embed_examples(predictor, task, examples, tmp_path / "cache")
    for found in (first, again):
        assert torch.equal(found.embeddings, fresh.embeddings)
        assert torch.equal(found.labels, labels_of(examples))
    assert len(list((tmp_path / "cache").iterdir())) == 1


@pytest.mark.parametrize(
    "change", ["encoder", "text", "order", "task", "pooling", "length", "precision"]
)
def test_the_cache_is_missed_where_anything_that_matters_changed(
    tmp_path: Path, change: str
) -> None:
    examples = task_examples("paraphrase", 5, 3)
    model = tiny_model(tmp_path, pooling="max" if change == "pooling" else "mean")
    predictor = Predictor(tiny_model(tmp_path), "cpu")
    embed_examples(predictor, TASKS["paraphrase"], examples, tmp_path / "cache")
    if change == "encoder":
        with torch.no_grad():
            model.encoder.layers[1].output.bias[0] += 0.25
    if change == "length":
        model.config = dataclasses.replace(model.config, max_length=12)
    if change == "text":
        texts = (examples[4].texts[0], "the dog plays .")
        examples = [*examples[:4], dataclasses.replace(examples[4], texts=texts)]
    if change == "order":
        examples = examples[::-1]
    task = TASKS["similarity" if change == "task" else "paraphrase"]
    other = Predictor(model, "cpu", autocast=change == "precision")
    found = embed_examples(other, task, examples, tmp_path / "cache")
    assert len(list((tmp_path / "cache").iterdir())) == 2
    assert torch.equal(found.embeddings, embed_examples(other, task, examples).embeddings)
