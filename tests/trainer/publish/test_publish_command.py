"""The command as a person runs it; in a process of its own, tests/browser/test_published.py."""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import Any

import pytest
from huggingface_hub import constants

from tests.support import assert_says
from tests.trainer.publish.hub_state import TOKEN, FakeHub
from tests.trainer.publish.publish_samples import MODEL, SPACE, laid_out
from trainer.cli import main
from trainer.publish.folder import Plan

# The client's own call of httpx2, in huggingface_hub.lfs
pytestmark = pytest.mark.filterwarnings("ignore:Use 'content=:DeprecationWarning")


def test_the_command_publishes_and_the_card_s_lines_run(
    hub: FakeHub,
    slim: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """But for the app's start; then the model card's own snippet, from the Hub."""
    tried: list[Path] = []
    monkeypatch.setattr("trainer.publish.check.check_space", lambda folder, _: tried.append(folder))
    monkeypatch.setattr("trainer.publish.folder.Plan", functools.partial(Plan, root=slim))
    assert main(["publish", "--space", SPACE, "--model-repo", MODEL, "--private"]) == 0
    told = capsys.readouterr()
    assert told.err.rstrip().endswith(f"{hub.url}/spaces/{SPACE}")
    assert_says(told.out + told.err, never=TOKEN)
    assert [folder.name for folder in tried] == ["space"]
    assert hub.repos["space", SPACE].private
    assert hub.repos["model", MODEL].private
    card = hub.repos["model", MODEL].files["README.md"].decode()
    ours, _, encoder = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    exec(ours, {})
    assert re.fullmatch(r"[a-z ]+ \d\.\d+ -?\d+\.\d+ .+\n", capsys.readouterr().out)
    model = laid_out(hub.repos["model", MODEL], tmp_path / "model")
    exec(encoder.replace(MODEL, str(model)), {})
    assert re.search(r"torch.Size\(\[1, \d+, 16\]\)\n$", capsys.readouterr().out)


def test_a_dry_run_needs_no_token_and_no_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    tried: list[Path] = []
    monkeypatch.setattr("trainer.publish.check.check_space", lambda folder, _: tried.append(folder))
    monkeypatch.setattr("trainer.publish.upload.Hub", None)
    out = tmp_path / "out"
    arguments = ["publish", "--space", SPACE, "--model-repo", MODEL, "--dry-run", str(out)]
    assert main(arguments) == 0
    assert tried == [out / "space"]
    assert (out / "model" / "model.safetensors").is_file()
    assert_says(capsys.readouterr().err, found=str(out))
    assert main(arguments) == 1
    assert_says(capsys.readouterr().err, parameter="`--dry-run`", rule="empty", found=str(out))


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--space", "lab"], {"parameter": "`--space`", "rule": "USER/NAME", "found": "'lab'"}),
        (["--space", "a/b/c"], {"parameter": "`--space`", "found": "'a/b/c'"}),
        (["--space", "anna/la b"], {"parameter": "`--space`", "found": "'anna/la b'"}),
        (["--space", SPACE, "--model-repo", "x"], {"parameter": "`--model-repo`", "found": "'x'"}),
        (
            ["--space", SPACE, "--hardware", "abacus"],
            {"parameter": "`--hardware`", "rule": ("cpu-basic", "zero-a10g"), "found": "'abacus'"},
        ),
        (
            ["--space", SPACE, "--static", "--hardware", "zero-a10g"],
            {"parameter": "`--hardware`", "rule": "--static", "found": "'zero-a10g'"},
        ),
        (
            ["--space", SPACE, "--static", "--index", "mine"],
            {"parameter": "`--index`", "rule": "--static", "found": "mine"},
        ),
        (["--space", SPACE, "--live"], {"parameter": "`--live`", "step": "add --static"}),
    ],
)
def test_wrong_arguments_are_told_at_once(
    arguments: list[str],
    says: dict[str, Any],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("trainer.publish.upload.Hub", None)
    assert main(["publish", *arguments]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: ")
    assert_says(line, **says)


def test_what_the_hub_refuses_is_an_error_of_the_command(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.publish.check.check_space", lambda *_: None)
    hub.paid = False
    assert main(["publish", "--space", SPACE]) == 1
    told = capsys.readouterr()
    assert_says(told.err, parameter="error: ", found="Subscribe", never=("Traceback", TOKEN))
    assert_says(told.out, never=TOKEN)
    assert hub.repos == {}
