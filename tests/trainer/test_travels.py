"""What travels: wheel, Space, model repo and download hold every file, one of a new kind too."""

from __future__ import annotations

import shutil
import subprocess
import sysconfig
import tomllib
import venv
import zipfile
from pathlib import Path

import httpx
import pytest
from huggingface_hub import SpaceCard, constants, snapshot_download

from minbert.checkpoint import resolve_folder
from minbert.lessons import FILE, read_lessons
from minbert.predictor import Predictor
from tests.page_event import PageEvents
from tests.served import free_ports, serving
from tests.support import assert_says
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

SHOWN = {  # views that are drawn when they are opened, and words that they show
    "experiments_claims": "claims judged here",  # of the records
    "about_what": "The models that answer here are your own",
    "about_privacy": "Apache-2.0",
}


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a checkout with files of new kinds, and some that should stay at home."""
    folder = small_checkout(tmp_path_factory.mktemp("travels") / "checkout")
    for name in ("pyproject.toml", "setup.py", "README.md"):
        shutil.copyfile(REPOSITORY / name, folder / name)
    for name in NEW | AT_HOME:
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"new")
    return folder


def names(root: Path, *folders: str) -> set[str]:
    """Return the files below folders of `root` that are no part of `AT_HOME`."""
    found = (path for folder in folders for path in (root / folder).rglob("*") if path.is_file())
    return {path.relative_to(root).as_posix() for path in found} - AT_HOME


@pytest.fixture(scope="module")
def wheel(grown: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of a copy: a build leaves folders beside what it builds."""
    folder = tmp_path_factory.mktemp("wheel")
    source = shutil.copytree(grown, folder / "source")
    alone = ("--no-deps", "--no-build-isolation", "--no-index", "--disable-pip-version-check")
    built = process(source, "-m", "pip", "wheel", *alone, "--wheel-dir", str(folder), ".")
    assert built.returncode == 0, built.stderr
    (path,) = folder.glob("*.whl")
    return path


@pytest.mark.whole
def test_the_wheel_holds_both_packages_and_builds_a_page_that_stands_alone(
    grown: Path, wheel: Path, tmp_path: Path
) -> None:
    """The page's own command, from what was installed, over the small models.

    Of the assets it holds what a Space does, less the models.
    """
    installed = tmp_path / "installed"
    with zipfile.ZipFile(wheel) as file:
        file.extractall(installed)
    found = {name for name in names(installed, ".") if ".dist-info/" not in name}
    assets = {name for name in space_files(grown) if name.startswith("assets/")} - {THUMBNAIL}
    read = {f"minbert/{name}" for name in assets if not name.startswith("assets/models/")}
    assert found == names(grown, "minbert", "trainer") | read
    assert {"minbert/assets/lessons.toml", "minbert/assets/results/x.csv"} < found
    assert NEW & names(grown, "minbert", "trainer") <= found
    shutil.copytree(grown / "assets" / "models", installed / "minbert" / "assets" / "models")
    shutil.copyfile(grown / "LICENSE", installed / "LICENSE")
    page = build_static(Plan(SPACE, MODEL, static=True, root=installed), tmp_path / "page")
    check_static(page, lambda _: None)
    assert {path.name for path in page.iterdir()} == {"index.html", "README.md", "LICENSE"}
    text = (page / "README.md").read_text(encoding="utf-8")
    assert yaml_problem("space", text) is None
    assert SpaceCard(text).data.to_dict()["models"][0] == MODEL


@pytest.mark.whole
def test_what_is_installed_answers_outside_a_checkout(
    grown: Path, wheel: Path, tmp_path: Path
) -> None:
    """Its requirements are looked up by pip, and are those that the tests run with."""
    venv.create(tmp_path / "env")
    (commands,) = (path.parent for path in tmp_path.glob("env/*/python"))
    packages = next(tmp_path.glob("env/lib/*/site-packages"))
    (packages / "tests.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    pip = ("-m", "pip", "--disable-pip-version-check", "--python", str(commands / "python"))
    done = process(tmp_path, *pip, "install", "--no-index", str(wheel))
    assert done.returncode == 0, done.stderr
    empty, model = tmp_path / "empty", grown / "assets" / "models" / "mean"
    empty.mkdir()

    def run(*command: str) -> subprocess.CompletedProcess[str]:
        asked = [str(commands / command[0]), *command[1:]]
        return subprocess.run(asked, cwd=empty, capture_output=True, text=True, check=False)

    refused = run("minbert-app")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert_says(refused.stderr, parameter="`--models`", step="python app.py")
    (port,) = free_ports(1)
    url, there = f"http://127.0.0.1:{port}", {"GRADIO_SERVER_PORT": str(port)}
    app, first = str(commands / "minbert-app"), "a good film"
    with serving(["--models", str(model)], url, python=app, folder=empty, **there):
        told = httpx.post(f"{url}/v1/predict", json={"first": first}, timeout=60).json()
        lessons = [lesson.title for lesson in read_lessons(grown / "assets" / FILE)]
        page = httpx.get(f"{url}/config").text
        assert [title for title in lessons if title not in page] == []
        with httpx.Client(timeout=60) as client:
            visitor = PageEvents(url, "anna", client)
            shown = [str(visitor.ask(f"draw_{view}", None)) for view in SHOWN]
    assert all(SHOWN[view] in text for view, text in zip(SHOWN, shown, strict=True))
    (mood,) = Predictor.from_pretrained(model, "cpu").sentiment([first])
    assert told["sentiment"][0]["expected"] == pytest.approx(mood.expected, abs=1e-5)

    assert "predict" in run("minbert-trainer", "--help").stdout
    no_data = run("minbert-trainer", "train", "mean", "--data", "nowhere")
    assert_says(no_data.stderr, found="nowhere/ids-sst-train.csv", step="download")
    (empty / "in.csv").write_text(f"sentence\n{first}\n", encoding="utf-8")
    files = ("--task", "sentiment", "--input", "in.csv", "--output", "out.csv")
    answered = run("minbert-trainer", "predict", "--model", str(model), *files)
    assert answered.returncode == 0, answered.stderr
    row = (empty / "out.csv").read_text(encoding="utf-8").splitlines()[1].split(",")
    assert [float(number) for number in row[2:]] == pytest.approx(mood.probabilities, abs=1e-5)
    assert sorted(path.name for path in empty.iterdir()) == ["in.csv", "out.csv"]


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
    patterns = project["tool"]["setuptools"]["exclude-package-data"]["*"]
    assert set(patterns) == {".*", "*/.*", *(f"*{kind}" for kind in NEVER)}
