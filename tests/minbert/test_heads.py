"""Heads: each score by hand, and no NaN where a vector is zero."""

from __future__ import annotations

import pytest
import torch

from minbert.heads import (
    LinearHead,
    cosine,
    joint_similarity,
    siamese_similarity,
    two_tower_features,
)
from tests.support import assert_close, assert_leaves_inputs_alone, seeded

RIGHT = torch.tensor([[1.0, 0.0]])
DIAGONAL = torch.tensor([[2.0, 2.0]])
UP = torch.tensor([[0.0, 3.0]])


def test_the_linear_head_by_hand() -> None:
    head = LinearHead(2, 3, dropout=0.5, init_std=0.02).eval()
    with torch.no_grad():
        head.linear.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, -1.0]]))
        head.linear.bias.copy_(torch.tensor([0.5, 0.0, 0.0]))
        logits = head(torch.tensor([[2.0, 3.0]]))
    assert_close(logits, torch.tensor([[2.5, 3.0, -1.0]]), 1e-6)


def test_the_linear_head_drops_out_in_training() -> None:
    head = LinearHead(100, 1, dropout=0.25, init_std=0.02)
    with torch.no_grad(), seeded(0):
        head.linear.weight.fill_(1.0)
        trained, evaluated = head.train()(torch.ones(2000, 100)), head.eval()(torch.ones(2, 100))
    assert_close(evaluated, torch.full((2, 1), 100.0), 1e-3)
    assert trained.mean().item() == pytest.approx(100.0, rel=0.01)
    # 100 units, each 4/3 with probability 3/4: the variance is 100 (1/4) / (3/4).
    assert trained.std().item() == pytest.approx(5.7735, rel=0.1)


def test_the_linear_head_starts_with_zero_biases() -> None:
    with seeded(0):
        head = LinearHead(500, 5, dropout=0.1, init_std=0.07)
    assert head.linear.weight.std().item() == pytest.approx(0.07, rel=0.1)
    assert not head.linear.bias.any()


def test_two_tower_features_by_hand() -> None:
    first, second = torch.tensor([[1.0, -2.0]]), torch.tensor([[4.0, 3.0]])
    wanted = torch.tensor([[1.0, -2.0, 4.0, 3.0, 3.0, 5.0, 4.0, -6.0]])
    assert_close(two_tower_features(first, second), wanted, 0.0)
    assert_leaves_inputs_alone(two_tower_features, first, second)


def test_joint_relu_by_hand() -> None:
    raw = torch.tensor([-1.5, 0.0, 0.4, 1.2])
    assert_close(joint_similarity(raw, "relu"), torch.tensor([0.0, 0.0, 2.0, 6.0]), 1e-6)


def test_joint_linear_is_the_raw_score() -> None:
    raw = torch.tensor([-1.5, 0.0, 0.4, 7.0])
    assert_close(joint_similarity(raw, "linear"), raw, 0.0)


def test_the_dead_relu_has_no_gradient_and_the_linear_head_has() -> None:
    for form, wanted in (("relu", 0.0), ("linear", 1.0)):
        raw = torch.tensor([-0.5], requires_grad=True)
        joint_similarity(raw, form).sum().backward()
        assert raw.grad is not None
        assert raw.grad.item() == wanted


def test_the_cosine_by_hand() -> None:
    assert cosine(RIGHT, DIAGONAL).item() == pytest.approx(0.707107, abs=1e-6)
    assert cosine(RIGHT, UP).item() == pytest.approx(0.0, abs=1e-6)
    assert cosine(RIGHT, -7 * RIGHT).item() == pytest.approx(-1.0, abs=1e-6)


@pytest.mark.parametrize(
    ("second", "wanted"),
    [(7 * RIGHT, 5.0), (DIAGONAL, 4.267767), (UP, 2.5), (-DIAGONAL, 0.732233), (-RIGHT, 0.0)],
)
def test_the_shifted_score_by_hand(second: torch.Tensor, wanted: float) -> None:
    assert siamese_similarity(RIGHT, second, "shifted").item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize(
    ("second", "wanted"),
    [(7 * RIGHT, 5.0), (DIAGONAL, 3.535534), (UP, 0.0), (-DIAGONAL, -3.535534), (-RIGHT, -5.0)],
)
def test_the_positive_score_by_hand(second: torch.Tensor, wanted: float) -> None:
    assert siamese_similarity(RIGHT, second, "positive").item() == pytest.approx(wanted, abs=1e-5)


@pytest.mark.parametrize("scaling", ["shifted", "positive"])
def test_siamese_scores_are_symmetric_and_of_one_value_a_row(scaling: str) -> None:
    first, second = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    scores = siamese_similarity(first, second, scaling)
    assert scores.shape == (5,)
    assert_close(siamese_similarity(second, first, scaling), scores, 1e-6)
    for row in range(5):
        alone = siamese_similarity(first[row : row + 1], second[row : row + 1], scaling)
        assert_close(alone, scores[row : row + 1], 1e-6)


@pytest.mark.parametrize(("scaling", "wanted"), [("shifted", 2.5), ("positive", 0.0)])
@pytest.mark.parametrize("both", [True, False])
def test_a_zero_vector_gives_no_nan(scaling: str, wanted: float, both: bool) -> None:
    first = torch.zeros(1, 4, requires_grad=True)
    second = (torch.zeros if both else torch.ones)(1, 4).requires_grad_()
    score = siamese_similarity(first, second, scaling)
    assert score.item() == wanted
    score.sum().backward()
    assert first.grad is not None
    assert second.grad is not None
    assert torch.isfinite(first.grad).all()
    assert torch.isfinite(second.grad).all()


def test_scores_leave_the_embeddings_alone() -> None:
    first, second = torch.randn(2, 5, 8, generator=torch.Generator().manual_seed(0))
    assert_leaves_inputs_alone(lambda a, b: siamese_similarity(a, b, "shifted"), first, second)
    assert_leaves_inputs_alone(lambda raw: joint_similarity(raw, "relu"), first)
