"""Every way that publishing can fail: what the message names, and that nothing is lost."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from tests.support import assert_says
from tests.trainer.publish.hub_state import OTHER, READER, TOKEN, FakeHub, Fault, Repo
from tests.trainer.publish.publish_samples import MODEL, SPACE, our_hub, refused, run_plan
from trainer.publish import folder as folders
from trainer.publish.errors import PublishError, explain, without_token
from trainer.publish.folder import Plan

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

EXPIRED = "hf_expiredLongAgo"
SETTINGS = "https://huggingface.co/settings/"
AGAIN = "run the same command again"
OURS = {"minbert/multitask.py": b"", "app.py": b"older"}  # a Space that this command made
Arrange = Callable[[FakeHub, pytest.MonkeyPatch], None]


@dataclasses.dataclass(frozen=True)
class Cause:
    """One way to fail: how it comes about, what the message names, what it takes to mend it."""

    says: dict[str, Any]  # the arguments of `assert_says`
    faults: tuple[Fault, ...] = ()
    arrange: Arrange = lambda _hub, _patch: None
    model: str | None = None
    plan: dict[str, Any] = dataclasses.field(default_factory=dict)  # its other fields
    asks: list[tuple[str, str]] | None = None  # all that the Hub is asked; None: it isn't looked at
    tells: tuple[str, ...] = ()  # named in the lines that are told on the way
    leaves: str = "nothing"  # new on the Hub: nothing, an "empty" Space, or "all" of it
    arrives: str = ""  # large files before the connection goes: "some", or "all"
    again: dict[str, Any] | None = None  # fields of the plan that succeeds once the cause is gone


@dataclasses.dataclass(frozen=True)
class Failed:
    """A plan that was published in vain, and what was on the Hub before, then, and after more."""

    cause: Cause
    message: str
    told: list[str]
    requests: list[tuple[str, str]]
    before: dict[tuple[str, str], list[Any]]  # each repository's commits
    after: dict[tuple[str, str], list[Any]]
    arrived: set[str]  # large files, by SHA-256
    uploaded: set[str]  # the same of the second run alone
    wanted: set[str]
    mended: dict[tuple[str, str], list[Any]]


def there(kind: str, files: dict[str, bytes], sdk: str = "gradio") -> Arrange:
    """Put a repository onto the Hub."""

    def put(hub: FakeHub, _: pytest.MonkeyPatch) -> None:
        repo = Repo(kind, MODEL if kind == "model" else SPACE, sdk=sdk, hardware="cpu-basic")
        repo.commit(files)
        hub.repos[kind, repo.name] = repo

    return put


def no_token(_: FakeHub, patch: pytest.MonkeyPatch) -> None:
    patch.delenv("HF_TOKEN")
    patch.setattr(constants, "HF_TOKEN_PATH", "/nowhere/at/all")


def unpaid(hub: FakeHub, _: pytest.MonkeyPatch) -> None:
    hub.paid = False


def broken_build(stage: str) -> Arrange:
    """Let the Space's build fail, with a long log that repeats the token."""

    def arrange(hub: FakeHub, _: pytest.MonkeyPatch) -> None:
        hub.stages = ["BUILDING", stage]
        hub.build_log = [f"line {number}" for number in range(30)] + [f"no version {TOKEN}"]

    return arrange


def setting(target: object, name: str, value: object) -> Arrange:
    """Set an attribute while the plan fails."""
    return lambda _, patch: patch.setattr(target, name, value)


def variable(name: str, value: str) -> Arrange:
    """Set a variable of the environment while the plan fails."""
    return lambda _, patch: patch.setenv(name, value)


def refusal(status: int, body: str, path: str = "/repos/create", **more: Any) -> tuple[Fault, ...]:  # noqa: ANN401 - any field
    return (Fault("POST", path, status=status, body=body, **more),)


