"""The command line: what it offers, what it refuses, and how it says so."""

from __future__ import annotations

import argparse
import dataclasses
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.support import assert_says
from trainer.cli import COMMANDS, main, make_parser
from trainer.commands import evaluate, tables, terminal
from trainer.config import TrainConfig
from trainer.options import chosen_settings
from trainer.recipes import RECIPES

REPOSITORY = Path(__file__).resolve().parents[2]
NAMES = (
    *("download", "train", "mlm", "evaluate", "calibrate", "reproduce", "untrained"),
    *("heads", "tables", "predict", "embed", "index", "mine", "publish", "export", "bias", "teach"),
    "label",
)
SETTINGS = [field.name for field in dataclasses.fields(TrainConfig) if field.name != "name"]
TOGETHER: dict[str, dict[str, Any]] = {  # settings that go with others alone
    "pal_size": {"pal_epochs": 2},
    "pal_epochs": {"pal_size": 96, "epochs": 10},
    "sentiment_data": {"tasks": "sentiment", "scored_tasks": "sentiment"},
}


@pytest.fixture(autouse=True)
def wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep argparse from breaking lines."""
    monkeypatch.setenv("COLUMNS", "400")


def help_of(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what `--help` prints, with white space collapsed."""
    with pytest.raises(SystemExit) as stopped:
        main([*arguments, "--help"])
    assert stopped.value.code == 0
    return " ".join(capsys.readouterr().out.split())


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what argparse says of arguments that it doesn't take."""
    with pytest.raises(SystemExit) as stopped:
        main(arguments)
    assert stopped.value.code == 2
    return capsys.readouterr().err


def config_of(*arguments: str) -> TrainConfig:
    """Return the settings that a `train` command asks for."""
    options = make_parser().parse_args(["train", *arguments])
    return dataclasses.replace(RECIPES[options.recipe], **chosen_settings(options))


def test_help_lists_the_commands(capsys: pytest.CaptureFixture[str]) -> None:
    told = help_of(capsys).split("COMMAND ")[-1]
    places = [told.index(f"{command.NAME} {command.HELP}") for command in COMMANDS]
    assert places == sorted(places)


def test_each_file_of_the_folder_is_one_command_of_that_name() -> None:
    files = {path.stem for path in (REPOSITORY / "trainer" / "commands").glob("*.py")}
    assert tuple(command.NAME for command in COMMANDS) == NAMES
    assert files - {"__init__", "terminal"} == set(NAMES)
    for command in COMMANDS:
        assert sys.modules[f"trainer.commands.{command.NAME}"] is command


@pytest.mark.parametrize("command", NAMES)
def test_every_command_has_help(capsys: pytest.CaptureFixture[str], command: str) -> None:
    told = help_of(capsys, command)
    wanted = {
        **{"train": "--resume", "evaluate": "--keep-trained", "predict": "--skip-bad"},
        **{"reproduce": "--rows", "untrained": "--seeds", "tables": "--readme"},
        **{"publish": "--dry-run", "bias": "--against", "heads": "--encoder"},
        **{"teach": "--freeze-word-embeddings", "label": "--output", "export": "--to"},
        "embed": "--normalise",
    }
    assert_says(told, parameter=f"python -m trainer {command}", step=wanted.get(command, "--data"))


def test_train_s_help_lists_every_setting_with_its_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    told = help_of(capsys, "train")
    for field in dataclasses.fields(TrainConfig):
        if field.name == "name":
            continue
        option = "--" + field.name.replace("_", "-")
        default = "none" if field.default == "" else field.default
        described = f"{field.metadata['help']} (default: {default})"
        assert re.search(rf"{option} [\w|-]+ {re.escape(described)}", told), option
    assert all(name in told for name in RECIPES)


