"""Fine-tuning: the losses of a step, the schedule, and what a step moves."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.multitask import MultitaskBert
from minbert.tasks import TASKS
from tests.support import assert_close
from tests.trainer.samples import task_examples
from tests.trainer.tuning import streams_of, tuning_of
from trainer.config import TrainConfig
from trainer.data.batches import TaskBatch
from trainer.data.run_data import subset
from trainer.run.fine_tuning import FineTuning, learning_rate_at
from trainer.run.objective import process_batch

CONFIG = TrainConfig(siamese_weight=1.0)


def loss_of(model: MultitaskBert, batch: TaskBatch, config: TrainConfig = CONFIG) -> Tensor:
    """Return what a batch minimises."""
    return process_batch(model, batch, config)["loss"]


def trained(tuning: FineTuning) -> tuple[str, float]:
    """Take a step; return the name and the loss of the one task that it trained."""
    ((name, parts),) = tuning.train_step().losses.items()
    return name, parts["loss"]


def rate_at(step: int, config: TrainConfig) -> float:
    """Return the learning rate of a step that is counted in steps."""
    return learning_rate_at(step, step + 1, config)


def kept(tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return copies that later steps don't change."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


@pytest.fixture
def batches(model: MultitaskBert) -> dict[str, TaskBatch]:
    return {stream.data.task.name: stream.gather(range(9)) for stream in streams_of(model)}


def test_the_loss_of_a_sentiment_batch(model: MultitaskBert, batches: dict[str, TaskBatch]) -> None:
    batch = batches["sentiment"]
    chances = model.predict_sentiment(batch.inputs).log_softmax(dim=-1)
    wanted = -chances[torch.arange(len(batch.labels)), batch.labels.long()].mean()
    assert_close(loss_of(model, batch), wanted)


def test_label_smoothing_is_for_sentiment_alone(
    model: MultitaskBert, batches: dict[str, TaskBatch]
) -> None:
    smooth = TrainConfig(siamese_weight=1.0, label_smoothing=0.3)
    chances = model.predict_sentiment(batches["sentiment"].inputs).log_softmax(dim=-1)
    spread = -0.3 * chances.mean()
    wanted = 0.7 * loss_of(model, batches["sentiment"]) + spread
    assert_close(loss_of(model, batches["sentiment"], smooth), wanted)
    for name in ("paraphrase", "similarity"):
        batch = batches[name]
        assert torch.equal(loss_of(model, batch, smooth), loss_of(model, batch))


def test_the_loss_of_a_paraphrase_batch(
    model: MultitaskBert, batches: dict[str, TaskBatch]
) -> None:
    batch = batches["paraphrase"]
    logits = model.predict_paraphrase(batch.inputs)
    wanted = -(batch.labels * F.logsigmoid(logits) + (1 - batch.labels) * F.logsigmoid(-logits))
    assert 0 < batch.labels.mean() < 1
    assert_close(loss_of(model, batch), wanted.mean())


def test_autocast_lowers_the_encoder_s_precision_and_not_the_loss_s(
    model: MultitaskBert, batches: dict[str, TaskBatch]
) -> None:
    for batch in batches.values():
        plain = loss_of(model, batch)
        lowered = process_batch(model, batch, CONFIG, torch.autocast("cpu", dtype=torch.bfloat16))[
            "loss"
        ]
        assert lowered.dtype == torch.float32
        assert lowered.item() != plain.item()
        assert lowered.item() == pytest.approx(plain.item(), rel=0.1)


def test_the_learning_rate_by_hand() -> None:
    config = TrainConfig(epochs=4, steps_per_epoch=5, warmup=0.2, learning_rate=8.0)
    rates = [rate_at(step, config) for step in range(20)]
    assert rates[:4] == pytest.approx([2.0, 4.0, 6.0, 8.0])
    assert rates[4] == pytest.approx(8.0)
    assert rates[12] == pytest.approx(4.0)
    assert rates[19] == pytest.approx(8.0 / 16)
    assert max(rates) == pytest.approx(8.0)
    assert rates[4:] == sorted(rates[4:], reverse=True)


def test_the_learning_rate_without_warm_up_starts_at_its_peak() -> None:
    config = TrainConfig(epochs=1, steps_per_epoch=4, warmup=0.0, learning_rate=4.0)
    rates = [rate_at(step, config) for step in range(4)]
    assert rates == pytest.approx([4.0, 3.0, 2.0, 1.0])


def test_the_learning_rate_that_warms_up_to_the_last_step() -> None:
    config = TrainConfig(epochs=1, steps_per_epoch=4, warmup=0.99, learning_rate=4.0)
    rates = [rate_at(step, config) for step in range(4)]
    assert rates == pytest.approx([1.0, 2.0, 3.0, 4.0])


def test_a_step_uses_the_schedule_s_rate(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    for step in range(4):
        tuning.train_step()
        rates = {group["lr"] for group in tuning.optimizer.param_groups}
        assert rates == {rate_at(step, tuning.config)}


def test_a_step_counts_itself_its_tokens_and_its_task(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, sampler="round_robin")
    copies = streams_of(tuning.model)
    names, tokens = [], 0
    for step in range(6):
        names.append(trained(tuning)[0])
        tokens += copies[step % 3].next().tokens
        assert tuning.step == step + 1
    assert names == [*TASKS] * 2
    assert tuning.tokens == tokens


def test_the_annealed_share_changes_with_the_epoch(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    tuning.sizes = [10, 80, 10]
    assert tuning.probabilities(1) == pytest.approx((0.1, 0.8, 0.1))
    assert tuning.probabilities(2)[1] == pytest.approx(80**0.2 / (80**0.2 + 2 * 10**0.2))


def test_a_step_draws_its_task_from_its_own_epoch_s_shares(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    shares = {1: (0.0, 1.0, 0.0), 2: (0.0, 0.0, 1.0)}
    tuning.probabilities = lambda epoch: shares[epoch]  # type: ignore[method-assign]
    names = [trained(tuning)[0] for _ in range(12)]
    assert names == ["paraphrase"] * 6 + ["similarity"] * 6


def test_a_clipped_step_moves_no_further_than_the_norm_allows(tmp_path: Path) -> None:
    norms = []
    tuning = tuning_of(tmp_path, clip_norm=0.01)
    step = tuning.optimizer.step

    def watched_step() -> None:
        gradients = [p.grad.norm() for p in tuning.trained.values() if p.grad is not None]
        norms.append(torch.stack(gradients).norm().item())
        step()

    tuning.optimizer.step = watched_step  # type: ignore[method-assign]
    for _ in range(3):
        tuning.train_step()
    assert norms == pytest.approx([0.01] * 3, rel=1e-3)


def test_dropout_is_on_and_differs_between_steps(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, learning_rate=1e-12, weight_decay=0.0, sampler="round_robin")
    batch = tuning.streams[0].gather(list(range(8)))
    for stream in tuning.streams:
        stream.next = lambda: batch  # type: ignore[method-assign]
    losses = [trained(tuning)[1] for _ in range(3)]
    assert len(set(losses)) == 3
    tuning.model.eval()
    assert loss_of(tuning.model, batch).item() not in losses


def test_frozen_word_embeddings_stay_and_everything_else_moves(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, freeze_word_embeddings=True, pooling="pooler", weight_decay=0.0)
    before = kept(tuning.model.state_dict())
    for _ in range(12):
        tuning.train_step()
    still = {n for n, t in tuning.model.state_dict().items() if torch.equal(t, before[n])}
    # A key's bias shifts all scores of a row alike: its gradient is 0 but for rounding.
    assert {n for n in still if "key.bias" not in n} == {"encoder.embeddings.word.weight"}
    assert "encoder.embeddings.word.weight" not in tuning.trained
    assert not [name for name in tuning.state()[0] if name.startswith("adamw.") and "word" in name]


def test_word_embeddings_move_unless_frozen(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path)
    word = tuning.model.encoder.embeddings.word.weight
    before = word.detach().clone()
    tuning.train_step()
    assert not torch.equal(word, before)


def test_a_head_whose_task_does_not_train_is_left_alone(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, sampler="round_robin", weight_decay=0.5)
    before = kept(tuning.model.heads.state_dict())
    assert trained(tuning)[0] == "sentiment"
    moved = {n for n, t in tuning.model.heads.state_dict().items() if not torch.equal(t, before[n])}
    assert moved == {"sentiment.linear.weight", "sentiment.linear.bias"}


def test_steps_run_in_the_precision_that_was_asked_for(tmp_path: Path) -> None:
    losses = {
        precision: trained(tuning_of(tmp_path, precision=precision))[1]
        for precision in ("auto", "fp32", "bf16")
    }
    assert losses["auto"] == losses["fp32"]
    assert losses["bf16"] != losses["fp32"]
    assert losses["bf16"] == pytest.approx(losses["fp32"], rel=0.1)


def test_fine_tuning_lowers_the_loss(tmp_path: Path) -> None:
    tuning = tuning_of(tmp_path, steps_per_epoch=60, epochs=1, learning_rate=3e-3)
    tuning.model.eval()
    batches = [stream.gather(list(range(40))) for stream in tuning.streams]
    before = [loss_of(tuning.model, batch).item() for batch in batches]
    for _ in range(60):
        tuning.train_step()
    tuning.model.eval()
    after = [loss_of(tuning.model, batch).item() for batch in batches]
    assert all(late < early for late, early in zip(after, before, strict=True))


def test_a_subset_is_seeded_without_repeats_and_in_file_order() -> None:
    examples = task_examples("sentiment", 50, 0)
    drawn = subset(examples, 12, seed=3)
    places = [examples.index(example) for example in drawn]
    assert len(set(places)) == 12
    assert places == sorted(places)
    assert places != list(range(12))
    assert subset(examples, 12, seed=3) == drawn
    assert subset(examples, 12, seed=4) != drawn


@pytest.mark.parametrize("size", [0, 50, 51, 1000])
def test_a_subset_of_zero_or_too_many_is_everything(size: int) -> None:
    examples = task_examples("sentiment", 50, 0)
    assert subset(examples, size, seed=3) == examples
