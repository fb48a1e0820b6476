"""Task samplers: the annealed share of each task, and draws that can be repeated."""

from __future__ import annotations

import itertools
import math

import pytest

from tests.support import assert_seed_decides
from trainer.seeding import mix_seed
from trainer.techniques.samplers import (
    ALPHAS,
    SAMPLERS,
    alpha_of,
    annealed_alpha,
    draw_task,
    power_probabilities,
    task_probabilities,
)

# Sentiment, paraphrase, similarity at E = 10, for e = 1, 5, 10.
KNOWN = {
    (8544, 283010, 6040): ((0.029, 0.951, 0.020), (0.088, 0.841, 0.071), (0.253, 0.510, 0.236)),
    (8544, 141498, 6040): ((0.055, 0.907, 0.039), (0.127, 0.772, 0.101), (0.271, 0.476, 0.253)),
    (8544, 40185, 6040): ((0.156, 0.734, 0.110), (0.222, 0.601, 0.177), (0.303, 0.414, 0.283)),
}
DRAWS = 20_000


def test_alpha_falls_from_one_to_a_fifth_with_epochs_counted_from_one() -> None:
    assert [annealed_alpha(epoch, 3) for epoch in (1, 2, 3)] == pytest.approx([1.0, 0.6, 0.2])
    assert annealed_alpha(1, 10) == 1.0
    assert annealed_alpha(10, 10) == pytest.approx(0.2)


def test_alpha_of_a_single_epoch_is_one() -> None:
    assert annealed_alpha(1, 1) == 1.0


@pytest.mark.parametrize(("epoch", "epochs"), [(0, 3), (4, 3), (-1, 1), (2, 1)])
def test_alpha_refuses_an_epoch_outside_the_run(epoch: int, epochs: int) -> None:
    told = rf"`epoch` should lie between 1 and {epochs}\. Found {epoch}\."
    with pytest.raises(ValueError, match=told):
        annealed_alpha(epoch, epochs)


@pytest.mark.parametrize("sizes", KNOWN)
def test_annealed_probabilities_at_known_sizes(sizes: tuple[int, ...]) -> None:
    for epoch, wanted in zip((1, 5, 10), KNOWN[sizes], strict=True):
        found = task_probabilities("annealed", sizes, epoch, 10)
        assert found == pytest.approx(wanted, abs=0.0006)
        assert sum(found) == pytest.approx(1.0, abs=1e-12)


def test_proportional_and_square_root_by_hand() -> None:
    for epoch in (1, 4):
        assert task_probabilities("proportional", (1, 4, 5), epoch, 4) == pytest.approx(
            (0.1, 0.4, 0.5)
        )
        assert task_probabilities("square_root", (1, 4, 9), epoch, 4) == pytest.approx(
            (1 / 6, 2 / 6, 3 / 6)
        )


def test_round_robin_shares_equally_whatever_the_sizes() -> None:
    assert task_probabilities("round_robin", (5, 500, 50), 2, 3) == pytest.approx((1 / 3,) * 3)


def test_round_robin_cycles_in_order_from_the_first_task() -> None:
    drawn = [draw_task("round_robin", (1 / 3,) * 3, 9, step) for step in range(8)]
    assert drawn == [0, 1, 2, 0, 1, 2, 0, 1]


def test_a_full_pass_trains_each_task_s_share_in_one_block() -> None:
    sizes = (40, 250, 10)
    shares = task_probabilities("full_pass", sizes, 2, 3)
    assert shares == pytest.approx((40 / 300, 250 / 300, 10 / 300))
    drawn = [draw_task("full_pass", shares, 5, step, done=step / 300) for step in range(300)]
    assert [(task, len(list(block))) for task, block in itertools.groupby(drawn)] == [
        (0, 40),
        (1, 250),
        (2, 10),
    ]


@pytest.mark.parametrize(
    ("done", "task"),
    [(0.0, 0), (0.2499, 0), (0.25, 1), (0.7499, 1), (0.75, 2), (0.9999, 2), (1.0, 2)],
)
def test_a_full_pass_changes_task_where_a_share_ends(done: float, task: int) -> None:
    for seed, step in ((0, 0), (3, 7), (8, 100)):
        assert draw_task("full_pass", (0.25, 0.5, 0.25), seed, step, done=done) == task


