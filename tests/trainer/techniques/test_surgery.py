"""Gradient surgery: worked by hand, to the letter against the Gram form, and against TorchJD."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Sequence

import pytest
import torch
from torch import Tensor
from torchjd.aggregation import PCGrad, PCGradWeighting

from tests.support import assert_close, assert_leaves_inputs_alone, assert_seed_decides
from trainer.techniques.surgery import (
    PairStatistics,
    combine,
    draw_orders,
    gram_matrix,
    pair_statistics,
    surgery_weights,
)

PAIR = [[1], [0]]  # the only order of two tasks
CONFLICTING = [torch.tensor([2.0, 0.0]), torch.tensor([-1.0, 1.0])]
AGREEING = {
    "orthogonal": [torch.tensor([2.0, 0.0]), torch.tensor([0.0, -3.0])],
    "aligned": [torch.tensor([2.0, 1.0]), torch.tensor([4.0, 2.0])],
    "leaning together": [torch.tensor([2.0, 1.0]), torch.tensor([1.0, -1.5])],
}


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def rows(gradients: Sequence[Tensor]) -> list[list[Tensor]]:
    """Take each flat gradient for the gradient of a single parameter."""
    return [[gradient] for gradient in gradients]


def project(gradients: Sequence[Tensor], orders: Sequence[Sequence[int]]) -> list[Tensor]:
    """Return each g_i^PC of flat gradients: the paper's algorithm 1 to the letter."""
    projected = []
    for task, order in enumerate(orders):
        current = gradients[task].clone()
        for other in (other for other in order if other != task):
            original = gradients[other]
            product, square = current @ original, original @ original
            if product < 0 and square > 0:
                current = current - product / square * original
        projected.append(current)
    return projected


def conflicting(tasks: int, seed: int) -> list[Tensor]:
    """Draw gradients (6,) of unlike lengths; most pairs conflict, for they nearly sum to zero."""
    drawn = torch.randn(tasks, 6, generator=generator(seed), dtype=torch.float64)
    drawn = (drawn - 0.8 * drawn.mean(dim=0)) * torch.tensor([0.2, 1.0, 5.0, 2.0])[:tasks, None]
    return list(drawn)


def every_order(tasks: int) -> list[list[list[int]]]:
    """List all the orders that could be drawn for so many tasks."""
    each = [
        [list(order) for order in itertools.permutations([j for j in range(tasks) if j != i])]
        for i in range(tasks)
    ]
    return [list(orders) for orders in itertools.product(*each)]


@pytest.mark.parametrize("kind", AGREEING)
def test_gradients_that_do_not_conflict_stay_as_they_are(kind: str) -> None:
    gradients = AGREEING[kind]
    weights = surgery_weights(gram_matrix(rows(gradients)), PAIR)
    assert torch.equal(weights, torch.eye(2, dtype=torch.float64))
    for found, wanted in zip(project(gradients, PAIR), gradients, strict=True):
        assert torch.equal(found, wanted)


def test_two_conflicting_gradients_by_hand() -> None:
    # g_1 . g_2 = -2, squares 4 and 2: g_1 + (2/2) g_2 = (1, 1) and g_2 + (2/4) g_1 = (0, 1).
    gram = gram_matrix(rows(CONFLICTING))
    assert gram.tolist() == [[4.0, -2.0], [-2.0, 2.0]]
    weights = surgery_weights(gram, PAIR)
    assert weights.tolist() == [[1.0, 1.0], [0.5, 1.0]]
    assert [g.tolist() for g in project(CONFLICTING, PAIR)] == [[1.0, 1.0], [0.0, 1.0]]
    (total,) = combine(rows(CONFLICTING), weights)
    assert total is not None
    assert total.tolist() == [1.0, 2.0]  # the sum over tasks, not the mean


def test_three_gradients_by_hand_in_either_order() -> None:
    # g_1 agrees with g_3 until it has been projected onto g_2's normal plane, to (1/2, 1/2).
    gradients = [torch.tensor([1.0, 0.0]), torch.tensor([-1.0, 1.0]), torch.tensor([0.5, -1.0])]
    gram = gram_matrix(rows(gradients))
    for order, left, shares in (
        ([1, 2], [0.6, 0.3], [1.0, 0.5, 0.2]),
        ([2, 1], [0.5, 0.5], [1.0, 0.5, 0.0]),
    ):
        orders = [order, [0, 2], [0, 1]]
        assert surgery_weights(gram, orders)[0].tolist() == pytest.approx(shares)
        assert project(gradients, orders)[0].tolist() == pytest.approx(left)


