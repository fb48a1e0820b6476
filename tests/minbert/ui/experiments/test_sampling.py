"""The page's formula of annealed sampling is the report's, and the trainer's."""

from __future__ import annotations

import pytest

from minbert.ui.experiments.sampling import schedule
from trainer.techniques import samplers

REPORT = (8_544, 283_010, 6_040)


@pytest.mark.parametrize("epochs", [1, 2, 10, 50])
def test_it_is_the_trainers(epochs: int) -> None:
    for place, epoch in enumerate(schedule(REPORT, epochs), start=1):
        assert epoch.alpha == pytest.approx(samplers.annealed_alpha(place, epochs))
        wanted = samplers.task_probabilities("annealed", REPORT, place, epochs)
        assert epoch.shares == pytest.approx(wanted)


def test_by_hand() -> None:
    first, last = schedule((1, 4, 16), 2, end=0.5)
    assert (first.alpha, last.alpha) == (1, 0.5)
    assert first.shares == pytest.approx((1 / 21, 4 / 21, 16 / 21))
    assert last.shares == pytest.approx((1 / 7, 2 / 7, 4 / 7))


@pytest.mark.parametrize("end", [0.0, 0.2, 1.0])
def test_shares_add_up_and_zero_gives_each_a_third(end: float) -> None:
    epochs = schedule((10**12, 1, 7), 5, end)
    for epoch in epochs:
        assert sum(epoch.shares) == pytest.approx(1)
    assert (epochs[-1].shares == pytest.approx((1 / 3,) * 3)) == (end == 0)


@pytest.mark.parametrize("sizes", [(0, 1, 1), (1, -3, 1), (1, 1, 10**12 + 1)])
def test_sizes_out_of_range_are_refused(sizes: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match=r"from 1 to 1,000,000,000,000\. Found"):
        schedule(sizes, 3)


def test_no_epochs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"should be 1 or more\. Found 0"):
        schedule(REPORT, 0)
