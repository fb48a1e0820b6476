"""Calibration's mathematics: errors by hand, fits that find what was hidden, honest folds."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from minbert.heads import calibrated
from tests.support import assert_seed_decides
from trainer.techniques.calibration import (
    MOST_OFFSET,
    MOST_TEMPERATURE,
    Fit,
    claims,
    class_log_probabilities,
    cross_fit,
    error_by_chance,
    expected_calibration_error,
    fit,
    folds_of,
    losses,
    pair_log_probabilities,
)


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def drawn_classes(count: int, temperature: float, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Draw logits (N, 5), and labels by the softmax of the logits over a temperature."""
    logits = 3 * torch.randn(count, 5, generator=seeded(seed))
    chances = (logits / temperature).softmax(dim=-1)
    return logits, torch.multinomial(chances, 1, generator=seeded(seed + 1)).squeeze(-1)


def drawn_pairs(count: int, temperature: float, offset: float) -> tuple[Tensor, Tensor]:
    """Draw logits of two orders (N, 2), and labels by the mean of what they say."""
    logits = 4 * torch.randn(count, 1, generator=seeded(3))
    logits = logits + torch.randn(count, 2, generator=seeded(4))
    chances = (logits / temperature + offset).sigmoid().mean(dim=-1)
    return logits, (torch.rand(count, generator=seeded(5)) < chances).long()


@pytest.mark.parametrize(
    ("confidence", "truth", "wanted"),
    [
        # bin 1: said .3, true 1/2; bin 2: said .8, true 1/2; half of the examples each
        ([0.2, 0.4, 0.9, 0.7], [0, 1, 1, 0], 0.5 * 0.2 + 0.5 * 0.3),
        # bin 1 holds three: said .2, true 1/3; bin 2 one: said .9, true
        ([0.1, 0.2, 0.3, 0.9], [0, 0, 1, 1], 0.75 * (1 / 3 - 0.2) + 0.25 * 0.1),
        ([0.5, 0.6], [1, 0], 0.5 * 0.5 + 0.5 * 0.6),  # an upper end is in its bin
        ([0.0, 1.0], [0, 1], 0.0),
        ([1.0], [0], 1.0),
    ],
)
def test_the_error_by_hand(confidence: list[float], truth: list[int], wanted: float) -> None:
    found = expected_calibration_error(torch.tensor(confidence), torch.tensor(truth), bins=2)
    assert found == pytest.approx(wanted, abs=1e-6)


def test_fifteen_bins_are_the_default() -> None:
    confidence = torch.tensor([0.01, 0.05, 0.08])  # a fifteenth is .067
    truth = torch.tensor([0, 1, 0])
    wanted = (abs(0.06 - 1) + 0.08) / 3
    assert expected_calibration_error(confidence, truth) == pytest.approx(wanted)


@pytest.mark.parametrize("confidence", [[], [1.2], [-0.1], [math.nan]])
def test_a_confidence_lies_between_0_and_1(confidence: list[float]) -> None:
    with pytest.raises(ValueError, match="`confidence` should hold numbers from 0 to 1"):
        expected_calibration_error(torch.tensor(confidence), torch.zeros(len(confidence)))


@pytest.mark.parametrize("temperature", [0.5, 1.0, 2.5])
def test_a_temperature_is_found_again(temperature: float) -> None:
    found = fit(class_log_probabilities, *drawn_classes(20_000, temperature), offset=False)
    assert found.temperature == pytest.approx(temperature, rel=0.06)
    assert found.offset == 0
    assert not found.at_limit


@pytest.mark.parametrize(("temperature", "offset"), [(1.0, 0.0), (1.7, -0.8), (0.6, 1.2)])
def test_temperature_and_offset_are_found_again(temperature: float, offset: float) -> None:
    logits, labels = drawn_pairs(20_000, temperature, offset)
    found = fit(pair_log_probabilities, logits, labels, offset=True)
    assert found.temperature == pytest.approx(temperature, rel=0.06)
    assert found.offset == pytest.approx(offset, abs=0.06)


def test_nothing_nearby_fits_better() -> None:
    logits, labels = drawn_pairs(500, 1.7, -0.8)
    best = fit(pair_log_probabilities, logits, labels, offset=True)

    def loss(temperature: float, offset: float) -> float:
        return losses(pair_log_probabilities(logits, temperature, offset), labels).mean().item()

    least = loss(best.temperature, best.offset)
    for near in (0.99, 1.01):
        assert loss(best.temperature * near, best.offset) > least
        assert loss(best.temperature, best.offset + near - 1) > least
    assert fit(pair_log_probabilities, logits, labels, offset=True) == best


def test_a_fit_lowers_the_error_of_overconfident_logits() -> None:
    logits, labels = drawn_classes(5_000, 2.5)
    found = fit(class_log_probabilities, logits, labels, offset=False)
    before, after = (
        expected_calibration_error(
            *claims(class_log_probabilities(logits, temperature), labels, yes=False)
        )
        for temperature in (1.0, found.temperature)
    )
    assert before > 0.1
    assert after < 0.03


def test_a_temperature_alone_moves_no_answer() -> None:
    logits, labels = drawn_classes(2_000, 1.0)
    for temperature in (0.05, 0.7, 3.0, 20.0):
        scaled = class_log_probabilities(logits, temperature)
        assert torch.equal(scaled.argmax(dim=-1), logits.argmax(dim=-1))
        assert torch.equal(claims(scaled, labels, yes=False)[1], labels == logits.argmax(dim=-1))
        one = pair_log_probabilities(logits[:, :1], temperature)
        assert torch.equal(one[:, 1] > one[:, 0], logits[:, 0] > 0)


