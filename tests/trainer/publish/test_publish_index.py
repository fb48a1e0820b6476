"""A person's own index of training sentences in the Space: on request, whole, and fitting."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from huggingface_hub import snapshot_download

from minbert.explain.nearest import NearestIndex
from minbert.predictor import Predictor
from tests.support import assert_says, redraw, tiny_model
from tests.trainer.publish.hub_state import TOKEN, FakeHub
from tests.trainer.publish.publish_samples import MODEL, SPACE, refused, run_plan
from trainer.cli import main
from trainer.evaluation.index import build_index
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan, build_model, build_space
from trainer.publish.index import README_NOTE

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

FILES = {"index.json", "texts.tsv", "mean.safetensors", "cls.safetensors"}
AT = "assets/index/"
COMMAND = "python -m trainer index"


@pytest.fixture(scope="session")
def index(slim: Path, data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an index by the slim checkout's models; nobody writes there."""
    models = [slim / "assets" / "models" / name for name in ("mean", "cls")]
    out = tmp_path_factory.mktemp("own") / "index"
    return build_index(models, data, out, device="cpu", report=lambda _: None)


@pytest.fixture
def mine(index: Path, tmp_path: Path) -> Path:
    """Give a copy of the index that a test may spoil."""
    return shutil.copytree(index, tmp_path / "mine")


def in_index(files: dict[str, bytes]) -> set[str]:
    """Return the index's files of a repo."""
    return {name.removeprefix(AT) for name in files if name.startswith(AT)}


def test_an_index_goes_up_on_request_and_comes_back(
    hub: FakeHub, slim: Path, index: Path, tmp_path: Path
) -> None:
    told = run_plan(Plan(SPACE, MODEL, private=True, root=slim, index=index))
    files = hub.repos["space", SPACE].files
    assert in_index(files) == FILES
    snapshot_download(SPACE, repo_type="space", local_dir=tmp_path, token=TOKEN)
    back = NearestIndex.load(tmp_path / AT)
    assert back.texts == NearestIndex.load(index).texts
    predictor = Predictor.from_pretrained(tmp_path / "assets" / "models" / "cls", "cpu")
    assert back.nearest("cls", predictor, back.texts[5].text, 1)[0].text.text == back.texts[5].text
    assert all((tmp_path / AT / name).read_bytes() == (index / name).read_bytes() for name in FILES)
    assert not [
        name for name in hub.repos["model", MODEL].files if "index" in name or "tsv" in name
    ]
    (notice,) = [line for line in told if line.startswith("Notice: ")]
    assert_says(notice, parameter="--index", found=f"{len(back.texts):,} sentences")


@pytest.mark.parametrize("private", [True, False])
def test_the_data_s_terms_are_told_before_anything_is_uploaded(
    hub: FakeHub, slim: Path, index: Path, private: bool
) -> None:
    told = run_plan(Plan(SPACE, private=private, root=slim, index=index))
    (place,) = [place for place, line in enumerate(told) if line.startswith("Notice: ")]
    assert place < next(p for p, line in enumerate(told) if line.startswith(("Created", "Upload")))
    advice = {"never" if private else "step": "--private"}
    assert_says(told[place], rule=("research use", "history"), **advice)
    readme = hub.repos["space", SPACE].files["README.md"].decode()
    assert readme.endswith(README_NOTE)


def test_again_it_doesn_t_travel_and_without_the_option_it_goes(
    hub: FakeHub, slim: Path, index: Path
) -> None:
    run_plan(Plan(SPACE, root=slim, index=index))
    repo = hub.repos["space", SPACE]
    hub.requests.clear()
    run_plan(Plan(SPACE, root=slim, index=index))
    assert len(repo.commits) == 2
    assert hub.asked("PUT", "/lfs/") == []
    told = run_plan(Plan(SPACE, root=slim))
    assert in_index(repo.files) == set()
    assert_says(repo.files["README.md"].decode(), never=(README_NOTE, AT[:-1]))
    assert not [line for line in told if line.startswith("Notice: ")]
    assert {path.name for path in index.iterdir()} == FILES


