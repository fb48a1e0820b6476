"""The model card's recipe: stage by stage, techniques on and off, what dev shares with training."""

from __future__ import annotations

import dataclasses

import pytest

from minbert.records.runs import Comparison, Difference
from minbert.records.scores import Best, Training
from trainer.config import TrainConfig
from trainer.publish.card_recipe import (
    NAMES,
    leak_lines,
    recipe_lines,
    stages_of,
    technique_lines,
    techniques_on,
    worth,
)
from trainer.recipes import CHAINS, RECIPES, ROWS

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


def test_one_run_s_settings() -> None:
    run = record(RECIPES["mean"])
    assert list(stages_of(run)) == [run]
    lines = recipe_lines(run).splitlines()
    for line in (
        "- epochs of fine-tuning: 8",
        "- steps an epoch: 400",
        "- sampling of tasks: annealed",
        "- seen: 1,234,567 tokens in 8.5 minutes on a machine",
        "- epoch kept: 3, by the normalised mean on dev",
    ):
        assert line in lines
    assert not any("tokens an epoch" in line or "further pairs" in line for line in lines)


def test_a_chain_s_stages() -> None:
    first, second = recipe_lines(chain("best")).split("\n\nStage ")
    assert second.endswith("\n\nTogether 1,234,567 tokens in 8.5 minutes.")
    assert first.startswith("Stage `1-wide`:\n\n- ") or first.startswith("Stage `1-wide`:\n")
    assert second.startswith("`2-together`:")
    assert "further pairs for paraphrase: quora-mined,quora-duplicates" in first
    assert "further pairs for paraphrase" not in second
    assert "tokens an epoch, in place of steps: 1000000" in first
    assert "steps an epoch" not in first


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
    assert "annealed sampling (4.4)" in on
    assert "surgery" not in on
    assert off == [
        "- off: contrastive learning (4.6). What it would change was not measured.",
        "- off: gradient surgery (4.8). With it on, dev moves by SST +0.012 [-0.011, +0.035], Para "
        "-0.021 [-0.027, -0.015] (row `all` less `all_without_surgery`, seed 0, 1).",
    ]
    assert worth(None).endswith("not measured.")


def test_new_examples() -> None:
    new = {"metric": "accuracy", "value": 0.875, "se": 0.0042, "n": 6384}
    leaks = {
        "paraphrase": {"rows": 9, "dev_in_training": 0, "new": new},
        "similarity": {"rows": 9, "dev_in_training": 16, "new": {"n": 0}},
    }
    assert leak_lines(Training.model_validate({"leaks": leaks})).splitlines()[-1] == (
        "- paraphrase, accuracy: 0.875 ± 0.004 on 6,384 examples; of all, 0 stand in training whole"
    )
    assert leak_lines(Training()) == ""
