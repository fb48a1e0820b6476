"""A step of fine-tuning: epochs in tokens, surgery, PALs, one task, and going on bit for bit."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.tasks import TASKS
from tests.support import redraw, tiny_model
from tests.trainer.run.two_processes import (
    SIZES,
    fine_tuned,
    gradients_of,
    kept,
    scored,
    tuning_with,
)
from tests.trainer.techniques.test_surgery import project
from trainer.config import TrainConfig
from trainer.run.fine_tuning import ORDER_SEED, FineTuning, is_shared, learning_rate_at
from trainer.run.folder import Run
from trainer.run.loop import fine_tune
from trainer.run.objective import process_batch
from trainer.seeding import mix_seed
from trainer.techniques.surgery import draw_orders

SIMCSE = {"contrastive": "nt_xent"}
PALS = {"pal_size": 8, "pal_epochs": 1}
PAIRS = ["sentiment-paraphrase", "sentiment-similarity", "paraphrase-similarity"]


def own_gradients(tuning: FineTuning) -> list[dict[str, Tensor]]:
    """Work out each task's gradients of its next batch, alone; nothing else changes."""
    found = []
    tuning.model.train()
    for stream in tuning.streams:
        state = stream.state()
        loss = process_batch(tuning.model, stream.next(), tuning.config)["loss"]
        stream.restore(state)
        tuning.model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        found.append(gradients_of(tuning))
        tuning.model.zero_grad(set_to_none=True)
    return found


def flat(gradients: dict[str, Tensor], names: Sequence[str]) -> Tensor:
    """Put gradients into one vector, in float64."""
    return torch.cat([gradients[name].flatten().double() for name in names])


def of_phase(lines: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [line for line in lines if line["phase"] == phase]


def test_the_learning_rate_by_tokens_by_hand() -> None:
    config = TrainConfig(epochs=2, tokens_per_epoch=500, warmup=0.2, learning_rate=8.0)
    spans = [(0, 50), (50, 150), (150, 260), (200, 300), (600, 700), (990, 1040)]
    rates = [learning_rate_at(before, after, config) for before, after in spans]
    assert rates == pytest.approx([2.0, 6.0, 8.0, 8.0, 4.0, 0.1])


def test_epochs_are_counted_in_tokens_where_the_settings_say_so(tmp_path: Path) -> None:
    tuning = tuning_with(tmp_path, epochs=3, tokens_per_epoch=600, steps_per_epoch=1)
    seen = []
    while not tuning.finished:
        before = tuning.tokens
        assert tuning.done == before < 1800
        assert tuning.epoch == before // 600 + 1
        assert tuning.epochs_done == before // 600
        tuning.train_step()
        seen.append(tuning.tokens - before)
        rate = 1e-2 * (min(1.0, tuning.tokens / 450) if before < 450 else (1800 - before) / 1350)
        rates = [group["lr"] for group in tuning.optimizer.param_groups]
        assert rates == pytest.approx([rate, rate])
    assert tuning.tokens >= 1800 > tuning.tokens - seen[-1]
    assert tuning.step == len(seen) > 6
    assert tuning.epoch == 3


def test_an_epoch_of_tokens_ends_with_the_step_that_reaches_its_end(tmp_path: Path) -> None:
    tuning = tuning_with(tmp_path, epochs=3, tokens_per_epoch=600, checkpoint_every=2)
    lines, records = fine_tuned(tuning, tmp_path)
    validations = of_phase(lines, "validation")
    assert [line["epoch"] for line in validations] == [0, 1, 2, 3]
    trained = of_phase(lines, "fine-tuning")
    assert sum(sum(line["steps"].values()) for line in trained) == len(records) == tuning.step
    for line in validations[1:]:
        assert 0 <= line["tokens"] - 600 * line["epoch"] < 600
    ends = [line["tokens"] for line in validations[1:]]
    for line in trained:
        assert line["epoch"] == 1 + sum(end < line["tokens"] for end in ends)
        assert line["probabilities"]["paraphrase"] == tuning.probabilities(line["epoch"])[1]


def test_a_step_that_ends_more_than_the_last_epoch_is_validated_as_the_last(tmp_path: Path) -> None:
    tuning = tuning_with(tmp_path, epochs=2, tokens_per_epoch=10)
    lines, _ = fine_tuned(tuning, tmp_path)
    assert [line["epoch"] for line in of_phase(lines, "validation")] == [0, 2]
    assert tuning.step == 1


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"tokens_per_epoch": 700},
        {"surgery": True},
        {**SIMCSE},
        {**PALS},
        {**PALS, **SIMCSE, "surgery": True, "tokens_per_epoch": 2500},
        {"sampler": "full_pass", "tokens_per_epoch": 700},
    ],
    ids=["steps", "tokens", "surgery", "contrastive", "pals", "all", "full pass"],
)
@pytest.mark.parametrize("done", [2, 7])
def test_a_restored_state_continues_bit_for_bit(
    tmp_path: Path, changes: dict[str, Any], done: int
) -> None:
    unbroken = tuning_with(tmp_path / "first", seed=1, **changes)
    for _ in range(done):
        unbroken.train_step()
    tensors, counters = unbroken.state()
    tensors = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    counters = json.loads(json.dumps(counters))
    records = [unbroken.train_step() for _ in range(5)]
    continued = tuning_with(tmp_path / "second", seed=2, **changes)
    torch.manual_seed(999)
    continued.restore(tensors, counters)
    assert [continued.train_step() for _ in range(5)] == records
    (found, counted), (wanted, counters) = continued.state(), unbroken.state()
    assert counted == counters
    assert sorted(found) == sorted(wanted)
    assert [name for name, tensor in wanted.items() if not torch.equal(found[name], tensor)] == []
    if "pal_size" in changes:
        assert continued.model.encoder.pals_on
        assert any(".pals." in name for name in found if name.startswith("adamw."))