def test_every_setting_can_be_changed() -> None:
    base = RECIPES["mean"]
    for name in SETTINGS:
        found = getattr(base, name)
        choices = TrainConfig.__dataclass_fields__[name].metadata["choices"]
        changed: Any
        if choices:
            changed = next(choice for choice in choices if choice != found)
        elif isinstance(found, bool):
            changed = not found
        elif isinstance(found, str):
            changed = {
                "extra_similarity": "sts-2012-2016,sick",
                "extra_paraphrase": "quora-duplicates",
            }.get(name, "elsewhere")
        else:
            changed = type(found)(found * 2 + 8) if isinstance(found, int) else found / 2 + 0.125
        text = ("yes" if changed else "no") if isinstance(changed, bool) else str(changed)
        needed = TOGETHER.get(name, {})
        arguments = [f"--{k.replace('_', '-')}={v}" for k, v in needed.items()]
        config = config_of("mean", "--" + name.replace("_", "-"), text, *arguments)
        assert config == dataclasses.replace(base, **{name: changed}, **needed)
        assert type(getattr(config, name)) is type(found)


def test_without_settings_the_recipe_is_as_it_is() -> None:
    for name, recipe in RECIPES.items():
        assert config_of(name) == recipe
        assert recipe.name == name


def test_the_cls_recipe_differs_from_mean_in_pooling_alone() -> None:
    assert RECIPES["cls"] == dataclasses.replace(RECIPES["mean"], name="cls", pooling="cls")


def test_the_settings_defaults_are_the_report_s() -> None:
    config = TrainConfig()
    assert (config.epochs, config.learning_rate, config.hidden_dropout) == (10, 1e-5, 0.2)
    assert (config.head_epochs, config.head_learning_rate, config.head_batch) == (3, 1e-3, 128)
    assert (config.batch_examples, config.sampler, config.pooling) == (32, "annealed", "mean")


@pytest.mark.parametrize(("text", "value"), [("yes", True), ("no", False)])
def test_a_switch_is_yes_or_no(text: str, value: bool) -> None:
    assert config_of("mean", "--freeze-word-embeddings", text).freeze_word_embeddings is value


@pytest.mark.parametrize("text", ["true", "0", "", "Yes"])
def test_a_switch_that_is_neither_says_what_it_should_be(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    told = refused(capsys, "train", "mean", "--freeze-word-embeddings", text)
    last = told.splitlines()[-1]
    assert_says(last, parameter="--freeze-word-embeddings", rule="yes or no", found=repr(text))


def test_an_unknown_recipe_lists_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    last = refused(capsys, "train", "median").splitlines()[-1]
    assert_says(last, rule=[repr(name) for name in RECIPES], found="'median'")


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("fly",),
        ("train",),
        ("train", "mean", "--pooling", "average"),
        ("train", "mean", "--epochs", "two"),
        ("train", "mean", "--name", "other"),
        ("evaluate", "--model", "x", "--split", "test"),
        ("predict", "--model", "x", "--task", "sentiments", "--input", "a", "--output", "b"),
        ("evaluate", "--model", "x", "--device", "tpu"),
        ("evaluate",),
    ],
    ids=" ".join,
)
def test_arguments_that_make_no_sense_are_refused(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert refused(capsys, *arguments).startswith("usage: python -m trainer")


@pytest.mark.parametrize(
    ("option", "value", "says"),
    [
        ("--epochs", "-1", {"parameter": "`epochs`", "rule": "0", "found": "-1"}),
        ("--threads", "0", {"parameter": "`--threads`", "rule": "at least 1", "found": "0"}),
        ("--data", "/nowhere", {"parameter": "/nowhere", "step": "python -m trainer download"}),
    ],
)
def test_a_user_s_error_is_told_in_one_piece(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    option: str,
    value: str,
    says: dict[str, str],
) -> None:
    out = tmp_path / "run"
    assert main(["train", "mean", "--out", str(out), "--device", "cpu", option, value]) == 1
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("error: ")
    assert_says(captured.err, **says, never="Traceback")
    assert not out.exists()


def test_a_user_s_error_in_a_process_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "trainer", "evaluate", "--model", str(tmp_path / "gone")]
    environment = {name: text for name, text in os.environ.items() if name != "MINBERT_TRACEBACK"}
    done = subprocess.run(
        command, cwd=REPOSITORY, capture_output=True, text=True, check=False, env=environment
    )
    assert done.returncode == 1
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"error: {tmp_path / 'gone'} should be a folder")


