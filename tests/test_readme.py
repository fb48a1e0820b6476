"""The README can't rot: its tree, links and commands are checked, its Python is run."""

from __future__ import annotations

import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from minbert.files import read_json
from minbert.tasks import TASKS
from tests.browser.screenshots import SHOTS
from trainer.cli import make_parser

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)
    return [content for kind, content in fenced if kind == language]


def commands() -> list[str]:
    lines = [line.split("#")[0].strip() for block in blocks("sh") for line in block.splitlines()]
    return [line for line in lines if line]


def tree() -> list[str]:
    """Return the file tree's paths; an indented line lies in the folder above it."""
    (listing,) = blocks("")
    paths, folder = [], ""
    for line in listing.splitlines():
        name = line.split()[0]
        if not line.startswith(" "):
            folder = name if name.endswith("/") else ""
            paths.append(name)
        else:
            paths.append(folder + name)
    return paths


def test_the_readme_has_what_is_checked_here() -> None:
    assert len(commands()) >= 6
    assert len(tree()) >= 25
    assert len(blocks("python")) >= 6


@pytest.mark.parametrize("path", tree())
def test_the_tree_names_what_is_there(path: str) -> None:
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


@pytest.mark.parametrize("package", ["minbert", "trainer"])
def test_the_tree_names_every_folder(package: str) -> None:
    there = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / package).rglob("*.py")}
    assert there <= set(tree())


@pytest.mark.parametrize("target", re.findall(r"\]\(([^)#]+)\)", README))
def test_links_lead_somewhere(target: str) -> None:
    assert target.startswith("https://") or (ROOT / target).exists()


def test_one_command_takes_every_picture() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(assets/screenshots/(.+?)\.png\)", README)
    assert pictures == list(SHOTS)


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("python -m trainer")])
def test_trainer_commands_parse(command: str) -> None:
    options = make_parser().parse_args(shlex.split(command)[3:])
    assert callable(options.command)


@pytest.mark.parametrize("command", [c for c in commands() if c.startswith("make")])
def test_make_commands_are_listed_by_make(command: str) -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert command in listed


def test_the_python_lines_run() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks("python")[0]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("positive ", "very positive "))


@pytest.mark.parametrize(("name", "shipped"), [("mean", "best"), ("cls", "best_cls")])
def test_the_mean_of_three_seeds_is_that_of_their_records(name: str, shipped: str) -> None:
    results = ROOT / "assets" / "results"
    chain = read_json(results / f"{name}.json")
    runs = [chain["stages"][-1]]
    runs += [read_json(results / "trials" / f"together-{name}-{seed}.json") for seed in (1, 2)]
    assert chain["recipe"] == shipped
    assert [run["seed"] for run in runs] == [0, 1, 2]
    own = ("seed", "start_from")
    settings = [{k: v for k, v in run["config"].items() if k not in own} for run in runs]
    assert settings[0] == settings[1] == settings[2]
    assert len({run["started_from"]["sha256"] for run in runs}) == 1, "one first stage"
    columns = [
        [run["metrics"][task.name][task.metric]["value"] for run in runs] for task in TASKS.values()
    ]
    columns.append([run["normalised"] for run in runs])
    *told, normalised = (
        f"{statistics.mean(column):.3f} ± {statistics.stdev(column):.3f}".replace("0.", ".")
        for column in columns
    )
    pattern = rf"`{name}` {re.escape(', '.join(told))} \((normalised )?{re.escape(normalised)}\)"
    assert re.search(pattern, " ".join(README.split()))
    card = (ROOT / "assets" / "models" / "README.md").read_text(encoding="utf-8")
    luck = " ".join(card[card.index("**Luck**") :].split())
    assert all(number in luck for number in told)
