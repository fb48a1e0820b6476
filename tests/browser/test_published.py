"""The folder as it was uploaded, with an index: its own app, in a browser, here and bare.

In the heavy set alone. Its steps are held apart: the command and its upload in
tests/trainer/publish/, where the folder's app also answers alone; its index in
tests/minbert/ui/test_app.py.
"""

from __future__ import annotations

import os
import re
import subprocess
import venv
from collections.abc import Callable
from pathlib import Path

import pytest
from huggingface_hub import SpaceCard
from playwright.sync_api import expect

from minbert.explain.nearest import NearestIndex
from tests.browser.test_page import ask, findings
from tests.browser.walk import shot
from tests.served import ROOT, served_app
from tests.trainer.publish.hub_server import serving
from tests.trainer.publish.hub_state import FakeHub
from tests.trainer.publish.publish_samples import SPACE, laid_out, of_hub, process
from tests.trainer.samples import write_course_files
from trainer.cli import main
from trainer.publish.folder import CPU_INDEX
from trainer.publish.visit import Visit, open_view

Open = Callable[..., Visit]
WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
A, B = "What a lovely little film.", "The film is a small delight."


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Publish this repository with an index by the commands themselves; give what arrived."""
    folder = tmp_path_factory.mktemp("published")
    data, index = write_course_files(folder / "data"), str(folder / "index")
    assert main(["index", "--data", str(data), "--out", index, "--most", "6"]) == 0
    with serving(FakeHub()) as hub:
        done = process(
            ROOT,
            *("-m", "trainer", "publish", "--space", SPACE, "--index", index),
            **of_hub(hub.url, folder / "home"),
        )
        assert done.returncode == 0, done.stderr
        assert hub.crashes == []
        return laid_out(hub.repos["space", SPACE], folder / "space")


def try_it(space: Path, home: Path, visit_at: Open, *, python: str | None = None) -> Visit:
    """Start the folder's app away from any index of the user's; ask it, and look for neighbours."""
    sentence = NearestIndex.load(space / "assets" / "index").texts[0].text
    chosen = {} if python is None else {"python": python}
    with served_app(space, **chosen, HOME=str(home), PYTHONPATH="", MINBERT_INDEX="") as url:
        seen = visit_at(url)
        ask(seen.page, A, B)
        assert len(findings(seen.page)) == 4
        seen.page.locator("#first textarea").fill(sentence)
        seen.page.locator("#second textarea").fill("")
        open_view(seen.page, "why-nearest")
        seen.page.locator("#why-explain").click()
        told = seen.page.locator("#why-nearest-told")
        expect(told.locator("table")).to_have_count(2, timeout=120_000)
        expect(told.locator("tbody tr").first).to_contain_text(sentence)
        assert seen.errors == []
    return seen


@pytest.mark.whole
def test_the_folder_as_uploaded_answers_and_finds_its_index(
    published: Path, tmp_path: Path, visit_at: Open
) -> None:
    shot(try_it(published, tmp_path, visit_at).page, "published")


@pytest.mark.whole
def test_the_folder_as_uploaded_is_verified(published: Path, tmp_path: Path) -> None:
    """By the command itself, as it asks a Space: a page of this checkout's own answers beside."""
    alone = {"HOME": str(tmp_path), "PYTHONPATH": "", "MINBERT_INDEX": ""}
    with served_app(published, **alone) as url:
        done = process(ROOT, "-m", "trainer", "publish", "--verify", url)
    assert done.returncode == 0, done.stdout + done.stderr
    answers, views, *others = done.stdout.splitlines()
    assert answers.startswith("ok      20 answers equal this checkout's")
    assert int(re.findall(r"\d+", views)[0]) > 20
    assert [line.split()[0] for line in (views, *others)] == ["ok"] * 3


@pytest.mark.whole
def test_the_folder_as_uploaded_answers_in_a_bare_environment(
    published: Path, tmp_path: Path, visit_at: Open
) -> None:
    """What a Space does: its README's gradio and its requirements.txt, then app.py.

    PyTorch's CPU index isn't reached from everywhere, so its one line is taken out; here pip takes
    torch from where it is set up to.
    """
    lines = (published / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert lines.count(CPU_INDEX) == 1
    lines.remove(CPU_INDEX)
    assert not [line for line in lines if line.startswith("-")]
    card = SpaceCard((published / "README.md").read_text(encoding="utf-8"))
    bare = tmp_path / "bare"
    venv.create(bare, with_pip=True)
    python = str(bare / "bin" / "python")
    plain = tmp_path / "requirements.txt"
    plain.write_text("\n".join(lines), encoding="utf-8")
    install = [python, "-m", "pip", "install", "--quiet", "-r", str(plain)]
    install.append(f"gradio=={card.data.to_dict()['sdk_version']}")
    subprocess.run(install, check=True, cwd=tmp_path)
    try_it(published, tmp_path, visit_at, python=python)
