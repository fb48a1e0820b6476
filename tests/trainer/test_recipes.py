"""Recipes: the report's rows and numbers, its settings, and what each other row changes."""

from __future__ import annotations

import dataclasses
import importlib
from pathlib import Path
from typing import Any

import pytest

from trainer import recipes
from trainer.config import TrainConfig
from trainer.recipes import RECIPES, REPORT_ROWS, ROWS, all_techniques, controls
from trainer.recipes.profiles import PROFILES, changes_of, with_profile
from trainer.recipes.row import TABLES

# Typed from the report: table, split, then the numbers as its columns have them.
PART1 = {
    "part1_sst_pretrain": {"sentiment accuracy": 0.409},
    "part1_cfimdb_pretrain": {"cfimdb accuracy": 0.788},
    "part1_sst_finetune": {"sentiment accuracy": 0.513},
    "part1_cfimdb_finetune": {"cfimdb accuracy": 0.971},
}
DEV = {
    "baseline": (0.360, 0.632, -0.129),
    "cls_pretraining": (0.346, 0.694, 0.400),
    "mean_pretraining": (0.460, 0.755, 0.651),
    "contrastive": (0.415, 0.753, 0.327),
    "surgery": (0.461, 0.760, 0.499),
    "cosine": (0.496, 0.795, 0.698),
}
TEST = {"round_robin": (0.478, 0.831, 0.763), "annealed": (0.521, 0.803, 0.857)}
COLUMNS = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")

MEAN = {"pooling": "mean", "head_epochs": 3, "epochs": 10, "sampler": "round_robin"}
SETTINGS: dict[str, dict[str, Any]] = {  # what each row of the report says of itself
    "part1_sst_pretrain": {"tasks": "sentiment", "scored_tasks": "sentiment", "epochs": 0},
    "part1_cfimdb_pretrain": {"sentiment_data": "cfimdb", "max_length": 512, "epochs": 0},
    "part1_sst_finetune": {"tasks": "sentiment", "head_epochs": 0, "epochs": 10},
    "part1_cfimdb_finetune": {"sentiment_data": "cfimdb", "max_length": 512, "head_epochs": 0},
    "baseline": {"pooling": "pooler", "tasks": "sentiment", "scored_tasks": "all", "epochs": 0},
    "cls_pretraining": {"pooling": "pooler", "tasks": "all", "head_epochs": 3, "epochs": 0},
    "mean_pretraining": {"pooling": "mean", "tasks": "all", "head_epochs": 3, "epochs": 0},
    "contrastive": {**MEAN, "contrastive": "nt_xent", "epochs": 1},
    "surgery": {**MEAN, "surgery": True},
    "cosine": {
        **{**MEAN, "similarity_score": "siamese", "cosine_scaling": "shifted"},
        **{"siamese_weight": 1.0, "joint_weight": 0.0},
    },
    "round_robin": MEAN,
    "annealed": {**MEAN, "sampler": "annealed"},
}
CONTROLS: dict[str, tuple[str, dict[str, Any]]] = {  # row -> its start, and the only changes
    "cls_raw_pretraining": ("mean_pretraining", {"pooling": "cls"}),
    "max_pretraining": ("mean_pretraining", {"pooling": "max"}),
    "dropout_on_pretraining": ("mean_pretraining", {"head_encoder_dropout": True}),
    "mlm_mean_pretraining": ("mean_pretraining", {"mlm_passes": 2.0}),
    "mlm_cls_pretraining": ("cls_pretraining", {"mlm_passes": 2.0}),
    "one_epoch": ("round_robin", {"epochs": 1}),
    "full_pass": ("round_robin", {"sampler": "full_pass"}),
    "no_pretraining": ("round_robin", {"head_epochs": 0}),
    "dropout_03": ("round_robin", {"hidden_dropout": 0.3}),
    "proportional": ("annealed", {"sampler": "proportional"}),
    "square_root": ("annealed", {"sampler": "square_root"}),
    "attention": ("annealed", {"pooling": "attention"}),
    "two_tower": ("annealed", {"paraphrase_head": "two_tower"}),
    "pals": ("annealed", {"pal_size": 204, "pal_epochs": 2}),
    "masked": ("annealed", {"mask_demographics": True}),
}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "pretraining": {"head_epochs": 0},
    "mean": {"pooling": "pooler"},
    "annealed": {"sampler": "round_robin"},
    "cosine": {"similarity_score": "joint", "joint_weight": 1.0, "siamese_weight": 0.0},
    "contrastive": {"contrastive": "off"},
    "surgery": {"surgery": False},
}
CPU = {
    "encoder": "sentence-transformers/all-MiniLM-L6-v2",
    "precision": "bf16",
    "head_examples": 8192,
    "tokens_per_epoch": 120_000,
    "learning_rate": 1e-4,
    "batch_tokens": 4096,
    "freeze_word_embeddings": True,
    "dev_examples": 500,
}


