"""The two folders that are published: what is in them, and what never is."""

from __future__ import annotations

import ast
import json
import math
import re
import shutil
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import ModelCard, SpaceCard
from packaging.specifiers import SpecifierSet

from minbert.multitask import MultitaskBert
from tests.support import assert_says, markdown_tables
from tests.trainer.publish.hub_state import yaml_problem
from tests.trainer.publish.publish_samples import REPOSITORY
from trainer.publish import folder as folders
from trainer.publish.card import METRICS
from trainer.publish.errors import PublishError
from trainer.publish.folder import CPU_INDEX, Plan, build_model, build_space, space_requirements

OURS = (REPOSITORY / "requirements.txt").read_text(encoding="utf-8")
ON_THE_HUB = "https://huggingface.co/"
BASE = "sentence-transformers/all-MiniLM-L6-v2"


@pytest.fixture(scope="module")
def space(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a Space's folder."""
    plan = Plan("anna/lab", "anna/model", root=checkout)
    return build_space(plan, tmp_path_factory.mktemp("out") / "space")


@pytest.fixture(scope="module")
def model(checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a model repo's folder."""
    plan = Plan("anna/lab", "anna/model", root=checkout)
    return build_model(plan, tmp_path_factory.mktemp("out") / "model")


def names(folder: Path) -> set[str]:
    """Return the files below a folder."""
    return {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}


def links(card: str) -> set[str]:
    """Return the addresses that a card links to."""
    return set(re.findall(r"\]\((.*?)\)", card))


def test_a_space_holds_the_app_and_what_it_needs(space: Path, checkout: Path) -> None:
    found = names(space)
    assert {"app.py", "LICENSE", "README.md", "requirements.txt"} <= found
    sources = checkout / "minbert"
    assert {f"minbert/{name}" for name in names(sources)} <= found
    assert {"assets/lessons.toml", "assets/results/mean-dev.json"} <= found
    for pooling in ("mean", "cls"):
        home = f"assets/models/{pooling}"
        whole = {f"{home}/{name}" for name in names(checkout / home)}
        assert {f"{home}/heads.safetensors", f"{home}/1_Pooling/config.json"} < whole
        assert whole - found == {f"{home}/trained_on.safetensors"}
    same = [name for name in found if name not in ("README.md", "requirements.txt")]
    assert all((space / name).read_bytes() == (checkout / name).read_bytes() for name in same)


def test_a_space_holds_no_trainer_no_tests_and_no_leftovers(space: Path) -> None:
    found = names(space)
    assert {name.split("/")[0] for name in found if "/" in name} == {"minbert", "assets"}
    assert not [name for name in found if "__pycache__" in name or "trained_on" in name]
    assert not [name for name in found if name.startswith(folders.LEFT_OUT[:2])]


def test_a_space_s_code_imports_nothing_that_stays_behind(space: Path) -> None:
    imported = set()
    for path in space.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                imported |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module.split(".")[0])
    assert {"torch", "gradio", "minbert"} <= imported
    assert not {"trainer", "tests", "app"} & imported


def test_hidden_files_links_and_other_kinds_stay_behind(checkout: Path, tmp_path: Path) -> None:
    untidy = tmp_path / "untidy"
    shutil.copytree(checkout, untidy)
    (untidy / "assets" / ".secret.json").write_text("{}", encoding="utf-8")
    (untidy / "assets" / "notes.docx").write_text("private", encoding="utf-8")
    (untidy / "minbert" / "__pycache__").mkdir()
    (untidy / "minbert" / "__pycache__" / "x.py").write_text("", encoding="utf-8")
    (untidy / "assets" / "link.json").symlink_to(untidy / "assets" / "lessons.toml")
    found = names(build_space(Plan("anna/lab", root=untidy), tmp_path / "space"))
    assert found == names(build_space(Plan("anna/lab", root=checkout), tmp_path / "tidy"))


def test_the_space_s_front_matter_says_what_was_tested(space: Path) -> None:
    text = (space / "README.md").read_text(encoding="utf-8")
    assert yaml_problem("space", text) is None
    told: dict[str, Any] = SpaceCard(text).data.to_dict()
    assert told["sdk"] == "gradio"
    assert told["sdk_version"] == version("gradio")
    assert told["python_version"] == "3.12"
    assert told["app_file"] == "app.py"
    assert told["models"][0] == "anna/model"
    assert told["license"] == "apache-2.0"
    assert told["suggested_hardware"] == "cpu-basic"
    thumbnail = told["thumbnail"].removeprefix(
        "https://huggingface.co/spaces/anna/lab/resolve/main/"
    )
    assert (space / thumbnail).is_file()
    assert {"title", "datasets", "short_description", "tags"} <= set(told)
    assert links(text) == {f"{ON_THE_HUB}anna/model", f"{ON_THE_HUB}{BASE}"}


def test_a_space_without_a_model_repo_names_none(slim: Path, tmp_path: Path) -> None:
    plan = Plan("anna/lab", None, "zero-a10g", root=slim)
    card = SpaceCard((build_space(plan, tmp_path / "space") / "README.md").read_text("utf-8"))
    assert card.data.to_dict()["models"] == [BASE]
    assert card.data.to_dict()["suggested_hardware"] == "zero-a10g"
    assert links(card.text) == {f"{ON_THE_HUB}{BASE}"}


@pytest.mark.parametrize("hardware", ["cpu-basic", "cpu-upgrade"])
def test_a_cpu_space_asks_pytorch_s_cpu_index(hardware: str) -> None:
    lines = space_requirements(OURS, hardware).splitlines()
    assert lines[0] == CPU_INDEX
    assert lines[1:] == [line.split("#")[0].strip() for line in OURS.splitlines() if line[0] != "#"]


def test_a_zero_gpu_space_gets_a_torch_that_is_offered_there() -> None:
    lines = space_requirements(OURS, "zero-a10g").splitlines()
    assert "torch>=2.8,<2.12" in lines
    assert [line for line in lines if line.startswith("spaces")] == ["spaces>=0.51,<1"]
    assert not [line for line in lines if "index-url" in line]
    assert len([line for line in lines if line.startswith("torch")]) == 1


@pytest.mark.parametrize("torch", ["2.8.0", "2.9.1", "2.10.0", "2.11.0"])
def test_what_zero_gpu_offers_lies_in_both_ranges(torch: str) -> None:
    """The platform's own list; its Python is 3.12."""
    for lines in (OURS, space_requirements(OURS, "zero-a10g")):
        (asked,) = re.findall(r"^torch(?![a-z])([^\s#]*)", lines, flags=re.MULTILINE)
        assert SpecifierSet(asked).contains(torch)
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))["project"]
    assert SpecifierSet(project["requires-python"]).contains(folders.PYTHON_VERSION)