def test_a_full_pass_looks_at_nothing_but_the_share_that_is_done() -> None:
    shares = (0.1, 0.1, 0.1)  # as rounding may leave them: short of 1
    assert draw_task("full_pass", shares, 0, 0, done=0.99) == 2


def test_each_sampler_s_exponent() -> None:
    assert [alpha_of("annealed", epoch, 3) for epoch in (1, 2, 3)] == pytest.approx([1, 0.6, 0.2])
    assert [alpha_of("proportional", epoch, 3) for epoch in (1, 3)] == [1.0, 1.0]
    assert [alpha_of("square_root", epoch, 3) for epoch in (1, 3)] == [0.5, 0.5]
    assert [alpha_of(name, 1, 3) for name in ("round_robin", "full_pass")] == [None, None]


@pytest.mark.parametrize("sampler", ALPHAS)
def test_a_draw_is_a_function_of_seed_and_step(sampler: str) -> None:
    shares = (0.2, 0.5, 0.3)
    assert_seed_decides(lambda seed: [draw_task(sampler, shares, seed, s) for s in range(40)])
    forwards = [draw_task(sampler, shares, 7, step) for step in range(40)]
    backwards = [draw_task(sampler, shares, 7, step) for step in reversed(range(40))]
    assert forwards == backwards[::-1]
    assert set(forwards) == {0, 1, 2}


def test_a_neighbouring_seed_draws_no_shifted_copy() -> None:
    shares = (0.2, 0.5, 0.3)
    first, second = ([draw_task("annealed", shares, seed, s) for s in range(40)] for seed in (7, 8))
    assert first[1:] != second[:-1]
    assert first[:-1] != second[1:]


def test_draws_follow_the_probabilities() -> None:
    shares = task_probabilities("annealed", (8544, 40185, 6040), 1, 10)
    drawn = [draw_task("annealed", shares, 11, step) for step in range(DRAWS)]
    for task, share in enumerate(shares):
        error = math.sqrt(share * (1 - share) / DRAWS)
        assert abs(drawn.count(task) / DRAWS - share) < 4 * error


def test_one_draw_says_nothing_of_the_next() -> None:
    shares = (0.5, 0.5)
    drawn = [draw_task("proportional", shares, 3, step) for step in range(DRAWS)]
    repeats = sum(a == b for a, b in itertools.pairwise(drawn)) / (DRAWS - 1)
    assert abs(repeats - 0.5) < 4 * math.sqrt(0.25 / DRAWS)


@pytest.mark.parametrize("sizes", [(), (3, 0, 5), (3, -1, 5)])
def test_sizes_have_to_be_positive(sizes: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="`sizes` should be positive numbers of examples"):
        power_probabilities(sizes, 1.0)


def test_an_unknown_sampler_lists_the_known_ones() -> None:
    told = (
        r"`sampler` should be one of 'round_robin', 'full_pass', 'annealed', 'proportional', "
        r"'square_root'\. Found 'anealed'\."
    )
    with pytest.raises(ValueError, match=told):
        task_probabilities("anealed", (1, 2, 3), 1, 3)
    assert (
        *("round_robin", "full_pass", "annealed"),
        *("proportional", "square_root"),
    ) == SAMPLERS


def test_mixed_seeds_differ_all_over_a_grid() -> None:
    grid = [mix_seed(a, b, c) for a in range(12) for b in range(12) for c in range(12)]
    lone = [mix_seed(a) for a in range(200)] + [mix_seed(a, b) for a in range(9) for b in range(9)]
    assert len({*grid, *lone}) == len(grid) + len(lone)
    assert all(0 <= seed < 2**63 for seed in grid)


def test_mixing_depends_on_the_order_and_takes_negative_numbers() -> None:
    assert mix_seed(1, 2) != mix_seed(2, 1)
    assert mix_seed(-1) != mix_seed(1)
    assert 0 <= mix_seed(-5, 3) < 2**63


def test_neighbouring_seeds_share_about_half_of_their_bits() -> None:
    differing = [(mix_seed(5, n) ^ mix_seed(5, n + 1)).bit_count() for n in range(400)]
    mean = sum(differing) / len(differing)
    assert abs(mean - 31.5) < 4 * math.sqrt(63 / 4 / len(differing))
