"""The page of findings: its numbers are the files' and the models', its texts stay text."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import plotly.graph_objects as go
import pytest
import torch
from huggingface_hub import SpaceCard

from minbert.explain import split_similarity
from minbert.predictor import Predictor
from minbert.records.runs import VERDICTS, read_results
from minbert.ui.engine import Engine
from minbert.ui.experiments.findings import waiting
from minbert.ui.parts.figures import themed
from minbert.ui.static import build as static
from minbert.ui.static import document as static_document
from minbert.ui.static.__main__ import main
from minbert.ui.static.attention import attention_texts, finding
from minbert.ui.static.build import findings
from minbert.ui.static.document import Figures, chooser, embedded, plain_figure
from minbert.ui.static.sections import Source
from minbert.ui.static.space import space_readme, write_space_readme
from tests.minbert.ui.sample_about import write_about
from tests.support import redraw, tiny_model

HOSTILE = "</script><img src=x onerror=alert(1)> it is <b>red</b> & <!-- dull"
EXAMPLES = [
    {"name": "pair <i>", "first": "the cat sleeps", "second": "a dog sleeps in the park"},
    {"name": "alone", "first": HOSTILE, "second": ""},
]
DATA = re.compile(r'<script type="application/json" id="data-(\w+)">(.*?)</script>', re.DOTALL)


class Read(HTMLParser):
    """What a browser would make of a page: elements with their attributes, and the text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.inside = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self.inside = tag

    def handle_endtag(self, tag: str) -> None:
        self.text += "\n" if tag in ("td", "th", "li", "p", "h3", "option") else ""
        self.inside = ""

    def handle_data(self, data: str) -> None:
        if self.inside not in ("script", "style"):
            self.text += data

    def ids(self, attribute: str) -> list[str]:
        return [attrs["id"] or "" for _, attrs in self.elements if attribute in attrs]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Give made-up records and two tiny models."""
    folder = tmp_path_factory.mktemp("findings")
    predictors = {}
    for pooling in ("mean", "cls"):
        model = tiny_model(folder / pooling, pooling=pooling)
        redraw(model, seed=3)
        predictors[pooling] = Predictor(model, "cpu")
    models, results = write_about(folder)
    return Source(Engine(predictors["mean"], predictors["cls"]), EXAMPLES, models, results)


@pytest.fixture(scope="module")
def page(source: Source) -> str:
    """Build the page once."""
    return findings(source)


@pytest.fixture(scope="module")
def data(page: str) -> dict[str, Any]:
    """Read what the page's own script reads."""
    return {key: json.loads(text) for key, text in DATA.findall(page)}


def test_scores_are_the_files_with_their_intervals(page: str) -> None:
    text = Read(page).text
    assert "0.511 ± 0.011" in text
    assert f"0.511  [{0.511 - 1.96 * 0.011:.3f}, {0.511 + 1.96 * 0.011:.3f}]" in text
    assert "0.411 ± 0.011" in text
    assert "always the training file's" in text
    assert "public: best single shared" in text
    assert "report: best of each column" in text


def test_every_table_stands_there_with_its_rows_and_every_claim_with_its_verdict(
    page: str, source: Source
) -> None:
    text = Read(page).text
    runs = json.loads((source.results / "reproduction.json").read_text(encoding="utf-8"))
    for run in runs:
        assert run["title"] in text
        for name, reported in run["report"].items():
            assert f"{reported:.3f}".replace("-", "−") in text, name
    claims = read_results(source.results).comparisons
    assert len(claims) >= 3
    for one in claims:
        assert one.says in text
    for verdict in VERDICTS:
        judged = sum(one.verdict == verdict and not waiting(one) for one in claims)
        assert page.count(f'">{verdict}</span></summary>') == judged


def test_every_map_is_the_models(source: Source, data: dict[str, Any]) -> None:
    texts = attention_texts(EXAMPLES)
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
    split = split_similarity(source.engine.mean, EXAMPLES[0]["first"], EXAMPLES[0]["second"])
    heatmap = data["figures"]["example-0-split"]["data"][0]
    torch.testing.assert_close(
        torch.tensor(heatmap["z"]), split.matrix.float(), atol=5.1e-5, rtol=0
    )
    cosines = data["figures"]["example-0-layers"]["data"]
    assert [line["name"] for line in cosines] == ["CLS", "mean"]


