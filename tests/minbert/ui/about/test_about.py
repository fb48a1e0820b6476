"""The tab "About" shows the files' numbers, tells what is missing, and escapes what it reads."""

from __future__ import annotations

import json
import re
import shutil
from html import escape, unescape
from html.parser import HTMLParser
from pathlib import Path

import gradio as gr
import pytest

from minbert.records.scores import PUBLIC
from minbert.records.shipped import read_records
from minbert.ui.about.findings import size_in_card
from minbert.ui.about.tab import PARTS, build_about, sections
from tests.minbert.ui.sample_about import CARD, metric, scores, training, write, write_about

ROOT = Path(__file__).resolve().parents[4]
SHIPPED = ROOT / "assets/models", ROOT / "assets/results"
HOSTILE = '<img src=x onerror="alert(1)">'
TOLD = "not told"


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_about(tmp_path)


def shown(folders: tuple[Path, Path]) -> dict[str, str]:
    return sections(read_records(*folders))


def rows_of(html: str) -> list[list[str]]:
    rows = re.findall(r"<tr>(.*?)</tr>", html, flags=re.DOTALL)
    cells = [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, flags=re.DOTALL) for row in rows]
    return [[unescape(cell) for cell in row] for row in cells]


def attributes_in(html: str) -> set[str]:
    found: set[str] = set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            found.update(name for name, _ in attrs)
            assert tag not in ("img", "script", "a", "iframe", "svg")

    Reader().feed(html)
    return found


def test_the_table_holds_the_files_numbers(folders: tuple[Path, Path]) -> None:
    rows = {row[0]: row[1:] for row in rows_of(shown(folders)["numbers"])}
    encoder = "all-MiniLM-L6-v2\n(1.5 M parameters)"
    assert rows["ours: mean pooling"] == [
        *("dev", encoder, "0.511 ± 0.011", "0.876 ± 0.020"),
        *("0.822 ± 0.020", "0.744 ± 0.020", "0.701"),
    ]
    assert rows["ours: CLS pooling"][2] == "0.411 ± 0.011"
    always = rows["always the training file's\ncommonest answer"]
    assert [always[2], always[4]] == ["0.222 ± 0.020", "0.633 ± 0.020"]
    assert rows["report: annealed"][2:] == ["0.521", "–", "0.803", "0.857", "0.751"]
    assert rows["report: best of each column"][2:] == ["0.521", "–", "0.831", "0.857", "0.760"]
    public = [row for name, row in rows.items() if name.startswith("public")]
    assert [row[0] for row in public] == ["test", "test"]
    assert [row[-1] for row in public] == ["0.786", "0.795 to 0.801"]
    assert rows["Similarity Pearson of the Siamese score"][:2] == ["undefined ± 0.020"] * 2


def test_the_shipped_files_are_shown_whole() -> None:
    parts = shown(SHIPPED)
    assert "problems" not in parts
    for model in ("mean", "cls"):
        said = json.loads((SHIPPED[1] / f"{model}-dev.json").read_text(encoding="utf-8"))
        ran = json.loads((SHIPPED[1] / f"{model}.json").read_text(encoding="utf-8"))
        for one in (found for task in said["metrics"].values() for found in task.values()):
            assert f"{one['value']:.3f} ± {one['se']:.3f}" in parts["numbers"]
            assert f"{one['n']:,}" in parts["numbers"]
        assert f"{said['normalised']:.3f}" in parts["numbers"]
        line = f"{model}: seed {ran['seed']} alone · trained by commit {ran['commit']} · scored by "
        assert f"{line}commit {said['commit']} · machine {said['machine']}" in parts["numbers"]
        for cell in (f"{ran['minutes']:,.1f}", f"{ran['tokens']:,}", ran["machine"]):
            assert f"<td>{cell}</td>" in parts["cost"]
    assert TOLD not in parts["tasks"] + parts["numbers"] + parts["cost"]
    assert "doesn't tell" not in unescape(parts["tasks"])
    assert "people's prejudices" in unescape(parts["card"])


