"""What a terminal or a shell may do to the commands: odd encodings, closed pipes, switches."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Callable
from typing import Any

import pytest

from trainer.cli import main
from trainer.commands import tables
from trainer.commands.terminal import print_result

FOUND = "0.50 \u00b1 0.01, \u22120.2 in caf\udce9"  # the last: a file's name that isn't UTF-8


def command_that(monkeypatch: pytest.MonkeyPatch, work: Callable[[], Any]) -> None:
    """Let the command tables do something else."""

    def run(_options: argparse.Namespace) -> None:
        work()

    monkeypatch.setattr(tables, "run", run)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [
        ("ascii", rb"0.50 \xb1 0.01, \u22120.2 in caf\udce9"),
        ("cp1252", b"0.50 \xb1 0.01, \\u22120.2 in caf\\udce9"),
        ("utf-8", "0.50 \u00b1 0.01, \u22120.2 in caf\\udce9".encode()),
    ],
)
def test_no_encoding_of_the_terminal_loses_a_result(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    encoding: str,
    shown: bytes,
) -> None:
    terminal = io.BytesIO()
    command_that(monkeypatch, lambda: print_result(FOUND))
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(terminal, encoding=encoding))
    assert main(["tables"]) == 0
    assert terminal.getvalue() == shown + b"\n"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("argument", "through"),  # argparse itself overlooks a closed pipe where nothing is buffered
    [("tables", True), ("tables", False), ("--help", False)],
    ids=["unbuffered", "buffered", "help"],
)
def test_nobody_reads_what_is_printed(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    argument: str,
    through: bool,
) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    command_that(monkeypatch, lambda: print_result(FOUND))
    raw = open(writing, "wb", buffering=0)  # noqa: SIM115, PTH123 - closed as stdout is
    buffer = raw if through else io.BufferedWriter(raw)
    with io.TextIOWrapper(buffer, encoding="utf-8", write_through=through) as stdout:
        monkeypatch.setattr(sys, "stdout", stdout)
        assert main([argument]) == 141
        monkeypatch.undo()
    assert capsys.readouterr().err == ""


def test_a_daemon_may_have_no_standard_output(monkeypatch: pytest.MonkeyPatch) -> None:
    command_that(monkeypatch, lambda: None)
    monkeypatch.setattr(sys, "stdout", None)
    assert main(["tables"]) == 0


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        *((value, False) for value in (None, "", "0", "False", "no", " off ")),
        *((value, True) for value in ("1", "true", "yes")),
    ],
)
def test_the_traceback_is_shown_where_the_switch_is_on(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    value: str | None,
    wanted: bool,
) -> None:
    def fail() -> None:
        raise ValueError("`x` should be 1. Found 2.")

    command_that(monkeypatch, fail)
    monkeypatch.delenv("MINBERT_TRACEBACK", raising=False)
    if value is not None:
        monkeypatch.setenv("MINBERT_TRACEBACK", value)
    if wanted:
        with pytest.raises(ValueError, match="Found 2"):
            main(["tables"])
    else:
        assert main(["tables"]) == 1
    assert capsys.readouterr().err == "error: `x` should be 1. Found 2.\n"
