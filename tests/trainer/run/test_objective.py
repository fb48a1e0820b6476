"""What a batch costs: what the encoder reads of it, and each part of its loss by hand."""

from __future__ import annotations

import dataclasses
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.multitask import MultitaskBert
from minbert.tables import Example
from minbert.tasks import TASKS
from minbert.text import Batch
from tests.support import assert_close, redraw, seeded, tiny_model
from tests.trainer.samples import task_examples
from trainer.config import TrainConfig
from trainer.data.batches import BatchStream, Reads, TaskBatch, encode_task, reads_of
from trainer.run.objective import Objective, process_batch, tokens_read

CONFIG = TrainConfig()
ROWS = 7
SIMCSE: dict[str, Any] = {"contrastive": "nt_xent"}
TOWERS: dict[str, Any] = {"paraphrase_head": "two_tower"}
# task, changes to the default settings, rows of each pass through the encoder in units of ROWS
COSTS: list[tuple[str, dict[str, Any], list[int]]] = [
    ("sentiment", {}, [1]),
    ("sentiment", SIMCSE, [1, 1]),
    ("sentiment", {**SIMCSE, "contrastive_weight": 0.0}, [1]),
    ("sentiment", {"joint_weight": 0.0}, [1]),
    ("paraphrase", {}, [1]),
    ("paraphrase", SIMCSE, [1, 2, 2]),
    ("paraphrase", {**SIMCSE, "contrastive_weight": 0.0}, [1]),
    ("paraphrase", {"joint_weight": 0.0}, [1]),
    ("paraphrase", TOWERS, [2]),
    ("paraphrase", {**TOWERS, **SIMCSE}, [2, 2]),
    ("similarity", {}, [1, 2]),
    ("similarity", TOWERS, [1, 2]),
    ("similarity", {"siamese_weight": 0.0}, [1]),
    ("similarity", {"joint_weight": 0.0}, [2]),
    ("similarity", SIMCSE, [1, 2, 2]),
    ("similarity", {**SIMCSE, "joint_weight": 0.0}, [2, 2]),
    ("similarity", {**SIMCSE, "siamese_weight": 0.0}, [1, 2, 2]),
    ("similarity", {**SIMCSE, "siamese_weight": 0.0, "contrastive_weight": 0.0}, [1]),
]


def config_with(**changes: Any) -> TrainConfig:  # noqa: ANN401 - any field
    return dataclasses.replace(CONFIG, **changes)


def batch_of(
    model: MultitaskBert, task_name: str, examples: list[Example] | None = None
) -> TaskBatch:
    """Batch a few examples of a task, both sides of pairs kept."""
    assert model.tokenizer is not None
    task = TASKS[task_name]
    rows = examples or task_examples(task_name, ROWS, 4)
    data = encode_task(task, rows, model.tokenizer, model.config, siamese=True)
    return BatchStream(data, 0, examples=99, tokens=9999).gather(range(len(rows)))


def model_with(folder: Path, **changes: Any) -> MultitaskBert:  # noqa: ANN401 - any field
    model = tiny_model(folder, **changes)
    redraw(model, seed=1)
    return model.eval()


@dataclasses.dataclass(frozen=True)
class Reading:
    """One pass through the encoder."""

    batch: Batch
    task: str | None
    embedding: Tensor