LOGIN = [("GET", "/api/whoami-v2")]
LONG_NAME = "x" * 61
CAUSES = {
    # Who asks
    "no token": Cause(
        {"found": "none", "step": (f"{SETTINGS}tokens", "hf auth login", "HF_TOKEN", "--dry-run")},
        arrange=no_token,
        asks=[],
    ),
    "a client that is kept offline": Cause(
        {"parameter": "HF_HUB_OFFLINE", "step": "Unset"},
        arrange=setting(constants, "HF_HUB_OFFLINE", True),
        asks=[],
    ),
    "a token that isn't valid": Cause(
        {"found": "401", "step": (f"{SETTINGS}tokens", "hf auth login", "HF_TOKEN")},
        arrange=variable("HF_TOKEN", EXPIRED),
        asks=LOGIN,
    ),
    "a token that only reads": Cause(
        {"found": "read", "step": ("write access", f"{SETTINGS}tokens")},
        arrange=variable("HF_TOKEN", READER),
        asks=LOGIN,
    ),
    **{
        f"a namespace of {owner}": Cause(
            {
                "parameter": f"`{owner}/lab`",
                "rule": "'anna', 'lab', 'museum'",
                "found": f"{owner!r}",
            },
            plan={"space": f"{owner}/lab"},
            asks=LOGIN,
        )
        for owner in ("bert", "museum")
    },
    # What is sent
    "a file that is missing": Cause(
        {"parameter": "assets/not-there.json", "step": "whole checkout"},
        arrange=setting(folders, "NEEDED", (*folders.NEEDED, "assets/not-there.json")),
    ),
    "a README that is refused at once": Cause(
        {"parameter": "space's README.md", "found": "60 characters", "step": "assets/publish"},
        arrange=lambda _, patch: patch.setattr("trainer.publish.card.SHORT_DESCRIPTION", LONG_NAME),
        model=MODEL,
    ),
    "a README that is refused at the commit": Cause(
        {"parameter": SPACE, "found": "400: Invalid metadata in README.md", "step": AGAIN},
        refusal(400, "Invalid metadata in README.md", "/commit/"),
        leaves="empty",
        again={},
    ),
    # Names that are taken
    "a Space of somebody's": Cause(
        {"parameter": f"`{SPACE}`", "found": "something else", "step": ("another name", "delete")},
        arrange=there("space", {"app.py": b"a program of their own", "README.md": b""}),
    ),
    "a Space of another kind": Cause(
        {"parameter": f"`{SPACE}`", "found": "something else", "step": ("another name", "delete")},
        arrange=there("space", OURS, sdk="docker"),
    ),
    **{
        f"a model with {name}": Cause(
            {"parameter": f"`{MODEL}`", "found": "something else", "step": "another name"},
            arrange=there("model", {"model.safetensors": b"weights", **config}),
            model=MODEL,
        )
        for name, config in {
            "another type": {"config.json": b'{"model_type": "llama"}'},
            "a torn config": {"config.json": b"torn"},
            "no config": {},
        }.items()
    },
    "a name that was taken meanwhile": Cause(
        {"parameter": SPACE, "found": "409: You already have", "step": "another"},
        refusal(409, "You already have one"),
    ),
    "a Space that is public": Cause(
        {"parameter": f"`{SPACE}`", "rule": "private", "found": "public", "step": "--private"},
        arrange=there("space", OURS),
        plan={"private": True},
    ),
    # Money and room
    "a CPU without a plan": Cause(
        {
            "parameter": (SPACE, "cpu-basic"),
            "rule": "PRO",
            "found": "Subscribe to PRO to host",
            "step": ("--hardware zero-a10g", "--static", "https://huggingface.co/pricing"),
        },
        arrange=unpaid,
        model=MODEL,
        again={"hardware": "zero-a10g"},
    ),
    "ZeroGPU that is refused": Cause(
        {
            "parameter": (SPACE, "zero-a10g"),
            "rule": "verified accounts",
            "found": "Verify your plan first",
            "step": ("--static", "https://huggingface.co/pricing"),
            "never": "--hardware zero",
        },
        refusal(403, "Verify your plan first"),
        plan={"hardware": "zero-a10g"},
    ),
    "rights, which are no money": Cause(
        {
            "found": "403: Forbidden by the owner",
            "step": ("write access", f"{SETTINGS}tokens"),
            "never": ("--static", "--hardware"),
        },
        refusal(403, "Forbidden by the owner"),
    ),
    "a model repo that is refused": Cause(
        {"parameter": MODEL, "found": "403: not for you", "step": f"{SETTINGS}tokens"},
        refusal(403, "not for you", after=1),
        model=MODEL,
        tells=("Created http", "Deleted http"),
    ),
    "a new Space that can't be deleted either": Cause(
        {"parameter": MODEL, "found": "403: not for you"},
        (*refusal(403, "not for you", after=1), Fault("DELETE", "/repos/delete", status=403)),
        model=MODEL,
        tells=(f"/spaces/{SPACE}", "delete it in its settings"),
        leaves="empty",
    ),
    "a model repo beside a Space that was there": Cause(
        {"parameter": MODEL, "found": "403: not for you"},
        refusal(403, "not for you"),
        arrange=there("space", OURS),
        model=MODEL,
    ),
    "hardware that costs": Cause(
        {"parameter": (SPACE, "t4-small"), "found": "Add a payment", "step": f"{SETTINGS}billing"},
        refusal(402, "Add a payment method", "/hardware"),
        arrange=there("space", OURS),
        plan={"hardware": "t4-small"},
        leaves="all",
    ),
    **{
        f"no room ({status})": Cause(
            {"parameter": SPACE, "found": body, "step": (f"{SETTINGS}storage", AGAIN)},
            refusal(status, body, "/objects/batch"),
            leaves="empty",
            again={},
        )
        for status, body in (
            (413, "file"),
            (403, "Private storage quota exceeded"),
            (402, "storage"),
        )
    },
    # The network, and the Hub itself
    "too many requests": Cause(
        {"found": "429: slow down", "step": ("Wait", AGAIN)}, refusal(429, "slow down")
    ),
    "the Hub's own trouble": Cause(
        {"found": "500: boom", "step": ("https://status.huggingface.co", AGAIN)},
        (Fault("GET", "/api/whoami", status=500, body="boom"),),
    ),
    "no network": Cause(
        {"parameter": "logging in", "step": AGAIN},
        arrange=setting(constants, "ENDPOINT", "http://127.0.0.1:9"),
        asks=[],
    ),
    "a connection lost at the commit": Cause(
        {"parameter": SPACE, "found": "connection", "step": AGAIN},
        (Fault("POST", f"{SPACE}/commit/", "cut"),),
        leaves="empty",
        arrives="all",
        again={},
    ),
    "a connection lost between files, however often they are tried": Cause(
        {"parameter": SPACE, "found": "connection", "step": AGAIN},
        (Fault("PUT", "/lfs/", "cut", times=99, after=1),),
        arrange=lambda _, patch: patch.setattr(
            "huggingface_hub.utils._http.time.sleep", lambda _: None
        ),
        leaves="empty",
        arrives="some",
        again={},
    ),
    "a Hub without Xet": Cause(  # its own library raises other errors than the client
        {"parameter": SPACE, "found": "xet-write-token", "step": AGAIN},
        arrange=setting(constants, "HF_HUB_DISABLE_XET", False),
        leaves="empty",
        again={},
    ),
    # The build
    **{
        f"a Space that ends with {stage}": Cause(
            {
                "found": (stage, "exit code: 1", "line 29", "no version [token]", f"{log}'s end"),
                "step": (f"{SPACE}?logs={log}", AGAIN),
                "never": "line 10\n",
            },
            arrange=broken_build(stage),
            leaves="all",
        )
        for stage, log in (("BUILD_ERROR", "build"), ("RUNTIME_ERROR", "run"))
    },
    "a build without its log": Cause(
        {"found": "BUILD_ERROR", "step": f"{SPACE}?logs=build", "never": "line 29"},
        (Fault("GET", "/logs/", status=404, times=9),),
        arrange=broken_build("BUILD_ERROR"),
        leaves="all",
    ),
    "an app without a runtime": Cause(
        {"parameter": SPACE, "found": "404", "rule": "All files are uploaded"},
        (Fault("GET", "/runtime", status=404, times=9),),
        leaves="all",
    ),
}