def test_every_figure_has_one_place_words_and_numbers(page: str, data: dict[str, Any]) -> None:
    read = Read(page)
    places = read.ids("data-figure")
    assert sorted(places) == sorted([*data["figures"], "attention-map"])
    examples = {f"example-0-{part}" for part in ("answers", "split", "words", "layers")}
    examples |= {f"example-1-{part}" for part in ("answers", "words")}
    assert {key for key in places if key.startswith("example")} == examples
    assert sum(key.startswith("set-") for key in places) == 16
    tables = sum(key.startswith("table-") for key in places)
    assert tables >= 3
    # a set's two maps share their table, those of results stand open but for the curves
    assert page.count("<summary>The numbers</summary>") == len(examples) + 4 * 3 + 1 + 1
    assert page.count("How to read this:") >= len(examples) + 4 * 2 + tables + 1
    for figure in data["figures"].values():
        assert figure["layout"]["height"] >= 200
        assert figure["layout"]["dragmode"] is False
        assert "template" not in figure["layout"]


def test_texts_stay_texts(page: str) -> None:
    read = Read(page)
    tags = [tag for tag, _ in read.elements]
    assert "img" not in tags
    assert "i" not in tags
    assert "b" not in tags
    assert not [name for _, attrs in read.elements for name in attrs if name.startswith("on")]
    assert HOSTILE in read.text
    assert "pair <i>" in read.text
    assert tags.count("script") == len(DATA.findall(page)) + 2
    assert all("<" not in text for _, text in DATA.findall(page))


def test_embedded_json_is_the_value_and_cannot_end_its_element() -> None:
    value = {"a": ["</script>", "<!--", "é", 0.5, None]}
    assert "<" not in embedded(value)
    assert json.loads(embedded(value)) == value


def test_nothing_points_outside(page: str) -> None:
    read = Read(page)
    policy = [
        attrs["content"] for tag, attrs in read.elements if tag == "meta" and "content" in attrs
    ]
    assert any("default-src 'none'" in (text or "") for text in policy)
    for tag, attrs in read.elements:
        assert "src" not in attrs, tag
        assert (attrs.get("href") or "#").startswith(("#", "data:,")), tag
    body = page[page.index("<style>") : page.index("</style>")]
    assert "url(" not in body
    assert "@import" not in body
    anchors = {attrs.get("id") for _, attrs in read.elements}
    assert {a["href"] for t, a in read.elements if t == "a"} <= {f"#{one}" for one in anchors}


def test_the_size_is_bounded(page: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert 4_000_000 < len(page.encode()) < static_document.MOST_BYTES == 9_000_000
    monkeypatch.setattr(static_document, "MOST_BYTES", 1_000_000)
    with pytest.raises(ValueError, match=r"at most 1,000,000 bytes. Found [4-9],\d{3},\d{3}"):
        static_document.document("title", "", Figures(), {})


def test_one_panel_is_open_and_named_in_the_list() -> None:
    html = chooser("key", "A < B", {"one": "<p>1</p>", "two & more": "<p>2</p>"}, opened=1)
    assert '<div data-panel="key" hidden><p>1</p></div><div data-panel="key"><p>2</p></div>' in html
    assert '<option value="0">one</option><option value="1" selected>two &amp; more' in html
    assert "A &lt; B" in html


def test_a_place_is_taken_once(data: dict[str, Any]) -> None:
    figures, figure = Figures(), themed(go.Figure(), height=400)
    assert 'aria-label="a &quot;map&quot;;' in figures.place("one", figure, 'a "map"')
    assert "min-height:400px" in figures.place("two", figure, "")
    with pytest.raises(ValueError, match="Found 'one' twice"):
        figures.place("one", figure, "")
    assert plain_figure(figure)["layout"]["font"]["family"] == static_document.FONT
    assert data["template"]["layout"]["font"]


def test_missing_records_are_told_and_do_not_stop_it(source: Source, tmp_path: Path) -> None:
    bare = Source(source.engine, EXAMPLES[:1], tmp_path / "models", tmp_path / "results")
    text = Read(findings(bare)).text
    assert "Some of this page can't be shown" in text
    assert "mean-dev.json is not there" in text
    assert "The report's claims" not in text


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
    assert "examples.json should exist" in capsys.readouterr().err
    (tmp_path / "examples.json").write_text("[]", encoding="utf-8")
    assert main(["--out", str(tmp_path / "out"), "--assets", str(tmp_path)]) == 1
    assert "should hold an example" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
