"""SimCSE's two forms: by hand, against plain loops, and what must not change them."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from minbert.multitask import MultitaskBert
from tests.support import (
    assert_close,
    assert_leaves_inputs_alone,
    assert_permutation_invariant,
    random_batch,
    seeded,
)
from trainer.techniques.contrastive import CONTRASTIVE_LOSSES, in_batch, nt_xent, same_sentences

# Cosines: first 1 with second 1 and 2: .6, 0; first 2 with them: .8, 1; inside a view: 0 and .8.
FIRST = torch.tensor([[1.0, 0.0], [0.0, 2.0]])
SECOND = torch.tensor([[3.0, 4.0], [0.0, 5.0]])
BY_HAND = {  # at temperature .2, where the logits are five times that
    "in_batch": (math.log(1 + math.exp(-3)) + math.log(1 + math.exp(-1))) / 2,
    "nt_xent": (
        math.log(1 + 2 * math.exp(-3))  # anchor first 1, its partner at 3, the others at 0
        + math.log(1 + math.exp(-5) + math.exp(-1))  # first 2: 5; 0 and 4
        + math.log(1 + 2 * math.exp(1))  # second 1: 3; 4 and 4
        + math.log(1 + math.exp(-1) + math.exp(-5))  # second 2: 5; 4 and 0
    )
    / 4,
}
DRAWN = torch.Generator().manual_seed(0)
ANY_FIRST = torch.randn(5, 8, generator=DRAWN)
ANY_SECOND = ANY_FIRST + torch.randn(5, 8, generator=DRAWN)
SAME = torch.zeros(5, 5, dtype=torch.bool)
SAME[0, 3] = SAME[3, 0] = SAME[1, 4] = SAME[4, 1] = True

every_form = pytest.mark.parametrize("name", CONTRASTIVE_LOSSES)


def looped(
    name: str, first: Tensor, second: Tensor, temperature: float, same: Tensor | None = None
) -> float:
    """Work a form out anchor by anchor, in plain floats."""
    count = len(first)
    views = torch.cat([first, second]).double()
    anchors = range(2 * count) if name == "nt_xent" else range(count)
    losses = []
    for anchor in anchors:
        partner = (anchor + count) % (2 * count)
        others = range(2 * count) if name == "nt_xent" else range(count, 2 * count)
        kept = [
            other
            for other in others
            if other != anchor
            and (other == partner or same is None or not same[anchor % count, other % count])
        ]
        logits = {
            other: float(torch.cosine_similarity(views[anchor], views[other], dim=0)) / temperature
            for other in kept
        }
        total = sum(math.exp(logit) for logit in logits.values())
        losses.append(math.log(total) - logits[partner])
    return sum(losses) / len(losses)


def test_both_forms_have_their_name() -> None:
    assert list(CONTRASTIVE_LOSSES) == ["nt_xent", "in_batch"]
    assert CONTRASTIVE_LOSSES["nt_xent"] is nt_xent
    assert CONTRASTIVE_LOSSES["in_batch"] is in_batch


@every_form
def test_two_sentences_by_hand(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name](FIRST, SECOND, temperature=0.2)
    assert loss.shape == ()
    assert loss.item() == pytest.approx(BY_HAND[name], abs=1e-6)


@every_form
@pytest.mark.parametrize("temperature", [0.05, 1.0])
@pytest.mark.parametrize("same", [None, SAME], ids=["all", "masked"])
def test_any_batch_equals_plain_loops(name: str, temperature: float, same: Tensor | None) -> None:
    loss = CONTRASTIVE_LOSSES[name](ANY_FIRST, ANY_SECOND, temperature=temperature, same=same)
    wanted = looped(name, ANY_FIRST, ANY_SECOND, temperature, same)
    assert loss.item() == pytest.approx(wanted, rel=1e-5)


@every_form
def test_the_temperature_is_a_twentieth_unless_told_otherwise(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    assert loss(ANY_FIRST, ANY_SECOND) == loss(ANY_FIRST, ANY_SECOND, temperature=0.05)
    assert loss(ANY_FIRST, ANY_SECOND) != loss(ANY_FIRST, ANY_SECOND, temperature=0.1)


def test_equal_views_of_orthogonal_sentences_know_their_loss() -> None:
    views = torch.eye(4)
    far = math.exp(-2)  # a negative against the positive, at temperature .5
    assert in_batch(views, views, temperature=0.5).item() == pytest.approx(math.log(1 + 3 * far))
    assert nt_xent(views, views, temperature=0.5).item() == pytest.approx(math.log(1 + 6 * far))


@every_form
def test_one_sentence_alone_has_no_loss_and_a_zero_gradient(name: str) -> None:
    first = ANY_FIRST[:1].clone().requires_grad_()
    loss = CONTRASTIVE_LOSSES[name](first, ANY_SECOND[:1])
    assert loss.item() == 0.0
    (gradient,) = torch.autograd.grad(loss, first)
    assert torch.equal(gradient, torch.zeros(1, 8))


@every_form
def test_a_loss_ignores_the_order_of_the_batch(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    assert_permutation_invariant(loss, ANY_FIRST, ANY_SECOND)
    order = [2, 0, 4, 1, 3]
    found = loss(ANY_FIRST[order], ANY_SECOND[order], same=SAME[order][:, order])
    assert_close(found, loss(ANY_FIRST, ANY_SECOND, same=SAME))


def test_the_2n_form_takes_its_views_in_either_order() -> None:
    assert_close(nt_xent(ANY_SECOND, ANY_FIRST), nt_xent(ANY_FIRST, ANY_SECOND))


@every_form
def test_only_the_direction_of_an_embedding_counts(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    lengths = torch.tensor([0.1, 30.0, 2.0, 5.0, 0.7])[:, None]
    assert_close(loss(ANY_FIRST * lengths, ANY_SECOND), loss(ANY_FIRST, ANY_SECOND))
    assert_close(loss(ANY_FIRST, ANY_SECOND * lengths), loss(ANY_FIRST, ANY_SECOND))


@every_form
def test_a_batch_of_one_repeated_sentence_has_no_negatives(name: str) -> None:
    same = ~torch.eye(5, dtype=torch.bool)
    assert CONTRASTIVE_LOSSES[name](ANY_FIRST, ANY_SECOND, same=same).item() == 0.0


@every_form
def test_a_masked_repetition_is_not_pushed_away(name: str) -> None:
    first, second = FIRST[[0, 1, 0]], SECOND[[0, 1, 0]]
    same = torch.tensor([[False, False, True], [False, False, False], [True, False, False]])
    loss = CONTRASTIVE_LOSSES[name]
    masked = loss(first, second, temperature=0.2, same=same)
    assert masked < loss(first, second, temperature=0.2)
    assert masked.item() == pytest.approx(looped(name, first, second, 0.2, same), abs=1e-6)


@every_form
def test_the_diagonal_of_the_mask_says_nothing(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    full = SAME | torch.eye(5, dtype=torch.bool)
    assert loss(ANY_FIRST, ANY_SECOND, same=full) == loss(ANY_FIRST, ANY_SECOND, same=SAME)


@every_form
def test_a_loss_leaves_its_inputs_alone(name: str) -> None:
    def masked(first: Tensor, second: Tensor, same: Tensor) -> Tensor:
        return CONTRASTIVE_LOSSES[name](first, second, same=same)

    assert_leaves_inputs_alone(masked, ANY_FIRST, ANY_SECOND, SAME)


@every_form
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_views_give_float32_logits(name: str, dtype: torch.dtype) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    first, second = ANY_FIRST.to(dtype), ANY_SECOND.to(dtype)
    assert loss(first, second).dtype == torch.float32
    assert_close(loss(first, second), loss(first.float(), second.float()), 1e-7)


@every_form
def test_autocast_does_not_reach_the_logits(name: str) -> None:
    loss = CONTRASTIVE_LOSSES[name]
    with torch.autocast("cpu", torch.bfloat16):
        inside = loss(ANY_FIRST, ANY_SECOND)
    assert inside.dtype == torch.float32
    assert_close(inside, loss(ANY_FIRST, ANY_SECOND), 1e-7)


@every_form
@pytest.mark.parametrize("same", [None, SAME], ids=["all", "masked"])
def test_a_step_against_the_gradient_lowers_the_loss(name: str, same: Tensor | None) -> None:
    views = [view.clone().requires_grad_() for view in (ANY_FIRST, ANY_SECOND)]
    loss = CONTRASTIVE_LOSSES[name](*views, temperature=0.5, same=same)
    gradients = torch.autograd.grad(loss, views)
    assert all(torch.isfinite(gradient).all() for gradient in gradients)
    stepped = [view - 0.1 * gradient for view, gradient in zip(views, gradients, strict=True)]
    assert CONTRASTIVE_LOSSES[name](*stepped, temperature=0.5, same=same) < loss


def test_same_sentences_are_the_rows_with_the_same_tokens() -> None:
    ids = torch.tensor([[2, 7, 8, 3], [2, 7, 3, 0], [2, 7, 8, 3], [2, 7, 9, 3], [2, 7, 3, 5]])
    mask = torch.tensor([[1, 1, 1, 1], [1, 1, 1, 0], [1, 1, 1, 1], [1, 1, 1, 1], [1, 1, 1, 0]])
    same = same_sentences(ids, mask)
    wanted = torch.zeros(5, 5, dtype=torch.bool)
    wanted[0, 2] = wanted[2, 0] = True
    wanted[1, 4] = wanted[4, 1] = True  # what stands under the padding doesn't count
    assert torch.equal(same, wanted)


def test_a_real_token_is_no_padding_even_with_the_paddings_id() -> None:
    ids = torch.tensor([[2, 3, 0], [2, 3, 0]])
    mask = torch.tensor([[1, 1, 1], [1, 1, 0]])
    assert not same_sentences(ids, mask).any()


def test_the_views_differ_in_training_mode_and_agree_in_eval_mode(model: MultitaskBert) -> None:
    batch = random_batch((9, 4, 7))

    def agreement() -> Tensor:
        with torch.no_grad():
            return torch.cosine_similarity(model.embed(batch), model.embed(batch))

    assert_close(agreement(), torch.ones(3), 1e-6)
    model.train()
    with seeded(0):
        assert (agreement() < 1 - 1e-3).all()


@every_form
def test_the_loss_reaches_the_encoder(name: str, model: MultitaskBert) -> None:
    batch = random_batch((9, 4, 7))
    model.train()
    with seeded(0):
        CONTRASTIVE_LOSSES[name](model.embed(batch), model.embed(batch)).backward()
    reached = [p.grad for p in model.encoder.embeddings.parameters() if p.grad is not None]
    assert reached
    assert all(gradient.abs().sum() > 0 for gradient in reached)
    assert all(parameter.grad is None for parameter in model.heads.parameters())


@every_form
@pytest.mark.parametrize(
    ("first", "second"),
    [((4, 8), (3, 8)), ((4, 8), (4, 7)), ((0, 8), (0, 8)), ((8,), (8,)), ((2, 3, 4), (2, 3, 4))],
)
def test_views_have_to_match(name: str, first: tuple[int, ...], second: tuple[int, ...]) -> None:
    told = r"`first` and `second` should be two views \(N, D\) of at least one sentence\. Found \("
    with pytest.raises(ValueError, match=told):
        CONTRASTIVE_LOSSES[name](torch.ones(first), torch.ones(second))


@every_form
@pytest.mark.parametrize("temperature", [0.0, -0.05, math.nan])
def test_the_temperature_has_to_be_above_zero(name: str, temperature: float) -> None:
    told = rf"`temperature` should be above 0\. Found {temperature}\."
    with pytest.raises(ValueError, match=told):
        CONTRASTIVE_LOSSES[name](FIRST, SECOND, temperature=temperature)


@every_form
@pytest.mark.parametrize("same", [torch.zeros(2, 2), torch.zeros(3, 3, dtype=torch.bool)])
def test_the_mask_has_to_be_boolean_and_of_the_batch(name: str, same: Tensor) -> None:
    told = r"`same` should be a boolean tensor \(2, 2\)\. Found torch\.(float32|bool) \(\d, \d\)\."
    with pytest.raises(ValueError, match=told):
        CONTRASTIVE_LOSSES[name](FIRST, SECOND, same=same)
