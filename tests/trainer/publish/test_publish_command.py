"""The command as a person runs it, in a process of its own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from minbert.multitask import MultitaskBert
from tests.trainer.publish.hub_server import serving
from tests.trainer.publish.hub_state import TOKEN, FakeHub
from tests.trainer.publish.publish_samples import (
    MODEL,
    SPACE,
    laid_out,
    of_hub,
    process,
    small_checkout,
)
from trainer.cli import main


def test_the_command_publishes_and_the_card_s_lines_run(tmp_path: Path) -> None:
    """All of it, the app's check included; then the model card's own snippet, from the Hub."""
    checkout = small_checkout(tmp_path / "checkout")
    with serving(FakeHub()) as hub:
        there = of_hub(hub.url, tmp_path / "home")
        done = process(
            checkout,
            *("-m", "trainer", "publish", "--space", SPACE, "--model-repo", MODEL, "--private"),
            **there,
        )
        assert done.returncode == 0, done.stderr
        assert done.stderr.rstrip().endswith(f"The Space is at {hub.url}/spaces/{SPACE}")
        assert "It answers" in done.stderr
        assert TOKEN not in done.stdout + done.stderr
        assert hub.repos["space", SPACE].private
        assert hub.repos["model", MODEL].private
        space = laid_out(hub.repos["space", SPACE], tmp_path / "space")
        card = hub.repos["model", MODEL].files["README.md"].decode()
        (lines,) = re.findall(r"```python\n(.*?)```", card, flags=re.DOTALL)
        ran = process(space, "-c", lines, **there)
        assert ran.returncode == 0, ran.stderr
        assert re.fullmatch(r"[a-z ]+ \d\.\d+ -?\d+\.\d+ .+\n", ran.stdout)
    assert hub.crashes == []
    MultitaskBert.from_pretrained(space / "assets" / "models" / "mean")


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
    assert f"Nothing was uploaded; it is all in {out}" in capsys.readouterr().err
    assert main(arguments) == 1
    assert "should be a folder that is new or empty" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--space", "lab"], "`--space` should be USER/NAME. Found 'lab'; the account's name"),
        (["--space", "a/b/c"], "`--space` should be USER/NAME"),
        (["--space", "anna/la b"], "`--space` should be USER/NAME"),
        (["--space", SPACE, "--model-repo", "x"], "`--model-repo` should be USER/NAME"),
        (["--space", SPACE, "--hardware", "abacus"], "`--hardware` should be one of cpu-basic"),
    ],
)
def test_wrong_arguments_are_told_at_once(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["publish", *arguments]) == 1
    assert f"error: {message}" in capsys.readouterr().err


def test_without_a_token_the_command_stops_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("HF_TOKEN", raising=False)
    monkeypatch.setattr("huggingface_hub.constants.HF_TOKEN_PATH", str(tmp_path / "none"))
    assert main(["publish", "--space", SPACE]) == 1
    assert "error: A Hugging Face token is needed" in capsys.readouterr().err


def test_what_the_hub_refuses_is_an_error_of_the_command(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trainer.publish.check.check_space", lambda *_: None)
    hub.paid = False
    assert main(["publish", "--space", SPACE]) == 1
    told = capsys.readouterr()
    assert f"error: The Hub doesn't create {SPACE} on cpu-basic" in told.err
    assert "Traceback" not in told.err
    assert TOKEN not in told.out + told.err
    assert hub.repos == {}
