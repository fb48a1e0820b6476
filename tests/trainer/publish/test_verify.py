"""A live page is held against this checkout: each fault is told in a line of its own.

On stand-ins for both pages; on the real ones in tests/browser/test_published.py.
"""

from __future__ import annotations

import functools
import math
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.support import assert_says
from tests.trainer.publish.hub_state import TOKEN, FakeHub, Repo
from tests.trainer.publish.page_stand_in import StandIn, standing_in, write_app
from tests.trainer.publish.publish_samples import SPACE
from trainer.cli import main
from trainer.publish import verify, visit
from trainer.publish.verify import differences

BROKEN_TABS = """<script>
document.querySelector("[data-tab-id=why-words]").onclick = null;
document.querySelector("[data-tab-id=about]").addEventListener("click", () => {
    document.body.insertAdjacentHTML("beforeend", "<p class='toast-body error'>No memory</p>");
});
document.querySelector("#view-try").textContent = "";
setTimeout(() => { throw new Error("lost in a script"); });
</script>"""


@pytest.fixture(autouse=True)
def quick(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a stand-in be this checkout's own page, and wait for nothing."""
    stand_in = functools.partial(verify.verify, root=write_app(tmp_path))
    monkeypatch.setattr(verify, "verify", stand_in)
    monkeypatch.setattr("trainer.publish.check.SETTLING", 0.0)
    monkeypatch.setattr(visit, "OPENED", 500)


def verified(target: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, list[str], str]:
    """Run the command; return its status, its report by checks, and the error's line.

    In a thread of its own: in this one, playwright may drive the browser's tests already.
    """
    with ThreadPoolExecutor(1) as pool:
        status = pool.submit(main, ["publish", "--verify", target]).result()
    told = capsys.readouterr()
    return status, re.split(r"\n(?=ok|FAILED)", told.out.strip()), told.err.splitlines()[-1]


def refused(target: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command in vain, before any check; return the error's line."""
    status, report, line = verified(target, capsys)
    assert (status, report) == (1, [""])
    assert line.startswith("error: ")
    return line


def test_a_page_that_answers_alike_passes(capsys: pytest.CaptureFixture[str]) -> None:
    with standing_in(StandIn(off={"attention": 5e-5})) as url:
        status, report, _ = verified(url, capsys)
    assert status == 0
    answers, tabs, requests, errors = report
    assert answers.startswith("ok      20 answers equal")
    assert_says(answers, found=("5.0e-05", "attention of {"))
    assert_says(tabs, found="3 views")
    assert_says(requests, found="to other hosts none")
    assert_says(errors, found="JavaScript errors: none")


def test_each_fault_has_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    with standing_in(StandIn()) as stranger:
        more = BROKEN_TABS + f'<img src="{stranger}/count.gif">'
        with standing_in(StandIn(off={"explain": 2e-4}, more=more)) as url:
            status, report, line = verified(url, capsys)
    assert status == 1
    assert [check.split()[0] for check in report] == ["FAILED"] * 4
    answers, tabs, requests, errors = report
    assert_says(answers, found=("3 of 20", "(2.0e-04)", "explain of", "words[0].score"))
    assert_says(tabs, found=("3 of 3", "try: there is nothing", "about: No memory"))
    assert_says(tabs, found="why-words: it doesn't open", never="Call log")
    assert_says(requests, found=f"{stranger}/count.gif")
    assert_says(errors, found=("JavaScript errors: 1", "lost in a script"))
    assert_says(line, parameter=url, rule="all 4 checks", found="4 that failed", step="publish")


def test_a_private_space_is_let_in_and_nobody_else_sees_the_token(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    other, lab = StandIn(), StandIn(token=TOKEN)
    with standing_in(other) as stranger, standing_in(lab) as url:
        lab.more = f'<img src="{stranger}/count.gif">'
        space = Repo("space", SPACE, private=True, sdk="gradio", host=url)
        space.commit({})
        hub.repos["space", SPACE] = space
        status, report, line = verified(SPACE, capsys)
    assert status == 1
    assert [check.split()[0] for check in report] == ["ok", "ok", "FAILED", "ok"]
    assert other.headers
    assert TOKEN not in str(other.headers) + "".join(report) + line
    assert all(TOKEN in headers["X-HF-Authorization"] for headers in lab.headers)


@pytest.mark.parametrize(
    ("stage", "says"),
    [
        ("SLEEPING", {"found": "sleeping", "step": "to wake it"}),
        ("BUILDING", {"found": "building", "step": "logs=build"}),
        ("RUNTIME_ERROR", {"found": "runtime error", "step": "logs=run"}),
    ],
)
def test_a_space_that_doesn_t_run_is_told(
    stage: str, says: dict[str, Any], hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    hub.stages = [stage]
    hub.repos["space", SPACE] = Repo("space", SPACE, sdk="gradio", host="http://127.0.0.1:9")
    hub.repos["space", SPACE].commit({})
    assert_says(refused(SPACE, capsys), parameter=f"`{SPACE}`", rule="running", **says)


def test_what_isn_t_a_page_of_ours_is_told(
    hub: FakeHub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_says(refused(SPACE, capsys), found="404", step="Check the name")
    hub.repos["space", SPACE] = Repo("space", SPACE, sdk="static")
    hub.repos["space", SPACE].commit({})
    assert_says(refused(SPACE, capsys), rule="Gradio Space", found="static one")
    assert_says(refused("http://127.0.0.1:9", capsys), rule="should answer", step="run this again")
    with standing_in(StandIn(title="Another page")) as url:
        assert_says(refused(url, capsys), rule="minBERT Lab", found="'Another page'")
    with standing_in(StandIn(token="secret")) as url:
        assert_says(refused(url, capsys), rule="minBERT Lab", found="status 404")


@pytest.mark.parametrize("target", ["lab", "ftp://127.0.0.1", "http://", "http://a/?x=1"])
def test_what_is_neither_a_space_nor_an_address_is_told(
    target: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert_says(refused(target, capsys), parameter="`--verify`", rule="USER/NAME", found=target)


def test_it_uploads_nothing(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert main(["publish", "--verify", SPACE, "--dry-run", str(tmp_path / "out")]) == 1
    assert_says(capsys.readouterr().err, rule="stand alone", found="--dry-run", step="leave")


def test_a_missing_browser_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("MINBERT_CHROMIUM", raising=False)
    assert_says(refused("http://127.0.0.1:9", capsys), rule="Chromium", step="apt-get install")
    monkeypatch.setattr(verify, "find_spec", lambda _: None)
    assert_says(refused("http://127.0.0.1:9", capsys), rule="playwright", step="'.[verify]'")


@pytest.mark.parametrize(
    ("there", "here", "found"),
    [
        ({"a": [1, 2.5]}, {"a": [1.0, 2.5]}, []),
        ({"a": [1, 2.5]}, {"a": [1, 2.0]}, [(".a[1]", 0.5)]),
        ({"a": 1}, {"b": 1}, [("", math.inf)]),
        ({"a": [1]}, {"a": [1, 2]}, [(".a", math.inf)]),
        ({"a": None}, {"a": 0.5}, [(".a", math.inf)]),
        ({"a": "yes", "b": 1}, {"a": "no", "b": 1}, [(".a", math.inf)]),
    ],
)
def test_answers_differ_where_a_value_does(
    there: object, here: object, found: list[tuple[str, float]]
) -> None:
    assert [(each.path, each.by) for each in differences(there, here)] == found