@pytest.mark.parametrize(
    "length", [{"steps_per_epoch": 12}, {"tokens_per_epoch": 2400}], ids=["steps", "tokens"]
)
def test_a_full_pass_trains_one_task_after_the_other_in_each_epoch(
    tmp_path: Path, length: dict[str, int]
) -> None:
    tuning = tuning_with(tmp_path, sampler="full_pass", **length)
    blocks: list[list[str]] = [[], []]
    while not tuning.finished:
        epoch = tuning.epoch
        share = tuning.done % tuning.config.epoch_length / tuning.config.epoch_length
        (name,) = tuning.train_step().losses
        assert name == [*TASKS][(share >= 20 / 120) + (share >= 80 / 120)]
        blocks[epoch - 1].append(name)
    for names in blocks:
        assert names == sorted(names, key=[*TASKS].index)
        assert set(names) == set(TASKS)
    if "steps_per_epoch" in length:
        assert blocks[0] == ["sentiment"] * 2 + ["paraphrase"] * 6 + ["similarity"] * 4


@pytest.mark.parametrize("sampler", ["annealed", "round_robin", "square_root"])
@pytest.mark.parametrize("step", [0, 7])
def test_surgery_is_the_algorithm_to_the_letter_on_what_is_shared(
    tmp_path: Path, sampler: str, step: int
) -> None:
    still = {"hidden_dropout": 0.0, "attention_dropout": 0.0, "clip_norm": 1e9}
    tuning = tuning_with(tmp_path, sampler=sampler, surgery=True, **PALS, **still)
    redraw(tuning.model, seed=6, std=0.3)  # V_D too, so that PALs have gradients
    tuning.step = step  # in the first epoch; in the second, where PALs are on
    tuning.switch_pals()
    exponent = {"annealed": 0.2 if step else 1.0, "round_robin": 0.0, "square_root": 0.5}[sampler]
    total = sum(size**exponent for size in SIZES.values())
    weights = [3 * size**exponent / total for size in SIZES.values()]
    own = own_gradients(tuning)
    for weight, gradients in zip(weights, own, strict=True):
        for gradient in gradients.values():
            gradient *= weight
    record = tuning.train_step()
    found = gradients_of(tuning)

    shared = [name for name in own[0] if name in own[1] and name in own[2]]
    assert all(is_shared(name) and name in tuning.trained for name in shared)
    generator = torch.Generator().manual_seed(mix_seed(tuning.config.seed, ORDER_SEED, step))
    vectors = [flat(gradients, shared) for gradients in own]
    orders = draw_orders(3, generator)
    projected = project(vectors, orders)
    turned = torch.stack(project(vectors, [order[::-1] for order in orders])).sum(dim=0)
    wanted = torch.stack(projected).sum(dim=0)
    assert (wanted - turned).norm() > 1e-2 * wanted.norm(), "the order makes no difference here"
    assert (flat(found, shared) - wanted).norm() < 1e-5 * wanted.norm()

    rest = {name for gradients in own for name in gradients} - set(shared)
    pals = {name for name in rest if ".pals." in name}
    assert {name.split(".")[1] for name in rest - pals} == set(TASKS)
    assert {name.split(".")[2] for name in pals} == (set(TASKS) if step else set())
    for gradients in own:
        for name in rest & set(gradients):
            assert torch.allclose(found[name], gradients[name], rtol=1e-4, atol=1e-6), name
    assert set(found) == set(shared) | rest, "what had no gradient stays without"
    assert (list(record.pairs), list(record.losses)) == (PAIRS, list(TASKS))
    for (i, j), statistics in zip([(0, 1), (0, 2), (1, 2)], record.pairs.values(), strict=True):
        assert statistics.conflict is bool(vectors[i] @ vectors[j] < 0)
        before = F.cosine_similarity(vectors[i], vectors[j], dim=0)
        after = F.cosine_similarity(projected[i], projected[j], dim=0)
        assert statistics.cosine == pytest.approx(before.item(), abs=1e-4)
        assert statistics.cosine_after == pytest.approx(after.item(), abs=1e-4)