def test_each_gradient_is_projected_onto_the_others_as_they_were() -> None:
    gradients = conflicting(3, seed=1)
    for orders in every_order(3):
        backwards = project(gradients[::-1], [[2 - j for j in order] for order in orders[::-1]])
        for found, wanted in zip(backwards[::-1], project(gradients, orders), strict=True):
            assert_close(found, wanted, 1e-12)
        for task, order in enumerate(orders):  # the last one projected onto no longer conflicts
            assert project(gradients, orders)[task] @ gradients[order[-1]] >= -1e-12


@pytest.mark.parametrize("tasks", [1, 2, 3, 4])
@pytest.mark.parametrize("seed", range(5))
def test_the_gram_form_is_the_algorithm_to_the_letter(tasks: int, seed: int) -> None:
    gradients = conflicting(tasks, seed)
    orders = draw_orders(tasks, generator(seed))
    weights = surgery_weights(gram_matrix(rows(gradients)), orders)
    wanted = torch.stack(project(gradients, orders))
    assert tasks == 1 or not torch.equal(wanted, torch.stack(gradients))
    assert_close(weights @ torch.stack(gradients), wanted, 1e-12)
    (total,) = combine(rows(gradients), weights)
    assert total is not None
    assert_close(total, wanted.sum(dim=0), 1e-12)


@pytest.mark.parametrize("seed", range(5))
def test_two_tasks_equal_torchjd(seed: int) -> None:
    gradients = conflicting(2, seed)
    gram = gram_matrix(rows(gradients))
    assert gram[0, 1] < 0
    weights = surgery_weights(gram, PAIR)
    assert_close(weights.sum(dim=0), PCGradWeighting()(gram), 1e-12)
    (total,) = combine(rows(gradients), weights)
    assert total is not None
    assert_close(total, PCGrad()(torch.stack(gradients)), 1e-12)


@pytest.mark.parametrize("orders", every_order(3), ids=str)
def test_three_tasks_equal_torchjd_in_every_order(
    monkeypatch: pytest.MonkeyPatch, orders: list[list[int]]
) -> None:
    gradients = conflicting(3, seed=0)
    gram = gram_matrix(rows(gradients))
    weights = surgery_weights(gram, orders)
    # TorchJD draws a permutation of all tasks for each, and passes over the task itself.
    draws = [torch.tensor([order[0], task, order[1]]) for task, order in enumerate(orders)]
    queue = iter(draws * 2)
    monkeypatch.setattr(torch, "randperm", lambda count: next(queue)[:count])
    assert_close(weights.sum(dim=0), PCGradWeighting()(gram), 1e-12)
    assert_close(sum(project(gradients, orders)), PCGrad()(torch.stack(gradients)), 1e-12)
    assert next(queue, None) is None


def test_the_order_matters_to_what_torchjd_is_compared_on() -> None:
    gram = gram_matrix(rows(conflicting(3, seed=0)))
    found = {
        tuple(round(share, 9) for share in surgery_weights(gram, orders).sum(dim=0).tolist())
        for orders in every_order(3)
    }
    assert len(every_order(3)) == 8
    assert len(found) > 4


def test_a_drawn_order_holds_every_other_task_once() -> None:
    for tasks in (1, 2, 3, 5):
        orders = draw_orders(tasks, generator(0))
        assert [sorted(order) for order in orders] == [
            [j for j in range(tasks) if j != i] for i in range(tasks)
        ]


def test_orders_come_from_the_generator_alone() -> None:
    assert_seed_decides(lambda seed: draw_orders(5, generator(seed)))
    state = torch.get_rng_state()
    drawing = generator(0)
    assert draw_orders(5, drawing) != draw_orders(5, drawing)
    assert torch.equal(torch.get_rng_state(), state)


def test_every_order_is_drawn_about_equally_often() -> None:
    drawing = generator(2)
    drawn = [draw_orders(3, drawing) for _ in range(2000)]
    counts = Counter(str(orders) for orders in drawn)
    assert set(counts) == {str(orders) for orders in every_order(3)}
    error = math.sqrt(2000 * 1 / 8 * 7 / 8)
    assert all(abs(count - 250) < 4 * error for count in counts.values())


def test_the_gram_matrix_sums_over_parameters_of_any_shape() -> None:
    shapes = [(3, 4), (5,), (), (2, 3, 2)]
    drawing = generator(3)
    gradients = [[torch.randn(shape, generator=drawing) for shape in shapes] for _ in range(3)]
    flat = torch.stack([torch.cat([g.flatten() for g in task]) for task in gradients]).double()
    gram = gram_matrix(gradients)
    assert gram.dtype == torch.float64
    assert gram.device.type == "cpu"
    assert_close(gram, flat @ flat.T, 1e-12)


