"""The page of findings: its numbers are the files' and the models', its texts stay text."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
import torch
from huggingface_hub import SpaceCard

from minbert.explain import split_similarity
from minbert.records.runs import VERDICTS, read_results
from minbert.records.scores import MAIN, PUBLIC
from minbert.records.shipped import read_records
from minbert.ui.about.findings import with_error
from minbert.ui.experiments.findings import waiting
from minbert.ui.parts.colouring import exact_words
from minbert.ui.parts.figures import themed
from minbert.ui.parts.numbers import fixed
from minbert.ui.pooling.intro import with_interval
from minbert.ui.static import build as static
from minbert.ui.static import document as static_document
from minbert.ui.static.__main__ import main
from minbert.ui.static.attention import attention_texts, finding
from minbert.ui.static.build import findings
from minbert.ui.static.document import Figures, chooser, embedded, plain_figure
from minbert.ui.static.sections import Source
from minbert.ui.static.space import space_readme, write_space_readme
from tests.minbert.ui.sample_about import write_about
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import Element, read
from tests.support import tiny_lesson

HOSTILE = "</script><img src=x onerror=alert(1)> it is <b>red</b> & <!-- dull"
LESSONS = [
    tiny_lesson("the cat sleeps", "a dog sleeps in the park", title="pair <i>", slug="pair"),
    tiny_lesson(HOSTILE, title="alone", slug="alone"),
]
DATA = re.compile(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', re.DOTALL)


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Give made-up records and two tiny models."""
    folder = tmp_path_factory.mktemp("findings")
    return Source(tiny_engine(folder), LESSONS, *write_about(folder))


@pytest.fixture(scope="module")
def page(source: Source) -> str:
    """Build the page once."""
    return findings(source)


@pytest.fixture(scope="module")
def whole(page: str) -> Element:
    """Read the page as a browser would."""
    return read(page)


@pytest.fixture(scope="module")
def data(page: str) -> dict[str, Any]:
    """Read what the page's own script reads."""
    return {key: json.loads(text) for key, text in DATA.findall(page)}


def test_scores_are_the_files_with_their_intervals(whole: Element, source: Source) -> None:
    cells = [cell for row in whole.rows for cell in row]
    records = read_records(source.models, source.results)
    for one in records.scores.values():
        for name in MAIN:
            assert with_error(one.flat[name]) in cells
            assert with_interval(one.flat[name]) in cells
    assert {anchor.name for anchor in (*records.report, *PUBLIC)} <= set(cells)


def test_every_table_stands_there_with_its_rows_and_every_claim_with_its_verdict(
    whole: Element, source: Source
) -> None:
    cells = {cell for row in whole.rows for cell in row}
    runs = json.loads((source.results / "reproduction.json").read_text(encoding="utf-8"))
    for run in runs:
        assert run["title"] in cells
        assert {fixed(reported) for reported in run["report"].values()} <= cells
    claims = read_results(source.results).comparisons
    assert len(claims) >= 3
    judged = [one for one in claims if not waiting(one)]
    assert sorted(whole.texts(css="mb-claim")) == sorted(one.says for one in judged)
    assert whole.texts(css="mb-verdict") == [
        verdict for verdict in VERDICTS for one in judged if one.verdict == verdict
    ]
    for one in claims:
        assert one.says in whole.text


def test_every_map_is_the_models(source: Source, data: dict[str, Any]) -> None:
    texts = attention_texts(LESSONS)
    assert len(texts) == len(data["attention"]) == 4
    for (first, second), told in zip(texts.values(), data["attention"], strict=True):
        for layer in range(2):
            result = source.engine.attention(first, second, [layer + 1])
            wanted = torch.cat([result.weights[0].mean(dim=0, keepdim=True), result.weights[0]])
            found = torch.tensor(told["maps"][layer]) / 10_000
            assert told["tokens"] == result.tokens
            torch.testing.assert_close(found, wanted, atol=5.1e-5, rtol=0)
            assert told["findings"][layer] == [finding(result, h) for h in range(5)]
        assert not {"z", "zmax"} & set(told["figure"]["data"][0])


