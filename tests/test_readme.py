"""README.md and docs/ can't rot: trees, links, commands and numbers are checked, Python is run."""

from __future__ import annotations

import itertools
import re
import shlex
import statistics
import subprocess
import sys
from pathlib import Path

import pytest

from minbert.records.reading import read_record
from minbert.records.scores import Scores, Training
from minbert.tasks import TASKS
from tests.browser.screenshots import SHOTS
from tests.docs_text import API, DOCS, README, RESULTS_PAGE, ROOT, blocks, commands, text_of
from trainer.cli import make_parser
from trainer.reproduction.tables import BEGIN, END, tables

RESULTS = ROOT / "assets" / "results"
MOST_LINES = 180  # of the README: a person reads it to the end
LINKING = [*DOCS, "CHANGELOG.md", "trainer/EXPERIMENTS.md", "assets/models/README.md"]


def tree() -> list[str]:
    """Return the file tree's paths; an indented line lies in the folder above it."""
    (listing,) = blocks(README, "")
    paths, folder = [], ""
    for line in listing.splitlines():
        first, *others = line.split()
        if not line.startswith(" "):
            folder = first if first.endswith("/") else ""
            paths.append(first)
        else:
            beside = itertools.takewhile(lambda word: word.endswith("/"), others)
            paths += [folder + name for name in (first, *beside)]
    return paths


def links(pages: list[str]) -> list[tuple[str, str]]:
    """Return each link of the pages, images included, with its page."""
    link = re.compile(r"\]\(([^)]+)\)")
    return [(page, target) for page in pages for target in link.findall(prose(page))]


def prose(page: str) -> str:
    """Return a page without its fenced blocks."""
    return re.sub(r"^```.*?^```$", "", text_of(page), flags=re.MULTILINE | re.DOTALL)


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub gives a page's headings."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def leads_somewhere(page: str, target: str) -> bool:
    """Say whether a link that stands on a page has an end; other sites are not asked."""
    if target.startswith("https://"):
        return True
    path, _, anchor = target.partition("#")
    end = (ROOT / page).parent / path if path else ROOT / page
    return end.exists() and (not anchor or anchor in anchors(end))


def mentioned() -> list[tuple[str, str]]:
    """Return each file or folder of the product or the tests that a page names, with the page."""
    path = re.compile(r"(?<![\w/.-])(?:minbert|trainer|tests|assets|docs)/[\w/.*-]*[\w/]")
    return [(page, found) for page in DOCS for found in sorted(set(path.findall(text_of(page))))]


def rows(page: str) -> dict[str, dict[str, str]]:
    """Return the first table of a page: a row's first cell to its other cells by column."""
    (first, _, *others), cells = table_lines(page), {}
    names = split(first)
    for line in others:
        cells[split(line)[0]] = dict(zip(names[1:], split(line)[1:], strict=True))
    return cells


def table_lines(page: str) -> list[str]:
    found = re.search(r"(?:^\|.*\|\n)+", text_of(page), flags=re.MULTILINE)
    assert found
    return found[0].splitlines()


def split(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip("|").split("|")]


def short(value: float, error: float | None) -> str:
    """Write a score as the tables do."""
    written = f"{value:.3f}" if error is None else f"{value:.3f} ± {error:.3f}"
    return written.replace("0.", ".")


def test_what_is_checked_is_there() -> None:
    assert len(commands("")) >= 30
    assert len(tree()) >= 25
    assert len(blocks(API, "python")) >= 8
    assert len(mentioned()) >= 60
    assert len(links(DOCS)) >= 50


def test_the_checks_catch_what_is_wrong() -> None:
    assert leads_somewhere("docs/training.md", "results.md#calibration")
    assert leads_somewhere(README, "#how-to-add")
    assert not leads_somewhere("docs/training.md", "README.md")
    assert not leads_somewhere(README, "docs/results.md#nowhere")
    assert not list(ROOT.glob("minbert/gone.py"))


def test_the_readme_is_short() -> None:
    assert len(text_of(README).splitlines()) <= MOST_LINES


@pytest.mark.parametrize("path", tree())
def test_the_tree_names_what_is_there(path: str) -> None:
    assert (ROOT / path).exists()
    assert (ROOT / path).is_dir() == path.endswith("/")


@pytest.mark.parametrize("package", ["minbert", "trainer"])
def test_the_tree_names_every_folder(package: str) -> None:
    there = {f"{path.parent.relative_to(ROOT)}/" for path in (ROOT / package).rglob("*.py")}
    assert there <= set(tree())


@pytest.mark.parametrize(("page", "path"), mentioned())
def test_every_path_is_there(page: str, path: str) -> None:
    assert list(ROOT.glob(path)), f"{page} names {path}"


