"""Each task's loss, worked by hand."""

from __future__ import annotations

import math

import pytest
import torch

from minbert.tasks import TASKS
from tests.support import assert_leaves_inputs_alone, assert_permutation_invariant
from trainer.techniques.losses import LOSSES, paraphrase_loss, sentiment_loss, similarity_loss

DRAWN = torch.Generator().manual_seed(0)
EXAMPLES = {
    "sentiment": (torch.randn(6, 5, generator=DRAWN), torch.tensor([0.0, 4.0, 2.0, 1.0, 3.0, 2.0])),
    "paraphrase": (torch.randn(6, generator=DRAWN), torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0])),
    "similarity": (torch.randn(6, generator=DRAWN), torch.tensor([0.0, 5.0, 2.5, 1.0, 3.2, 4.0])),
}


def test_every_task_has_its_loss() -> None:
    assert list(LOSSES) == list(TASKS)
    assert LOSSES["sentiment"] is sentiment_loss
    assert LOSSES["paraphrase"] is paraphrase_loss
    assert LOSSES["similarity"] is similarity_loss


def test_sentiment_is_cross_entropy() -> None:
    logits = torch.tensor([[0.0, 0.0, 0.0, 0.0, 0.0], [math.log(6.0), 0.0, 0.0, 0.0, 0.0]])
    loss = sentiment_loss(logits, torch.tensor([3.0, 0.0]))
    assert loss.item() == pytest.approx((math.log(5) - math.log(6 / 10)) / 2, abs=1e-6)


def test_label_smoothing_by_hand() -> None:
    logits = torch.tensor([[math.log(6.0), 0.0, 0.0, 0.0, 0.0]])  # probabilities .6 and four of .1
    label = torch.tensor([0.0])
    smoothed = sentiment_loss(logits, label, 0.25)
    wanted = -(0.75 + 0.05) * math.log(0.6) - 4 * 0.05 * math.log(0.1)  # a fifth of .25 each
    assert smoothed.item() == pytest.approx(wanted, abs=1e-6)
    assert torch.equal(sentiment_loss(logits, label, 0.0), sentiment_loss(logits, label))


def test_paraphrase_is_binary_cross_entropy_of_logits() -> None:
    logits = torch.tensor([0.0, math.log(3.0), math.log(3.0)])
    loss = paraphrase_loss(logits, torch.tensor([1.0, 1.0, 0.0]))
    wanted = -(math.log(1 / 2) + math.log(3 / 4) + math.log(1 / 4)) / 3
    assert loss.item() == pytest.approx(wanted, abs=1e-6)


def test_paraphrase_stays_finite_for_sure_and_wrong_logits() -> None:
    loss = paraphrase_loss(torch.tensor([200.0, -200.0]), torch.tensor([0.0, 1.0]))
    assert loss.item() == pytest.approx(200.0)


def test_similarity_is_mean_squared_error() -> None:
    loss = similarity_loss(torch.tensor([1.0, 4.0, -1.0]), torch.tensor([3.0, 4.0, 1.0]))
    assert loss.item() == pytest.approx((4 + 0 + 4) / 3)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_ignores_the_order_of_examples(name: str) -> None:
    output, labels = EXAMPLES[name]
    assert_permutation_invariant(LOSSES[name], output, labels)


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_leaves_its_inputs_alone(name: str) -> None:
    assert_leaves_inputs_alone(LOSSES[name], *EXAMPLES[name])


@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_of_half_precision_outputs_is_worked_in_float32(name: str) -> None:
    output, labels = EXAMPLES[name]
    half = output.to(torch.bfloat16)
    loss = LOSSES[name](half, labels)
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(LOSSES[name](half.float(), labels).item(), rel=1e-6)


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_against_the_gradient_lowers_the_loss(name: str) -> None:
    output, labels = EXAMPLES[name]
    output = output.clone().requires_grad_()
    loss = LOSSES[name](output, labels)
    (gradient,) = torch.autograd.grad(loss, output)
    assert LOSSES[name](output - 0.1 * gradient, labels) < loss
