"""Distillation's losses: worked by hand, against torch's divergence, and mixed row by row."""

from __future__ import annotations

import functools
import math

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from minbert.tasks import TASKS
from tests.support import (
    assert_close,
    assert_leaves_inputs_alone,
    assert_permutation_invariant,
)
from trainer.techniques.distillation import SOFT_LOSSES, Loss, mixed_loss, soft_classes
from trainer.techniques.losses import LOSSES

NAN = math.nan
DRAWN = torch.Generator().manual_seed(0)
LABELS = {
    "sentiment": torch.tensor([0.0, 4.0, 2.0, 1.0, 3.0, 2.0]),
    "paraphrase": torch.tensor([0.0, 1.0, 1.0, 0.0, 1.0, 0.0]),
    "similarity": torch.tensor([0.0, 5.0, 2.5, 1.0, 3.2, 4.0]),
}
SHAPES = {"sentiment": (6, 5), "paraphrase": (6,), "similarity": (6,)}
OUTPUTS = {name: torch.randn(shape, generator=DRAWN) for name, shape in SHAPES.items()}
TEACHERS = {name: 2 * torch.randn(shape, generator=DRAWN) for name, shape in SHAPES.items()}


def soft_loss(name: str, temperature: float = 2.0) -> Loss:
    def loss(output: Tensor, teacher: Tensor) -> Tensor:
        return SOFT_LOSSES[name](output, teacher, temperature)

    return loss


def mixed(name: str, output: Tensor, labels: Tensor, soft: Tensor, weight: float) -> Tensor:
    return mixed_loss(LOSSES[name], soft_loss(name), output, labels, soft, weight)


def test_every_task_has_its_soft_loss() -> None:
    assert list(SOFT_LOSSES) == list(TASKS)


def test_classes_by_hand() -> None:
    even = torch.zeros(1, 2)
    teacher = torch.tensor([[0.0, 2 * math.log(3.0)]])  # softened by 2: shares 1/4 and 3/4
    wanted = 4 * (0.25 * math.log(0.25 / 0.5) + 0.75 * math.log(0.75 / 0.5))
    assert soft_classes(even, teacher, 2.0).item() == pytest.approx(wanted, abs=1e-6)
    two_rows = soft_classes(torch.cat([even, teacher]), torch.cat([teacher, teacher]), 2.0)
    assert two_rows.item() == pytest.approx(wanted / 2, abs=1e-6), "a mean over rows"


def test_a_yes_or_no_by_hand() -> None:
    student, teacher = torch.tensor([0.0, 3 * math.log(4.0)]), torch.tensor([3 * math.log(4.0)] * 2)
    wanted = 9 * (0.8 * math.log(0.8 / 0.5) + 0.2 * math.log(0.2 / 0.5)) / 2
    found = SOFT_LOSSES["paraphrase"](student, teacher, 3.0)
    assert found.item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("temperature", [1.0, 4.0])
def test_a_score_is_held_against_the_teacher_s(temperature: float) -> None:
    found = SOFT_LOSSES["similarity"](
        torch.tensor([1.0, 4.0]), torch.tensor([3.0, 4.5]), temperature
    )
    assert found.item() == pytest.approx((4 + 0.25) / 2)


@pytest.mark.parametrize("temperature", [1.0, 2.0, 5.0])
def test_gradients_are_those_of_torch_s_divergence(temperature: float) -> None:
    for name in ("sentiment", "paraphrase"):
        student = OUTPUTS[name].clone().requires_grad_()
        (found,) = torch.autograd.grad(
            soft_loss(name, temperature)(student, TEACHERS[name]), student
        )
        two = [torch.stack([-x / 2, x / 2], -1) for x in (student, TEACHERS[name])]
        logits = two if name == "paraphrase" else [student, TEACHERS[name]]
        shares = F.softmax(logits[1] / temperature, dim=-1)
        divergence = F.kl_div(
            F.log_softmax(logits[0] / temperature, dim=-1), shares, reduction="none"
        )
        (wanted,) = torch.autograd.grad(temperature**2 * divergence.sum(-1).mean(), student)
        assert_close(found, wanted, 1e-6)