def test_an_offset_moves_the_answer_and_of_classes_nothing() -> None:
    logits = torch.tensor([[-0.5], [0.5]])
    moved = pair_log_probabilities(logits, 1.0, 0.7)
    assert (moved[:, 1] > math.log(0.5)).tolist() == [True, True]
    classes, _ = drawn_classes(10, 1.0)
    assert torch.allclose(
        class_log_probabilities(classes, 2.0, 5.0), class_log_probabilities(classes, 2.0)
    )


def test_log_probabilities_are_what_the_model_answers() -> None:
    logits, _ = drawn_pairs(50, 1.0, 0.0)
    wanted = calibrated(logits.double(), 1.7, -0.8).sigmoid().mean(dim=-1)
    found = pair_log_probabilities(logits, 1.7, -0.8).exp()
    assert torch.allclose(found, torch.stack([1 - wanted, wanted], dim=-1))
    classes, _ = drawn_classes(50, 1.0)
    wanted = calibrated(classes.double(), 1.7).softmax(dim=-1)
    assert torch.allclose(class_log_probabilities(classes, 1.7).exp(), wanted)
    assert pair_log_probabilities(torch.tensor([[900.0, 900.0]]), 1.0)[0, 0] == -900  # no -inf


def test_the_loss_by_hand() -> None:
    chances = torch.tensor([[0.25, 0.75], [0.5, 0.5]]).log()
    found = losses(chances, torch.tensor([0, 1])).tolist()
    assert found == pytest.approx([math.log(4), math.log(2)])


@pytest.mark.parametrize(("sign", "end"), [(1, 1 / MOST_TEMPERATURE), (-1, MOST_TEMPERATURE)])
def test_a_fit_without_an_end_stops_at_the_limit(sign: int, end: float) -> None:
    logits = sign * torch.eye(5)[torch.arange(20) % 5]
    found = fit(class_log_probabilities, logits, torch.arange(20) % 5, offset=False)
    assert found.at_limit
    assert found.temperature == pytest.approx(end, rel=0.05)
    ones = torch.ones(20).long()
    found = fit(pair_log_probabilities, torch.zeros(20, 2), ones, offset=True)
    assert found.at_limit
    assert found.offset == pytest.approx(MOST_OFFSET, rel=0.01)


def test_folds_are_even_and_drawn_by_the_seed() -> None:
    fold = folds_of(23, 5)
    assert sorted(torch.bincount(fold).tolist()) == [4, 4, 5, 5, 5]
    assert_seed_decides(lambda seed: folds_of(23, 5, seed).tolist())
    assert fold.tolist() != sorted(fold.tolist())


@pytest.mark.parametrize("folds", [0, 1, 8])
def test_there_are_two_folds_or_more(folds: int) -> None:
    message = f"`folds` should lie between 2 and the number of examples, 7. Found {folds}"
    with pytest.raises(ValueError, match=message):
        folds_of(7, folds)


@pytest.mark.parametrize("offset", [False, True])
def test_no_example_is_scored_by_a_fit_that_saw_it(offset: bool) -> None:
    form = pair_log_probabilities if offset else class_log_probabilities
    logits, labels = drawn_pairs(100, 1.5, -0.5) if offset else drawn_classes(100, 1.5)
    fold = folds_of(100)
    before, fits = cross_fit(form, logits, labels, fold, offset=offset)
    assert len(fits) == 5
    for held_out in range(5):
        mine = fold == held_out
        others = fit(form, logits[~mine], labels[~mine], offset=offset)
        assert fits[held_out] == others
        assert torch.equal(before[mine], form(logits[mine], others.temperature, others.offset))
        changed = torch.where(mine, (labels + 1) % 2, labels)
        after, _ = cross_fit(form, logits, changed, fold, offset=offset)
        assert torch.equal(after[mine], before[mine])
        assert not torch.equal(after[~mine], before[~mine])


def test_perfect_calibration_shows_an_error_on_few_examples_alone() -> None:
    confidence = torch.rand(40_000, generator=seeded(1), dtype=torch.float64)
    few, many = (error_by_chance(part, draws=20) for part in (confidence[:200], confidence))
    assert 0.05 < few < 0.15
    assert many < 0.01
    assert error_by_chance(torch.tensor([0.0, 1.0], dtype=torch.float64)) == 0


@pytest.mark.parametrize(
    ("logits", "labels", "message"),
    [
        (torch.zeros(0, 2), torch.zeros(0), "one at least. Found 0 for 0"),
        (torch.zeros(3, 2), torch.zeros(2), "as many as the logits.* Found 2 for 3"),
        (torch.tensor([[math.nan]]), torch.zeros(1), "`logits` should be finite"),
    ],
)
def test_what_can_t_be_fitted_is_told(logits: Tensor, labels: Tensor, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(class_log_probabilities, logits, labels, offset=False)


def test_no_fit_changes_nothing() -> None:
    logits, _ = drawn_pairs(10, 1.0, 0.0)
    same = pair_log_probabilities(logits, Fit().temperature, Fit().offset)
    assert torch.allclose(same[:, 1].exp(), logits.double().sigmoid().mean(dim=-1))