def test_half_precision_gradients_are_multiplied_in_float64() -> None:
    half = torch.full((4,), 300.0, dtype=torch.float16)  # 300^2 is no float16
    assert gram_matrix([[half]]).tolist() == [[360000.0]]
    tiny = torch.full((4,), 1e-30)  # 1e-60 is no float32
    assert gram_matrix([[tiny]]).item() == pytest.approx(4e-60)


def test_a_missing_gradient_counts_as_zero_and_is_not_made_up() -> None:
    first, second = CONFLICTING
    lone = torch.tensor([[3.0, -1.0]])
    missing = [[first, None, None], [second, lone, None]]
    filled = [
        [first, torch.zeros(1, 2), torch.zeros(1)],
        [second, lone, torch.zeros(1)],
    ]
    gram = gram_matrix(missing)
    assert torch.equal(gram, gram_matrix(filled))
    weights = surgery_weights(gram, PAIR)
    shared, partly, nowhere = combine(missing, weights)
    wanted = combine(filled, weights)
    assert nowhere is None
    for found, expected in ((shared, wanted[0]), (partly, wanted[1])):
        assert found is not None
        assert expected is not None
        assert torch.equal(found, expected)
    # g_1 . g_2 = -2, ||g_2||^2 = 12: the first task too now has a gradient where it had none.
    assert weights[0].tolist() == pytest.approx([1.0, 1 / 6])


def test_without_any_gradient_there_is_nothing_to_do() -> None:
    missing: list[list[Tensor | None]] = [[None, None], [None, None]]
    gram = gram_matrix(missing)
    assert gram.tolist() == [[0.0, 0.0], [0.0, 0.0]]
    assert combine(missing, surgery_weights(gram, PAIR)) == [None, None]


def test_a_zero_gradient_changes_nothing() -> None:
    gradients = [CONFLICTING[0], torch.zeros(2), CONFLICTING[1]]
    orders = [[1, 2], [2, 0], [1, 0]]
    weights = surgery_weights(gram_matrix(rows(gradients)), orders)
    assert weights.tolist() == [[1.0, 0.0, 1.0], [0.0, 1.0, 0.0], [0.5, 0.0, 1.0]]
    left = project(gradients, orders)
    assert [g.tolist() for g in left] == [[1.0, 1.0], [0.0, 0.0], [0.0, 1.0]]


def test_a_gradient_whose_square_underflows_changes_nothing() -> None:
    tiny = torch.tensor([-1e-200, 0.0], dtype=torch.float64)
    large = torch.tensor([1.0, 0.0], dtype=torch.float64)
    gram = gram_matrix(rows([large, tiny]))
    assert gram[0, 1] < 0
    assert gram[1, 1] == 0
    assert surgery_weights(gram, PAIR)[0].tolist() == [1.0, 0.0]
    assert project([large, tiny], PAIR)[0].tolist() == [1.0, 0.0]


def test_an_order_that_names_the_task_itself_passes_over_it() -> None:
    gram = gram_matrix(rows(CONFLICTING))
    assert torch.equal(surgery_weights(gram, [[0, 1], [0, 1]]), surgery_weights(gram, PAIR))
    found = project(CONFLICTING, [[0, 1], [0, 1]])
    assert [g.tolist() for g in found] == [g.tolist() for g in project(CONFLICTING, PAIR)]


def test_surgery_leaves_its_inputs_alone() -> None:
    gradients = conflicting(3, seed=4)
    orders = draw_orders(3, generator(4))
    gram = gram_matrix(rows(gradients))
    weights = surgery_weights(gram, orders)
    assert_leaves_inputs_alone(lambda *tensors: gram_matrix(rows(tensors)), *gradients)
    assert_leaves_inputs_alone(lambda *tensors: project(tensors, orders), *gradients)
    assert_leaves_inputs_alone(lambda *tensors: combine(rows(tensors), weights), *gradients)
    assert_leaves_inputs_alone(lambda matrix: surgery_weights(matrix, orders), gram)
    assert_leaves_inputs_alone(pair_statistics, gram, weights)
    (total,) = combine([[gradients[0]]], torch.eye(1))
    assert total is not gradients[0]


