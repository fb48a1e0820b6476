"""What travels: wheel, Space, model repo and download hold every file, one of a new kind too."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
import zipfile
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard, constants, snapshot_download

from minbert.checkpoint import resolve_folder
from minbert.predictor import Predictor
from tests.trainer.publish.hub_state import TOKEN, FakeHub, yaml_problem
from tests.trainer.publish.publish_samples import (
    MODEL,
    REPOSITORY,
    SPACE,
    process,
    run_plan,
    small_checkout,
)
from trainer.publish.folder import LEFT_OUT, NEVER, THUMBNAIL, Plan, build_model, space_files
from trainer.publish.static import build_static, check_static

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

NEW = {  # of kinds that no list names, in folders that nobody named
    *("minbert/ui/parts/x.toml", "minbert/ui/parts/templates/card.jinja", "minbert/x.woff2"),
    *("trainer/recipes/x.yaml", "assets/results/x.csv", "assets/models/mean/x.toml"),
}
AT_HOME = {
    *("minbert/ui/.env", "minbert/.git/config", "minbert/ui/__pycache__/x.pyc", "minbert/a.pem"),
    *("minbert/ui/parts/x.pkl", "minbert/x.py.orig", "assets/models/mean/optimizer.pt"),
    *("assets/models/mean/.secret.json", "assets/.token", "assets/results/x.pickle"),
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkout with files of new kinds, and some that should stay at home."""
    folder = small_checkout(tmp_path_factory.mktemp("travels") / "checkout")
    for name in ("pyproject.toml", "README.md"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    for name in NEW | AT_HOME:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"new")
    return folder


def names(root: Path, *folders: str) -> set[str]:
    """Return the files below folders of `root` that are no part of `AT_HOME`."""
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix() for path in found} - AT_HOME


def test_the_wheel_holds_both_packages_and_builds_a_page_that_stands_alone(
    grown: Path, tmp_path: Path
) -> None:
    """The page's own command, from what was installed, over the small models."""
    source, installed = tmp_path / "source", tmp_path / "installed"
    # A build leaves folders beside what it builds
    shutil.copytree(grown, source, ignore=shutil.ignore_patterns("assets"))
    alone = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    built = process(source, "-m", "pip", "wheel", *alone, "--wheel-dir", str(tmp_path), ".")
    assert built.returncode == 0, built.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as file:
        file.extractall(installed)
    found = names(installed, ".")
    assert {name for name in found if ".dist-info/" not in name} == names(
        grown, "minbert", "trainer"
    )
    assert NEW & names(grown, "minbert", "trainer") <= found
    shutil.copytree(grown / "assets", installed / "assets")
    shutil.copyfile(grown / "LICENSE", installed / "LICENSE")
    page = build_static(Plan(SPACE, MODEL, static=True, root=installed), tmp_path / "page")
    check_static(page, lambda _: None)
    assert {path.name for path in page.iterdir()} == {"index.html", "README.md", "LICENSE"}
    text = (page / "README.md").read_text(encoding="utf-8")
    assert yaml_problem("space", text) is None
    assert SpaceCard(text).data.to_dict()["models"][0] == MODEL


def test_what_comes_back_from_the_hub_is_whole(
    hub: FakeHub, grown: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_plan(Plan(SPACE, MODEL, root=grown))
    space = tmp_path / "space"
    snapshot_download(SPACE, repo_type="space", local_dir=space, token=TOKEN)
    shutil.rmtree(space / ".cache")
    assert names(space, "minbert") == names(grown, "minbert")
    assert {path.name for path in space.iterdir()} == {
        *("app.py", "minbert", "assets", "requirements.txt"),
        *("LICENSE", "README.md", ".gitattributes"),
    }
    assert not {name for name in AT_HOME if (space / name).exists()}
    home = "assets/models/mean/"
    checkpoint = {name.removeprefix(home) for name in names(grown, home)}
    held = set(hub.repos["model", MODEL].files)
    assert held == checkpoint | {"LICENSE", "README.md", ".gitattributes"}
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    read = {name for name in checkpoint if "/" not in name}
    assert names(resolve_folder(MODEL), ".") == read | {"README.md"} != checkpoint | {"README.md"}
    assert len(Predictor.from_pretrained(MODEL, "cpu").sentiment(["A good film."])) == 1


def test_the_model_repo_s_folder_answers(grown: Path, tmp_path: Path) -> None:
    folder = build_model(Plan(SPACE, MODEL, root=grown), tmp_path / "model")
    assert len(Predictor.from_pretrained(folder, "cpu").sentiment(["A good film."])) == 1


def test_every_committed_asset_travels_or_is_left_out_by_name() -> None:
    done = subprocess.run(
        ["git", "ls-files", "assets"], cwd=REPOSITORY, capture_output=True, text=True, check=False
    )
    committed = set(done.stdout.split())
    if not committed:
        pytest.skip("no checkout of git")
    silent = committed - set(space_files(REPOSITORY)) - {THUMBNAIL}
    assert {name for name in silent if not name.startswith(LEFT_OUT)} == {
        f"assets/models/{name}/trained_on.safetensors" for name in ("mean", "cls")
    }


def test_the_wheel_leaves_out_the_kinds_that_a_space_does() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    (patterns,) = project["tool"]["setuptools"]["exclude-package-data"].values()
    assert set(patterns) == {".*", "*/.*", *(f"*{kind}" for kind in NEVER)}