def test_surgery_leaves_without_gradient_what_had_none(tmp_path: Path) -> None:
    tuning = tuning_with(
        tmp_path, surgery=True, **PALS, freeze_word_embeddings=True, weight_decay=0.5
    )
    before = kept(tuning)
    for _ in range(3):
        tuning.train_step()
        missing = {name.split(".")[1] for name, _ in tuning.model.named_parameters()} - {
            name.split(".")[1] for name in gradients_of(tuning)
        }
        assert missing == {"pooler", "pals"}
        assert tuning.model.encoder.embeddings.word.weight.grad is None
    after = kept(tuning)
    still = {name for name in before if torch.equal(before[name], after[name])}
    assert {n for n in before if "pooler" in n or "pals" in n or "embeddings.word" in n} <= still
    assert "encoder.embeddings.word.weight" not in tuning.trained


def test_pals_are_off_until_their_epoch_and_change_nothing_when_switched_on(
    tmp_path: Path,
) -> None:
    tuning = tuning_with(tmp_path, epochs=3, steps_per_epoch=4, pal_size=8, pal_epochs=1)
    encoder, before = tuning.model.encoder, kept(tuning)
    for _ in range(8):
        assert not encoder.pals_on
        tuning.train_step()
        assert not [name for name in gradients_of(tuning) if ".pals." in name]
    middle = kept(tuning)
    assert all(torch.equal(middle[n], before[n]) for n in before if ".pals." in n)
    tuning.model.eval()
    batches = [stream.gather(range(8)) for stream in tuning.streams]
    losses = [process_batch(tuning.model, batch, tuning.config)["loss"] for batch in batches]
    tuning.switch_pals()
    assert encoder.pals_on
    switched = [process_batch(tuning.model, batch, tuning.config)["loss"] for batch in batches]
    assert all(torch.equal(a, b) for a, b in zip(losses, switched, strict=True))
    (name,) = tuning.train_step().losses
    after = kept(tuning)
    changed = {n for n in before if "up.weight" in n and not torch.equal(after[n], middle[n])}
    assert changed == {f"encoder.pals.{name}.up.weight"}
    for _ in range(3):
        tuning.train_step()
    assert tuning.finished
    tuning.switch_pals()
    assert encoder.pals_on


def test_pals_are_switched_on_by_tokens_and_by_a_restored_state(tmp_path: Path) -> None:
    changes = {"tokens_per_epoch": 600, "steps_per_epoch": 1, **PALS}
    tuning = tuning_with(tmp_path / "first", **changes)
    while tuning.tokens < 600:
        assert not tuning.model.encoder.pals_on
        tuning.train_step()
    other = tuning_with(tmp_path / "second", seed=2, **changes)
    assert not other.model.encoder.pals_on
    other.restore(*tuning.state())
    assert other.model.encoder.pals_on


