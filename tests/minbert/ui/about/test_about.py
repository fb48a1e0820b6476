"""The tab "About" shows the files' numbers, and tells what is missing."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert.records.runs import ENCODER_NOTE
from minbert.records.scores import PUBLIC
from minbert.records.shipped import read_records
from minbert.records.speed import THREE_TASKS
from minbert.ui.about.card import card_html
from minbert.ui.about.findings import size_in_card, with_error
from minbert.ui.about.tab import PARTS, VIEWS, build_about, sections
from minbert.ui.about.tables import QUESTIONS, UNKNOWN
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.views import views_of
from tests.minbert.ui.sample_about import CARD, scores, training, write, write_about
from tests.read_html import Element, named_in, numbers_in, read
from tests.support import run_async

ROOT = Path(__file__).resolve().parents[4]
SHIPPED = ROOT / "assets/models", ROOT / "assets/results"
POOLINGS = ("mean", "CLS")


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    return write_about(tmp_path)


def shown(folders: tuple[Path, Path]) -> dict[str, Element]:
    return {key: read(html) for key, html in sections(read_records(*folders)).items()}


def models_in(parts: dict[str, Element]) -> list[str]:
    """Return which of our models the table of scores has."""
    names = parts["numbers"].tables[0].column(0)
    return [pooling for name in names for pooling in named_in(name, POOLINGS)]


def test_the_table_holds_the_files_numbers(folders: tuple[Path, Path]) -> None:
    parts = shown(folders)
    compared, every = parts["numbers"].tables
    mean, cls, always, *others = compared.rows
    assert models_in(parts) == ["mean", "CLS"]
    assert mean[1:] == [
        *("dev", "all-MiniLM-L6-v2\n(1.5 M parameters)", "0.511 ± 0.011", "0.876 ± 0.020"),
        *("0.822 ± 0.020", "0.744 ± 0.020", "0.701"),
    ]
    assert cls[3] == "0.411 ± 0.011"
    assert [always[3], always[5]] == ["0.222 ± 0.020", "0.633 ± 0.020"]
    reported = [row[3:] for row in others[: -len(PUBLIC)]]
    assert ["0.521", "–", "0.803", "0.857", "0.751"] in reported
    assert ["0.521", "–", "0.831", "0.857", "0.760"] in reported, "the best of each column"
    public = others[-len(PUBLIC) :]
    assert [row[:2] for row in public] == [[one.name, one.split] for one in PUBLIC]
    assert [row[-1] for row in public] == ["0.786", "0.795 to 0.801"]
    (siamese,) = (row for row in every.rows if "Siamese" in row[0])
    assert siamese[1:3] == [f"{fixed(None)} ± 0.020"] * 2


def test_the_shipped_files_are_shown_whole() -> None:
    records, parts = read_records(*SHIPPED), shown(SHIPPED)
    assert "problems" not in parts
    compared, every, *_ = parts["numbers"].tables
    sources = parts["numbers"].find("p", "mb-source")[0].text.split("\n")
    for place, model in enumerate(("mean", "cls")):
        said, ran = records.scores[model], records.training[model]
        for column, one in ((place + 1, metric) for metric in said.flat.values()):
            assert with_error(one) in every.column(column)
            assert f"{one.n:,}" in every.column(-1)
        assert compared.rows[place][-1] == fixed(said.normalised)
        for told in (model, f"seed {ran.seed}", ran.commit, said.commit, said.machine):
            assert told in sources[place]
        cost = parts["cost"].tables[0].rows[place]
        assert [cost[0], cost[1], cost[3], cost[4]] == [
            *(model, ran.machine, f"{ran.minutes:,.1f}", f"{ran.tokens:,}"),
        ]
    for task, (_, data_set) in QUESTIONS.items():
        assert size_in_card(records.card, data_set) in parts["tasks"].text, task
    assert not [key for key in ("tasks", "numbers", "cost") if UNKNOWN in parts[key].text]
    assert read(card_html(records.card)).text in parts["card"].text


def test_speed_is_shown_where_it_is_recorded(folders: tuple[Path, Path]) -> None:
    assert "speed" not in shown(folders)
    ends = {"least": 10.0, "most": 30.0, "rounds": 9, "unit": "ms", "what": THREE_TASKS}
    timings = [
        ends | {"contestant": name, "median": median}
        for name, median in (("ours", 20.0), ("ONNX Runtime, one pass", 8.0))
    ]
    write(folders[1] / "speed.json", {"version": 1, "versions": {}, "timings": timings})
    part = shown(folders)["speed"]
    assert part.text.startswith(
        "All answers to a pair take 20 ms; for these four inputs that is 2.5"
    )
    assert part.tables[0].rows == [
        [f"{THREE_TASKS}; ONNX Runtime, one pass: 8.0 ms (0.40)", "20.0 ms"]
    ]


def test_a_changed_file_changes_the_page(folders: tuple[Path, Path]) -> None:
    before = shown(folders)
    write(folders[1] / "mean-dev.json", scores(0.05))
    write(folders[1] / "cls.json", training("cls") | {"minutes": 99.9})
    (folders[0] / "README.md").write_text(CARD.replace("33", "44"), encoding="utf-8")
    after = shown(folders)
    changed = {key for key in before if before[key].text != after[key].text}
    assert changed == {"tasks", "numbers", "cost", "card"}
    for key, number in (("numbers", "0.561"), ("cost", "99.9"), ("tasks", "44")):
        assert number not in before[key].numbers
        assert number in after[key].numbers


def test_findings_are_computed_from_the_numbers(folders: tuple[Path, Path]) -> None:
    parts = shown(folders)
    finding = parts["numbers"].finding
    assert named_in(finding.title, POOLINGS) == ["mean"]
    assert numbers_in(finding.title) == ["51", "82"]
    sentiment, paraphrase, similarity, gaps = finding.lines
    assert numbers_in(sentiment) == ["51", "88", "22"], "right, one beside it, the commonest answer"
    assert numbers_in(paraphrase) == ["82", "63"]
    assert numbers_in(similarity)[0] == "0.744"
    assert named_in(gaps, POOLINGS) == ["mean", "CLS"], "mean's less CLS's"
    assert numbers_in(gaps)[:3] == ["+0.100", "+0.000", "+0.000"]
    assert named_in(gaps, ("clear", "undecided"))[:3] == ["clear", "undecided", "undecided"]
    differing = parts["cost"].finding.title
    assert named_in(differing, training("cls")["config"]) == ["pooling"]
    assert "4,567,890" in parts["cost"].numbers
    assert ["surgery", "yes", "yes"] in parts["cost"].rows


def test_the_caveat_is_of_that_encoder_alone(folders: tuple[Path, Path]) -> None:
    assert ENCODER_NOTE in shown(folders)["numbers"].text
    for model in ("mean", "cls"):
        other = training(model)
        other["config"]["encoder"] = "bert-base-uncased"
        write(folders[1] / f"{model}.json", other)
    assert ENCODER_NOTE not in shown(folders)["numbers"].text


def test_pairs_that_trained_the_model_are_counted(folders: tuple[Path, Path]) -> None:
    assert shown(folders)["tasks"].find("section")[2].numbers[-1] == "16", "the split's own"
    write(folders[1] / "mean-dev.json", scores() | {"left_out": {"similarity": 17}})
    assert shown(folders)["tasks"].find("section")[2].numbers[-1] == "17"


def test_tables_can_be_read_aloud(folders: tuple[Path, Path]) -> None:
    parts = shown(folders)
    for part in (parts["numbers"], parts["cost"]):
        regions = part.find(role="region", tabindex="0")
        assert [one.attributes["aria-label"] for one in regions] == part.texts("caption")
        assert len(part.tables) == len(regions) == 2
        for table in part.tables:
            (head,) = table.heads
            assert {len(row) for row in table.rows} == {len(head)}
        for row in (row for body in part.find("tbody") for row in body.find("tr")):
            assert [cell.attributes for cell in row.find("th")] == [{"scope": "row"}]
        for cell in (cell for head in part.find("thead") for cell in head.find("th")):
            assert cell.attributes == {"scope": "col"}


@pytest.mark.parametrize(
    ("name", "again", "left", "rows"),
    [
        ("mean-dev.json", "python -m trainer evaluate --model assets/models/mean", ["CLS"], -1),
        ("cls.json", "python -m trainer train cls", ["mean", "CLS"], 0),
        ("README.md", "assets/models/README.md", ["mean", "CLS"], 0),
        ("reproduction.json", "reproduction.json", ["mean", "CLS"], -3),
    ],
)
def test_a_missing_file_is_told_with_what_makes_it(
    folders: tuple[Path, Path], name: str, again: str, left: list[str], rows: int
) -> None:
    whole = shown(folders)
    (folders[0 if name == "README.md" else 1] / name).unlink()
    parts = shown(folders)
    problem = parts["problems"].one(role="status")
    assert name in problem.text
    assert again in problem.text
    assert models_in(parts) == left
    assert len(parts["numbers"].tables[0].rows) == len(whole["numbers"].tables[0].rows) + rows


def test_nothing_at_all_is_told_and_the_rest_stands(tmp_path: Path) -> None:
    parts = shown((tmp_path / "none", tmp_path / "none"))
    assert len(parts["problems"].find("li")) == 6
    assert parts["numbers"].tables[0].column(0) == [one.name for one in PUBLIC]
    assert UNKNOWN in parts["numbers"].finding.title
    assert UNKNOWN in parts["cost"].text
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
    assert "mean-dev.json" in parts["problems"].text
    assert models_in(parts) == ["CLS"]


@pytest.mark.parametrize("left", [{"metrics": {}}, {"metrics": {"sentiment": {"accuracy": {}}}}])
def test_records_that_tell_little_are_shown(folders: tuple[Path, Path], left: object) -> None:
    for model in ("mean", "cls"):
        write(folders[1] / f"{model}-dev.json", left)
        write(folders[1] / f"{model}.json", {})
    parts = shown(folders)
    assert "problems" not in parts
    assert UNKNOWN in parts["numbers"].text
    assert named_in(parts["numbers"].finding.title, POOLINGS) == ["mean"]
    assert not any("None" in part.text for part in parts.values())


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
    async def built() -> tuple[gr.Tab, list[gr.Tab], list[tuple[Any, ...]]]:
        """Build the page in a running loop, or gradio leaves one open; open each sub-view."""
        with gr.Blocks(analytics_enabled=False) as page:
            tab = build_about(*folders)
        return tab, views_of(page), [opening.fn(False) for opening in page.fns.values()]

    tab, (_, *views), opened = run_async(built())
    wanted = sections(read_records(*folders))
    assert tab.id == "about"
    filled = [name for name, (_, keys) in VIEWS.items() if set(keys) & set(wanted)]
    assert [view.id for view in views] == [f"about-{name}" for name in filled]
    assert ("speed" in filled) == (folders[1] / "speed.json").is_file()
    shown_first = {}
    for view, (seen, *parts) in zip(views, opened, strict=True):
        assert seen
        shown_first |= zip([place.elem_id for place in view.children], parts, strict=True)
    assert shown_first == {f"about-{key}": html for key, html in wanted.items()}


def test_it_is_there_without_the_trainer(folders: tuple[Path, Path], tmp_path: Path) -> None:
    moved = tmp_path / "elsewhere"
    shutil.copytree(folders[0].parent, moved)
    assert shown((moved / "models", moved / "results"))["purpose"] == shown(folders)["purpose"]