def test_the_split_of_the_cosine_is_the_models(source: Source, data: dict[str, Any]) -> None:
    split = split_similarity(source.engine.mean, LESSONS[0].first, LESSONS[0].second)
    heatmap = data["figures"]["lesson-pair-split"]["data"][0]
    torch.testing.assert_close(
        torch.tensor(heatmap["z"]), split.matrix.float(), atol=5.1e-5, rtol=0
    )
    cosines = data["figures"]["lesson-pair-layers"]["data"]
    assert [line["name"] for line in cosines] == ["CLS", "mean"]


def test_a_lesson_has_both_answers_its_words_and_two_curves(
    whole: Element, data: dict[str, Any], source: Source
) -> None:
    engine, lesson = source.engine, LESSONS[0]
    found = engine.asked(engine.ask(lesson.first, lesson.second))
    panel = whole.one(id="lesson-pair")
    wanted = read(exact_words(found)).find(css="mb-word")
    assert found.splits is not None
    assert len(wanted) == sum(len(mood.words) - 2 for mood in found.splits.moods) * 2
    words = panel.find(css="mb-word")
    assert [one.attributes for one in words] == [one.attributes for one in wanted]
    names = engine.names
    bars = [one.attributes["aria-label"] for one in panel.find(css="mb-main")]
    assert all(f"{names['mean']} " in bar and f"{names['cls']} " in bar for bar in bars)
    assert len(bars) == 11, "five classes of each sentence, and the paraphrase"
    lines = data["figures"]["lesson-pair-reading"]["data"]
    assert [line["name"] for line in lines] == ["CLS", "mean"]
    for line, (name, model) in zip(lines, engine.answering.items(), strict=True):
        rating = found.answer if name == "mean" else found.other
        assert rating is not None
        assert line["y"][-1] == pytest.approx(rating.sentiments[0].expected, abs=0.001)
        assert line["y"][0] == pytest.approx(model.sentiment(["the"])[0].expected, abs=0.001)


def test_every_figure_has_one_place_words_and_numbers(whole: Element, data: dict[str, Any]) -> None:
    places = [one.attributes["id"] for one in whole if "data-figure" in one.attributes]
    assert sorted(places) == sorted([*data["figures"], "attention-map"])
    shown = ("reading", "reading-pair", "split", "words", "layers")
    lessons = {f"lesson-pair-{part}" for part in shown}
    lessons |= {f"lesson-alone-{part}" for part in ("reading", "words")}
    assert {key for key in places if key.startswith("lesson")} == lessons
    assert sum(key.startswith("set-") for key in places) == 16
    tables = sum(key.startswith("table-") for key in places)
    assert tables >= 3
    for panel in (one for one in whole if one.attributes.get("data-panel")):
        drawn = sum("data-figure" in one.attributes for one in panel)
        if panel.attributes["data-panel"] == "table":
            assert panel.tables
            assert panel.finding.notes
            continue
        shared = 2 if drawn == 4 and panel.find("h4") else drawn
        folds = len(panel.find(css="mb-reading"))
        assert folds == shared, "a set's two figures share their fold"
        assert len([one for one in panel.find(css="mb-findings") if one.find("p")]) == shared
    for figure in data["figures"].values():
        assert figure["layout"]["height"] >= 200
        assert figure["layout"]["dragmode"] is False
        assert "template" not in figure["layout"]


def test_texts_stay_texts(whole: Element, page: str) -> None:
    assert not [one for one in whole if one.tag in ("img", "i", "b")]
    assert not [name for one in whole for name in one.attributes if name.startswith("on")]
    assert HOSTILE in whole.text
    assert "pair <i>" in whole.text
    assert len(whole.find("script")) == len(DATA.findall(page)) + 2
    assert all("<" not in text for _, text in DATA.findall(page))


