"""The page that answers: the plain page with one section, one script and a policy more."""

from __future__ import annotations

import json

import pytest
from huggingface_hub import SpaceCard

from minbert.ui.parts.answer_cards import answer_panel
from minbert.ui.static.build import findings
from minbert.ui.static.document import POLICY
from minbert.ui.static.live import POLICY as LIVE_POLICY
from minbert.ui.static.live import Live, make_live
from minbert.ui.static.sections import STILL, Source
from minbert.ui.static.space import space_readme
from tests.minbert.ui.sample_about import write_about
from tests.minbert.ui.sample_engine import tiny_engine
from tests.read_html import read
from tests.support import tiny_lesson

HOSTILE = "</textarea></script><img src=x onerror=alert(1)> & <b>red</b>"
LESSONS = [
    tiny_lesson(HOSTILE, "a dog sleeps in the park", title="odd <i>"),
    tiny_lesson("the cat sleeps", title="alone", slug="alone"),
]
SETTINGS = {"files": {}, "names": {}, "fetched": 12_345_678, "cosine": "positive"}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    """Give made-up records and two tiny models."""
    folder = tmp_path_factory.mktemp("live")
    return Source(tiny_engine(folder), LESSONS, *write_about(folder))


@pytest.fixture(scope="module")
def live(source: Source) -> Live:
    return make_live(source, SETTINGS)


@pytest.fixture(scope="module")
def page(source: Source, live: Live) -> str:
    return findings(source, live)


@pytest.mark.whole
def test_the_plain_page_is_what_is_left_without_it(source: Source, live: Live, page: str) -> None:
    """Not a byte of the page without --live is another for it."""
    data = json.dumps(live.data, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
    section = (
        '<section id="part-try"><h2 class="mb-section" id="try">Try it</h2>'
        f"{live.parts['try'][1]}</section>"
    )
    left = page
    for added in (
        f'<script type="application/json" id="data-live">{data}</script>\n',
        live.additions.styles,
        live.additions.scripts,
        section,
        '<a href="#try">Try it</a>',
    ):
        assert left.count(added) == 1
        left = left.replace(added, "")
    plain = findings(source)
    told = [text.replace("`make app`", "<code>make app</code>") for text in (live.told, STILL)]
    assert left.replace(LIVE_POLICY, POLICY).replace(*told) == plain
    assert read(plain).find(id="live") == []


def test_the_first_lesson_is_answered_and_texts_stay_texts(source: Source, page: str) -> None:
    engine = source.engine
    answered = answer_panel(engine.answer(engine.mean, engine.ask(HOSTILE, LESSONS[0].second)))
    live = read(page).one(id="live")
    assert read(answered).texts(css="mb-value") == live.texts(css="mb-value")
    assert read(answered).texts(css="mb-finding") == live.texts(css="mb-finding")
    assert [one.text for one in live.find("textarea")] == [HOSTILE, LESSONS[0].second]
    assert live.one(id="live-told").numbers == ["12.3"]


def test_the_policy_allows_what_it_needs_and_no_more() -> None:
    told = dict(part.strip().split(" ", 1) for part in LIVE_POLICY.split(";"))
    assert told["default-src"] == "'none'"
    assert told["connect-src"].split()[0] == "'self'"
    assert "'wasm-unsafe-eval'" in told["script-src"]
    assert "'unsafe-eval'" not in told["script-src"].split()
    assert "http" not in told["script-src"]


def test_the_readme_says_what_runs_where() -> None:
    with_model, plain = SpaceCard(space_readme(live=True)), SpaceCard(space_readme())
    assert with_model.data.sdk == plain.data.sdk == "static"
    assert ["`live`" in card.text for card in (with_model, plain)] == [True, False]