def differences(start: TrainConfig, other: TrainConfig) -> dict[str, Any]:
    """Return the settings of `other` that `start` has otherwise, the name left out."""
    before = start.to_dict()
    return {
        name: value
        for name, value in other.to_dict().items()
        if value != before[name] and name != "name"
    }


def test_the_report_s_rows_stand_in_its_tables_order() -> None:
    assert [row.name for row in REPORT_ROWS] == [*PART1, *DEV, *TEST]
    assert [row.table for row in REPORT_ROWS] == ["part1"] * 4 + ["dev"] * 6 + ["test"] * 2
    assert list(ROWS)[:12] == [row.name for row in REPORT_ROWS]


@pytest.mark.parametrize("row", REPORT_ROWS, ids=lambda row: row.name)
def test_each_row_of_the_report_has_a_file_of_its_own(row: recipes.Row) -> None:
    module = importlib.import_module(f"trainer.recipes.{row.name}")
    assert module.ROW is row
    assert module.__file__ is not None
    text = Path(module.__file__).read_text(encoding="utf-8")
    assert text.splitlines()[0].startswith('"""')
    assert len(text.splitlines()) < 25


def test_the_numbers_are_the_report_s() -> None:
    wanted: dict[str, dict[str, float]] = dict(PART1)
    for name, numbers in {**DEV, **TEST}.items():
        wanted[name] = dict(zip(COLUMNS, numbers, strict=True))
    assert {row.name: dict(row.report) for row in REPORT_ROWS} == wanted
    assert {row.name: row.report_split for row in REPORT_ROWS} == {
        name: "test" if name in TEST else "dev" for name in wanted
    }


@pytest.mark.parametrize("row", REPORT_ROWS, ids=lambda row: row.name)
def test_a_row_of_the_report_has_its_settings(row: recipes.Row) -> None:
    config = row.config
    assert config.encoder == "google-bert/bert-base-uncased"
    assert (config.hidden_dropout, config.similarity_head) == (0.2, "relu")
    assert config.head_learning_rate == 1e-3
    assert config.head_batch == 128
    assert config.head_epochs in (0, 3)
    assert config.learning_rate == 1e-5
    assert config.batch_examples == 32
    assert config.both_orders is False
    found = {name: getattr(config, name) for name in SETTINGS[row.name]}
    assert found == SETTINGS[row.name]


def test_the_report_s_rows_differ_in_what_they_say_and_nothing_else() -> None:
    base = ROWS["round_robin"].config
    said = {name for changes in SETTINGS.values() for name in changes}
    for row in REPORT_ROWS:
        assert set(differences(base, row.config)) <= said
    assert differences(base, ROWS["annealed"].config) == {"sampler": "annealed"}
    assert differences(base, ROWS["surgery"].config) == {"surgery": True}
    assert differences(ROWS["mean_pretraining"].config, ROWS["cls_pretraining"].config) == {
        "pooling": "pooler"
    }
    assert differences(base, ROWS["mean_pretraining"].config) == {"epochs": 0}