def test_a_changed_file_changes_the_page(folders: tuple[Path, Path]) -> None:
    before = shown(folders)
    write(folders[1] / "mean-dev.json", scores(0.05))
    write(folders[1] / "cls.json", training("cls") | {"minutes": 99.9})
    (folders[0] / "README.md").write_text(CARD.replace("33", "44"), encoding="utf-8")
    after = shown(folders)
    assert "0.561 ± 0.011" in after["numbers"]
    assert "0.561 ± 0.011" not in before["numbers"]
    assert "99.9" in after["cost"]
    assert "44 pairs and 4 more" in after["tasks"]
    assert {key for key in before if before[key] != after[key]} == {
        *("tasks", "numbers", "cost", "card")
    }


def test_words_are_computed_from_the_numbers(folders: tuple[Path, Path]) -> None:
    text = unescape(shown(folders)["numbers"])
    assert "The mean model gets 51 % of moods exactly and 82 % of paraphrases right" in text
    assert "at most one class beside it in 88 %; always the commonest answer: 22 %" in text
    assert "sentiment +0.100 (clear), paraphrase +0.000 (undecided)" in text
    assert "Quora duplicates" in text
    cost = unescape(shown(folders)["cost"])
    assert "Apart from their names, the two runs' settings differ in: pooling." in cost
    assert "4,567,890" in cost
    assert ["surgery", "yes", "yes"] in rows_of(cost)


def test_the_caveat_is_of_that_encoder_alone(folders: tuple[Path, Path]) -> None:
    for model in ("mean", "cls"):
        other = training(model)
        other["config"]["encoder"] = "bert-base-uncased"
        write(folders[1] / f"{model}.json", other)
    assert "Quora duplicates" not in shown(folders)["numbers"]


def test_pairs_that_trained_the_model_are_told(folders: tuple[Path, Path]) -> None:
    assert "repeats 16 dev pairs" in shown(folders)["tasks"]
    left_out = {"left_out": {"similarity": 17}}
    write(folders[1] / "mean-dev.json", scores() | left_out)
    tasks = shown(folders)["tasks"]
    assert "Left out as they had trained the model: 17." in tasks
    assert "repeats" not in tasks


def test_tables_can_be_read_aloud(folders: tuple[Path, Path]) -> None:
    parts = shown(folders)
    for html, tables in ((parts["numbers"], 2), (parts["cost"], 2)):
        assert html.count("<caption>") == html.count("<table>") == tables
        assert html.count('tabindex="0"') == html.count('role="region"') == tables
        for body in re.findall(r"<tbody>(.*?)</tbody>", html, flags=re.DOTALL):
            assert body.count('<th scope="row">') == body.count("<tr>") > 0
        for head in re.findall(r"<thead>(.*?)</thead>", html, flags=re.DOTALL):
            assert head.count("<th") == head.count('<th scope="col">') > 0
        widths = {len(row) for row in rows_of(html.split("<details")[0])}
        assert len(widths) == 1


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("mean-dev.json", "python -m trainer evaluate --model assets/models/mean"),
        ("cls.json", "python -m trainer train cls"),
        ("README.md", "The model card assets/models/README.md is not there"),
        ("reproduction.json", "holds no row of its test table"),
    ],
)
def test_a_missing_file_is_told(folders: tuple[Path, Path], name: str, says: str) -> None:
    (folders[0 if name == "README.md" else 1] / name).unlink()
    parts = shown(folders)
    assert name in parts["problems"]
    assert says in unescape(parts["problems"].replace("\n", " "))
    assert 'role="status"' in parts["problems"]
    assert ("ours: mean pooling" in parts["numbers"]) == (name != "mean-dev.json")
    assert ("report: annealed" in parts["numbers"]) == (name != "reproduction.json")


def test_nothing_at_all_is_told_and_the_rest_stands(tmp_path: Path) -> None:
    parts = sections(read_records(tmp_path / "none", tmp_path / "none"))
    assert parts["problems"].count("<li>") == 6
    assert "Our own scores are not told" in parts["numbers"]
    assert PUBLIC[0].name in parts["numbers"]
    assert TOLD in parts["cost"]
    assert "card" not in parts
    assert {"purpose", "tasks", "privacy", "licence", "code"} <= set(parts)