@pytest.fixture
def readings(model: MultitaskBert, monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """Record what the model embeds."""
    return watch(model, monkeypatch)


def watch(model: MultitaskBert, monkeypatch: pytest.MonkeyPatch) -> list[Reading]:
    """Record what a model embeds."""
    found: list[Reading] = []
    embed = model.embed

    def watched(batch: Batch, task: str | None = None) -> Tensor:
        found.append(Reading(batch, task, embed(batch, task)))
        return found[-1].embedding

    monkeypatch.setattr(model, "embed", watched)
    return found


def xent_by_hand(views: Tensor, partner: list[int], hidden: set[tuple[int, int]]) -> float:
    """Work out SimCSE's 2N form at temperature .05 with plain loops; `hidden` are no negatives."""
    unit = F.normalize(views.detach().double(), dim=-1)
    total = 0.0
    for i, j in enumerate(partner):
        scores = {
            k: math.exp(float(unit[i] @ unit[k]) / 0.05)
            for k in range(len(unit))
            if k != i and (i, k) not in hidden
        }
        total -= math.log(scores[j] / sum(scores.values()))
    return total / len(unit)


@pytest.mark.parametrize(("task", "changes", "rows"), COSTS)
def test_the_encoder_reads_what_the_losses_need_and_nothing_else(
    tmp_path: Path, task: str, changes: dict[str, Any], rows: list[int]
) -> None:
    config = config_with(**changes)
    model = model_with(tmp_path, paraphrase_head=config.paraphrase_head)
    batch = batch_of(model, task)
    masks: list[Tensor] = []
    model.encoder.register_forward_hook(lambda _, given, __: masks.append(given[1]))
    process_batch(model, batch, config)
    assert [len(mask) for mask in masks] == [ROWS * times for times in rows]
    assert tokens_read(batch, config) == sum(int(mask.sum()) for mask in masks)


def test_what_a_task_reads() -> None:
    assert reads_of(TASKS["sentiment"], CONFIG) == Reads(True, False, False)
    assert reads_of(TASKS["paraphrase"], CONFIG) == Reads(True, False, False)
    assert reads_of(TASKS["similarity"], CONFIG) == Reads(True, True, False)


@pytest.mark.parametrize(
    ("task", "changes"),
    [("paraphrase", {}), ("sentiment", {}), ("similarity", {"siamese_weight": 0.0})],
)
def test_sides_that_are_not_needed_may_be_missing_and_cost_nothing(
    model: MultitaskBert, task: str, changes: dict[str, Any]
) -> None:
    whole, config = batch_of(model, task), config_with(**changes)
    bare = dataclasses.replace(whole, sides=None)
    assert tokens_read(bare, config) == tokens_read(whole, config) == whole.inputs.tokens
    assert torch.equal(
        process_batch(model, bare, config)["loss"], process_batch(model, whole, config)["loss"]
    )


@pytest.mark.parametrize(
    ("task", "changes"),
    [("paraphrase", TOWERS), ("paraphrase", SIMCSE), ("similarity", {"joint_weight": 0.0})],
)
def test_sides_that_are_needed_have_to_be_there(
    model: MultitaskBert, task: str, changes: dict[str, Any]
) -> None:
    bare = dataclasses.replace(batch_of(model, task), sides=None)
    with pytest.raises(ValueError, match=rf"`batch.sides` of {task} should be there.* Found None"):
        process_batch(model, bare, config_with(**changes))


@pytest.mark.parametrize(("joint", "siamese"), [(1.0, 1.0), (0.5, 3.0), (2.0, 0.0), (0.0, 0.25)])
@pytest.mark.parametrize("scaling", ["shifted", "positive"])
def test_the_similarity_loss_is_the_weighted_sum_of_both_forms(
    tmp_path: Path, joint: float, siamese: float, scaling: str
) -> None:
    model = model_with(tmp_path, cosine_scaling=scaling)
    batch = batch_of(model, "similarity")
    assert batch.sides is not None
    linear = model.heads["similarity"].linear
    scores = model.embed(batch.inputs) @ linear.weight[0] + linear.bias
    first, second = F.normalize(model.embed(batch.sides), dim=-1).split(ROWS)
    cosines = (first * second).sum(dim=-1)
    other = 2.5 * (cosines + 1) if scaling == "shifted" else 5 * cosines
    parts = [(((found - batch.labels) ** 2).sum() / ROWS).item() for found in (scores, other)]
    assert min(parts) > 0.1
    config = config_with(joint_weight=joint, siamese_weight=siamese, cosine_scaling=scaling)
    losses = process_batch(model, batch, config)
    assert set(losses) == {"loss", "task"}
    assert losses["loss"].item() == pytest.approx(joint * parts[0] + siamese * parts[1], rel=1e-5)
    assert losses["task"].item() == losses["loss"].item()


def test_the_two_tower_loss_by_hand(tmp_path: Path) -> None:
    model = model_with(tmp_path, paraphrase_head="two_tower")
    batch = batch_of(model, "paraphrase")
    assert batch.sides is not None
    u, v = model.embed(batch.sides).split(ROWS)
    linear = model.heads["paraphrase"].linear
    features = torch.cat([u, v, (u - v).abs(), u * v], dim=1)
    chances = (features @ linear.weight[0] + linear.bias).sigmoid().double()
    wanted = -torch.where(batch.labels == 1, chances.log(), (1 - chances).log()).mean()
    assert 0 < batch.labels.mean() < 1
    found = process_batch(model, batch, config_with(**TOWERS))["loss"]
    assert found.item() == pytest.approx(wanted.item(), rel=1e-4)


@pytest.mark.parametrize("task", TASKS)
def test_the_contrastive_loss_of_each_task_s_sentences_by_hand(
    model: MultitaskBert, readings: list[Reading], task: str
) -> None:
    batch = batch_of(model, task)
    sentences = batch.sides if TASKS[task].pair else batch.inputs
    assert sentences is not None
    model.train()
    config = config_with(**SIMCSE, contrastive_weight=0.3, contrastive_mask_same=False)
    with seeded(3):
        losses = process_batch(model, batch, config)
    first, second = (each.embedding for each in readings if each.batch is sentences)
    assert not torch.allclose(first, second, atol=1e-3), "each view has its own dropout mask"
    count = len(first)
    partner = [*range(count, 2 * count), *range(count)]
    wanted = xent_by_hand(torch.cat([first, second]), partner, set())
    assert losses["contrastive"].item() == pytest.approx(wanted, rel=1e-4)
    assert losses["loss"].item() == pytest.approx(losses["task"].item() + 0.3 * wanted, rel=1e-4)
    first.retain_grad()
    second.retain_grad()
    losses["contrastive"].backward()  # type: ignore[no-untyped-call]
    for view in (first, second):
        assert view.grad is not None
        assert view.grad.abs().max() > 1e-4, "both views are trained"


def test_in_eval_mode_the_views_are_one(model: MultitaskBert, readings: list[Reading]) -> None:
    process_batch(model, batch_of(model, "sentiment"), config_with(**SIMCSE))
    assert torch.equal(readings[0].embedding, readings[1].embedding)


@pytest.mark.parametrize("masked", [True, False])
def test_the_settings_say_whether_a_repeated_sentence_is_a_negative(
    model: MultitaskBert, readings: list[Reading], masked: bool
) -> None:
    texts = ["the cat sits", "a dull film", "the cat sits", "a story"]
    examples = [Example(str(row), (text,), 1.0) for row, text in enumerate(texts)]
    config = config_with(**SIMCSE, contrastive_mask_same=masked)
    losses = process_batch(model.train(), batch_of(model, "sentiment", examples), config)
    views = torch.cat([each.embedding for each in readings])
    again = {(a, b) for a in (0, 4) for b in (2, 6)}
    hidden = again | {(b, a) for a, b in again} if masked else set()
    wanted = xent_by_hand(views, [4, 5, 6, 7, 0, 1, 2, 3], hidden)
    assert losses["contrastive"].item() == pytest.approx(wanted, rel=1e-4)


@pytest.mark.parametrize("temperature", [0.05, 0.5])
def test_the_official_form_and_the_temperature_are_passed_on(
    model: MultitaskBert, readings: list[Reading], temperature: float
) -> None:
    config = config_with(contrastive="in_batch", contrastive_temperature=temperature)
    losses = process_batch(model.train(), batch_of(model, "sentiment"), config)
    first, second = (F.normalize(each.embedding, dim=-1) for each in readings)
    logits = (first @ second.T) / temperature
    wanted = (logits.logsumexp(dim=1) - logits.diagonal()).mean()
    assert_close(losses["contrastive"], wanted, 1e-4)


def test_the_share_of_dead_similarity_outputs_is_told(tmp_path: Path) -> None:
    model = model_with(tmp_path, similarity_head="relu")
    batch = batch_of(model, "similarity")
    linear = model.heads["similarity"].linear
    raw = model.embed(batch.inputs) @ linear.weight[0]
    with torch.no_grad():
        linear.bias.fill_(-raw.sort().values[2:4].mean().item())  # three of seven below zero
    config = config_with(similarity_head="relu", siamese_weight=0.0)
    losses = process_batch(model, batch, config)
    assert losses["zero_share"].item() == pytest.approx(3 / ROWS)
    assert not losses["zero_share"].requires_grad
    scores = 5 * (raw + linear.bias).clamp(min=0)
    assert_close(losses["loss"], ((scores - batch.labels) ** 2).mean(), 1e-3)
    assert "zero_share" not in process_batch(model, batch, config_with(joint_weight=0.0))
    assert "zero_share" not in process_batch(model, batch, CONFIG)


@pytest.mark.parametrize("task", TASKS)
def test_every_pass_goes_through_the_task_s_own_attention(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    model = model_with(tmp_path, pal_size=8)
    batch = batch_of(model, task)
    with_pals = process_batch(model, batch, CONFIG)["loss"].item()
    model.encoder.pals_on = False
    without = process_batch(model, batch, CONFIG)["loss"].item()
    assert abs(with_pals - without) > 1e-3
    model.encoder.pals_on = True
    readings = watch(model, monkeypatch)
    config = config_with(**SIMCSE)
    losses = process_batch(model, batch, config)
    assert {each.task for each in readings} == {task}
    losses["loss"].backward()  # type: ignore[no-untyped-call]
    reached = {n.split(".")[2] for n, p in model.named_parameters() if ".pals." in n and has(p)}
    assert reached == {task}


def has(parameter: Tensor) -> bool:
    """Say whether a parameter has a gradient."""
    return parameter.grad is not None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_the_module_that_is_wrapped_computes_the_same_in_its_precision(
    model: MultitaskBert, precision: str
) -> None:
    batch, config = batch_of(model, "similarity"), config_with(precision=precision)
    found = Objective(model, config, torch.device("cpu"))(batch)
    plain = process_batch(model, batch, config)
    assert found["loss"].dtype == torch.float32
    assert torch.equal(found["loss"], plain["loss"]) is (precision == "fp32")
    assert found["loss"].item() == pytest.approx(plain["loss"].item(), rel=0.1)
