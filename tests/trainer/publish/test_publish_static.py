"""Publishing the page of findings as a static Space: what arrives, and what is refused."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from minbert.ui.static.space import space_readme
from tests.trainer.publish.hub_state import TOKEN, FakeHub, Fault, yaml_problem
from tests.trainer.publish.publish_samples import MODEL, REPOSITORY, SPACE, run_plan
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


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """Give a folder that may be published."""
    return small_page(Plan(SPACE, static=True), tmp_path / "page")


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


def problem(folder: Path) -> str:
    """Check a folder in vain; return the message."""
    with pytest.raises(PublishError, match="nothing was uploaded") as caught:
        check_static(folder, print)
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
    assert "Checked: one page" in told
    assert told.rstrip().endswith(f"The Space is at {hub.url}/spaces/{SPACE}")
    assert TOKEN not in told


@pytest.mark.usefixtures("quick")
def test_a_dry_run_leaves_the_page_in_a_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trainer.publish.upload.Hub", None)
    out = tmp_path / "out"
    assert main(["publish", "--space", SPACE, "--static", "--dry-run", str(out)]) == 0
    assert {path.name for path in (out / "space").iterdir()} == OURS - {".gitattributes"}
    assert [path.name for path in out.iterdir()] == ["space"]


def test_hardware_for_a_page_is_told_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--space", SPACE, "--static", "--hardware", "zero-a10g"]) == 1
    told = capsys.readouterr().err
    assert "error: `--hardware` should be left out with --static" in told
    assert "runs nothing. Found 'zero-a10g'" in told


def test_a_model_goes_beside_the_page(hub: FakeHub, checkout: Path) -> None:
    run_static(MODEL, root=checkout)
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


def test_a_space_of_the_other_kind_is_left_alone(hub: FakeHub, checkout: Path) -> None:
    run_plan(Plan(SPACE, root=checkout))
    app = hub.repos["space", SPACE]
    told = refusal()
    assert "should be a static Space. Found a Gradio one" in told
    assert "leave --static out to update it" in told
    assert len(app.commits) == 2
    del hub.repos["space", SPACE]
    run_static()
    with pytest.raises(PublishError, match=r"be a Gradio Space. Found a static.*add --static to"):
        run_plan(Plan(SPACE, root=checkout))
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
    assert "something else in it" in refusal()
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
    assert run_static()[-1].startswith("The Space is at ")
    assert len(hub.asked("GET", "/runtime")) == 1


def test_an_app_without_a_runtime_is_told(hub: FakeHub, checkout: Path) -> None:
    hub.faults = [Fault("GET", "/runtime", status=404, times=9)]
    with pytest.raises(PublishError, match="All files are uploaded"):
        run_plan(Plan(SPACE, root=checkout))


@pytest.mark.usefixtures("hub")
def test_a_page_that_runs_is_not_waited_for() -> None:
    """What runs is the last upload, whatever commit the Hub names beside it."""
    run_static()
    Hub(print, pause=0.01).wait(SPACE, "another commit", patience=0.2, static=True)


def test_a_page_that_the_hub_can_t_show_is_told(hub: FakeHub) -> None:
    hub.stages = ["CONFIG_ERROR"]
    assert "doesn't run: CONFIG_ERROR" in refusal()


def test_a_refusal_about_money_offers_a_page_no_page_again(hub: FakeHub) -> None:
    hub.faults = [Fault("POST", "/repos/create", status=402, body="Upgrade your plan")]
    told = refusal()
    assert "402: Upgrade your plan" in told
    assert "--static" not in told


# The check


def test_a_page_that_stands_alone_passes(page: Path) -> None:
    told: list[str] = []
    check_static(page, told.append)
    assert told == ["Checked: one page, which asks no other host for anything"]
    assert yaml_problem("space", (page / "README.md").read_text(encoding="utf-8")) is None


@pytest.mark.parametrize(
    "outside",
    [
        '<a href="https://example.org">out</a>',
        '<script src="//example.org/x.js"></script>',
        '<img srcset="small.png 1x, https://example.org/x.png 2x">',
        '<form action="HTTP://example.org"></form>',
        '<p style="background: url(https://example.org/x.png)">',
        '<style>@import "https://example.org/x.css";</style>',
        "<style>p { background: url('//example.org/x.png') }</style>",
        '<meta http-equiv="refresh" content="0; url=https://example.org">',
    ],
)
def test_a_reference_to_another_host_is_told(page: Path, outside: str) -> None:
    (page / "index.html").write_text(PAGE % outside, encoding="utf-8")
    told = problem(page)
    assert "should refer to no other host" in told
    assert "example.org" in told or "in a style" in told


def test_references_are_counted(page: Path) -> None:
    many = "".join(f'<a href="https://example.org/{place}">' for place in range(5))
    (page / "index.html").write_text(PAGE % many, encoding="utf-8")
    assert 'org/2"> and 2 more' in problem(page)


def test_a_folder_without_its_page_is_told(page: Path) -> None:
    (page / "index.html").unlink()
    assert "index.html should be there" in problem(page)


def test_a_page_that_is_too_large_is_told(page: Path) -> None:
    text = (PAGE % "").encode()
    (page / "index.html").write_bytes(text + b" " * (MOST_BYTES - len(text)))
    check_static(page, print)
    (page / "index.html").write_bytes(text + b" " * (MOST_BYTES - len(text) + 1))
    assert "at most 9,000,000 bytes. Found 9,000,001" in problem(page)


def test_a_page_without_its_policy_is_told(page: Path) -> None:
    (page / "index.html").write_text((PAGE % "").replace("'none'", "'self'"), encoding="utf-8")
    assert "should forbid all requests" in problem(page)
    (page / "index.html").write_text("<p>Text</p>", encoding="utf-8")
    assert "Found no policy" in problem(page)


def test_what_stands_beside_the_page_is_looked_at(page: Path) -> None:
    (page / "data").mkdir()
    (page / "data" / "x.json").write_text("{}", encoding="utf-8")
    assert "Found data/x.json beside it" in problem(page)
    shutil.rmtree(page / "data")
    readme = page / "README.md"
    text = readme.read_text(encoding="utf-8")
    readme.write_text(text.replace("sdk: static", "sdk: gradio"), encoding="utf-8")
    assert "`sdk: static`. Found 'gradio'" in problem(page)
    readme.write_text(text.replace("minBERT Lab: findings", "A page"), encoding="utf-8")
    assert "should name the page" in problem(page)
    readme.unlink()
    assert "README.md should be there" in problem(page)


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
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.publish.static.build_static", live_page)
    assert main(["publish", "--space", SPACE, "--static", "--live"]) == 0
    repo = hub.repos["space", SPACE]
    assert set(repo.files) == OURS | LIVE_FILES
    assert "Checked: one page and its model, which asks no other" in capsys.readouterr().err
    run_static()
    assert set(repo.files) == OURS


def test_the_model_s_files_are_all_there_and_alone(tmp_path: Path, page: Path) -> None:
    folder = live_page(Plan(SPACE, static=True, live=True), tmp_path / "live-page")
    check_static(folder, print, live=True)
    assert "live/words.json" in problem(folder)  # a page without a model has no such company
    (folder / "live" / "model.onnx").unlink()
    with pytest.raises(PublishError, match=r"needs live/model\.onnx\. Found nothing there"):
        check_static(folder, print, live=True)
    text = (page / "index.html").read_text(encoding="utf-8")
    (page / "index.html").write_text(text.replace(POLICY, LIVE_POLICY), encoding="utf-8")
    assert "should refer to no other host" in problem(page)


def test_another_host_in_the_policy_is_told(tmp_path: Path) -> None:
    folder = live_page(Plan(SPACE, static=True, live=True), tmp_path / "live-page")
    path = folder / "index.html"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("'self'", "https://example.org"), encoding="utf-8")
    with pytest.raises(PublishError, match="should refer to no other host"):
        check_static(folder, print, live=True)


def test_live_without_static_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["publish", "--space", SPACE, "--live"]) == 1
    assert "`--live` should come with --static" in capsys.readouterr().err


# The builder


def test_a_page_that_can_t_be_built_is_told(checkout: Path, tmp_path: Path) -> None:
    torn = tmp_path / "torn"
    shutil.copytree(checkout, torn, ignore=shutil.ignore_patterns("models"))
    with pytest.raises(PublishError, match=r"(?s)couldn't be built.*last words:\n.*models") as told:
        build_static(Plan(SPACE, root=torn), tmp_path / "space")
    assert "(none)" not in str(told.value)


def test_the_page_s_own_command_builds_what_passes(checkout: Path, tmp_path: Path) -> None:
    """The real page of the small checkout, in a process of its own; about 10 s of one core."""
    folder = build_static(Plan(SPACE, MODEL, static=True, root=checkout), tmp_path / "space")
    check_static(folder, print)
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert f"- {MODEL}\n" in text
    assert yaml_problem("space", text) is None
    assert {path.name for path in folder.iterdir()} == OURS - {".gitattributes"}