def test_statistics_of_a_conflict_by_hand() -> None:
    gram = gram_matrix(rows(CONFLICTING))
    found = pair_statistics(gram, surgery_weights(gram, PAIR))
    assert list(found) == [(0, 1)]
    assert found[0, 1].conflict is True
    assert found[0, 1].cosine == pytest.approx(-math.sqrt(1 / 2))  # (2, 0) and (-1, 1)
    assert found[0, 1].cosine_after == pytest.approx(math.sqrt(1 / 2))  # (1, 1) and (0, 1)


@pytest.mark.parametrize("kind", AGREEING)
def test_statistics_without_a_conflict_stay(kind: str) -> None:
    gram = gram_matrix(rows(AGREEING[kind]))
    found = pair_statistics(gram, surgery_weights(gram, PAIR))[0, 1]
    assert found.conflict is False
    assert found.cosine == found.cosine_after
    wanted = torch.cosine_similarity(*AGREEING[kind], dim=0).item()
    assert found.cosine == pytest.approx(wanted, abs=1e-6)


def test_statistics_are_the_cosines_of_the_projected_gradients() -> None:
    gradients = conflicting(4, seed=5)
    orders = draw_orders(4, generator(5))
    gram = gram_matrix(rows(gradients))
    left = project(gradients, orders)
    found = pair_statistics(gram, surgery_weights(gram, orders))
    assert list(found) == list(itertools.combinations(range(4), 2))
    assert {pair.conflict for pair in found.values()} == {True, False}
    for (i, j), pair in found.items():
        before = torch.cosine_similarity(gradients[i], gradients[j], dim=0).item()
        after = torch.cosine_similarity(left[i], left[j], dim=0).item()
        assert pair.conflict == (before < 0)
        assert pair.cosine == pytest.approx(before)
        assert pair.cosine_after == pytest.approx(after)


@pytest.mark.parametrize("scale", [1.0, 1 / 3, 7e-9])
def test_opposite_gradients_leave_no_angle(scale: float) -> None:
    first = torch.tensor([0.1, 0.7, -0.3], dtype=torch.float64)
    gram = gram_matrix(rows([first, -scale * first]))
    found = pair_statistics(gram, surgery_weights(gram, PAIR))[0, 1]
    assert found.conflict is True
    assert found.cosine == pytest.approx(-1.0)
    assert found.cosine >= -1.0
    assert found.cosine_after is None


@pytest.mark.parametrize("odd", [0.0, math.nan, math.inf])
def test_statistics_of_a_zero_or_broken_gradient_are_none(odd: float) -> None:
    gram = gram_matrix(rows([torch.tensor([1.0, 2.0]), torch.tensor([odd, odd])]))
    found = pair_statistics(gram, surgery_weights(gram, PAIR))
    assert found == {(0, 1): PairStatistics(conflict=False, cosine=None, cosine_after=None)}


@pytest.mark.parametrize(
    "orders", [[[1], []], [[1]], [[1], [0], []], [[1, 1], [0]], [[-1], [0]], [[2], [0]]]
)
def test_orders_have_to_fit_the_tasks(orders: list[list[int]]) -> None:
    told = r"`orders` should hold, for each of 2 tasks, every other task once\. Found \[\["
    with pytest.raises(ValueError, match=told):
        surgery_weights(torch.eye(2), orders)


def test_tasks_have_to_list_the_same_parameters() -> None:
    gradient = torch.ones(2)
    uneven: list[list[Tensor | None]] = [[gradient, None], [gradient]]
    told = r"`gradients` should hold one entry per parameter, the same .*\. Found \[2, 1\]\."
    with pytest.raises(ValueError, match=told):
        gram_matrix(uneven)
    with pytest.raises(ValueError, match=told):
        combine(uneven, torch.eye(2))
    with pytest.raises(ValueError, match=r"Found no tasks\."):
        gram_matrix([])
    with pytest.raises(ValueError, match=r"`tasks` should be at least 1\. Found 0\."):
        draw_orders(0, generator(0))


def test_matrices_have_to_be_square_and_of_the_tasks() -> None:
    with pytest.raises(ValueError, match=r"`gram` should be \(2, 2\)\. Found \(2, 3\)\."):
        surgery_weights(torch.ones(2, 3), PAIR)
    with pytest.raises(ValueError, match=r"`weights` should be \(2, 2\)\. Found \(3, 3\)\."):
        combine(rows(CONFLICTING), torch.eye(3))
    with pytest.raises(ValueError, match=r"`gram` should be \(2, 2\)\. Found \(2, 3\)\."):
        pair_statistics(torch.ones(2, 3), torch.eye(2))
    with pytest.raises(ValueError, match=r"`weights` should be \(2, 2\)\. Found \(3, 3\)\."):
        pair_statistics(torch.eye(2), torch.eye(3))
