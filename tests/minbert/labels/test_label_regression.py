"""The regression: by hand, against scikit-learn and scipy, at its optimum, and alike each time."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from minbert.labels.regression import FitError, Regression, fit_regression, fit_regressions
from tests.support import assert_close

# What scikit-learn 1.9.1 says of `sample`, which isn't installed here; of two classes with C = 1:
#   pipe = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, tol=1e-12)).fit(X, y)
#   weight = pipe[1].coef_ / pipe[0].scale_; bias = pipe[1].intercept_ - weight @ pipe[0].mean_
SKLEARN_WEIGHT = [
    [-0.284022, -0.095666, 0.310059, -0.068965],
    [0.372726, 0.168663, -0.477459, -0.022658],
    [-0.088704, -0.072997, 0.167401, 0.091623],
]
SKLEARN_BIAS = [-1.431146, 4.339015, -2.907869]
SKLEARN_CHANCES = {  # of the first three rows, by classes
    3: [
        [0.421348, 0.271281, 0.307371],
        [0.314061, 0.453816, 0.232123],
        [0.24954, 0.512927, 0.237534],
    ],
    2: [[0.340198, 0.659802], [0.440003, 0.559997], [0.561098, 0.438902]],
}


def sample(classes: int, rows: int = 24) -> tuple[Tensor, Tensor]:
    """Return rows of four uneven units, far from zero, and labels that hardly follow from them."""
    numbers = [
        [math.sin(row * (unit + 1)) + 0.3 * unit * math.cos(row) + 5 * unit for unit in range(4)]
        for row in range(rows)
    ]
    labels = [7 * row % 11 % classes for row in range(rows)]
    return torch.tensor(numbers, dtype=torch.float64), torch.tensor(labels)


def fitted(classes: int = 3, inverse_l2: float = 0.5, tolerance: float = 1e-9) -> Regression:
    return fit_regression(*sample(classes), classes, inverse_l2=inverse_l2, tolerance=tolerance)


def test_two_rows_by_hand() -> None:
    """One unit, -1 and 1 once scaled: W = (-a, a), where a = 2c sigma(-2a); a is .5 for this c."""
    c = 0.5 * (1 + math.e) / 2
    found = fit_regression(
        torch.tensor([[3.0], [7.0]]), torch.tensor([0, 1]), 2, inverse_l2=c, tolerance=1e-10
    )
    assert_close(found.weight, torch.tensor([[-0.25], [0.25]]).double(), 1e-8)  # over the SD, 2
    assert_close(found.bias, torch.tensor([1.25, -1.25]).double(), 1e-8)  # 0 in the middle, at 5
    chance = 1 / (1 + math.exp(-1))
    assert found.probabilities(torch.tensor([[7.0]]))[0, 1].item() == pytest.approx(chance)


def test_scikit_learn_says_the_same() -> None:
    found = fitted()
    assert_close(found.weight, torch.tensor(SKLEARN_WEIGHT).double(), 1e-5)
    assert_close(found.bias, torch.tensor(SKLEARN_BIAS).double(), 1e-5)
    for classes, wanted in SKLEARN_CHANCES.items():  # of two classes with half its C
        x, _ = sample(classes)
        assert_close(fitted(classes).probabilities(x[:3]), torch.tensor(wanted).double(), 1e-5)


def test_the_default_tolerance_is_enough_for_four_places() -> None:
    x, y = sample(3)
    loose = fit_regression(x, y, 3, inverse_l2=0.5)
    assert_close(loose.probabilities(x), fitted().probabilities(x), 1e-4)


def test_scipy_finds_the_same_optimum() -> None:
    x, y = (each.numpy() for each in sample(3))
    z = (x - x.mean(axis=0)) / x.std(axis=0)

    def loss(parameters: np.ndarray) -> float:
        weight, bias = parameters[:12].reshape(3, 4), parameters[12:]
        logits = z @ weight.T + bias
        chosen = logits[np.arange(len(y)), y]
        log_sums = np.log(np.exp(logits).sum(axis=1))
        return float(0.5 * (log_sums - chosen).sum() + (weight**2).sum() / 2)

    best = minimize(loss, np.zeros(15), method="BFGS", options={"gtol": 1e-6}).x
    logits = z @ best[:12].reshape(3, 4).T + best[12:]
    chances = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    assert_close(fitted().probabilities(torch.tensor(x)), torch.tensor(chances), 1e-5)


@pytest.mark.parametrize("classes", [2, 3, 7])
def test_the_gradient_vanishes_at_the_optimum(classes: int) -> None:
    x, y = sample(classes, rows=60)
    found = fit_regression(x, y, classes, inverse_l2=0.1, tolerance=1e-8)
    z, scale = (x - x.mean(dim=0)) / x.std(dim=0, unbiased=False), x.std(dim=0, unbiased=False)
    weight = (found.weight * scale).requires_grad_()
    bias = (found.bias + found.weight @ x.mean(dim=0)).requires_grad_()
    loss = torch.nn.functional.cross_entropy(z @ weight.T + bias, y)
    (loss + weight.square().sum() / (2 * 0.1 * len(y))).backward()
    for part in (weight, bias):
        assert part.grad is not None
        assert part.grad.norm() < 1e-6


def test_a_unit_that_never_changes_and_a_wide_one_do_no_harm() -> None:
    x, y = sample(3)
    wide = torch.cat([x * torch.tensor([1.0, 1e3, 1e-3, 1.0]), torch.full((24, 1), 9.0)], dim=1)
    found = fit_regression(wide, y, 3, inverse_l2=0.5, tolerance=1e-9)
    assert_close(found.probabilities(wide), fitted().probabilities(x), 1e-6)
    assert (found.weight[:, 4] == 0).all()


def test_it_is_the_same_each_time_and_leaves_its_inputs_alone() -> None:
    x, y = sample(3)
    x, kept = x.float(), x.float().clone()
    first, second = (fit_regression(x, y, 3) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(x, kept)
    with torch.inference_mode():
        inside = fit_regression(x * 1, y, 3)
    assert torch.equal(first.weight, inside.weight)
    assert first.weight.dtype == torch.float64


def test_what_cannot_be_fitted_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    x, y = sample(3)
    with pytest.raises(FitError, match="finite"):
        fit_regression(x / 0, y, 3)
    monkeypatch.setattr("minbert.labels.regression.MOST_STEPS", 1)
    with pytest.raises(FitError, match="gradient"):
        fit_regression(x, y, 3)


def test_parts_fitted_together_are_those_fitted_alone() -> None:
    """Parts of other sizes, which share rows, with a unit that changes in one of them alone."""
    x, y = sample(3, rows=40)
    x = torch.cat([x + 1e4, (torch.arange(40) > 30)[:, None].double()], dim=1)
    parts = [list(range(30)), list(range(5, 37, 2)), list(range(40))[::-1]]
    together = fit_regressions(x, y, 3, parts, inverse_l2=0.5, tolerance=1e-9)
    for part, found in zip(parts, together, strict=True):
        alone = fit_regression(x[part], y[part], 3, inverse_l2=0.5, tolerance=1e-9)
        assert_close(found.probabilities(x), alone.probabilities(x), 1e-6)
    assert (together[0].weight[:, 4].abs() < 1e-12).all()
    assert (together[1].weight[:, 4] != 0).all()
