"""The multitask model: each task has its own head, and the config decides the scores."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import torch

from minbert.config import POOLING_NAMES, MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.tasks import TASKS
from tests.support import assert_close, random_batch, redraw, tiny_model

ROOT = Path(__file__).resolve().parents[2]
BATCH = random_batch((9, 4, 7, 2, 6, 8, 3, 5))
SHAPES = {"sentiment": (8, 5), "paraphrase": (8,), "similarity": (8,)}


def predict(model: MultitaskBert, task: str) -> torch.Tensor:
    """Return the model's prediction of a task for the usual batch."""
    with torch.no_grad():
        return getattr(model, f"predict_{task}")(BATCH)


@pytest.mark.parametrize("task", TASKS)
def test_predictions_come_from_the_task_s_own_head(task: str, model: MultitaskBert) -> None:
    before = predict(model, task)
    assert before.shape == SHAPES[task]
    for name, head in model.heads.items():
        if name != task:
            redraw(head, seed=99)
    assert torch.equal(predict(model, task), before)
    redraw(model.heads[task], seed=99)
    assert (predict(model, task) - before).abs().max() > 0.1


@pytest.mark.parametrize("task", TASKS)
def test_predictions_are_the_head_on_the_embedding(task: str, model: MultitaskBert) -> None:
    with torch.no_grad():
        head = model.heads[task].linear
        wanted = model.embed(BATCH) @ head.weight.T + head.bias
    assert_close(predict(model, task), wanted.squeeze(-1))


def test_the_relu_form_is_taken_from_the_config(tmp_path: Path) -> None:
    linear, relu = (tiny_model(tmp_path, similarity_head=form) for form in ("linear", "relu"))
    for model in (linear.eval(), relu.eval()):
        redraw(model, seed=4)
    middle = predict(linear, "similarity").mean()
    for model in (linear, relu):
        model.heads["similarity"].linear.bias.data -= middle
    raw = predict(linear, "similarity")
    assert raw.min() < 0 < raw.max(), "the batch shows both sides of the ReLU"
    assert_close(predict(relu, "similarity"), raw.clamp(min=0) * 5)


def test_the_cosine_s_scaling_is_taken_from_the_config(tmp_path: Path) -> None:
    first, second = random_batch(seed=1), random_batch(seed=2)
    scores = {}
    for scaling in ("shifted", "positive"):
        model = tiny_model(tmp_path, cosine_scaling=scaling)
        redraw(model, seed=4)
        with torch.no_grad():
            scores[scaling] = model.eval().predict_siamese_similarity(first, second)
    assert scores["shifted"].shape == (4,)
    assert_close(scores["shifted"], scores["positive"] / 2 + 2.5)


def test_the_siamese_score_is_symmetric(model: MultitaskBert) -> None:
    first, second = random_batch(seed=1), random_batch((3, 3, 5, 6), seed=2)
    with torch.no_grad():
        scores = model.predict_siamese_similarity(first, second)
        assert_close(model.predict_siamese_similarity(second, first), scores)
        assert_close(model.predict_siamese_similarity(first, first), torch.full((4,), 5.0))
    assert (scores < 4.99).all()


def test_two_tower_logits_come_from_both_embeddings(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, paraphrase_head="two_tower")
    redraw(model, seed=4)
    first, second = random_batch(seed=1), random_batch((3, 3, 5, 6), seed=2)
    with torch.no_grad():
        u, v = model.eval().embed(first), model.embed(second)
        head = model.heads["paraphrase"].linear
        features = torch.cat([u, v, (u - v).abs(), u * v], dim=1)
        assert_close(model.paraphrase_features(u, v), features)
        logits = model.predict_two_tower_paraphrase(first, second)
        assert_close(logits, features @ head.weight[0] + head.bias, 1e-4)


@pytest.mark.parametrize(("head", "wanted", "found"), [("joint", 16, 64), ("two_tower", 64, 16)])
def test_features_of_the_other_paraphrase_head_are_told(
    head: str, wanted: int, found: int, tmp_path: Path
) -> None:
    model = tiny_model(tmp_path, paraphrase_head=head)
    message = f"`features` should have {wanted} units for the paraphrase head '{head}'"
    with pytest.raises(ValueError, match=f"{message}. Found {found}"):
        model.paraphrase_logits(torch.zeros(2, found))
    assert model.paraphrase_logits(torch.zeros(2, wanted)).shape == (2,)


@pytest.mark.parametrize("classes", [2, 7])
def test_the_sentiment_head_has_the_config_s_classes(classes: int, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, sentiment_classes=classes)
    assert predict(model, "sentiment").shape == (8, classes)


def test_a_given_encoder_is_shared_and_not_copied(model: MultitaskBert) -> None:
    other = MultitaskBert(model.config, None, model.encoder)
    assert other.encoder is model.encoder
    assert other.tokenizer is None


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_the_loss_reaches_every_parameter_that_takes_part(pooling: str, tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pooling=pooling)
    redraw(model, seed=4)
    batch = random_batch()
    loss = model.predict_sentiment(batch).square().mean()
    loss = loss + model.predict_paraphrase(batch).square().mean()
    (loss + model.predict_similarity(batch).square().mean()).backward()
    without = {name for name, parameter in model.named_parameters() if parameter.grad is None}
    idle = {"encoder.pooler.dense.weight", "encoder.pooler.dense.bias"}
    assert without == (set() if pooling == "pooler" else idle)
    for parameter in model.parameters():
        assert parameter.grad is None or torch.isfinite(parameter.grad).all()


def test_heads_drop_out_as_the_encoder_s_hidden_states_do(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, hidden_dropout_prob=0.3)
    assert {head.dropout.p for head in model.heads.values()} == {0.3}


def test_the_tiny_model_takes_fields_of_both_configs(tmp_path: Path) -> None:
    model = tiny_model(tmp_path, pooling="cls", hidden_size=32, max_length=20)
    assert isinstance(model.config, MultitaskConfig)
    assert model.config.pooling == "cls"
    assert model.config.max_length == 20
    assert model.config.encoder.hidden_size == 32
    assert model.tokenizer is not None
    assert model.config.encoder.vocab_size == len(model.tokenizer)
    with pytest.raises(TypeError, match="hidden_sise"):
        tiny_model(tmp_path, hidden_sise=32)


def test_loading_imports_neither_a_compiler_nor_transformers(tmp_path: Path) -> None:
    """They would take longer than the weights, each time the page starts."""
    tiny_model(tmp_path).save_pretrained(tmp_path)
    lines = (
        "import sys; from minbert.multitask import MultitaskBert; "
        f"MultitaskBert.from_pretrained({str(tmp_path)!r}); "
        "print(sorted({'torch._dynamo', 'sympy', 'transformers'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", lines], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
