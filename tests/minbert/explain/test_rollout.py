"""Rollout against values worked by hand."""

from __future__ import annotations

import pytest
import torch

from minbert.explain.rollout import attention_rollout, pooled_rollout
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

LOWER = [[[1.0, 0.0], [0.5, 0.5]], [[0.6, 0.4], [0.5, 0.5]]]  # two heads
UPPER = [[[0.2, 0.8], [1.0, 0.0]], [[0.2, 0.8], [0.6, 0.4]]]


def test_two_layers_of_two_tokens_by_hand() -> None:
    # Heads' means: [[.8, .2], [.5, .5]] and [[.2, .8], [.8, .2]]; mixed with the identity:
    # [[.9, .1], [.25, .75]] and [[.6, .4], [.4, .6]]. Upper times lower:
    wanted = torch.tensor([[0.64, 0.36], [0.51, 0.49]])
    assert_close(attention_rollout(torch.tensor([LOWER, UPPER])), wanted, 1e-6)
    turned = attention_rollout(torch.tensor([UPPER, LOWER]))
    assert (turned - wanted).abs().max() > 0.02, "the order of the layers matters"


def test_one_layer_is_half_its_map_and_half_the_identity() -> None:
    found = attention_rollout(torch.tensor([LOWER]))
    assert_close(found, torch.tensor([[0.9, 0.1], [0.25, 0.75]]), 1e-6)


def test_tokens_that_look_at_themselves_stay_themselves() -> None:
    assert_close(attention_rollout(torch.eye(3).expand(4, 2, 3, 3)), torch.eye(3))


def test_rows_of_a_real_input_sum_to_1(build: Build) -> None:
    predictor: Predictor = build()
    rolled = attention_rollout(predictor.attention("the film is not good", "a dog").weights)
    assert_close(rolled.sum(dim=-1), torch.ones(len(rolled)))
    assert (rolled > 0).all()


def test_the_embedding_s_share_by_pooling() -> None:
    rolled = torch.tensor([[0.64, 0.36], [0.5, 0.5]])
    for pooling in ("cls", "pooler"):
        assert pooled_rollout(rolled, pooling).tolist() == pytest.approx([0.64, 0.36])
    for pooling in ("mean", "max", "attention"):
        assert pooled_rollout(rolled, pooling).tolist() == pytest.approx([0.57, 0.43])


@pytest.mark.parametrize("shape", [(2, 2, 2), (1, 2, 2, 3), (0, 2, 2, 2)])
def test_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match=r"`maps` should be \(L, H, T, T\)"):
        attention_rollout(torch.zeros(shape))
