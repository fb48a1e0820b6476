"""The exact split of the cosine: by hand, against the model, under changes of its inputs."""

from __future__ import annotations

import re

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from minbert.explain.splits import score_formula, split_similarity, token_matrix
from minbert.predictor import Predictor
from tests.minbert.explain.conftest import Build
from tests.support import assert_close

CAT, DOG = "the cat sleeps in the garden.", "a red dog runs to the park, and it is great fun"
PAIRS = [
    (CAT, DOG),
    (CAT, CAT),
    (".", "."),
    (".", DOG),
    ("film", "films"),
    ("[SEP] <b>& 🙂 日本語", "naïve \ud83d [CLS]"),
    ("the films sleeping " * 60, "a dog " * 80),
]


def test_the_matrix_by_hand() -> None:
    first = torch.tensor([[6.0, 0.0], [0.0, 8.0]])  # mean (3, 4), length 5
    second = torch.tensor([[1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])  # mean (1, 0), length 1
    wanted = torch.tensor([[0.2, 0.2, 0.2], [0.0, 0.0, 0.0]])  # 6 * 1 / (2 * 3 * 5 * 1)
    assert_close(token_matrix(first, second), wanted)  # sums to 0.6, the cosine of (3, 4), (1, 0)
    assert_close(token_matrix(second, first), wanted.T)
    assert_close(token_matrix(torch.zeros(2, 2), second), torch.zeros(2, 3))


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("scaling", ["shifted", "positive"])
def test_the_matrix_sums_to_the_model_s_cosine(seed: int, scaling: str, build: Build) -> None:
    predictor = build(seed=seed, cosine_scaling=scaling)
    for first, second in PAIRS:
        split = split_similarity(predictor, first, second)
        u, v = predictor.embed([first, second])
        cosine = (u @ v / (u.norm() * v.norm())).item()
        assert split.matrix.sum().item() == pytest.approx(cosine, abs=1e-5)
        assert split.cosine == pytest.approx(cosine, abs=1e-5)
        assert split.residual == pytest.approx(abs(split.cosine - split.matrix.sum().item()))
        assert split.residual < 1e-5
        assert split.raw == pytest.approx(predictor.siamese([(first, second)]).item(), abs=1e-5)
        assert split.matrix.shape == (len(split.first), len(split.second))


def test_with_pals_it_is_the_similarity_s_own_encoding(build: Build) -> None:
    predictor = build(pal_size=4)
    split = split_similarity(predictor, CAT, DOG)
    assert split.residual < 1e-5
    assert split.raw == pytest.approx(predictor.siamese([(CAT, DOG)]).item(), abs=1e-5)
    predictor.model.encoder.pals_on = False
    assert abs(split_similarity(predictor, CAT, DOG).cosine - split.cosine) > 1e-3


def test_a_wrong_split_would_show_in_the_residual(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = build()
    honest = predictor.hidden
    monkeypatch.setattr(
        predictor, "hidden", lambda *given: [states * 1.0 + 0.5 for states in honest(*given)]
    )
    assert split_similarity(predictor, CAT, DOG).residual > 1e-3


def test_each_entry_is_the_tokens_scaled_dot_product(build: Build) -> None:
    predictor = build()
    split = split_similarity(predictor, CAT, "film", pieces=True)
    h, k = predictor.hidden(predictor.encode_single([CAT, "film"]))
    u, v = h.mean(dim=0), k.mean(dim=0)
    for i in (0, 3, len(h) - 1):
        for j in range(3):
            wanted = (h[i] @ k[j] / (len(h) * 3 * u.norm() * v.norm())).item()
            assert split.matrix[i, j].item() == pytest.approx(wanted, abs=1e-6)


def test_swapping_the_sentences_transposes_the_matrix(build: Build) -> None:
    predictor = build()
    there = split_similarity(predictor, CAT, DOG)
    back = split_similarity(predictor, DOG, CAT)
    assert (back.first, back.second) == (there.second, there.first)
    assert_close(back.matrix, there.matrix.T)
    assert_close(back.first_sums, there.second_sums)
    assert back.formula == there.formula


def test_words_are_sums_of_pieces(build: Build) -> None:
    predictor = build()
    words = split_similarity(predictor, "the films sleeping", "dogs")
    pieces = split_similarity(predictor, "the films sleeping", "dogs", pieces=True)
    assert words.first.labels == ("[CLS]", "the", "films", "sleeping", "[SEP]")
    assert words.second.labels == ("[CLS]", "dogs", "[SEP]")
    assert len(pieces.first) > 5
    assert_close(words.matrix.sum(), pieces.matrix.sum())
    rows, columns = words.first.groups[2], words.second.groups[1]
    assert_close(words.matrix[2, 1], pieces.matrix[rows[0] : rows[1] + 1, list(columns)].sum())


def test_each_word_s_sums(build: Build) -> None:
    split = split_similarity(build(), CAT, "the films")
    assert split.first_sums.shape == (len(split.first),) == (9,)
    assert split.second_sums.shape == (4,)
    assert_close(split.first_sums[2], split.matrix[2].sum())
    assert_close(split.second_sums[2], split.matrix[:, 2].sum())


@pytest.mark.parametrize("pooling", ["cls", "max", "pooler", "attention"])
def test_another_pooling_is_refused(pooling: str, build: Build) -> None:
    with pytest.raises(ValueError, match=f"should be 'mean' for an exact split. Found '{pooling}'"):
        split_similarity(build(pooling=pooling), CAT, DOG)


def test_what_truncation_dropped_is_told(build: Build) -> None:
    split = split_similarity(build(max_length=12), "film " * 14, "dog")
    assert split.left_out == (4, 0)
    assert len(split.first) == 12


def test_on_the_real_model(real: Predictor) -> None:
    for first, second in [
        *PAIRS,
        ("How do I learn Python quickly?", "What is a fast way to code?"),
    ]:
        split = split_similarity(real, first, second)
        assert split.residual < 1e-5
        assert split.raw == pytest.approx(5 * split.matrix.sum().item(), abs=1e-4)
        assert split.raw == pytest.approx(real.siamese([(first, second)]).item(), abs=1e-4)
    assert split_similarity(real, CAT, CAT).cosine == pytest.approx(1.0, abs=1e-5)


# The line


@pytest.mark.parametrize(
    ("cosine", "scaling", "wanted"),
    [
        (0.83, "positive", "5 × 0.83 = 4.2"),
        (0.83, "shifted", "2.5 × (0.83 + 1) = 4.6"),
        (0.8299999833, "positive", "5 × 0.83 = 4.2"),  # .83 as a float32
        (-0.12, "positive", "5 × (-0.12) = -0.6"),
        (-0.12, "shifted", "2.5 × (-0.12 + 1) = 2.2"),
        (1.0, "positive", "5 × 1.00 = 5.0"),
        (-1e-4, "positive", "5 × 0.00 = 0.0"),
        (0.8264, "positive", "5 × 0.826 = 4.1"),  # 5 times 0.83 would be 4.2
    ],
)
def test_the_line_by_hand(cosine: float, scaling: str, wanted: str) -> None:
    assert score_formula(cosine, scaling) == wanted


@settings(derandomize=True, max_examples=300, database=None, deadline=None)
@given(st.floats(-1, 1), st.sampled_from(["positive", "shifted"]))
def test_the_line_is_right_as_it_stands(cosine: float, scaling: str) -> None:
    line = score_formula(cosine, scaling)
    shown = float(re.findall(r"-?\d+\.\d+", line)[-2 if scaling == "positive" else 1])
    result = float(line.split(" = ")[1])
    exact, printed = (5 * c if scaling == "positive" else 2.5 * (c + 1) for c in (cosine, shown))
    assert result == pytest.approx(printed, abs=0.05 + 1e-9)
    assert result == pytest.approx(exact, abs=0.05 + 1e-9)
    assert shown == pytest.approx(cosine, abs=0.005 + 1e-9)


def test_the_line_is_the_score_s(build: Build) -> None:
    for scaling in ("positive", "shifted"):
        split = split_similarity(build(cosine_scaling=scaling), CAT, DOG)
        assert split.formula == score_formula(split.cosine, scaling)
        assert float(split.formula.split("= ")[1]) == pytest.approx(split.raw, abs=0.0501)
