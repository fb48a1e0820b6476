"""The predictor with a checkpoint's options: an encoding per task, two towers, autocast."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from minbert.answers import SentimentResult
from minbert.predictor import Predictor
from minbert.text import Batch, pad
from tests.support import assert_close, redraw, tiny_model, watch_encoder

CAT, DOG = "the cat sleeps in the garden.", "a red dog runs to the park, and it is great fun"
FILM = "the film is not good"
PAIRS = [(CAT, DOG), (FILM, CAT), (DOG, ".")]
Build = Callable[..., Predictor]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    """Give a function that makes a predictor, every parameter of which counts."""

    def of(*, autocast: bool = False, runtime: str = "auto", **changes: object) -> Predictor:
        model = tiny_model(tmp_path / "tokenizer", **changes)
        redraw(model, seed=1)
        return Predictor(model, "cpu", autocast=autocast, runtime=runtime)

    return of


def recorded(predictor: Predictor) -> list[tuple[str | None, int]]:
    """Return a list that grows with every encoder call: its task and its number of rows."""
    calls: list[tuple[str | None, int]] = []

    def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
        calls.append((inputs[3], len(inputs[0])))

    predictor.model.encoder.register_forward_pre_hook(note)
    return calls


def singles(predictor: Predictor, *texts: str) -> Batch:
    """Return a batch of single sentences."""
    return pad(predictor.encode_single(texts))


def joint(predictor: Predictor, *pairs: tuple[str, str]) -> Batch:
    """Return a batch of joint pairs."""
    return pad(predictor.encode_joint(pairs))


# Which encoding each answer comes from


@pytest.mark.parametrize("off", [False, True])
def test_without_pals_one_encoding_serves_all_tasks(
    off: bool, build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    predictor = build(pal_size=4) if off else build()
    predictor.model.encoder.pals_on = not off
    calls = watch_encoder(monkeypatch)
    predictor.answer(CAT, DOG)
    assert [len(call) for call in calls] == [4], "both singles, both orders, in one batch"
    predictor.pairs(PAIRS)
    predictor.joint(PAIRS)
    predictor.siamese(PAIRS)
    predictor.sentiment([CAT, DOG])
    assert sum(len(call) for call in calls) == 4 + (6 + 6) + 3 + 6 + 2


def test_with_pals_each_task_has_its_own(build: Build) -> None:
    predictor = build(pal_size=4)
    calls = recorded(predictor)
    wanted: list[tuple[Callable[[], object], list[tuple[str | None, int]]]] = [
        (lambda: predictor.sentiment([CAT]), [("sentiment", 1)]),
        (lambda: predictor.siamese([(CAT, DOG)]), [("similarity", 2)]),
        (lambda: predictor.joint([(CAT, DOG)]), [("paraphrase", 1), ("similarity", 1)]),
        (lambda: predictor.embed([CAT]), [(None, 1)]),
        (lambda: predictor.embed([CAT], "paraphrase"), [("paraphrase", 1)]),
        (lambda: predictor.pooled(predictor.encode_single([CAT])), [(None, 1)]),
    ]
    for act, tasks in wanted:
        calls.clear()
        act()
        assert calls == tasks


@pytest.mark.parametrize("head", ["joint", "two_tower"])
@pytest.mark.parametrize("size", [0, 4])
def test_an_answer_is_the_model_s_own_of_every_task(size: int, head: str, build: Build) -> None:
    predictor = build(pal_size=size, paraphrase_head=head)
    model = predictor.model
    with torch.no_grad():
        chances = model.predict_sentiment(singles(predictor, CAT, DOG)).softmax(dim=-1)
        there, back = joint(predictor, (CAT, DOG)), joint(predictor, (DOG, CAT))
        first, second = singles(predictor, CAT), singles(predictor, DOG)
        if head == "joint":
            logits = [model.predict_paraphrase(there), model.predict_paraphrase(back)]
        else:
            logits = [
                model.predict_two_tower_paraphrase(first, second),
                model.predict_two_tower_paraphrase(second, first),
            ]
        scores = [model.predict_similarity(there), model.predict_similarity(back)]
        siamese = model.predict_siamese_similarity(first, second)
    wanted = torch.cat([torch.cat(logits).sigmoid(), *scores, siamese])
    sentiments, pair = predictor.answer(CAT, DOG)
    (alone,) = predictor.pairs([(CAT, DOG)])
    for found in (pair, alone):
        values = (found.paraphrase_ab, found.paraphrase_ba, found.joint_ab, found.joint_ba)
        assert_close(torch.tensor([*values, found.siamese]), wanted)
    for results in (sentiments, predictor.sentiment([CAT, DOG])):
        assert_close(torch.tensor([result.probabilities for result in results]), chances)
    assert_close(predictor.siamese([(CAT, DOG)]), siamese)
    probability, score = predictor.joint([(CAT, DOG), (DOG, CAT)])
    assert_close(torch.cat([probability, score]), wanted[:4])


def test_pals_make_the_answers_differ(build: Build) -> None:
    predictor = build(pal_size=4)
    (with_pals,), sentiment = predictor.pairs([(CAT, DOG)]), predictor.sentiment([CAT])
    predictor.model.encoder.pals_on = False
    (without,) = predictor.pairs([(CAT, DOG)])
    assert abs(with_pals.paraphrase_ab - without.paraphrase_ab) > 1e-3
    assert abs(with_pals.joint_ab - without.joint_ab) > 1e-2
    assert abs(with_pals.siamese - without.siamese) > 1e-2
    assert sentiment != predictor.sentiment([CAT])


# The two-tower head


def test_the_two_towers_follow_the_order_given(build: Build) -> None:
    predictor = build(paraphrase_head="two_tower")
    u, v = predictor.embed([CAT, DOG])
    linear = predictor.model.heads["paraphrase"].linear
    assert linear.weight.shape == (1, 64)
    with torch.no_grad():

        def chance(first: Tensor, second: Tensor) -> float:
            features = torch.cat([first, second, (first - second).abs(), first * second])
            return float(torch.sigmoid(linear.weight[0] @ features + linear.bias[0]))

        there, back = chance(u, v), chance(v, u)
    assert abs(there - back) > 1e-3, "a wrong order would show"
    (pair,) = predictor.pairs([(CAT, DOG)])
    assert (pair.paraphrase_ab, pair.paraphrase_ba) == pytest.approx((there, back), abs=1e-5)
    assert predictor.joint([(DOG, CAT)])[0].item() == pytest.approx(back, abs=1e-5)


def test_two_tower_pairs_in_a_crowd_keep_their_places(build: Build) -> None:
    predictor = build(paraphrase_head="two_tower")
    probability, score = predictor.joint(PAIRS)
    for row, (pair, result) in enumerate(zip(PAIRS, predictor.pairs(PAIRS), strict=True)):
        alone = predictor.joint([pair])
        assert_close(torch.stack(alone).squeeze(1), torch.stack([probability[row], score[row]]))
        assert result.paraphrase_ab == pytest.approx(probability[row].item(), abs=1e-5)
        turned = predictor.joint([(pair[1], pair[0])])[0].item()
        assert result.paraphrase_ba == pytest.approx(turned, abs=1e-5)
    assert predictor.pairs([]) == []


# Classes of sentiment


@pytest.mark.parametrize(
    ("probabilities", "label"),
    [
        ((0.7, 0.3), "negative"),
        ((0.2, 0.8), "positive"),
        ((0.1, 0.1, 0.8), "class 2"),
        ((0.0, 0.1, 0.8, 0.1, 0.0), "neutral"),
        ((0.5, 0.1, 0.1, 0.1, 0.1, 0.1), "class 0"),
    ],
)
def test_a_label_for_any_number_of_classes(probabilities: tuple[float, ...], label: str) -> None:
    assert SentimentResult(probabilities).label == label


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_the_head_has_the_config_s_classes(classes: int, build: Build, tmp_path: Path) -> None:
    predictor = build(sentiment_classes=classes)
    (result,) = predictor.sentiment([FILM])
    assert len(result.probabilities) == classes
    assert sum(result.probabilities) == pytest.approx(1.0, abs=1e-5)
    assert result.expected == pytest.approx(
        sum(rating * chance for rating, chance in enumerate(result.probabilities))
    )
    predictor.model.save_pretrained(tmp_path / "saved")
    again = Predictor.from_pretrained(tmp_path / "saved", "cpu")
    assert again.answer(FILM, CAT)[0][0].label == result.label


# Precision


def precisions(predictor: Predictor) -> set[torch.dtype]:
    """Return the types that the encoder's layers have in one prediction."""
    found = set()

    def note(_: nn.Module, __: tuple[Any, ...], output: Tensor) -> None:
        found.add(output.dtype)

    for layer in predictor.model.encoder.layers:
        layer.intermediate.register_forward_hook(note)
    predictor.hidden(predictor.encode_single([CAT]), every_layer=True)
    return found