def test_without_the_option_no_index_is_ever_published(
    slim: Path, index: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not the one in the user's cache, nor one that lies in the checkout, whole or torn."""
    untidy = shutil.copytree(slim, tmp_path / "untidy")
    monkeypatch.setenv("MINBERT_INDEX", str(index))
    for place in ("assets/index", "assets/mine", "assets/models/mean/index", "minbert/torn"):
        shutil.copytree(index, untidy / place)
    (untidy / "minbert/torn/index.json").unlink()
    (untidy / "assets/index/texts.tsv").unlink()
    for plan, wanted in ((untidy, "found"), (slim, "tidy")):
        build_space(Plan(SPACE, MODEL, root=plan), tmp_path / wanted / "space")
        build_model(Plan(SPACE, MODEL, root=plan), tmp_path / wanted / "model")
    found, tidy = (
        {path.relative_to(tmp_path / name) for path in (tmp_path / name).rglob("*")}
        for name in ("found", "tidy")
    )
    assert found == tidy


def test_what_lies_beside_an_index_stays_behind(slim: Path, mine: Path, tmp_path: Path) -> None:
    (mine / "notes.txt").write_text("private", encoding="utf-8")
    (mine / "max.safetensors").write_bytes(b"of another model")
    folder = build_space(Plan(SPACE, root=slim, index=mine), tmp_path / "space")
    assert {path.name for path in (folder / AT).iterdir()} == FILES


# What is refused


def spoil(mine: Path, how: str) -> Path:
    """Make a folder that isn't a whole index."""
    if how == "nowhere":
        return mine / "nowhere"
    if how == "a file":
        return mine / "texts.tsv"
    told = json.loads((mine / "index.json").read_text("utf-8"))
    if how == "unfinished":
        (mine / "index.json").unlink()
    elif how == "no texts":
        (mine / "texts.tsv").unlink()
    elif how == "half its texts":
        lines = (mine / "texts.tsv").read_text("utf-8").splitlines()
        (mine / "texts.tsv").write_text("\n".join(lines[: len(lines) // 2]), encoding="utf-8")
    elif how == "another count":
        (mine / "index.json").write_text(json.dumps({**told, "texts": 1}), encoding="utf-8")
    elif how == "no embeddings":
        (mine / "cls.safetensors").unlink()
    elif how == "no json":
        (mine / "index.json").write_text("{", encoding="utf-8")
    return mine


@pytest.mark.parametrize(
    ("how", "found"),
    [
        *((how, "no index.json") for how in ("nowhere", "a file", "unfinished")),
        *((how, "torn") for how in ("no texts", "half its texts", "another count")),
        *((how, "torn") for how in ("no embeddings", "no json")),
    ],
)
def test_what_is_no_index_is_told_and_nothing_is_created(
    hub: FakeHub, slim: Path, mine: Path, how: str, found: str
) -> None:
    message = refused(Plan(SPACE, MODEL, root=slim, index=spoil(mine, how)))
    assert_says(message, parameter="`--index`", found=found, step="python -m trainer index")
    assert hub.repos == {}


@pytest.mark.parametrize("names", [("mean",), ("mean", "max"), ("mean", "cls", "max")])
def test_an_index_of_other_models_is_told(
    hub: FakeHub, slim: Path, data: Path, tmp_path: Path, names: tuple[str, ...]
) -> None:
    models = [tmp_path / "models" / name for name in names]
    for model in models:
        shutil.copytree(slim / "assets/models/mean", model)
    build_index(models, data, tmp_path / "index", most=2, device="cpu", report=lambda _: None)
    message = refused(Plan(SPACE, root=slim, index=tmp_path / "index"))
    found = f"an index of {', '.join(repr(name) for name in names)} in"
    assert_says(message, parameter="`--index`", rule="'mean' and 'cls'", found=found, step=COMMAND)
    assert hub.repos == {}


@pytest.mark.parametrize("other", ["weights", "width"])
def test_an_index_of_other_weights_is_told(
    hub: FakeHub, slim: Path, index: Path, tmp_path: Path, other: str
) -> None:
    """The models were trained anew, or exchanged, since the index was built."""
    newer = shutil.copytree(slim, tmp_path / "newer")
    size = {"hidden_size": 48} if other == "width" else {}
    model = tiny_model(tmp_path / "words", pooling="cls", **size)
    redraw(model, seed=8, std=0.3)
    model.save_pretrained(newer / "assets" / "models" / "cls")
    message = refused(Plan(SPACE, root=newer, index=index))
    models = f"{newer}/assets/models/"
    assert_says(message, found=f"{models}cls", step=COMMAND, never=f"{models}mean")
    assert hub.repos == {}


def test_embeddings_that_are_no_numbers_fit_no_model(
    slim: Path, mine: Path, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    stored = load_file(mine / "mean.safetensors")
    save_file({**stored, "probe": stored["probe"] * float("nan")}, mine / "mean.safetensors")
    with pytest.raises(PublishError) as caught:
        build_space(Plan(SPACE, root=slim, index=mine), tmp_path / "space")
    assert_says(caught.value, found=f"{slim}/assets/models/mean", step=COMMAND)


def test_the_command_takes_what_the_command_index_wrote(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Both as a person calls them, with the models of this repository."""
    monkeypatch.setattr("trainer.publish.check.check_space", lambda *_: None)
    index, out = tmp_path / "index", tmp_path / "out"
    assert main(["index", "--data", str(data), "--out", str(index), "--most", "2"]) == 0
    arguments = ["publish", "--space", SPACE, "--index", str(index), "--dry-run"]
    assert main([*arguments, str(out)]) == 0
    assert_says(capsys.readouterr().err, parameter="--index", found=" 6 sentences")
    assert {path.name for path in (out / "space" / AT).iterdir()} == FILES
    assert main([*arguments[:-2], str(data), "--dry-run", str(tmp_path / "again")]) == 1
    assert_says(capsys.readouterr().err, parameter="`--index`", found=str(data), step=COMMAND)