@pytest.mark.parametrize(("page", "target"), links(LINKING))
def test_links_lead_somewhere(page: str, target: str) -> None:
    assert leads_somewhere(page, target)


def test_every_page_is_linked_from_the_readme() -> None:
    assert set(DOCS) - {README} <= {target for _, target in links([README])}


def test_names_are_in_the_file_that_is_given() -> None:
    pattern = re.compile(r"`(\w+)`\s+(?:in|of)\s+`((?:minbert|trainer|tests)/[\w/]+\.py)`")
    found = [(page, *pair) for page in DOCS for pair in pattern.findall(text_of(page))]
    assert len(found) >= 9
    for page, name, path in found:
        assert re.search(rf"\b{name}\b", text_of(path)), f"{page}: no {name} in {path}"


def test_one_command_takes_every_picture() -> None:
    picture = re.compile(r"!\[[^]]+\]\((?:\.\./)?assets/screenshots/(.+?)\.png\)")
    assert picture.findall(text_of("docs/tour.md")) == list(SHOTS)
    assert picture.findall(text_of(README)) == ["try-it", "words"]


@pytest.mark.parametrize(("page", "command"), commands("python -m trainer"))
def test_trainer_commands_parse(page: str, command: str) -> None:
    options = make_parser().parse_args(shlex.split(command)[3:])
    assert callable(options.run), page


def test_make_commands_are_listed_by_make() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = commands("make")
    assert len(found) >= 3
    assert all(command in listed for _, command in found)


def test_the_python_lines_run() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", blocks(API, "python")[0]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(("positive ", "very positive "))


@pytest.mark.parametrize("page", [page for page in DOCS if page != API])
def test_all_python_is_that_of_the_page_that_is_run(page: str) -> None:
    assert set(blocks(page, "python")) <= set(blocks(API, "python"))


def test_the_readme_repeats_rows_of_the_results() -> None:
    whole, repeated = rows(RESULTS_PAGE), rows(README)
    assert len(repeated) == 6
    for name, cells in repeated.items():
        assert cells.items() <= whole[name].items()


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_the_rows_of_ours_are_those_of_the_records(name: str) -> None:
    record = read_record(RESULTS / f"{name}-dev.json", Scores)
    (cells,) = (cells for row, cells in rows(RESULTS_PAGE).items() if f"ours, `{name}`" in row)
    columns = {
        "SST-5 accuracy": ("sentiment", "accuracy"),
        "within one class": ("sentiment", "within_one"),
        "Quora accuracy": ("paraphrase", "accuracy"),
        "STS Pearson": ("similarity", "pearson"),
        "joint alone": ("similarity", "joint_pearson"),
        "Siamese alone": ("similarity", "siamese_pearson"),
    }
    scores = {column: record.metrics[task][name] for column, (task, name) in columns.items()}
    wanted = {column: short(score.value, score.se) for column, score in scores.items()}
    wanted["normalised mean"] = short(record.normalised, None)
    assert cells == {"split": "dev", **wanted}


def test_the_generated_tables_are_those_of_the_records() -> None:
    marked = text_of(RESULTS_PAGE).split(BEGIN)[1].split(END)[0]
    assert marked.strip() == tables(RESULTS).strip()


@pytest.mark.parametrize(("name", "shipped"), [("mean", "best"), ("cls", "best_cls")])
def test_the_mean_of_three_seeds_is_that_of_their_records(name: str, shipped: str) -> None:
    chain = read_record(RESULTS / f"{name}.json", Training)
    paths = [RESULTS / "trials" / f"together-{name}-{seed}.json" for seed in (1, 2)]
    runs = [chain.stages[-1], *(read_record(path, Training) for path in paths)]
    assert chain.recipe == shipped
    assert [run.seed for run in runs] == [0, 1, 2]
    own = ("seed", "start_from")
    settings = [{k: v for k, v in run.config.items() if k not in own} for run in runs]
    assert settings[0] == settings[1] == settings[2]
    assert len({run.started_from["sha256"] for run in runs}) == 1, "one first stage"
    columns = [[run.metrics[t.name][t.metric].value for run in runs] for t in TASKS.values()]
    columns.append([run.normalised for run in runs])
    *told, normalised = (
        short(statistics.mean(column), statistics.stdev(column)) for column in columns
    )
    pattern = rf"`{name}` {re.escape(', '.join(told))} \((normalised )?{re.escape(normalised)}\)"
    assert re.search(pattern, " ".join(text_of(RESULTS_PAGE).split()))
    card = text_of("assets/models/README.md")
    luck = " ".join(card[card.index("**Luck**") :].split())
    assert all(number in luck for number in told)
