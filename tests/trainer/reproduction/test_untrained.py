"""Untrained heads: how far they scatter, and what of a dead one is undefined."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.tasks import TASKS
from tests.support import redraw, tiny_model
from trainer.config import TrainConfig
from trainer.data.course import read_split
from trainer.evaluation.scores import score_all
from trainer.recipes import RECIPES
from trainer.reproduction import untrained
from trainer.reproduction.untrained import spread, untrained_heads
from trainer.run.train import build_model

NAMES = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")


@pytest.fixture
def config(encoder_folder: Path) -> TrainConfig:
    return dataclasses.replace(
        RECIPES["baseline"], encoder=str(encoder_folder), max_length=48, precision="fp32"
    )


def scored(config: TrainConfig, data: Path, out: Path, seeds: int = 6) -> dict[str, Any]:
    """Score untrained heads; return the file."""
    told: list[str] = []
    device = torch.device("cpu")
    untrained_heads(config, data, seeds=seeds, device=device, out=out, report=told.append)
    found: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    lines = [line for line in told if line.startswith("seed ")]
    assert [line.split(",")[0] for line in lines] == [f"seed {seed}" for seed in range(seeds)]
    assert json.loads(out.read_text(), parse_constant=lambda name: pytest.fail(name)) == found
    return found


def test_heads_scatter_and_the_spread_is_that_of_the_draws(
    config: TrainConfig, data: Path, tmp_path: Path
) -> None:
    found = scored(config, data, tmp_path / "some" / "heads.json")
    draws = found["draws"]
    assert [draw["seed"] for draw in draws] == list(range(6))
    assert set(found["spread"]) == {*NAMES, "similarity zero_share"}
    for name, told in found["spread"].items():
        values = [draw[name] for draw in draws]
        known = [value for value in values if value is not None]
        assert told == dict(spread(values))
        assert told["undefined"] == len(values) - len(known)
        assert (told["least"], told["greatest"]) == (min(known), max(known))
        assert len(set(values)) > 1, f"{name} should differ between draws"
    assert found["config"] == config.to_dict()
    assert {"commit", "machine", "torch"} <= set(found)


def test_a_draw_is_what_the_whole_model_scores(
    config: TrainConfig, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn: list[MultitaskBert] = []

    def kept(model: MultitaskBert) -> MultitaskBert:
        drawn.append(fresh(model))
        return drawn[-1]

    fresh = untrained.fresh_heads
    monkeypatch.setattr(untrained, "fresh_heads", kept)
    draws = scored(config, data, tmp_path / "heads.json", seeds=3)["draws"]
    rows = {name: read_split(data, name, "dev").examples for name in TASKS}
    for model, draw in zip(drawn, draws, strict=True):
        scores = score_all(Predictor(model, "cpu", runtime="torch"), rows, both_orders=False)
        for name in (*NAMES, "similarity zero_share"):
            task, metric = name.split()
            assert draw[name] == pytest.approx(scores[task][metric].value, abs=1e-6)


def test_the_same_seeds_give_the_same_draws(
    config: TrainConfig, data: Path, tmp_path: Path
) -> None:
    torch.manual_seed(1)
    first = scored(config, data, tmp_path / "first.json")["draws"]
    torch.manual_seed(2)
    assert scored(config, data, tmp_path / "second.json", seeds=3)["draws"] == first[:3]


def test_dead_heads_are_counted_as_undefined(
    config: TrainConfig, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fresh = untrained.fresh_heads
    count = 0

    def dying(model: MultitaskBert) -> MultitaskBert:
        nonlocal count
        heads = fresh(model)
        if count % 3 == 0:  # of seeds 0 and 3
            with torch.no_grad():
                heads.heads["similarity"].linear.bias.fill_(-1e6)
        count += 1
        return heads

    monkeypatch.setattr(untrained, "fresh_heads", dying)
    plain = dataclasses.replace(config, similarity_head="relu")
    found = scored(plain, data, tmp_path / "heads.json", seeds=5)
    for seed in (0, 3):
        assert found["draws"][seed]["similarity pearson"] is None
        assert found["draws"][seed]["similarity zero_share"] == 1.0
        assert found["draws"][seed]["sentiment accuracy"] is not None
    alive = [draw["similarity pearson"] for draw in found["draws"] if draw["seed"] % 3]
    pearson = found["spread"]["similarity pearson"]
    assert pearson["undefined"] == 2 + alive.count(None)
    assert found["spread"]["paraphrase accuracy"]["undefined"] == 0


def test_the_spread_by_hand() -> None:
    assert dict(spread([0.1, None, 0.5, 0.3, None])) == {
        "mean": pytest.approx(0.3),
        "sd": pytest.approx(0.2),
        "least": 0.1,
        "greatest": 0.5,
        "undefined": 2,
    }
    assert dict(spread([None, None])) == {
        **dict.fromkeys(("mean", "sd", "least", "greatest")),
        "undefined": 2,
    }
    assert spread([0.25]).sd is None


def test_the_model_is_built_with_the_baseline_s_pooling(config: TrainConfig) -> None:
    model = build_model(config, lambda _: None)
    assert (model.config.pooling, model.config.similarity_head) == ("pooler", "relu")


def test_heads_share_the_encoder_and_differ(tmp_path: Path) -> None:
    model = tiny_model(tmp_path)
    redraw(model, seed=1)
    other = untrained.fresh_heads(model)
    assert other.encoder is model.encoder
    for name in TASKS:
        found, before = other.heads[name].linear.weight, model.heads[name].linear.weight
        assert not torch.equal(found, before)