@pytest.mark.parametrize(
    ("pretrained", "tuned"),
    [
        ("part1_sst_pretrain", "part1_sst_finetune"),
        ("part1_cfimdb_pretrain", "part1_cfimdb_finetune"),
    ],
)
def test_part_1_fine_tunes_from_a_fresh_head(pretrained: str, tuned: str) -> None:
    found = differences(ROWS[pretrained].config, ROWS[tuned].config)
    assert found == {"head_epochs": 0, "epochs": 10}


def test_all_holds_every_technique() -> None:
    found = differences(ROWS["cosine"].config, ROWS["all"].config)
    assert found == {
        **{"sampler": "annealed", "contrastive": "nt_xent", "surgery": True},
        "contrastive_weight": 0.1,
    }
    assert ROWS["all"].config.pooling == "mean"
    assert ROWS["all"].config.head_epochs == 3


@pytest.mark.parametrize("name", LEFT_OUT)
def test_a_leave_one_out_differs_from_all_in_what_it_leaves_out(name: str) -> None:
    row = ROWS[f"all_without_{name}"]
    assert row.table == "ours"
    assert differences(ROWS["all"].config, row.config) == LEFT_OUT[name]


@pytest.mark.parametrize("name", CONTROLS)
def test_a_control_differs_from_its_start_in_what_it_says(name: str) -> None:
    start, changes = CONTROLS[name]
    assert ROWS[name].table == "controls"
    assert differences(ROWS[start].config, ROWS[name].config) == changes


def test_every_row_is_known_named_once_and_titled() -> None:
    rows = [*REPORT_ROWS, *all_techniques.ROWS, *controls.ROWS]
    assert [row.name for row in all_techniques.ROWS] == [
        "all",
        *(f"all_without_{name}" for name in LEFT_OUT),
    ]
    assert [row.name for row in controls.ROWS] == list(CONTROLS)
    assert list(ROWS) == [row.name for row in rows], "a name that comes twice would be lost"
    assert len({row.title for row in rows}) == len(rows)
    assert set(TABLES) == {row.table for row in rows}
    assert len({repr(dataclasses.replace(row.config, name="")) for row in rows}) == len(rows)
    assert set(RECIPES) == {*ROWS, "mean", "cls"}
    assert all(config.name == name for name, config in RECIPES.items())


@pytest.mark.parametrize("name", RECIPES)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_recipe_goes_with_every_profile(name: str, profile: str) -> None:
    config = with_profile(RECIPES[name], profile)
    found = differences(RECIPES[name], config)
    allowed = {*CPU, "epochs", "pal_size"} if profile == "cpu" else set()
    assert set(found) <= allowed
    assert config.name == name
    assert sorted(PROFILES) == ["cpu", "report"]


@pytest.mark.parametrize("row", ROWS.values(), ids=lambda row: row.name)
def test_the_cpu_profile_changes_the_same_in_every_row(row: recipes.Row) -> None:
    config = with_profile(row.config, "cpu")
    assert {name: getattr(config, name) for name in CPU} == CPU
    assert config.epochs == {10: 5, 1: 1, 0: 0}[row.config.epochs]
    assert config.pal_size == (96 if row.name == "pals" else 0)
    assert config.pal_epochs == row.config.pal_epochs


def test_a_profile_s_changes_are_told_in_one_line() -> None:
    assert changes_of(RECIPES["annealed"], "report") == ""
    assert changes_of(RECIPES["pals"], "cpu") == (
        "encoder google-bert/bert-base-uncased -> sentence-transformers/all-MiniLM-L6-v2, "
        "precision auto -> bf16, head_examples 0 -> 8192, epochs 10 -> 5, "
        "tokens_per_epoch 0 -> 120000, learning_rate 1e-05 -> 0.0001, "
        "batch_tokens 16384 -> 4096, freeze_word_embeddings False -> True, "
        "dev_examples 0 -> 500, pal_size 204 -> 96"
    )
    told = changes_of(with_profile(RECIPES["baseline"], "cpu"), "cpu")
    assert told == "", "what is so already is no change"
    unchanged = changes_of(RECIPES["mean_pretraining"], "cpu")
    assert "epochs 0" not in unchanged