def test_a_developer_may_ask_for_the_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("MINBERT_TRACEBACK", "1")
    with pytest.raises(ValueError, match="Found -1"):
        main(["train", "mean", "--epochs", "-1"])
    assert capsys.readouterr().err.startswith("error: ")


def test_a_mistake_of_ours_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: object) -> None:
        raise AssertionError("ours")

    monkeypatch.setattr(evaluate, "run", broken)
    with pytest.raises(AssertionError, match="ours"):
        main(["evaluate", "--model", "x"])


def test_an_interrupt_ends_quietly(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(evaluate, "run", interrupted)
    assert main(["evaluate", "--model", "x"]) == 130
    assert capsys.readouterr().err == "interrupted\n"


def test_the_data_folder_comes_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ["evaluate", "--model", "x"]
    monkeypatch.setenv("MINBERT_DATA", "/some/where")
    assert make_parser().parse_args(arguments).data == Path("/some/where")
    monkeypatch.delenv("MINBERT_DATA")
    assert make_parser().parse_args(arguments).data == Path("data")
    assert make_parser().parse_args([*arguments, "--data", "here"]).data == Path("here")


def test_threads_are_set_as_asked() -> None:
    terminal.use_threads(2)
    assert torch.get_num_threads() == 2
    terminal.use_threads(None)
    assert torch.get_num_threads() == 2


def test_a_run_s_folder_is_named_after_recipe_and_seed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    outs: list[Path] = []

    def fake(_config: TrainConfig, _data: Path, out: Path, **_: Any) -> Path:  # noqa: ANN401
        outs.append(out)
        return out

    monkeypatch.setattr("trainer.run.train.train", fake)
    assert main(["train", "cls", "--seed", "3"]) == 0
    assert main(["train", "cls", "--out", str(tmp_path)]) == 0
    assert outs == [Path("runs/cls-3"), tmp_path]


# Output goes where it is sent


def test_sigterm_ends_a_command_as_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    cleaned = []

    def work(_options: argparse.Namespace) -> None:
        try:
            os.kill(os.getpid(), signal.SIGTERM)
            time.sleep(60)
        finally:
            cleaned.append(True)

    monkeypatch.setattr(tables, "run", work)
    with pytest.raises(SystemExit) as stopped:
        main(["tables"])
    assert (stopped.value.code, cleaned) == (143, [True])
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_closed_pipe_is_no_error_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def work(_options: argparse.Namespace) -> None:
        raise BrokenPipeError(32, "Broken pipe")

    monkeypatch.setattr(tables, "run", work)
    assert main(["tables"]) == 141
    assert capsys.readouterr().err == ""


def test_the_shell_s_pipe_may_close_before_all_is_read() -> None:
    code = """
import sys
from trainer import cli
from trainer.commands import tables

def run(options):
    for _ in range(50):  # more than a pipe holds
        sys.stdout.write("row\\n" * 20_000)

tables.run = run
sys.exit(cli.main(["tables"]))
"""
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"row\n"
    process.stdout.close()
    assert process.stderr.read() == b""
    assert process.wait(60) == 141
    process.stderr.close()


@pytest.mark.parametrize(
    ("name", "clean"), [("-", True), ("/dev/stdout", True), ("file.json", False)]
)
def test_a_table_goes_elsewhere_where_the_file_is_standard_output(
    name: str, clean: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    terminal.print_result("the table", Path(name))
    printed = capsys.readouterr()
    assert (printed.out, printed.err)[clean] == "the table\n"
    assert (printed.out, printed.err)[not clean] == ""