def test_embedded_json_is_the_value_and_cannot_end_its_element() -> None:
    value = {"a": ["</script>", "<!--", "é", 0.5, None]}
    assert "<" not in embedded(value)
    assert json.loads(embedded(value)) == value


def test_nothing_points_outside(whole: Element, page: str) -> None:
    policy = whole.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert "default-src 'none'" in policy
    assert whole.find(src="") == [one for one in whole if "src" in one.attributes] == []
    anchors = {f"#{one.attributes['id']}" for one in whole if "id" in one.attributes}
    assert set(whole.outside) <= anchors | {"data:,"}
    styles = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in styles
    assert "@import" not in styles


def test_the_size_is_bounded(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 4_000_000 < len(page.encode()) < static_document.MOST_BYTES == 9_000_000
    monkeypatch.setattr(static_document, "MOST_BYTES", 1_000_000)
    with pytest.raises(ValueError, match=r"at most 1,000,000 bytes. Found [4-9],\d{3},\d{3}"):
        static_document.document("title", "", Figures(), {})


def test_one_panel_is_open_and_named_in_the_list() -> None:
    html = read(chooser("key", "A", {"one": "<p>1</p>", "two": "<p>2</p>"}, opened=1))
    panels, options = html.find(**{"data-panel": "key"}), html.find("option")
    assert [("hidden" in one.attributes, one.text) for one in panels] == [(True, "1"), (False, "2")]
    assert [("selected" in one.attributes, one.attributes["value"]) for one in options] == [
        *((False, "0"), (True, "1"))
    ]
    assert html.texts("option") == ["one", "two"]
    assert html.one("label", **{"for": "key"}).texts("span") == ["A"]


def test_a_place_is_taken_once(data: dict[str, Any]) -> None:
    figures, figure = Figures(), themed(go.Figure(), height=400)
    (place,) = read(figures.place("one", figure, "a map"))
    assert place.attributes["aria-label"].startswith("a map")
    assert place.attributes["style"] == "min-height:400px"
    with pytest.raises(ValueError, match="Found 'one' twice"):
        figures.place("one", figure, "")
    assert plain_figure(figure)["layout"]["font"]["family"] == static_document.FONT
    assert data["template"]["layout"]["font"]


def test_missing_records_are_told_and_do_not_stop_it(source: Source, tmp_path: Path) -> None:
    bare = Source(source.engine, LESSONS[:1], tmp_path / "models", tmp_path / "results")
    page = read(findings(bare))
    problem = page.find(css="mb-problem", role="status")[0]
    assert "mean-dev.json" in problem.text
    assert "python -m trainer evaluate" in problem.text
    assert page.find(css="mb-claims") == page.find(id="claims") == []


def test_a_space_gets_its_front_matter(tmp_path: Path) -> None:
    path = write_space_readme(tmp_path, "somebody/a-model")
    head = SpaceCard.load(path).data.to_dict()
    assert head["sdk"] == "static"
    assert head["app_file"] == static.INDEX
    assert head["license"] == "apache-2.0"
    assert len(head["short_description"]) <= 60
    assert head["models"] == ["somebody/a-model", "sentence-transformers/all-MiniLM-L6-v2"]
    assert len(head["datasets"]) == 3
    assert head["tags"]
    assert "somebody" not in space_readme()
    for name in ("a-model", "a/b/c", "a b/c"):
        with pytest.raises(ValueError, match="should be USER/NAME"):
            space_readme(name)


def test_the_command_tells_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--out", str(tmp_path / "out"), "--assets", str(tmp_path)]) == 1
    assert "lessons.toml should exist" in capsys.readouterr().err
    (tmp_path / "lessons.toml").write_text("", encoding="utf-8")
    assert main(["--out", str(tmp_path / "out"), "--assets", str(tmp_path)]) == 1
    assert "should have `lesson`" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