@pytest.mark.parametrize("sampler", ["annealed", "round_robin", "full_pass"])
def test_one_task_trains_alone(tmp_path: Path, sampler: str) -> None:
    tuning = tuning_with(tmp_path, tasks="sentiment", scored_tasks="sentiment", sampler=sampler)
    before = kept(tuning)
    lines, records = fine_tuned(tuning, tmp_path)
    assert [[*record.losses] for record in records] == [["sentiment"]] * 12
    moved = {n.split(".")[1] for n, t in kept(tuning).items() if not torch.equal(t, before[n])}
    assert moved == {"embeddings", "layers", "sentiment"}
    for line in of_phase(lines, "fine-tuning"):
        assert line["probabilities"] == {"sentiment": 1.0}
        assert list(line["loss"]) == list(line["steps"]) == ["sentiment"]
    validations = of_phase(lines, "validation")
    assert [line["selection"] for line in validations] == [0.5] * 3
    assert list(tuning.best["per_task"]) == ["sentiment"]


@pytest.mark.parametrize(
    ("name", "shared"),
    [
        ("encoder.embeddings.word.weight", True),
        ("encoder.layers.0.attention.query.weight", True),
        ("attention_pooling.score.weight", True),
        ("encoder.pals.sentiment.up.weight", False),
        ("encoder.pals.similarity.attentions.1.query.bias", False),
        ("heads.paraphrase.linear.bias", False),
    ],
)
def test_heads_and_a_task_s_own_attention_are_not_shared(
    tmp_path: Path, name: str, shared: bool
) -> None:
    model = tiny_model(tmp_path, pal_size=8, pooling="attention")
    assert name in dict(model.named_parameters())
    assert is_shared(name) is shared


def test_every_part_is_logged_and_each_step_s_surgery(tmp_path: Path) -> None:
    tuning = tuning_with(
        tmp_path, surgery=True, similarity_head="relu", checkpoint_every=4, **SIMCSE
    )
    lines, records = fine_tuned(tuning, tmp_path)
    trained = of_phase(lines, "fine-tuning")
    assert [(line["step"], line["epoch"]) for line in trained] == [(4, 1), (6, 1), (8, 2), (12, 2)]
    assert [line["alpha"] for line in trained] == pytest.approx([1.0, 1.0, 0.2, 0.2])
    parts = {"loss": [*TASKS], "contrastive": [*TASKS], "zero_share": ["similarity"]}
    spans = (records[:4], records[4:6], records[6:8], records[8:])
    for line, part in zip(trained, spans, strict=True):
        assert line["steps"] == dict.fromkeys(sorted(TASKS), len(part))
        for name, tasks in parts.items():
            means = {t: sum(r.losses[t][name] for r in part) / len(part) for t in sorted(tasks)}
            assert line[name] == pytest.approx(means)
    surgery = of_phase(lines, "surgery")
    assert [(line["step"], line["epoch"]) for line in surgery] == [
        (step, 1 + (step > 6)) for step in range(1, 13)
    ]
    for line, record in zip(surgery, records, strict=True):
        assert line["pairs"] == {name: vars(pair) for name, pair in record.pairs.items()}
        assert list(line["pairs"]) == PAIRS


def test_what_is_not_trained_is_not_logged(tmp_path: Path) -> None:
    lines, _ = fine_tuned(tuning_with(tmp_path, sampler="round_robin"), tmp_path)
    assert of_phase(lines, "surgery") == []
    for line in of_phase(lines, "fine-tuning"):
        assert line["alpha"] is None
        assert line["contrastive"] == line["zero_share"] == {}


def test_no_epochs_validate_once_and_save_once(tmp_path: Path) -> None:
    tuning = tuning_with(tmp_path, epochs=0)
    before = kept(tuning)
    lines, records = fine_tuned(tuning, tmp_path)
    assert records == []
    assert [(line["phase"], line["epoch"]) for line in lines] == [("validation", 0)]
    assert all(torch.equal(t, before[n]) for n, t in kept(tuning).items())
    run = Run(tmp_path / "run")
    assert (run.best / "model.safetensors").exists()
    again = tuning_with(tmp_path, epochs=0)
    loaded = run.load_state()
    assert loaded is not None
    again.restore(*loaded)
    saved: list[int] = []
    fine_tune(again, run, scored, lambda: saved.append(0))
    assert saved == []
    assert len(run.logged("validation")) == 1