def commits(hub: FakeHub) -> dict[tuple[str, str], list[Any]]:
    """Return what the Hub holds now."""
    return {name: list(repo.commits) for name, repo in hub.repos.items()}


@pytest.fixture(scope="module", params=CAUSES, ids=lambda name: name.replace(" ", "-"))
def failed(request: pytest.FixtureRequest, slim: Path) -> Iterator[Failed]:
    """Publish in vain, by each cause in turn, from a Hub that repeats the token wherever it can."""
    cause = CAUSES[request.param]
    plan = Plan(**{"space": SPACE, "model_repo": cause.model, "root": slim, **cause.plan})
    told: list[str] = []
    with pytest.MonkeyPatch.context() as patch, our_hub(patch) as hub:
        hub.faults = [
            dataclasses.replace(fault, body=f"{fault.body} {TOKEN}") for fault in cause.faults
        ]
        with pytest.MonkeyPatch.context() as passing:
            cause.arrange(hub, passing)
            before = commits(hub)
            with pytest.raises(PublishError) as caught:
                run_plan(plan, told=told)
        after, requests, arrived = commits(hub), list(hub.requests), set(hub.large)
        hub.faults.clear()
        hub.requests.clear()
        if cause.again is not None:
            run_plan(dataclasses.replace(plan, **cause.again))
        uploaded = {path.removeprefix("/lfs/") for path in hub.asked("PUT", "/lfs/")}
        yield Failed(
            *(cause, str(caught.value), told, requests, before, after, arrived, uploaded),
            *(set(hub.large), commits(hub)),
        )