def test_a_gpu_space_gets_the_plain_ranges() -> None:
    assert "index-url" not in space_requirements(OURS, "t4-small")
    assert "torch>=2.8,<2.14\n" in space_requirements(OURS, "t4-small")


def test_requirements_without_torch_are_told() -> None:
    with pytest.raises(PublishError, match="should name torch"):
        space_requirements("torchjd>=1\n", "cpu-basic")


def test_a_checkout_that_isn_t_whole_is_told(slim: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(slim, torn)
    (torn / "assets/models/cls/model.safetensors").unlink()
    with pytest.raises(PublishError, match=r"should hold assets/models/cls/model\.safetensors"):
        build_space(Plan("anna/lab", root=torn), tmp_path / "space")
    (torn / "assets/results/mean-dev.json").unlink()
    with pytest.raises(PublishError, match=r"mean-dev\.json should exist"):
        build_model(Plan("anna/lab", "anna/model", root=torn), tmp_path / "model")


def test_gradio_has_to_be_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> str:
        raise folders.PackageNotFoundError(name)

    monkeypatch.setattr(folders, "version", missing)
    with pytest.raises(PublishError, match="gradio should be installed"):
        folders.gradio_version()


# The model repo


def test_a_model_repo_holds_the_whole_checkpoint(model: Path, checkout: Path) -> None:
    home = checkout / "assets/models/mean"
    assert names(model) == names(home) | {"README.md", "LICENSE"}
    assert MultitaskBert.from_pretrained(model).sums == MultitaskBert.from_pretrained(home).sums


def test_the_card_s_metadata_is_what_was_measured(model: Path) -> None:
    text = (model / "README.md").read_text(encoding="utf-8")
    assert yaml_problem("model", text) is None
    data = ModelCard(text).data
    scores = json.loads((REPOSITORY / "assets/results/mean-dev.json").read_text("utf-8"))
    run = json.loads((REPOSITORY / "assets/results/mean.json").read_text("utf-8"))
    assert data.base_model == run["config"]["encoder"]
    assert (data.library_name, data.pipeline_tag) == (
        "sentence-transformers",
        "sentence-similarity",
    )
    (widget,) = data.to_dict()["widget"]
    assert widget["source_sentence"] not in widget["sentences"] != []
    assert len(data.eval_results) == 8
    for result in data.eval_results:
        by_value = [
            told
            for told in scores["metrics"][result.task_name].values()
            if math.isclose(told["value"], result.metric_value, abs_tol=5e-5)
        ]
        told = by_value[0]
        low, high = result.metric_args["interval_95"]
        assert (result.dataset_split, result.metric_args["examples"]) == ("dev", told["n"])
        assert result.metric_args["seeds"] == [run["seed"]]
        assert low < result.metric_value < high
        assert high - low == pytest.approx(2 * 1.96 * told["se"], abs=2e-4)


def card_of(root: Path, out: Path) -> str:
    """Build the model repo's folder; return its card."""
    folder = build_model(Plan("anna/lab", "anna/model", root=root), out)
    return (folder / "README.md").read_text(encoding="utf-8")


def assert_table_is_the_record(card: str, scores: dict[str, Any]) -> None:
    """Assert that the card's first table has a row for each metric, with the record's numbers."""
    wanted = []
    for (task, name), (_, title) in METRICS.items():
        told = scores["metrics"][task][name]
        low, high = (told["value"] + side * 1.96 * told["se"] for side in (-1, 1))
        wanted.append(
            {
                **{"task": task, "metric": title, "value": f"{told['value']:.3f}"},
                **{"95 % interval": f"{low:.3f} to {high:.3f}", "split": told["split"]},
                "examples": f"{told['n']:,}",
            }
        )
    assert markdown_tables(card)[0] == wanted
    assert len(wanted) == 8


def test_the_card_s_table_is_the_record(model: Path) -> None:
    card = (model / "README.md").read_text(encoding="utf-8")
    path = REPOSITORY / "assets/results/mean-dev.json"
    assert_table_is_the_record(card, json.loads(path.read_text("utf-8")))
    assert not re.search(r"\bnan\b|\$\w", card)


def test_no_number_of_a_run_stands_in_a_template(slim: Path, tmp_path: Path) -> None:
    """Other records, another card: every metric, setting and count follows."""
    other = tmp_path / "other"
    shutil.copytree(slim, other)
    path = other / "assets/results/mean-dev.json"
    scores = json.loads(path.read_text("utf-8"))
    for metrics in scores["metrics"].values():
        for told in metrics.values():
            told.update(value=0.125, se=0.0625, n=7)
    scores["left_out"] = {"paraphrase": 3, "similarity": 16}
    path.write_text(json.dumps(scores), encoding="utf-8")
    run_path = other / "assets/results/mean.json"
    run = json.loads(run_path.read_text("utf-8"))
    run["seed"], run["tokens"] = 41, 12345
    run["config"]["mask_demographics"] = True
    run_path.write_text(json.dumps(run), encoding="utf-8")
    card = card_of(other, tmp_path / "model")
    assert_table_is_the_record(card, scores)
    assert_says(card, found=("(41)", "12,345 tokens", "3 of paraphrase, 16 of similarity"))
    assert re.search(r"trained\s+with that", card)
    template = (slim / "assets/publish/model_card.md").read_text("utf-8")
    assert not re.search(r"\d\.\d{3}|\d,\d{3}", template)


def test_the_card_has_its_parts_and_names_what_is_there(model: Path) -> None:
    text = (model / "README.md").read_text(encoding="utf-8")
    wanted = ["Use it", "Numbers", "Training data", "Recipe", "Intended use and limits", "Ethics"]
    start, *pieces = re.split(r"^## ", text, flags=re.MULTILINE)
    parts = dict(piece.split("\n", 1) for piece in pieces)
    assert [part for part in parts if part in wanted] == wanted
    assert all(len(parts[part].split()) > 20 for part in wanted)
    assert_says(start, rule="48 tokens")  # the tiny model's length
    config = json.loads((REPOSITORY / "assets/results/mean.json").read_text("utf-8"))["config"]
    assert_says(parts["Intended use and limits"], parameter=config["encoder"])
    spaces = {f"{ON_THE_HUB}spaces/anna/lab", f"{ON_THE_HUB}{config['encoder']}"}
    assert links(text) == spaces
    named = re.findall(r"`((?:minbert|trainer|assets)/[\w./]+)`", text)
    assert named
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_a_record_that_lacks_something_is_told(slim: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(slim, torn)
    path = torn / "assets/results/mean-dev.json"
    scores = json.loads(path.read_text("utf-8"))
    del scores["metrics"]["similarity"]["spearman"]
    path.write_text(json.dumps(scores), encoding="utf-8")
    with pytest.raises(PublishError, match="should tell 'spearman'"):
        build_model(Plan("anna/lab", "anna/model", root=torn), tmp_path / "model")
