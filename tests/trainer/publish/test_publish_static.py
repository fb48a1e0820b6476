"""Publishing the page of findings as a static Space: what arrives, and what is refused."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minbert.ui.static.space import space_readme
from tests.support import assert_says
from tests.trainer.publish.hub_state import TOKEN, FakeHub, Fault, yaml_problem
from tests.trainer.publish.publish_samples import MODEL, REPOSITORY, SPACE, refused, run_plan
from trainer.cli import main
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan
from trainer.publish.publish import publish
from trainer.publish.static import LIVE_FILES, MOST_BYTES, STORE, build_static, check_static
from trainer.publish.upload import Hub

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")

POLICY = "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'"
PAGE = (
    f'<html><head><meta http-equiv="Content-Security-Policy" content="{POLICY}">'
    '<link rel="icon" href="data:,"><style>p { background: url(data:,) }</style></head>'
    '<body><a href="#scores">Scores</a><p style="margin: 0">Text: https://example.org</p>%s'
    '<script>const words = "https://example.org";</script></body></html>'
)
OURS = {".gitattributes", "LICENSE", "README.md", "index.html"}
TAKEN = {"parameter": f"`{SPACE}`", "found": "something else", "step": ("another name", "delete")}


def small_page(plan: Plan, out: Path) -> Path:
    """Build a folder as the page's command does, with next to nothing on the page."""
    out.mkdir(parents=True)
    (out / "index.html").write_text(PAGE % "", encoding="utf-8")
    (out / "README.md").write_text(space_readme(plan.model_repo), encoding="utf-8")
    shutil.copyfile(REPOSITORY / "LICENSE", out / "LICENSE")
    return out


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command build the small page."""
    monkeypatch.setattr("trainer.publish.static.build_static", small_page)


def run_static(model_repo: str | None = None, *, root: Path = REPOSITORY) -> list[str]:
    """Publish the small page; return what was told."""
    told: list[str] = []
    plan = Plan(SPACE, model_repo, static=True, root=root)
    publish(plan, Hub(told.append, pause=0.01), told.append, build=small_page)
    return told


def refusal() -> str:
    """Publish the small page in vain; return the message."""
    with pytest.raises(PublishError) as caught:
        run_static()
    return str(caught.value)


# The command


@pytest.mark.usefixtures("quick")
def test_the_command_publishes_a_page_for_free(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    """An account that may not have the app on a CPU gets the page, as the refusal tells it."""
    hub.paid = False
    assert main(["publish", "--space", SPACE, "--static", "--private"]) == 0
    made = hub.repos["space", SPACE]
    assert (made.sdk, made.hardware, made.private) == ("static", None, True)
    assert set(made.files) == OURS
    assert made.files["index.html"] == (PAGE % "").encode()
    assert len(made.commits) == 2
    assert hub.asked("POST", "/hardware") == []
    told = capsys.readouterr().err
    assert told.rstrip().endswith(f"{hub.url}/spaces/{SPACE}")
    assert_says(told, never=TOKEN)


@pytest.mark.usefixtures("quick")
def test_a_dry_run_leaves_the_page_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.publish.upload.Hub", None)
    out = tmp_path / "out"
    assert main(["publish", "--space", SPACE, "--static", "--dry-run", str(out)]) == 0
    assert {path.name for path in (out / "space").iterdir()} == OURS - {".gitattributes"}
    assert [path.name for path in out.iterdir()] == ["space"]


def test_a_model_goes_beside_the_page(hub: FakeHub, slim: Path) -> None:
    run_static(MODEL, root=slim)
    assert "model.safetensors" in hub.repos["model", MODEL].files
    assert f"- {MODEL}\n".encode() in hub.repos["space", SPACE].files["README.md"]


def test_again_uploads_only_what_changed(hub: FakeHub) -> None:
    run_static()
    repo = hub.repos["space", SPACE]
    run_static()
    assert len(repo.commits) == 2
    repo.commit({**repo.files, "index.html": b"older"})
    hub.requests.clear()
    run_static()
    assert repo.files == repo.commits[1][1]
    assert len(hub.asked("POST", f"{SPACE}/commit/")) == 1
    assert hub.asked("POST", "/api/repos/create") == []


# Whose it is


def test_a_space_of_the_other_kind_is_left_alone(hub: FakeHub, slim: Path) -> None:
    run_plan(Plan(SPACE, root=slim))
    app = hub.repos["space", SPACE]
    assert_says(refusal(), parameter=f"`{SPACE}`", found="a Gradio one", step="leave --static out")
    assert len(app.commits) == 2
    del hub.repos["space", SPACE]
    run_static()
    message = refused(Plan(SPACE, root=slim))
    assert_says(message, parameter=f"`{SPACE}`", found="a static one", step="add --static")
    assert set(hub.repos["space", SPACE].files) == OURS


@pytest.mark.parametrize(
    "theirs",
    [
        {"index.html": b"<h1>About me</h1>", "README.md": b"---\nsdk: static\n---\n"},
        {"index.html": b"<h1>About me</h1>", "style.css": b""},
        {"index.html": b"", "README.md": space_readme().encode(), "photo.jpg": b"more"},
        {"index.html": b"Welcome to your static Space", "README.md": b"", "notes.html": b"mine"},
    ],
)
def test_somebody_s_own_page_is_left_alone(hub: FakeHub, theirs: dict[str, bytes]) -> None:
    run_static()
    repo = hub.repos["space", SPACE]
    repo.commit(theirs)
    assert_says(refusal(), **TAKEN)
    assert repo.files == theirs


def test_the_hub_s_first_page_of_an_earlier_try_is_replaced(hub: FakeHub) -> None:
    hub.faults = [Fault("POST", "/commit/", status=418)]
    refusal()
    assert "style.css" in hub.repos["space", SPACE].files
    run_static()
    assert set(hub.repos["space", SPACE].files) == OURS


def test_an_empty_static_space_is_filled(hub: FakeHub) -> None:
    run_static()
    hub.repos["space", SPACE].commit({".gitattributes": b"", "README.md": b""})
    run_static()
    assert set(hub.repos["space", SPACE].files) == OURS


# After the upload


@pytest.mark.parametrize(("status", "body"), [(404, "no runtime"), (200, "no stage in this")])
def test_a_page_without_a_runtime_is_there(hub: FakeHub, status: int, body: str) -> None:
    hub.faults = [Fault("GET", "/runtime", status=status, body=body, times=9)]
    assert run_static()[-1].endswith(f"/spaces/{SPACE}")
    assert len(hub.asked("GET", "/runtime")) == 1


@pytest.mark.usefixtures("hub")
def test_a_page_that_runs_is_not_waited_for() -> None:
    """What runs is the last upload, whatever commit the Hub names beside it."""
    run_static()
    Hub(print, pause=0.01).wait(SPACE, "another commit", patience=0.2, static=True)


def test_a_page_that_the_hub_can_t_show_is_told(hub: FakeHub) -> None:
    hub.stages = ["CONFIG_ERROR"]
    assert_says(refusal(), found="CONFIG_ERROR", step=f"{SPACE}?logs=build")


def test_a_refusal_about_money_offers_a_page_no_page_again(hub: FakeHub) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=402, body="Upgrade your plan")]
    assert_says(refusal(), found="402: Upgrade your plan", never="--static")


# A page with its model

LIVE_POLICY = "default-src 'none'; connect-src 'self' " + " ".join(sorted(STORE))


def live_page(plan: Plan, out: Path) -> Path:
    """Build a folder as the page's command does with --live, with next to nothing in it."""
    small_page(plan, out)
    text = (out / "index.html").read_text(encoding="utf-8")
    (out / "index.html").write_text(text.replace(POLICY, LIVE_POLICY), encoding="utf-8")
    (out / "README.md").write_text(space_readme(plan.model_repo, live=True), encoding="utf-8")
    for name in LIVE_FILES:
        (out / name).parent.mkdir(exist_ok=True)
        (out / name).write_bytes(name.encode() * 9)
    return out