def test_the_message_names_what_is_wrong_and_the_next_step(failed: Failed) -> None:
    assert_says(failed.message, **failed.cause.says)
    assert_says("\n".join(failed.told), found=failed.cause.tells)


def test_no_token_is_ever_told(failed: Failed) -> None:
    assert_says("\n".join([failed.message, *failed.told]), never=(TOKEN, READER, EXPIRED))


def test_nothing_is_lost_and_nothing_is_half_there(failed: Failed, slim: Path) -> None:
    for repo, kept in failed.before.items():
        assert failed.after[repo][: len(kept)] == kept
    if failed.cause.leaves == "nothing":
        assert failed.after == failed.before
    else:
        (files,) = (found[-1][1] for repo, found in failed.after.items() if repo[0] == "space")
        if failed.cause.leaves == "empty":
            assert set(files) == {".gitattributes"}
        else:
            assert files["app.py"] == (slim / "app.py").read_bytes()
    if failed.cause.asks is not None:  # but for what the client asks of itself
        asked = [request for request in failed.requests if request[1] != "/api/agent-harnesses"]
        assert asked == failed.cause.asks


def test_once_the_cause_is_gone_the_rest_goes_up(failed: Failed, slim: Path) -> None:
    if failed.cause.again is None:
        assert failed.mended == failed.after
        return
    files = failed.mended["space", SPACE][-1][1]
    assert files["app.py"] == (slim / "app.py").read_bytes()
    assert (("model", MODEL) in failed.mended) is (failed.cause.model is not None)
    assert failed.uploaded == failed.wanted - failed.arrived, "large files that are there stay"
    assert failed.wanted
    if failed.cause.arrives:
        assert failed.arrived
        assert bool(failed.uploaded) is (failed.cause.arrives == "some")


def test_a_silent_hub_isn_t_waited_for_without_end(hub: FakeHub, slim: Path) -> None:
    hub.faults = [Fault("POST", f"{SPACE}/commit/", "stall")]  # of 30 seconds
    begun = time.monotonic()
    message = refused(Plan(SPACE, root=slim), silence=1.0)
    assert time.monotonic() - begun < 25
    assert_says(message, parameter=SPACE, found="connection", step=AGAIN)


def test_an_error_of_any_other_kind_is_told() -> None:
    error = RuntimeError("outer")
    error.__cause__ = KeyError("inner")
    message = explain(error, "uploading a/b")
    assert_says(message, parameter="uploading a/b", found=("outer", "'inner'"), step=AGAIN)
    message = explain(ValueError("quota reached"), "uploading a/b")
    assert_says(message, parameter="a/b", found="quota reached", step=f"{SETTINGS}storage")
    assert without_token(f"a {OTHER} b", "") == f"a {OTHER} b"
