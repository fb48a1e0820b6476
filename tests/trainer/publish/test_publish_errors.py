"""Every way that publishing can fail: a sentence with the next step, and nothing lost."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from huggingface_hub import constants

from tests.trainer.publish.hub_state import OTHER, READER, TOKEN, FakeHub, Fault
from tests.trainer.publish.publish_samples import MODEL, SPACE, refused, run_plan, unchecked
from trainer.publish import folder as folders
from trainer.publish.errors import PublishError, explain, without_token
from trainer.publish.folder import Plan
from trainer.publish.publish import publish
from trainer.publish.upload import Hub

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

# Before anything is created


def test_no_token_is_told(hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "none"))
    with pytest.raises(PublishError, match=r"token is needed.*hf auth login.*--dry-run needs none"):
        Hub(print)
    assert hub.requests == []


def test_a_client_that_is_kept_offline_is_told(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(PublishError, match="HF_HUB_OFFLINE keeps"):
        Hub(print)
    assert hub.requests == []


def test_a_token_that_isn_t_valid_is_told(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_expiredLongAgo")
    told = refused(Plan(SPACE, root=checkout))
    assert "401" in told
    assert "isn't valid" in told
    assert "hf_expiredLongAgo" not in told
    asked = [request for request in hub.requests if request[1] != "/api/agent-harnesses"]
    assert asked == [("GET", "/api/whoami-v2")], "but for what the client asks of itself"


def test_a_token_that_only_reads_is_told(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", READER)
    assert "can only read" in refused(Plan(SPACE, root=checkout))
    assert hub.repos == {}


@pytest.mark.parametrize("space", ["bert/lab", "museum/lab"])
def test_someone_else_s_namespace_is_told_with_one_s_own(
    hub: FakeHub, checkout: Path, space: str
) -> None:
    told = refused(Plan(SPACE, space, root=checkout))
    assert f"Found {space.split('/')[0]!r}" in told
    assert "'anna', 'lab', 'museum'" in told
    assert hub.repos == {}


def test_a_readme_that_the_hub_refuses_stops_before_anything_is_created(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.publish.card.SHORT_DESCRIPTION", "x" * 61)
    told = refused(Plan(SPACE, MODEL, root=checkout))
    assert "refuses the space's README.md" in told
    assert "60 characters" in told
    assert hub.repos == {}


def test_a_readme_that_the_hub_refuses_at_the_commit_is_told(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [
        Fault("POST", "/commit/", status=400, body='Invalid metadata in README.md: "sdk"')
    ]
    told = refused(Plan(SPACE, root=checkout))
    assert "refused while uploading to anna/minbert-lab (400: Invalid metadata in README.md" in told
    assert "Mend that, then run the same command again" in told
    run_plan(Plan(SPACE, root=checkout))


# Names that are taken


@pytest.mark.parametrize("sdk", ["docker", "gradio"])
def test_a_space_with_something_else_in_it_is_left_alone(
    hub: FakeHub, checkout: Path, sdk: str
) -> None:
    run_plan(Plan(SPACE, root=checkout))
    theirs = hub.repos["space", SPACE]
    theirs.sdk = sdk
    theirs.commit({"app.py": b"a program of their own", "README.md": b""})
    told = refused(Plan(SPACE, root=checkout))
    assert "something else in it" in told
    assert theirs.files["app.py"] == b"a program of their own"
    assert len(theirs.commits) == 3


@pytest.mark.parametrize("config", [b'{"model_type": "llama"}', b"torn", None])
def test_a_model_of_another_kind_is_left_alone(
    hub: FakeHub, checkout: Path, config: bytes | None
) -> None:
    run_plan(Plan(SPACE, MODEL, root=checkout))
    theirs = hub.repos["model", MODEL]
    files = {"model.safetensors": b"weights", **({"config.json": config} if config else {})}
    theirs.commit(files)
    commits = len(hub.repos["space", SPACE].commits)
    assert "Found a model with something else in it" in refused(Plan(SPACE, MODEL, root=checkout))
    assert theirs.files == files
    assert len(hub.repos["space", SPACE].commits) == commits


def test_an_empty_repo_of_an_earlier_try_is_filled(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/commit/", status=418)]
    refused(Plan(SPACE, root=checkout))
    assert set(hub.repos["space", SPACE].files) == {".gitattributes"}
    run_plan(Plan(SPACE, root=checkout))
    assert "app.py" in hub.repos["space", SPACE].files


def test_a_name_taken_behind_one_s_back_is_told(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=409, body="You already created this")]
    told = refused(Plan(SPACE, root=checkout))
    assert "The name is taken" in told
    assert "You already created this" in told


def test_private_never_goes_to_a_public_repo(hub: FakeHub, checkout: Path) -> None:
    run_plan(Plan(SPACE, root=checkout))
    assert "Found it public already" in refused(Plan(SPACE, private=True, root=checkout))
    assert len(hub.repos["space", SPACE].commits) == 2


# Money and room


def test_a_cpu_space_without_a_plan_names_the_ways_out(hub: FakeHub, checkout: Path) -> None:
    hub.paid = False
    told = refused(Plan(SPACE, MODEL, root=checkout))
    for way in ("--hardware zero-a10g", "--static", "PRO", "Nothing was created"):
        assert way in told
    assert "Subscribe to PRO to host" in told
    assert hub.repos == {}
    run_plan(Plan(SPACE, MODEL, "zero-a10g", root=checkout))
    assert len(hub.repos) == 2


def test_a_refused_zero_gpu_space_names_other_ways(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=403, body="Verify your plan first")]
    told = refused(Plan(SPACE, None, "zero-a10g", root=checkout))
    assert "verified accounts" in told
    assert "--static" in told
    assert "--hardware zero" not in told


def test_a_refusal_about_rights_isn_t_taken_for_money(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=403, body="Forbidden by the owner")]
    told = refused(Plan(SPACE, root=checkout))
    assert "no right to do that" in told
    assert "--static" not in told


def test_a_refused_model_repo_takes_the_new_space_back(
    hub: FakeHub, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    refusal = Fault("POST", "/repos/create", status=403, body="not for you", after=1)
    hub.faults = [refusal]
    with pytest.raises(PublishError, match=r"creating anna/minbert \(403: not for you"):
        publish(Plan(SPACE, MODEL, root=checkout), Hub(print, pause=0.01), print, unchecked)
    assert hub.repos == {}
    told = capsys.readouterr().out
    assert f"Created {hub.url}/spaces/{SPACE}" in told
    assert f"Deleted the empty {hub.url}/spaces/{SPACE} again" in told


def test_a_space_that_was_there_is_never_taken_back(hub: FakeHub, checkout: Path) -> None:
    run_plan(Plan(SPACE, root=checkout))
    hub.faults = [Fault("POST", "/repos/create", status=403, body="not for you")]
    refused(Plan(SPACE, MODEL, root=checkout))
    assert "app.py" in hub.repos["space", SPACE].files
    assert hub.asked("DELETE", "") == []


def test_a_space_that_can_t_be_taken_back_is_told(
    hub: FakeHub, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.faults = [
        Fault("POST", "/repos/create", status=403, body="not for you", after=1),
        Fault("DELETE", "/repos/delete", "cut"),
    ]
    with pytest.raises(PublishError, match="not for you"):
        publish(Plan(SPACE, MODEL, root=checkout), Hub(print, pause=0.01), print, unchecked)
    assert f"Couldn't delete the empty {hub.url}/spaces/{SPACE}" in capsys.readouterr().out


def test_hardware_that_costs_is_told_after_the_upload(hub: FakeHub, checkout: Path) -> None:
    run_plan(Plan(SPACE, root=checkout))
    hub.faults = [Fault("POST", "/hardware", status=402, body="Add a payment method")]
    told = refused(Plan(SPACE, None, "t4-small", root=checkout))
    assert "Add a payment method" in told
    assert "settings/billing" in told


@pytest.mark.parametrize(
    ("status", "body"), [(413, "file"), (403, "Private storage quota exceeded"), (402, "storage")]
)
def test_a_full_account_is_told(hub: FakeHub, checkout: Path, status: int, body: str) -> None:
    hub.faults = [Fault("POST", "/objects/batch", status=status, body=body)]
    told = refused(Plan(SPACE, root=checkout))
    assert "no room left" in told
    assert "run the same command again" in told
    run_plan(Plan(SPACE, root=checkout))


# The network, and the Hub itself


def test_too_many_requests_are_told(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=429, body="slow down")]
    assert "Wait some minutes" in refused(Plan(SPACE, root=checkout))


def test_the_hub_s_own_trouble_is_told(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("GET", "/api/whoami", status=500, body="boom")]
    told = refused(Plan(SPACE, root=checkout))
    assert "500: boom" in told
    assert "status.huggingface.co" in told


def test_a_lost_connection_loses_nothing(hub: FakeHub, checkout: Path) -> None:
    """The connection goes as the commit is sent; the large files are there already."""
    hub.faults = [Fault("POST", f"{SPACE}/commit/", "cut")]
    told = refused(Plan(SPACE, root=checkout))
    assert f"connection to the Hub was lost while uploading to {SPACE}" in told
    assert "run the same command again" in told
    assert hub.large
    hub.requests.clear()
    run_plan(Plan(SPACE, root=checkout))
    assert hub.asked("PUT", "/lfs/") == []
    assert "app.py" in hub.repos["space", SPACE].files


def test_a_connection_lost_between_files_continues_with_those_that_are_missing(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The network goes while large files travel, and stays away however often they are tried."""
    monkeypatch.setattr("huggingface_hub.utils._http.time.sleep", lambda _: None)
    hub.faults = [Fault("PUT", "/lfs/", "cut", times=99, after=1)]
    told = refused(Plan(SPACE, root=checkout))
    assert f"connection to the Hub was lost while uploading to {SPACE}" in told
    assert "run the same command again" in told
    arrived = set(hub.large)
    assert arrived
    assert set(hub.repos["space", SPACE].files) == {".gitattributes"}, "no half commit"
    hub.faults.clear()
    hub.requests.clear()
    run_plan(Plan(SPACE, root=checkout))
    again = {path.removeprefix("/lfs/") for path in hub.asked("PUT", "/lfs/")}
    assert again == set(hub.large) - arrived
    assert again


