"""Publishing, the Hub's own client against a small Hub of ours: what arrives, first and again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from huggingface_hub import constants, snapshot_download

from minbert.multitask import MultitaskBert
from tests.support import assert_says
from tests.trainer.publish.hub_state import TOKEN, FakeHub, Fault
from tests.trainer.publish.publish_samples import MODEL, SPACE, run_plan
from trainer.publish import publish as command
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan
from trainer.publish.upload import Hub

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file() and ".cache" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_what_is_uploaded_comes_back_byte_for_byte(
    hub: FakeHub, slim: Path, tmp_path: Path
) -> None:
    plan = Plan(SPACE, MODEL, root=slim)
    built: dict[str, dict[str, bytes]] = {}

    def keep(folder: Path, _: object) -> None:
        built.update({kind: contents(folder.parent / kind) for kind in ("space", "model")})

    told: list[str] = []
    command.publish(plan, Hub(told.append, pause=0.01), told.append, keep)
    for repo, kind in ((SPACE, "space"), (MODEL, "model")):
        back = tmp_path / kind
        snapshot_download(repo, repo_type=kind, local_dir=back, token=TOKEN)
        found = contents(back)
        del found[".gitattributes"]
        assert found == built[kind]
    model, space = told[-2:]
    assert model.endswith(f" {hub.url}/{MODEL}")
    assert space.endswith(f" {hub.url}/spaces/{SPACE}")
    assert_says("\n".join(told), never=TOKEN)


@pytest.mark.usefixtures("hub")
def test_the_model_loads_from_the_hub_strictly(
    slim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_plan(Plan(SPACE, MODEL, root=slim))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    found = MultitaskBert.from_pretrained(MODEL)
    wanted = MultitaskBert.from_pretrained(slim / "assets" / "models" / "mean")
    assert found.config == wanted.config
    for name, tensor in wanted.state_dict().items():
        assert found.state_dict()[name].equal(tensor)


def test_a_space_is_made_for_gradio_on_the_hardware_asked_for(hub: FakeHub, slim: Path) -> None:
    run_plan(Plan(SPACE, None, "zero-a10g", private=True, root=slim))
    ((kind, name), made) = next(iter(hub.repos.items()))
    assert (kind, name, made.sdk, made.hardware) == ("space", SPACE, "gradio", "zero-a10g")
    assert made.private
    assert b"suggested_hardware: zero-a10g" in made.files["README.md"]
    assert len(hub.repos) == 1


def test_again_uploads_only_what_changed_and_deletes_what_is_gone(hub: FakeHub, slim: Path) -> None:
    plan = Plan(SPACE, MODEL, root=slim)
    run_plan(plan)
    repo = hub.repos["space", SPACE]
    first, puts = repo.head, len(hub.asked("PUT", "/lfs/"))
    assert puts == len(hub.large)
    run_plan(plan)
    assert (repo.head, len(repo.commits)) == (first, 2)
    assert len(hub.repos["model", MODEL].commits) == 2
    repo.commit({**repo.files, "app.py": b"older", "minbert/gone.py": b"", "assets/old.json": b""})
    hub.requests.clear()
    run_plan(plan)
    assert repo.files == repo.commits[1][1]
    assert hub.asked("PUT", "/lfs/") == []
    assert len(hub.asked("POST", f"{SPACE}/commit/")) == 1
    assert hub.asked("POST", "/api/repos/create") == []


def test_hardware_changes_only_when_another_is_asked_for(hub: FakeHub, slim: Path) -> None:
    run_plan(Plan(SPACE, hardware="zero-a10g", root=slim))
    run_plan(Plan(SPACE, root=slim))
    run_plan(Plan(SPACE, hardware="zero-a10g", root=slim))
    assert hub.asked("POST", "/hardware") == []
    run_plan(Plan(SPACE, hardware="t4-small", root=slim))
    assert hub.repos["space", SPACE].hardware == "t4-small"


def test_an_organisation_that_may_be_written_to_will_do(hub: FakeHub, slim: Path) -> None:
    run_plan(Plan("lab/minbert", root=slim))
    assert ("space", "lab/minbert") in hub.repos


def test_each_stage_of_the_build_is_told_once(hub: FakeHub, slim: Path) -> None:
    hub.stages = ["BUILDING", "BUILDING", "APP_STARTING", "RUNNING"]
    told = run_plan(Plan(SPACE, root=slim))
    stages = [line.split(" (")[0] for line in told if line.startswith("The Space is ")]
    assert stages[:3] == [
        *("The Space is building", "The Space is app starting", "The Space is running"),
    ]
    assert len(hub.asked("GET", "/runtime")) == 4


@pytest.mark.usefixtures("hub")
def test_an_earlier_build_that_still_runs_isn_t_taken_for_the_new_one(slim: Path) -> None:
    run_plan(Plan(SPACE, root=slim))
    told: list[str] = []
    watcher = Hub(told.append, pause=0.01)
    with pytest.raises(PublishError, match="still RUNNING after 0 minutes"):
        watcher.wait(SPACE, "another commit", patience=0.2)


def test_a_lost_look_at_the_build_is_no_failure(hub: FakeHub, slim: Path) -> None:
    hub.faults = [Fault("GET", "/runtime", status=503, times=2), Fault("GET", "/runtime", "cut")]
    assert run_plan(Plan(SPACE, root=slim))[-1].endswith(f"{hub.url}/spaces/{SPACE}")


def test_a_sleeping_space_is_no_failure(hub: FakeHub, slim: Path) -> None:
    hub.stages = ["SLEEPING"]
    *_, advice, last = run_plan(Plan(SPACE, root=slim))
    assert_says(advice, found="sleeping", step=f"open {hub.url}/spaces/{SPACE}")
    assert last.endswith(f"{hub.url}/spaces/{SPACE}")


def test_a_connection_cut_once_is_tried_again(hub: FakeHub, slim: Path) -> None:
    hub.faults = [Fault("PUT", "/lfs/", "cut")]
    run_plan(Plan(SPACE, root=slim))
    files = hub.repos["space", SPACE].files
    weights = (slim / "assets/models/mean/model.safetensors").read_bytes()
    assert files["assets/models/mean/model.safetensors"] == weights


@pytest.mark.usefixtures("hub")
def test_the_token_stored_by_hf_auth_login_will_do(
    slim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text(TOKEN + "\n", encoding="utf-8")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "token"))
    assert run_plan(Plan(SPACE, root=slim))[0] == "Logged in as anna"


def test_xet_takes_the_large_files(
    hub: FakeHub, slim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    hub.xet_folder = str(tmp_path / "content")
    (tmp_path / "content").mkdir()
    run_plan(Plan(SPACE, root=slim))
    weights = (slim / "assets/models/mean/model.safetensors").read_bytes()
    committed = hub.repos["space", SPACE].files["assets/models/mean/model.safetensors"]
    assert committed == hashlib.sha256(weights).hexdigest().encode()
    assert hub.asked("PUT", "/lfs/") == []
    assert sum(path.stat().st_size for path in (tmp_path / "content").rglob("*") if path.is_file())
    assert len(hub.repos["space", SPACE].commits) == 2
