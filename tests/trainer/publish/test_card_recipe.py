"""The model card's recipe: stage by stage, techniques on and off, what dev shares with training."""

from __future__ import annotations

import dataclasses
import re

import pytest

from minbert.records.runs import Comparison, Difference
from minbert.records.scores import Best, Training
from tests.support import assert_says
from trainer.config import TrainConfig
from trainer.publish.card_recipe import (
    NAMES,
    SETTINGS,
    leak_lines,
    recipe_lines,
    stages_of,
    technique_lines,
    techniques_on,
)
from trainer.recipes import CHAINS, RECIPES, ROWS

ASKED = {  # settings that no card may leave out
    *("epochs", "steps_per_epoch", "tokens_per_epoch", "sampler", "learning_rate", "clip_norm"),
    *("head_epochs", "batch_tokens", "sentiment_data", "extra_similarity", "extra_paraphrase"),
}
CLAIM = Comparison(
    claim="all_needs_surgery",
    says="Surgery adds.",
    a="all",
    b="all_without_surgery",
    seeds=(0, 1),
    differences={
        "sentiment accuracy": Difference(value=0.0121, low=-0.011, high=0.035),
        "paraphrase accuracy": Difference(value=-0.021, low=-0.027, high=-0.015),
        "similarity pearson": Difference(value=None),
    },
    verdict="undecided",
)


def record(config: TrainConfig, stage: str = "") -> Training:
    """Return a run's record, as far as the card reads it; no number here was measured."""
    return Training(
        config=config.to_dict(),
        tokens=1_234_567,
        minutes=8.5,
        machine="a machine",
        best=Best(epoch=3),
        stage=stage,
    )


def chain(name: str) -> Training:
    """Return a chain's record, as far as the card reads it."""
    stages = [
        record(stage.config, f"{number}-{stage.name}")
        for number, stage in enumerate(CHAINS[name].stages, start=1)
    ]
    return stages[-1].model_copy(update={"stages": tuple(stages)})


def listed(text: str) -> dict[str, str]:
    """Return a Markdown list of settings by their names."""
    lines = [line.removeprefix("- ") for line in text.splitlines() if line.startswith("- ")]
    return dict(line.split(": ", 1) for line in lines)


def assert_settings(text: str, config: TrainConfig, without: str) -> None:
    """Assert that a list holds every setting of a run but the length that doesn't count."""
    told = listed(text)
    assert set(SETTINGS) >= ASKED
    assert told.pop("seen") == "1,234,567 tokens in 8.5 minutes on a machine"
    assert told.pop("epoch kept").split(",")[0] == "3"
    values = {name: value for name, value in config.to_dict().items() if name in SETTINGS}
    del values[without]
    assert told == {SETTINGS[k]: str(v) for k, v in values.items() if v not in (None, "")}


def test_one_run_s_settings() -> None:
    run = record(RECIPES["mean"])
    assert list(stages_of(run)) == [run]
    assert_settings(recipe_lines(run), RECIPES["mean"], "tokens_per_epoch")


def test_distillation_is_told_where_it_is_on() -> None:
    config = dataclasses.replace(RECIPES["mean"], soft_labels="sst.safetensors")
    told = listed(recipe_lines(record(config)))
    assert told[SETTINGS["soft_labels"]] == "sst.safetensors"
    kept = ("distillation weight", "distillation temperature", "unlabelled share")
    assert [float(told[name]) for name in kept] == [0.5, 2.0, 0.5]
    assert not set(kept) & set(listed(recipe_lines(record(RECIPES["mean"]))))


def test_a_chain_s_stages() -> None:
    first, second = recipe_lines(chain("best")).split("\n\nStage ")
    assert first.startswith("Stage `1-wide`:\n")
    assert second.startswith("`2-together`:\n")
    assert second.splitlines()[-1] == "Together 1,234,567 tokens in 8.5 minutes."
    for text, stage in zip((first, second), CHAINS["best"].stages, strict=True):
        assert stage.config.tokens_per_epoch
        assert_settings(text, stage.config, "steps_per_epoch")


@pytest.mark.parametrize("name", list(NAMES))
def test_a_technique_is_on_where_a_stage_has_it(name: str) -> None:
    assert techniques_on(record(ROWS["all"].config)) == dict.fromkeys(NAMES, True)
    without = record(ROWS[f"all_without_{name}"].config)
    assert techniques_on(without) == {other: other != name for other in NAMES}
    both = without.model_copy(update={"stages": (without, record(ROWS["all"].config))})
    assert all(techniques_on(both).values())


def test_what_is_off_is_told_with_its_worth() -> None:
    config = dataclasses.replace(ROWS["all"].config, surgery=False, contrastive="off")
    on, *off = technique_lines(record(config), [CLAIM]).splitlines()
    assert {name for name, title in NAMES.items() if title in on} == {
        *("pretraining", "mean", "annealed", "cosine"),
    }
    contrastive, surgery = off
    assert_says(contrastive, parameter=NAMES["contrastive"])
    assert re.findall(r"[+-]\d\.\d+", contrastive) == []
    assert_says(surgery, parameter=NAMES["surgery"], found=("`all`", "`all_without_surgery`"))
    assert re.findall(r"\w+ [+-]\d.*?\]|seed.*\d", surgery) == [
        "SST +0.012 [-0.011, +0.035]",
        "Para -0.021 [-0.027, -0.015]",
        "seed 0, 1",
    ]


def test_new_examples() -> None:
    new = {"metric": "accuracy", "value": 0.875, "se": 0.0042, "n": 6384}
    leaks = {
        "paraphrase": {"rows": 9, "dev_in_training": 0, "new": new},
        "similarity": {"rows": 9, "dev_in_training": 16, "new": {"n": 0}},
    }
    line = leak_lines(Training.model_validate({"leaks": leaks})).splitlines()[-1]
    assert_says(line, parameter="paraphrase, accuracy", found=("0.875 ± 0.004", "6,384", " 0 "))
    assert leak_lines(Training()) == ""