def test_float32_is_the_default(build: Build) -> None:
    assert precisions(build(runtime="torch")) == {torch.float32}


def test_autocast_encodes_in_bfloat16_and_answers_alike(build: Build) -> None:
    exact, fast = build(), build(autocast=True)
    assert precisions(fast) == {torch.bfloat16}
    plain, lowered = exact.embed([CAT, DOG, FILM]), fast.embed([CAT, DOG, FILM])
    assert lowered.dtype == torch.float32
    assert not torch.equal(lowered, plain)
    assert_close(lowered, plain, 0.1)
    for found, wanted in zip(fast.joint(PAIRS), exact.joint(PAIRS), strict=True):
        assert found.dtype == torch.float32
        assert_close(found, wanted, 0.2)


@pytest.mark.parametrize("pooling", ["pooler", "attention"])
def test_autocast_ends_before_a_pooling_with_weights(pooling: str, build: Build) -> None:
    predictor = build(pooling=pooling, autocast=True)
    model = predictor.model
    part = model.encoder.pooler.dense
    if model.attention_pooling is not None:
        part = model.attention_pooling.projection
    found = []
    part.register_forward_hook(lambda _, __, output: found.append(output.dtype))
    predictor.embed([CAT])
    assert found == [torch.float32]


# Every option together


def test_a_checkpoint_with_every_option_answers_as_before(build: Build, tmp_path: Path) -> None:
    predictor = build(
        pooling="attention",
        paraphrase_head="two_tower",
        sentiment_classes=2,
        pal_size=8,
        similarity_score="mean",
    )
    predictor.model.save_pretrained(tmp_path / "saved")
    again = Predictor.from_pretrained(tmp_path / "saved", "cpu")
    assert again.config == predictor.config
    (found, _), pair = again.answer(CAT, DOG)
    (wanted, _), same = predictor.answer(CAT, DOG)
    assert_close(torch.tensor(found.probabilities), torch.tensor(wanted.probabilities))
    for one, other in ((pair, same), again.pairs([(CAT, DOG)]) + predictor.pairs([(CAT, DOG)])):
        numbers = (torch.tensor(dataclasses.astuple(part)) for part in (one, other))
        assert_close(*numbers)
