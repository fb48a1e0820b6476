"""Recipes: the report's rows and numbers, what each other row changes, and how files are read."""

from __future__ import annotations

import dataclasses
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

import pytest

from trainer import recipes
from trainer.config import TrainConfig
from trainer.data.treebank import TREES_FILE
from trainer.recipes import CHAINS, RECIPES, ROWS, read_recipes
from trainer.recipes.profiles import PROFILES, changes_of, with_profile
from trainer.recipes.row import TABLES, Chain, Row

FOLDER = Path(recipes.__file__).parent
REPORT_ROWS = [row for row in ROWS.values() if row.report]

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
    text = (FOLDER / f"{row.name}.toml").read_text(encoding="utf-8")
    assert text.startswith("# "), "the reason"
    assert len(text.splitlines()) < 25
    assert tomllib.loads(text)["title"] == row.title


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
    rows = list(ROWS.values())
    left_out = [f"all_without_{name}" for name in LEFT_OUT]
    assert list(ROWS) == [*(row.name for row in REPORT_ROWS), "all", *left_out, *CONTROLS]
    assert list(RECIPES) == ["mean", "cls", *ROWS]
    assert len({row.title for row in rows}) == len(rows)
    assert set(TABLES) == {row.table for row in rows}
    assert len({repr(dataclasses.replace(row.config, name="")) for row in rows}) == len(rows)
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


def read(folder: Path, **files: str) -> dict[str, recipes.Recipe]:
    """Read recipes from files beside a damaged or new one."""
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text, encoding="utf-8")
    return read_recipes(folder)


def test_a_file_more_is_a_recipe_more(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(FOLDER, tmp_path / "recipes"))
    added = read(folder, warm='base = "annealed"\nsettings = { warmup = 0.2 }')
    assert set(added) == {*RECIPES, *CHAINS, "warm"}
    changed = dataclasses.replace(ROWS["annealed"].config, name="warm", warmup=0.2)
    assert added["warm"] == changed
    assert [name for name in added if name in ROWS] == list(ROWS)


def test_rows_stand_as_their_tables_and_places_say(tmp_path: Path) -> None:
    row = 'title = "A row"\n'
    found = read(
        tmp_path,
        a=row + 'table = "controls"',
        b=row + 'table = "dev"',
        c=row + 'table = "dev"\nrow = 2\nbase = "report"\nsettings = { epochs = 3 }',
        d=row + 'table = "dev"\nrow = 1\nbase = "c"',
        e='table = "part1"\n[[recipe]]\nname = "z"\n'
        + row
        + '[[recipe]]\nname = "y"\nbase = "d"\n'
        + row,
        f='base = "g"',
        g="",
    )
    assert list(found) == ["g", "f", "z", "y", "d", "c", "b", "a"]
    rows = {name: row for name, row in found.items() if isinstance(row, Row)}
    assert [row.config.epochs for row in rows.values()] == [10, 3, 3, 3, 10, 10]
    assert rows["c"].config.similarity_head == "relu", "the report's"
    assert found["g"] == TrainConfig(name="g")


def test_a_chain_s_stages_change_what_they_say(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        two='settings = { epochs = 3 }\n[[stage]]\nname = "one"\nneeds = ["x.csv"]\n'
        '[[stage]]\nname = "last"\nsettings = { seed = 5 }',
        other='base = "two"\nsettings = { pooling = "cls" }',
    )
    two, other = found["two"], found["other"]
    assert isinstance(two, Chain)
    told = [(s.name, s.needs, s.config.name, s.config.epochs, s.config.seed) for s in two.stages]
    assert told == [("one", ("x.csv",), "two_one", 3, 0), ("last", (), "two", 3, 5)]
    assert other == dataclasses.replace(two.changed(pooling="cls"), name="other")
    assert CHAINS["best"].stages[0].needs == (TREES_FILE,)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("epochs = ", "Invalid value (at end of document)"),
        ("epochs = 3", "x has no key 'epochs'; the nearest are "),
        ("[settings]\nsmapler = 1", "settings has no key 'smapler'; the nearest are sampler, "),
        ("[settings]\nname = 'y'", "settings has no key 'name'; the nearest are "),
        ("[settings]\nepochs = 'ten'", "`epochs` should be a whole number. Found 'ten'."),
        ("[settings]\nepochs = true", "`epochs` should be a whole number. Found True."),
        ("[settings]\nema = 0", "`ema` should be a number with a point, as 1.0. Found 0."),
        ("[settings]\nepochs = -1", "`epochs` should be at least 0. Found -1."),
        ("[settings]\nsampler = 'fair'", "`sampler` should be one of 'round_robin', "),
        ("settings = 3", "`settings` should be a table. Found 3."),
        ("base = 3", "`base` should be a text in quotes. Found 3."),
        ("base = 'mena'", "`base` should be a recipe's name. Found 'mena'; the nearest are mean,"),
        ("base = 'x'", "Found the circle x -> x; give one of them another base."),
        ("title = 'X'", "x should have the key `table`. Found title."),
        ("table = 'dev'", "x should have the key `title`. Found table."),
        ("title = 'X'\ntable = 'devs'", "`table` should be one of 'part1', 'dev', 'test', "),
        (
            "title = 'X'\ntable = 'dev'\nreport = { 'sentiment accuracy' = 0.5 }",
            "`report_split` should be one of 'dev', 'test'. Found None.",
        ),
        (
            "title = 'X'\ntable = 'dev'\nreport = { accuracy = 0.5 }",
            "report has no key 'accuracy'; the nearest are cfimdb accuracy, ",
        ),
        ("title = 'X'\n[[stage]]\nname = 'y'", "x, which has stages, has no key 'title'"),
        ("stage = 3", "`stage` should be a list ([[...]], if of tables). Found 3."),
        ("stage = ['y']", "[[stage]] should be a table of keys and values. Found 'y'."),
        ("[[stage]]\nneeds = []", "[[stage]] should have the key `name`. Found needs."),
        ("[[stage]]\nname = 'y'\nneeds = [3]", "`needs` should be a list of files' names."),
        ("base = 'two'\nstage = []", "x, which begins with the chain two, has no key 'stage'"),
        ("base = 'two'\nsettings.epochs = 3", "`epochs` can't be changed for all stages of two"),
        ("[recipe]\nname = 'y'", "`recipe` should be a list ([[...]], if of tables). Found {"),
        ("[[recipe]]\nbase = 'mean'", "[[recipe]] should have the key `name`. Found base."),
        (
            "[[recipe]]\nname = 'mean'",
            "`name` should be its own. Found a second 'mean'; rename one.",
        ),
        ("note = 'y'\n[[recipe]]\nname = 'y'", "what stands above [[recipe]] has no key 'note'"),
    ],
)
def test_a_damaged_file_gives_one_line(tmp_path: Path, text: str, told: str) -> None:
    two = "[[stage]]\nname = 'one'\n[[stage]]\nname = 'last'\nsettings.epochs = 3"
    with pytest.raises(ValueError, match=r"x\.toml: ") as error:
        read(tmp_path, mean="", two=two, x=text)
    assert str(error.value).startswith(f"{tmp_path / 'x.toml'}: ")
    assert "\n" not in str(error.value)
    assert told in str(error.value)


def test_a_circle_names_its_bases_and_the_file_that_closes_it(tmp_path: Path) -> None:
    wanted = f"{tmp_path / 'c.toml'}: `base` should lead to a recipe without one, or 'report'."
    with pytest.raises(ValueError, match=re.escape(wanted) + ".* circle a -> b -> c -> b; "):
        read(tmp_path, a='base = "b"', b='base = "c"', c='base = "b"')
