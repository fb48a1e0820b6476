"""The settings of a run: what is refused, and what follows from them."""

from __future__ import annotations

import dataclasses
import math
import re
from typing import Any

import pytest

from minbert.tasks import TASKS
from trainer.config import SENTIMENT_DATA, TASK_CHOICES, MlmConfig, TrainConfig

AT_LEAST = {
    1: ("head_batch", "steps_per_epoch", "batch_examples", "checkpoint_every", "phrase_words"),
    0: (
        *("head_epochs", "head_examples", "epochs", "tokens_per_epoch", "mlm_passes"),
        *("joint_weight", "siamese_weight", "contrastive_weight", "weight_decay"),
        *("pal_size", "pal_epochs", "dev_examples"),
    ),
    8: ("max_length", "batch_tokens"),
}
RANGES = [  # rule, names, what breaks it, what is just allowed
    (
        "lie in [0, 1)",
        (
            *("hidden_dropout", "attention_dropout", "warmup"),
            *("sentiment_phrases", "ema", "label_smoothing", "unlabelled_share"),
        ),
        (-0.01, 1.0, 1.5),
        0.0,
    ),
    ("lie in (0, 1]", ("layer_decay", "paraphrase_positives"), (0.0, -0.1, 1.01), 1.0),
    ("lie in [0, 1]", ("distillation_weight",), (-0.1, 1.1), 1.0),
    (
        "be above 0 and finite",
        (
            *("learning_rate", "head_learning_rate", "clip_norm"),
            *("contrastive_temperature", "distillation_temperature"),
        ),
        (0.0, -1e-3, math.inf),
        1e-9,
    ),
]
CHOSEN = [field for field in dataclasses.fields(TrainConfig) if field.metadata["choices"]]
SURGERY = "`surgery` needs a batch of every task at each step. Found it with "
NO_LOSS = "`joint_weight` or `siamese_weight` should be above 0. Found 0 for both"
REVIEWS = "`tasks` and `scored_tasks` should be 'sentiment' for 'cfimdb'. Found "
PALS = "`pal_epochs` should lie between 1 and `epochs` (10) with `pal_size` above 0, and be 0 "


def refused(told: str, **changes: Any) -> None:  # noqa: ANN401 - any field
    """Assert that settings are refused with these very words."""
    with pytest.raises(ValueError, match=re.escape(told)):
        TrainConfig(**changes)


@pytest.mark.parametrize("field", CHOSEN, ids=lambda field: field.name)
def test_an_unknown_name_lists_the_known_ones(field: dataclasses.Field[str]) -> None:
    known = ", ".join(repr(choice) for choice in field.metadata["choices"])
    refused(f"`{field.name}` should be one of {known}. Found 'other'", **{field.name: "other"})


def test_every_name_with_choices_is_among_the_tested() -> None:
    assert {field.name for field in CHOSEN} == {
        *("pooling", "similarity_head", "cosine_scaling", "similarity_score", "paraphrase_head"),
        *("tasks", "scored_tasks", "sentiment_data", "precision", "sampler", "contrastive"),
    }
    assert TASK_CHOICES == ("all", "sentiment", "paraphrase", "similarity")


@pytest.mark.parametrize(
    ("name", "least"), [(name, least) for least, names in AT_LEAST.items() for name in names]
)
def test_a_number_below_its_least_is_refused(name: str, least: int) -> None:
    refused(f"`{name}` should be at least {least}. Found {least - 1}.", **{name: least - 1})
    refused(f"`{name}` should be at least {least}. Found nan.", **{name: math.nan})
    needed = {
        "pal_epochs": {"pal_size": 0},
        "joint_weight": {"siamese_weight": 1.0},
        "siamese_weight": {"joint_weight": 1.0},
    }
    assert getattr(TrainConfig(**{name: least}, **needed.get(name, {})), name) == least


@pytest.mark.parametrize(
    ("rule", "name", "wrong", "right"),
    [(rule, name, *values) for rule, names, *values in RANGES for name in names],
)
def test_a_number_out_of_its_range_is_refused(
    rule: str, name: str, wrong: tuple[float, ...], right: float
) -> None:
    for value in (*wrong, math.nan):
        refused(f"`{name}` should {rule}. Found {value}.", **{name: value})
    assert getattr(TrainConfig(**{name: right}), name) == right


def test_phrases_are_mixed_into_sst_alone() -> None:
    told = "`sentiment_phrases` goes with `sentiment_data` 'sst' alone. Found 0.5 with "
    refused(told + "'sst-trees'", sentiment_phrases=0.5, sentiment_data="sst-trees")
    assert TrainConfig(sentiment_data="sst-trees").trained_tasks == tuple(TASKS)


def test_further_pairs_are_checked_when_the_settings_are_made() -> None:
    refused("`extra_similarity` should be names out of sts-2012", extra_similarity="stsb")
    refused(
        "`extra_paraphrase` should be names out of quora-mined, quora-dup", extra_paraphrase="sick"
    )


def test_soft_labels_are_files_each_named_once() -> None:
    assert TrainConfig().soft_label_files == ()
    assert TrainConfig(soft_labels="a/x.st,b.st").soft_label_files == ("a/x.st", "b.st")
    refused("`soft_labels` should name each file once. Found 'a/x,x'", soft_labels="a/x,x")