def test_the_gradient_keeps_its_size_at_any_temperature() -> None:
    sizes = []
    for temperature in (20.0, 200.0):
        student = OUTPUTS["sentiment"].clone().requires_grad_()
        loss = soft_classes(student, TEACHERS["sentiment"], temperature)
        (gradient,) = torch.autograd.grad(loss, student)
        sizes.append(gradient.norm().item())
    assert sizes[0] == pytest.approx(sizes[1], rel=0.05)


@pytest.mark.parametrize("name", SOFT_LOSSES)
def test_a_soft_loss_is_zero_where_both_agree_and_falls_along_its_gradient(name: str) -> None:
    loss, output, teacher = soft_loss(name), OUTPUTS[name].clone().requires_grad_(), TEACHERS[name]
    assert loss(teacher, teacher).item() == pytest.approx(0, abs=1e-6)
    (gradient,) = torch.autograd.grad(loss(output, teacher), output)
    assert loss(output - 0.1 * gradient, teacher) < loss(output, teacher)
    assert_permutation_invariant(loss, output.detach(), teacher)
    assert_leaves_inputs_alone(loss, output.detach(), teacher)
    half = loss(output.detach().bfloat16(), teacher)
    assert half.dtype == torch.float32


@pytest.mark.parametrize("name", SOFT_LOSSES)
def test_without_weight_it_is_the_gold_loss_bit_for_bit(name: str) -> None:
    """Also the gradients, and where no row has a soft label, whatever the weight."""
    nothing = torch.full_like(TEACHERS[name], NAN)
    for soft, weight in ((TEACHERS[name], 0.0), (nothing, 0.7)):
        gradients = []
        for loss in (functools.partial(mixed, name, soft=soft, weight=weight), LOSSES[name]):
            output = OUTPUTS[name].clone().requires_grad_()
            value = loss(output, labels=LABELS[name])
            gradients.append((value, *torch.autograd.grad(value, output)))
        assert all(torch.equal(a, b) for a, b in zip(*gradients, strict=True))


@pytest.mark.parametrize("name", SOFT_LOSSES)
def test_with_all_the_weight_it_is_the_soft_loss(name: str) -> None:
    found = mixed(name, OUTPUTS[name], LABELS[name], TEACHERS[name], 1.0)
    assert torch.equal(found, soft_loss(name)(OUTPUTS[name], TEACHERS[name]))


@pytest.mark.parametrize("name", SOFT_LOSSES)
def test_each_row_trains_on_what_it_has(name: str) -> None:
    labels, soft = LABELS[name].clone(), TEACHERS[name].clone()
    labels[[1, 4]] = NAN
    soft[[0, 2]] = NAN
    wanted = 0.0
    for row in range(6):
        one = slice(row, row + 1)
        gold = LOSSES[name](OUTPUTS[name][one], LABELS[name][one])
        taught = soft_loss(name)(OUTPUTS[name][one], TEACHERS[name][one])
        share = {0: 0.0, 2: 0.0, 1: 1.0, 4: 1.0}.get(row, 0.3)
        wanted += (share * taught + (1 - share) * gold).item() / 6
    output = OUTPUTS[name].clone().requires_grad_()
    loss = mixed(name, output, labels, soft, 0.3)
    assert loss.item() == pytest.approx(wanted, rel=1e-5)
    (gradient,) = torch.autograd.grad(loss, output)
    assert gradient.isfinite().all(), "a missing label is no NaN"


def test_a_row_without_any_label_is_refused() -> None:
    labels, soft = LABELS["paraphrase"].clone(), TEACHERS["paraphrase"].clone()
    labels[3] = soft[3] = NAN
    with pytest.raises(ValueError, match=r"at least one label\. Found 1 rows"):
        mixed("paraphrase", OUTPUTS["paraphrase"], labels, soft, 0.5)
