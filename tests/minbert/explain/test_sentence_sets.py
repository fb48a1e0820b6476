"""Sets of sentences: any pooling's embeddings, cosines, their order, principal components."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
import torch

from minbert.explain.sets import (
    Separation,
    clustered_order,
    cosine_matrix,
    group_separation,
    pooled_by,
    principal_components,
)
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

TEXTS = ("the film is good", ".", "a dog", "films " * 60, "🙂 [SEP] <b>")


def drawn(count: int, width: int = 6, seed: int = 0) -> torch.Tensor:
    """Draw embeddings (count, width)."""
    return torch.randn(count, width, generator=torch.Generator().manual_seed(seed))


# Embeddings


@pytest.mark.parametrize("pooling", ["cls", "mean", "max", "pooler", "attention"])
@pytest.mark.parametrize("size", [0, 4])
def test_the_model_s_own_pooling_gives_its_own_embeddings(
    size: int, pooling: str, build: Build
) -> None:
    predictor = build(pooling=pooling, pal_size=size)
    wanted = predictor.embed(TEXTS, "similarity")
    assert_close(pooled_by(predictor, TEXTS, pooling), wanted)
    assert_close(
        pooled_by(predictor, TEXTS, pooling, task="sentiment"), predictor.embed(TEXTS, "sentiment")
    )


def test_another_pooling_of_the_same_encoder(build: Build) -> None:
    predictor = build(pooling="mean")
    states = [h.clone() for h in predictor.hidden(predictor.encode_single(TEXTS))]
    assert_close(pooled_by(predictor, TEXTS, "cls"), torch.stack([h[0] for h in states]))
    assert_close(pooled_by(predictor, TEXTS, "max"), torch.stack([h.amax(0) for h in states]))
    dense = predictor.model.encoder.pooler.dense
    weight, bias = dense.weight.detach(), dense.bias.detach()
    pooler = torch.stack([torch.tanh(weight @ h[0] + bias) for h in states])
    assert_close(pooled_by(predictor, TEXTS, "pooler"), pooler)
    assert not pooled_by(predictor, TEXTS, "pooler").requires_grad


def test_no_texts_have_no_embeddings(build: Build) -> None:
    assert pooled_by(build(), [], "mean").shape == (0, 16)


def test_attention_that_was_never_trained_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"only where its weights were trained\. Found .*'mean'"):
        pooled_by(build(), TEXTS, "attention")


def test_an_unknown_pooling_is_refused(build: Build) -> None:
    with pytest.raises(ValueError, match=r"`pooling` should be one of 'cls'.*Found 'avg'"):
        pooled_by(build(), TEXTS, "avg")


# Cosines


def test_cosines_by_hand() -> None:
    found = cosine_matrix(torch.tensor([[3.0, 4.0], [1.0, 0.0], [-2.0, 0.0], [0.0, 0.0]]))
    wanted = [[1.0, 0.6, -0.6, 0.0], [0.6, 1.0, -1.0, 0.0], [-0.6, -1.0, 1.0, 0.0], [0.0] * 4]
    assert_close(found, torch.tensor(wanted))


def test_cosines_are_symmetric_and_within_one() -> None:
    found = cosine_matrix(drawn(40).repeat(2, 1) * 1000)
    assert torch.equal(found, found.T)
    assert found.abs().max() <= 1
    assert cosine_matrix(torch.empty(0, 3)).shape == (0, 0)


def test_cosines_are_the_siamese_score_s(build: Build) -> None:
    predictor = build(cosine_scaling="positive")
    matrix = cosine_matrix(pooled_by(predictor, TEXTS, "mean"))
    assert 5 * matrix[0, 3].item() == pytest.approx(
        predictor.siamese([(TEXTS[0], TEXTS[3])]).item(), abs=5e-5
    )


# Clustered order


def test_blocks_come_together() -> None:
    blocks = [0, 1, 2, 0, 1, 2, 0, 1, 2]
    matrix = torch.tensor([[0.9 if a == b else 0.1 for b in blocks] for a in blocks])
    matrix.fill_diagonal_(1.0)
    order = clustered_order(matrix)
    assert sorted(order) == list(range(9))
    kinds = [blocks[row] for row in order]
    assert sum(a != b for a, b in itertools.pairwise(kinds)) == 2
    assert clustered_order(matrix) == order


def test_neighbours_are_alike_on_a_line() -> None:
    places = torch.tensor([0.0, 5.5, 1.0, 7.2, 2.1, 9.0])  # similarity falls with the distance
    matrix = 1 - (places[:, None] - places[None]).abs() / 10
    assert clustered_order(matrix) == [0, 2, 4, 1, 3, 5]


def test_linkage_is_the_average_over_members() -> None:
    # 0, 1, 2 join first; 3 is near 2 alone (single linkage would join it), 3 and 4 are nearer to
    # each other than either is to the three on average
    matrix = torch.tensor(
        [
            [1.0, 0.9, 0.9, 0.0, 0.0],
            [0.9, 1.0, 0.9, 0.0, 0.0],
            [0.9, 0.9, 1.0, 0.6, 0.0],
            [0.0, 0.0, 0.6, 1.0, 0.4],
            [0.0, 0.0, 0.0, 0.4, 1.0],
        ]
    )
    assert clustered_order(matrix) == [0, 1, 2, 3, 4]
    # weighted by size: {0, 1, 2} and 3 are at mean cosine (.5 + .5 + .2) / 3 = .4, 3 and 4 at
    # .38; by the mean of the means (McQuitty), .35, 3 would join 4
    matrix = torch.tensor(
        [
            [1.0, 0.9, 0.8, 0.5, 0.0],
            [0.9, 1.0, 0.8, 0.5, 0.0],
            [0.8, 0.8, 1.0, 0.2, 0.39],
            [0.5, 0.5, 0.2, 1.0, 0.38],
            [0.0, 0.0, 0.39, 0.38, 1.0],
        ]
    )
    assert clustered_order(matrix) == [3, 0, 1, 2, 4]  # McQuitty: 2, 1, 0, 3, 4


def test_names_don_t_decide_the_order() -> None:
    matrix = cosine_matrix(drawn(12))
    shuffle = torch.randperm(12, generator=torch.Generator().manual_seed(5)).tolist()
    plain = clustered_order(matrix)
    back = [shuffle[row] for row in clustered_order(matrix[shuffle][:, shuffle])]
    assert back in (plain, plain[::-1])
    assert plain[0] < plain[-1]


def test_a_better_than_given_order() -> None:
    matrix = cosine_matrix(drawn(30, width=3))

    def neighbours(order: list[int]) -> float:
        return sum(matrix[a, b].item() for a, b in itertools.pairwise(order)) / 29

    assert neighbours(clustered_order(matrix)) > neighbours(list(range(30))) + 0.5


def test_tiny_and_tied_sets() -> None:
    assert clustered_order(torch.empty(0, 0)) == []
    assert clustered_order(torch.ones(1, 1)) == [0]
    assert clustered_order(torch.tensor([[1.0, 0.2], [0.2, 1.0]])) == [0, 1]
    assert sorted(clustered_order(torch.ones(7, 7))) == list(range(7))


def test_the_matrix_stays_as_it_was() -> None:
    matrix = cosine_matrix(drawn(5)).double()
    kept = matrix.clone()
    clustered_order(matrix)
    assert torch.equal(matrix, kept)


@pytest.mark.parametrize(
    "matrix", [torch.ones(2, 3), torch.ones(4), torch.tensor([[1.0, float("nan")], [0.0, 1.0]])]
)
def test_no_matrix_of_cosines_is_refused(matrix: torch.Tensor) -> None:
    with pytest.raises(ValueError, match="`matrix` should be a square matrix of finite cosines"):
        clustered_order(matrix)


# Principal components


def test_components_are_the_covariance_s_eigenvectors() -> None:
    embeddings = drawn(20) @ torch.diag(torch.tensor([5.0, 3.0, 2.0, 1.0, 0.5, 0.1])) + 7
    found = principal_components(embeddings, count=3)
    values, vectors = np.linalg.eigh(np.cov(embeddings.double().numpy().T))
    values, vectors = values[::-1], vectors[:, ::-1]
    assert_close(found.shares, torch.tensor((values / values.sum())[:3].copy()).float())
    centred = embeddings.double().numpy() - embeddings.double().numpy().mean(axis=0)
    for component in range(3):
        axis = vectors[:, component]
        axis = axis * np.sign(axis[np.abs(axis).argmax()])  # the largest loading is positive
        wanted = torch.tensor(centred @ axis).float()
        assert_close(found.points[:, component], wanted, 1e-4)


def test_components_by_hand() -> None:
    found = principal_components(torch.tensor([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]]))
    assert_close(found.points, torch.tensor([[-2.0, 0.0], [0.0, 0.0], [2.0, 0.0]]))
    assert_close(found.shares, torch.tensor([1.0, 0.0]))


def test_equal_loadings_have_the_first_positive() -> None:
    found = principal_components(torch.tensor([[0.0, 1.0], [1.0, 0.0]]), count=1)
    assert_close(found.points, torch.tensor([[-(0.5**0.5)], [0.5**0.5]]))


def test_components_follow_the_rows_order() -> None:
    embeddings = drawn(9)
    order = list(reversed(range(9)))
    plain, turned = principal_components(embeddings), principal_components(embeddings[order])
    assert_close(turned.points, plain.points[order])
    assert_close(turned.shares, plain.shares)


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("rows", [1, 2, 5])
def test_equal_rows_are_one_point(rows: int, count: int) -> None:
    noise = drawn(rows) * 1e-8  # what batching leaves
    for embeddings in (drawn(1).repeat(rows, 1), drawn(1).repeat(rows, 1) + noise):
        found = principal_components(embeddings, count)
        assert torch.equal(found.points, torch.zeros(rows, count))
        assert torch.equal(found.shares, torch.zeros(count))


def test_two_rows_lie_on_a_line() -> None:
    found = principal_components(torch.tensor([[1.0, 0.0, 0.0], [4.0, 4.0, 0.0]]))
    assert_close(found.points, torch.tensor([[-2.5, 0.0], [2.5, 0.0]]))
    assert_close(found.shares, torch.tensor([1.0, 0.0]))
    wide = principal_components(drawn(2), count=4)
    assert wide.points.shape == (2, 4)
    assert wide.shares.shape == (4,)


@pytest.mark.parametrize(("shape", "count"), [((0, 3), 2), ((3,), 2), ((3, 3), 0)])
def test_no_embeddings_or_components_are_refused(shape: tuple[int, ...], count: int) -> None:
    with pytest.raises(ValueError, match=r"`embeddings` should be \(N, D\) with N at least 1"):
        principal_components(torch.zeros(shape), count)


# Groups


def test_separation_by_hand() -> None:
    matrix = torch.tensor(
        [[1.0, 0.8, 0.1, 0.2], [0.8, 1, 0.3, 0.4], [0.1, 0.3, 1, 0.6], [0.2, 0.4, 0.6, 1]]
    )
    found = group_separation(matrix, ["a", "a", "b", "b"])
    assert found.within == pytest.approx((0.8 + 0.6) / 2)
    assert found.between == pytest.approx((0.1 + 0.2 + 0.3 + 0.4) / 4)


def test_separation_of_one_group_or_of_none() -> None:
    ones = torch.ones(2, 2)
    assert group_separation(ones, ["a", "a"]) == Separation(1.0, None)
    assert group_separation(ones, ["a", "b"]) == Separation(None, 1.0)
    assert group_separation(torch.empty(0, 0), []) == Separation(None, None)
    with pytest.raises(ValueError, match=r"each of 2 rows\. Found 1"):
        group_separation(ones, ["a"])


def test_real_sentences_of_two_topics_come_apart(real: Predictor) -> None:
    texts = [
        "The stock market fell sharply today.",
        "A kitten is playing with a ball of wool.",
        "Shares dropped on Wall Street.",
        "A small cat plays with some yarn.",
        "Investors sold their stocks.",
        "The cat sleeps on the sofa.",
    ]
    matrix = cosine_matrix(pooled_by(real, texts, "mean"))
    groups = ["money", "cats"] * 3
    order = [groups[row] for row in clustered_order(matrix)]
    assert order in (["money"] * 3 + ["cats"] * 3, ["cats"] * 3 + ["money"] * 3)
    found = group_separation(matrix, groups)
    assert found.within is not None
    assert found.between is not None
    assert found.within > found.between + 0.2