@pytest.mark.parametrize(
    ("told", "changes"),
    [
        (
            SURGERY + "`sampler` 'full_pass' and `tasks` 'all'",
            {"surgery": True, "sampler": "full_pass"},
        ),
        (
            SURGERY + "`sampler` 'annealed' and `tasks` 'paraphrase'",
            {"surgery": True, "tasks": "paraphrase"},
        ),
        (NO_LOSS, {"joint_weight": 0.0, "siamese_weight": 0.0}),
        (REVIEWS + "'all' and 'all'", {"sentiment_data": "cfimdb"}),
        (REVIEWS + "'sentiment' and 'all'", {"sentiment_data": "cfimdb", "tasks": "sentiment"}),
        (
            REVIEWS + "'all' and 'sentiment'",
            {"sentiment_data": "cfimdb", "scored_tasks": "sentiment"},
        ),
        (
            REVIEWS + "'similarity' and 'similarity'",
            {"sentiment_data": "cfimdb", "tasks": "similarity", "scored_tasks": "similarity"},
        ),
        (
            "`soft_labels` have sentiment's five classes. Found `sentiment_data` 'cfimdb'",
            {"soft_labels": "x", "sentiment_data": "cfimdb", "tasks": "sentiment"}
            | {"scored_tasks": "sentiment"},
        ),
        (PALS + "without. Found 11 with 96", {"pal_size": 96, "pal_epochs": 11}),
        (PALS + "without. Found 0 with 96", {"pal_size": 96}),
        (PALS + "without. Found 2 with 0", {"pal_epochs": 2}),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, dict) else "",
)
def test_settings_that_do_not_go_together_are_refused(told: str, changes: dict[str, Any]) -> None:
    refused(told, **changes)


@pytest.mark.parametrize(
    "changes",
    [
        *({"surgery": True, "sampler": name} for name in ("annealed", "round_robin")),
        {"sampler": "full_pass", "tasks": "sentiment"},
        {"joint_weight": 0.0},
        {"siamese_weight": 0.0},
        {"sentiment_data": "cfimdb", "tasks": "sentiment", "scored_tasks": "sentiment"},
        {"pal_size": 96, "pal_epochs": 10},
        {"pal_size": 96, "pal_epochs": 1},
        {"tasks": "similarity", "scored_tasks": "sentiment"},
    ],
    ids=str,
)
def test_settings_that_go_together_are_taken(changes: dict[str, Any]) -> None:
    config = TrainConfig(**changes)
    assert all(getattr(config, name) == value for name, value in changes.items())


def test_the_tasks_that_are_trained_and_scored() -> None:
    every = TrainConfig()
    assert every.trained_tasks == every.scored == tuple(TASKS)
    one = TrainConfig(tasks="paraphrase", scored_tasks="similarity")
    assert (one.trained_tasks, one.scored) == (("paraphrase",), ("similarity",))


def test_an_epoch_counts_tokens_where_they_are_set_and_steps_otherwise() -> None:
    steps = TrainConfig(epochs=7, steps_per_epoch=30)
    assert (steps.epoch_length, steps.total) == (30, 210)
    tokens = TrainConfig(epochs=7, steps_per_epoch=30, tokens_per_epoch=5000)
    assert (tokens.epoch_length, tokens.total) == (5000, 35000)
    assert TrainConfig(epochs=0).total == 0


def test_settings_are_frozen_plain_and_complete() -> None:
    config = TrainConfig(seed=4, epochs=3)
    assert TrainConfig(**config.to_dict()) == config
    assert list(config.to_dict()) == [field.name for field in dataclasses.fields(TrainConfig)]
    with pytest.raises(dataclasses.FrozenInstanceError):
        config.seed = 5  # type: ignore[misc]  # what is refused
    assert all(field.metadata["help"] for field in dataclasses.fields(TrainConfig))


def test_each_sentiment_data_set_has_its_classes() -> None:
    assert SENTIMENT_DATA == {"sst": 5, "cfimdb": 2, "sst-trees": 5}


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"passes": 0.0}, "`passes` should be above 0 and finite. Found 0.0."),
        ({"passes": math.nan}, "`passes` should be above 0 and finite. Found nan."),
        ({"learning_rate": -1.0}, "`learning_rate` should be above 0 and finite. Found -1.0."),
        ({"warmup": 1.0}, "`warmup` should lie in [0, 1). Found 1.0."),
        ({"warmup": -0.1}, "`warmup` should lie in [0, 1). Found -0.1."),
        ({"batch_examples": 0}, "`batch_examples` should be at least 1. Found 0."),
        ({"checkpoint_every": 0}, "`checkpoint_every` should be at least 1. Found 0."),
        ({"passes": math.inf}, "`passes` should be above 0 and finite. Found inf."),
        ({"precision": "fp16"}, "`precision` should be one of 'auto', 'fp32', 'bf16'."),
        ({"max_length": 7}, "`max_length` should be at least 8. Found 7."),
        ({"batch_tokens": 0}, "`batch_tokens` should be at least 8. Found 0."),
    ],
    ids=str,
)
def test_a_masked_language_model_s_settings_are_checked(changes: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=re.escape(told)):
        MlmConfig(**changes)