@pytest.mark.usefixtures("hub")
def test_a_hub_without_xet_is_told(checkout: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The client's own Xet library raises errors of other kinds than the client."""
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    told = refused(Plan(SPACE, root=checkout))
    assert f"while uploading to {SPACE}" in told
    assert "xet-write-token" in told
    assert "run the same command again" in told
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    run_plan(Plan(SPACE, root=checkout))


def test_a_silent_hub_isn_t_waited_for_without_end(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", f"{SPACE}/commit/", "stall")]  # of 30 seconds
    begun = time.monotonic()
    told = refused(Plan(SPACE, root=checkout), silence=1.0)
    assert time.monotonic() - begun < 25
    assert "connection to the Hub was lost" in told


def test_no_network_at_all_is_told(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    assert "lost while logging in" in refused(Plan(SPACE, root=checkout))
    assert hub.requests == []


@pytest.mark.parametrize(("stage", "log"), [("BUILD_ERROR", "build"), ("RUNTIME_ERROR", "run")])
def test_a_failed_build_is_told_with_its_log(
    hub: FakeHub, checkout: Path, stage: str, log: str
) -> None:
    hub.stages = ["BUILDING", stage]
    hub.build_log = [f"line {number}" for number in range(30)] + [f"no such version {TOKEN}"]
    told = refused(Plan(SPACE, root=checkout))
    assert f"doesn't run: {stage}" in told
    assert "exit code: 1" in told
    assert "no such version [token]" in told
    assert "line 29" in told
    assert "line 10\n" not in told
    assert f"{SPACE}?logs={log}" in told
    assert hub.asked("GET", f"/logs/{log}")


def test_a_failed_build_is_told_without_its_log_too(hub: FakeHub, checkout: Path) -> None:
    hub.stages = ["BUILD_ERROR"]
    hub.faults = [Fault("GET", "/logs/", status=404, times=9)]
    assert "doesn't run: BUILD_ERROR" in refused(Plan(SPACE, root=checkout))


def test_a_token_that_a_server_repeats_is_taken_out(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=400, body=f"bad token {TOKEN}")]
    assert "bad token [token]" in refused(Plan(SPACE, root=checkout))
    assert without_token(f"a {OTHER} b", "") == f"a {OTHER} b"


def test_an_error_of_any_other_kind_is_told() -> None:
    error = RuntimeError("outer")
    error.__cause__ = KeyError("inner")
    told = str(explain(error, "uploading a/b"))
    assert told.startswith("Stopped while uploading a/b: outer 'inner'. Nothing is lost")
    assert "no room left" in str(explain(ValueError("quota reached"), "uploading a/b"))


def test_a_check_that_fails_leaves_the_hub_alone(
    hub: FakeHub, checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(folders, "NEEDED", (*folders.NEEDED, "assets/not-there.json"))
    assert "should hold assets/not-there.json" in refused(Plan(SPACE, root=checkout))
    assert hub.repos == {}