BROKEN: list[bytes] = [
    *(b"", b"{", b"[]", b"\xff\xfe", b"null", b'"text"', b"[" * 100_000),
    *(b'{"metrics": []}', b'{"metrics": {"sentiment": 3}}', b'{"minutes": "x", "config": 3}'),
    *(b'{"metrics": {"sentiment": {"accuracy": {"value": "high"}}}}', b'{"seed": true}'),
]


@pytest.mark.parametrize("content", BROKEN)
def test_broken_files_are_told(folders: tuple[Path, Path], content: bytes) -> None:
    for name in ("mean-dev.json", "mean.json"):
        (folders[1] / name).write_bytes(content)
    parts = shown(folders)
    assert "mean-dev.json" in parts["problems"]
    assert "ours: CLS pooling" in parts["numbers"]


@pytest.mark.parametrize("left", [{"metrics": {}}, {"metrics": {"sentiment": {"accuracy": {}}}}])
def test_records_that_tell_little_are_shown(folders: tuple[Path, Path], left: object) -> None:
    for model in ("mean", "cls"):
        write(folders[1] / f"{model}-dev.json", left)
        write(folders[1] / f"{model}.json", {})
    parts = shown(folders)
    assert "problems" not in parts
    assert TOLD in parts["numbers"]
    assert "The mean model&#x27;s scores" in parts["numbers"]
    assert "None" not in "".join(parts.values())


def test_dynamic_text_is_escaped(folders: tuple[Path, Path]) -> None:
    models, results = folders
    said, ran = scores() | {"commit": HOSTILE, "machine": HOSTILE}, training("mean")
    said["metrics"][HOSTILE] = {HOSTILE: metric(0.5, 3) | {"split": HOSTILE}}
    said["metrics"]["sentiment"]["accuracy"]["split"] = HOSTILE
    ran |= {"commit": HOSTILE, "machine": HOSTILE, "recipe": HOSTILE}
    ran["config"] |= {HOSTILE: HOSTILE, "encoder": HOSTILE, "list": [HOSTILE]}
    write(results / "mean-dev.json", said)
    write(results / "mean.json", ran)
    write(results / "cls.json", {"minutes": HOSTILE})
    write(results / "cls-dev.json", {"metrics": {HOSTILE: HOSTILE}})
    runs = json.loads((results / "reproduction.json").read_text(encoding="utf-8"))
    write(results / "reproduction.json", [run | {"row": HOSTILE + run["row"]} for run in runs])
    marks = [HOSTILE, f"# {HOSTILE}", f"### {HOSTILE}", f"- {HOSTILE}", f"**{HOSTILE}**"]
    marks += [f"`{HOSTILE}`", f"[{HOSTILE}](javascript:alert)", f"```\n{HOSTILE}\n```"]
    marks += [f"| {HOSTILE} | b |\n|---|---|\n| {HOSTILE} |", f"**Data**: STS ({HOSTILE} 1 pair)"]
    (models / "README.md").write_text("\n\n".join(marks), encoding="utf-8")
    html = "".join(shown(folders).values())
    assert html.count(escape(HOSTILE)) > 20
    assert "<img" not in html
    assert "javascript" not in html
    assert attributes_in(html) <= {"class", "id", "role", "scope", "tabindex", "aria-label"}


def test_sizes_come_from_the_cards_line_on_data() -> None:
    assert size_in_card(CARD, "SST-5") == "11 sentences"
    assert size_in_card(CARD, "Quora") == "22 pairs"
    assert size_in_card(CARD, "STS") == "33 pairs and 4 more"
    assert size_in_card("**Data**: SST-5, Quora (22 pairs)", "SST-5") == ""
    assert size_in_card("STS (3 pairs). **Data**: none", "STS") == ""


def test_every_named_part_of_the_code_is_there() -> None:
    for path in PARTS:
        assert (ROOT / path).exists(), path


def test_the_tab_holds_all_parts(folders: tuple[Path, Path]) -> None:
    built = build_about(*folders)
    assert isinstance(built, gr.Tab)
    assert built.id == "about"
    assert {block.elem_id: block.value for block in built.children} == {
        f"about-{key}": html for key, html in shown(folders).items()
    }


def test_it_is_there_without_the_trainer(folders: tuple[Path, Path], tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(folders[0].parent, moved)
    assert shown((moved / "models", moved / "results"))["purpose"] == shown(folders)["purpose"]