def test_a_page_is_published_with_its_model_and_without_it(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.publish.static.build_static", live_page)
    assert main(["publish", "--space", SPACE, "--static", "--live"]) == 0
    repo = hub.repos["space", SPACE]
    assert set(repo.files) == OURS | LIVE_FILES
    run_static()
    assert set(repo.files) == OURS


# The check


@pytest.mark.parametrize("live", [False, True])
def test_a_page_that_stands_alone_passes(tmp_path: Path, live: bool) -> None:
    build = live_page if live else small_page
    page = build(Plan(SPACE, static=True, live=live), tmp_path / "page")
    with (page / "index.html").open("ab") as file:
        file.write(b" " * (MOST_BYTES - file.tell()))
    check_static(page, lambda _: None, live=live)
    assert yaml_problem("space", (page / "README.md").read_text(encoding="utf-8")) is None


def with_text(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Exchange a text of a file."""

    def spoil(page: Path) -> None:
        text = (page / name).read_text(encoding="utf-8")
        assert old in text
        (page / name).write_text(text.replace(old, new), encoding="utf-8")

    return spoil


def without(name: str) -> Callable[[Path], None]:
    """Take a file away."""
    return lambda page: (page / name).unlink()


def beside(page: Path) -> None:
    (page / "data").mkdir()
    (page / "data" / "x.json").write_text("{}", encoding="utf-8")


def too_large(page: Path) -> None:
    (page / "index.html").write_bytes(b" " * (MOST_BYTES + 1))


OUTSIDE = {  # what refers to another host: what is found
    '<a href="https://example.org">out</a>': '<a href="https://example.org">',
    '<script src="//example.org/x.js"></script>': '<script src="//example.org/x.js">',
    '<img srcset="small.png 1x, https://example.org/x.png 2x">': "https://example.org/x.png 2x",
    '<form action="HTTP://example.org"></form>': '<form action="HTTP://example.org">',
    '<p style="background: url(https://example.org/x.png)">': "url(https://example.org/x.png)",
    '<style>@import "https://example.org/x.css";</style>': '@import "https:',
    "<style>p { background: url('//example.org/x.png') }</style>": "url('//",
    '<meta http-equiv="refresh" content="0; url=https://example.org">': "url=https://example.org",
    "".join(f'<a href="//example.org/{n}">' for n in range(5)): ('org/2">', "2 more"),
}
BODY_END, CLOSED = "</body>", "default-src 'none'"
PROBLEMS: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    **{
        f"outside {number}": (
            with_text("index.html", BODY_END, html + BODY_END),
            {"parameter": "index.html", "rule": "no other host", "found": found, "never": "org/3"},
        )
        for number, (html, found) in enumerate(OUTSIDE.items())
    },
    "no page": (without("index.html"), {"parameter": "index.html", "found": "none"}),
    "a giant": (too_large, {"rule": "at most 9,000,000 bytes", "found": "9,000,001"}),
    "another policy": (
        with_text("index.html", "'none'", "'self'"),
        {"parameter": "index.html", "rule": CLOSED, "found": "default-src 'self'"},
    ),
    "no policy": (
        with_text("index.html", "Content-Security-Policy", "x"),
        {"parameter": "index.html", "rule": CLOSED, "found": "no policy"},
    ),
    "the policy of a page with its model": (
        with_text("index.html", POLICY, LIVE_POLICY),
        {"parameter": "index.html", "rule": "no other host", "found": "https://*.hf.co"},
    ),
    "company": (beside, {"rule": "one page", "found": "data/x.json"}),
    "an app's README": (
        with_text("README.md", "sdk: static", "sdk: gradio"),
        {"parameter": "README.md", "rule": "sdk: static", "found": "'gradio'"},
    ),
    "a README of another page": (
        with_text("README.md", "minBERT Lab: findings", "A page"),
        {"parameter": "README.md", "rule": "'minBERT Lab: findings'"},
    ),
    "no README": (without("README.md"), {"parameter": "README.md", "found": "none"}),
}
LIVE_PROBLEMS: dict[str, tuple[Callable[[Path], None], dict[str, Any]]] = {
    "no model": (without("live/model.onnx"), {"parameter": "live/model.onnx", "found": "nothing"}),
    "another host in the policy": (
        with_text("index.html", "'self'", "https://example.org"),
        {"parameter": "index.html", "rule": "no other host", "found": "https://example.org"},
    ),
}


@pytest.mark.parametrize("name", [*PROBLEMS, *LIVE_PROBLEMS])
def test_a_page_that_may_not_be_published_says_what_to_mend(tmp_path: Path, name: str) -> None:
    live = name in LIVE_PROBLEMS
    spoil, says = {**PROBLEMS, **LIVE_PROBLEMS}[name]
    build = live_page if live else small_page
    page = build(Plan(SPACE, static=True, live=live), tmp_path / "page")
    spoil(page)
    with pytest.raises(PublishError) as caught:
        check_static(page, lambda _: None, live=live)
    assert_says(caught.value, **says, step="minbert/ui/static/")


def test_a_page_that_fails_the_check_is_not_uploaded(hub: FakeHub) -> None:
    """A page without a model has no company: a model's files beside it are none of its own."""
    with pytest.raises(PublishError) as caught:
        publish(Plan(SPACE, static=True), Hub(print, pause=0.01), print, build=live_page)
    assert_says(caught.value, rule=("one page", "no other host"), found="live/words.json")
    assert hub.repos == {}


# The builder


def test_a_page_that_can_t_be_built_is_told(slim: Path, tmp_path: Path) -> None:
    """The checkout lacks the page's own code."""
    with pytest.raises(PublishError) as caught:
        build_static(Plan(SPACE, root=slim), tmp_path / "space")
    assert_says(caught.value, found="minbert.ui", step="requirements.txt", never="(none)")
