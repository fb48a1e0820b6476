"""The page that answers, from a plain file server: its answers are the server's, to each digit."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Browser, Page, Route, expect

from minbert.browser.package import GRAPH, SCRIPT, WASM, WORDS
from minbert.lessons import FILE, read_lessons
from minbert.ui.engine import Engine
from minbert.ui.page import within_one
from minbert.ui.parts.answer_cards import answer_panel
from minbert.ui.parts.blocks import notice_line
from minbert.ui.parts.colouring import exact_words
from minbert.ui.try_it.reading import mood_shown, pair_shown, read_moods, read_pair
from tests.read_html import read
from tests.served import ROOT, free_ports, serving
from trainer.publish.visit import Visit

pytestmark = pytest.mark.whole  # each test starts a model in a browser
LESSONS = read_lessons(ROOT / "assets" / FILE)
HOSTILE = "</textarea></script><img src=x onerror=alert(1)> & <b>red</b>"
OTHERS = (
    ("The soup was [MASK].", "The soup was not bad at all."),
    (HOSTILE, "Is `this` \U0001f600 a \u201cquestion\u201d?"),
    ("It goes on and on. " * 40, "A short end."),
    ("Une soir\u00e9e tr\u00e8s douce.", ""),
)
PATIENCE = 240_000  # milliseconds for a download and a start on a busy machine
# Whatever is seen or read aloud of an element: kind, class, label, text, lengths.
LOOKED_AT = """root => [...root.querySelectorAll("*")].map(one => [
    one.tagName, one.className, one.getAttribute("aria-label"), one.textContent.replace(/\\s/g, ""),
    one.style.width, one.style.left])"""
OF_HTML = (
    "html => { const made = document.createElement('div'); made.innerHTML = html;"
    f"return ({LOOKED_AT})(made); }}"
)


# Of coloured words whatever is read: words with their numbers, tints, titles, lines, cells.
OF_WORDS = """root => [...root.querySelectorAll(
        "h3, p, li, .mb-sentence, .mb-word, th, td, caption")]
    .flatMap(one => [one.textContent.trim(), one.getAttribute("aria-label") || "",
        one.dataset.own || "", one.dataset.with || ""])"""
NUMBER = re.compile(r"[+\u2212-]?\d[\d,]*(?:\.\d+)?")


def numbers(text: str) -> list[float]:
    """Return the numbers in a text; those of a list of thousandths as thousandths."""
    found = [float(one.replace("\u2212", "-").replace(",", "")) for one in NUMBER.findall(text)]
    return found if "." in text or len(found) < 3 else [one / 1000 for one in found]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the page and its model as a person would; npm fetches what runs it."""
    folder = tmp_path_factory.mktemp("live")
    command = [sys.executable, "-W", "error", "-m", "minbert.ui.static", "--out", str(folder)]
    done = subprocess.run(
        [*command, "--space", "--live"],
        cwd=ROOT,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "index.html", "live"]
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    """Serve the folder as a static host does: files alone, no headers of its own."""
    (port,) = free_ports(1)
    arguments = ["-u", "-m", "http.server", f"{port}", "--bind", "127.0.0.1"]
    with serving([*arguments, "--directory", str(folder)], ready="Serving HTTP"):
        yield f"http://127.0.0.1:{port}/"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """Load what the app answers with."""
    return Engine.load(ROOT / "assets" / "models", "cpu")


@pytest.fixture
def opened(browser: Browser, address: str) -> Iterator[Callable[..., Visit]]:
    """Open the page in a size and a colour scheme; it may ask no other host for anything."""
    visits: list[Visit] = []

    def open_page(width: int = 1280, scheme: str = "light", url: str = address) -> Visit:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
        seen = Visit(page)
        visits.append(seen)
        page.on("request", lambda request: seen.requests.append(request.url))
        page.on("pageerror", lambda error: seen.errors.append(str(error)))
        page.on("dialog", lambda dialog: (seen.dialogs.append(dialog.message), dialog.dismiss()))
        page.goto(url, timeout=PATIENCE)
        return seen

    yield open_page
    for seen in visits:
        seen.page.close()
        assert {urlsplit(url).netloc for url in seen.requests} <= {urlsplit(address).netloc, ""}
        assert seen.errors == []
        assert seen.dialogs == []


def fetched(seen: Visit) -> list[str]:
    """Return the model's files that were asked for."""
    paths = [Path(urlsplit(url).path) for url in seen.requests]
    return sorted(path.name for path in paths if path.parent.name == "live")


def ask(page: Page, first: str, second: str) -> None:
    """Type two sentences, press Answer, and wait for the answer to them."""
    page.fill("#live-first", first)
    page.fill("#live-second", second)
    page.evaluate("document.getElementById('live-told').textContent = ''")
    page.click("#live-answer")
    wait_for(page, "Answered in this browser in ")


def wait_for(page: Page, words: str) -> None:
    """Wait until the page tells something that begins so."""
    page.wait_for_function(
        "words => document.getElementById('live-told').textContent.startsWith(words)",
        arg=words,
        timeout=PATIENCE,
    )


def shown(page: Page) -> list[Any]:
    """Return what the cards and the line above them show."""
    return [page.locator(key).evaluate(LOOKED_AT) for key in ("#live-cards", "#live-counts")]


def wanted(page: Page, engine: Engine, first: str, second: str) -> list[Any]:
    """Return the same of the app's own cards for these sentences."""
    question = engine.ask(first, second)
    answer = engine.answer(engine.mean, question)
    often = within_one(ROOT / "assets" / "results")
    told = answer_panel(answer, 0.5, often), notice_line(question.notices)
    return [page.evaluate(OF_HTML, html) for html in told]


def words_as_wanted(page: Page, engine: Engine, first: str, second: str) -> None:
    """Assert that the coloured words are the app's, their numbers within what it rounds."""
    found = page.locator("#live-words").evaluate(OF_WORDS)
    html = exact_words(engine.asked(engine.ask(first, second)))
    wanted = page.evaluate(
        "html => { const made = document.createElement('div'); made.innerHTML = html;"
        f"return ({OF_WORDS})(made); }}",
        html,
    )
    assert [NUMBER.sub("#", text) for text in found] == [NUMBER.sub("#", t) for t in wanted]
    for one, other in zip(found, wanted, strict=True):
        assert numbers(one) == pytest.approx(numbers(other), abs=0.0151), (one, other)


def curves_as_wanted(page: Page, engine: Engine, first: str, second: str) -> None:
    """Assert that the curves over both sentences as they are read are the app's."""
    asked = engine.ask(first, second)
    curves = {"reading": mood_shown(read_moods(engine, asked.first))}
    if second:
        curves["reading-pair"] = pair_shown(read_pair(engine, *asked.texts))
    for key, (words, figure) in curves.items():
        (line,) = json.loads(figure.to_json())["data"]
        page.wait_for_function(
            "([key, count]) => { const place = document.getElementById(`live-${key}`);"
            "return !place.hidden && place.querySelectorAll('tbody tr').length === count; }",
            arg=[key, len(line["y"])],
            timeout=PATIENCE,
        )
        place = page.locator(f"#live-{key}")
        place.locator(".mb-plot").scroll_into_view_if_needed()
        page.wait_for_function(f"() => document.getElementById('live-{key}-plot').data")
        drawn = page.evaluate(
            f"(({{y, customdata}}) => ({{y: [...y], customdata}}))("
            f"document.getElementById('live-{key}-plot').data[0])"
        )
        assert drawn["y"] == pytest.approx(line["y"], abs=0.002)
        assert [box[0] for box in drawn["customdata"]] == [box[0] for box in line["customdata"]]
        title = read(words).one("h3").text
        assert NUMBER.sub("#", place.locator("h3").inner_text()) == NUMBER.sub("#", title)
        cut = place.locator(".mb-cut").text_content()
        assert cut == "".join(read(words).finding.notes[:-1])
    if not second:
        assert page.locator("#live-reading-pair").is_hidden()


def test_answers_words_and_curves_are_the_server_s(
    opened: Callable[..., Visit], engine: Engine
) -> None:
    """Answers are the same to each digit; curves are looked at for two lessons and odd texts."""
    seen = opened()
    page, alone = seen.page, Engine(engine.mean)
    assert shown(page) == wanted(page, engine, LESSONS[0].first, LESSONS[0].second)
    assert fetched(seen) == []  # the first answer is stored; nothing is fetched unasked
    pairs = [*((lesson.first, lesson.second) for lesson in LESSONS), *OTHERS]
    for first, second in pairs:
        ask(page, first, second)
        found, expected = shown(page), wanted(page, engine, first, second)
        assert found == expected, (first, second)
        assert len(found[0]) > 30
        words_as_wanted(page, alone, first, second)
        if (first, second) in (*pairs[2:4], *OTHERS):
            curves_as_wanted(page, alone, first, second)
    assert fetched(seen) == sorted([GRAPH, WORDS, SCRIPT, WASM])  # each once
    page.fill("#live-second", "")
    page.locator("#live-cards", has_text="Add a sentence B").wait_for()  # typing is answered, too
    page.select_option("#live-lesson", index=1)
    page.locator("#live-cards .mb-gauge").wait_for()
    first, second = pairs[1]
    assert page.input_value("#live-first") == first
    assert shown(page) == wanted(page, engine, first, second)


def test_hostile_text_and_problems_are_told_as_text(opened: Callable[..., Visit]) -> None:
    seen = opened()
    page = seen.page
    page.fill("#live-first", " \n")
    page.click("#live-answer")
    wait_for(page, "Sentence A is empty. Type a sentence there")
    assert fetched(seen) == []
    ask(page, HOSTILE, HOSTILE)
    assert page.locator("#live img, #live b").count() == 0
    page.fill("#live-second", "\u200b")
    wait_for(page, "Sentence B has only invisible characters")
    assert page.locator("#live-cards *, #live-words *").count() == 0
    assert page.locator("#live-reading").is_hidden()
    page.fill("#live-second", "ab " * 50_000)
    wait_for(page, "Sentence B has 149,999 characters. The limit is 100,000")


def test_a_broken_download_is_told_and_tried_again(opened: Callable[..., Visit]) -> None:
    page = opened().page
    broken: list[tuple[str, Callable[[Route], None], str]] = [
        (WASM, lambda route: route.fulfill(status=404), f"{WASM} couldn't be fetched: the host"),
        (GRAPH, lambda route: route.abort(), f"{GRAPH} couldn't be fetched: the connection"),
        (WORDS, lambda route: route.fulfill(body="{}"), f"{WORDS} came damaged"),
    ]
    for name, handler, words in broken:
        page.route(f"**/live/{name}?*", handler)
        page.click("#live-answer")
        wait_for(page, words)
        assert "mb-problem" in (page.get_attribute("#live-told", "class") or "")
        assert page.locator("#live-progress").is_hidden()
        page.unroute(f"**/live/{name}?*")
        page.evaluate("document.getElementById('live-told').textContent = ''")
        page.wait_for_timeout(500)  # nothing that still comes in may speak over it
        assert page.inner_text("#live-told") == ""
    ask(page, "The soup was bad.", "")
    page.reload()
    page.route(f"**/live/{SCRIPT}?*", lambda route: route.fulfill(status=404))
    page.click("#live-answer")
    wait_for(page, f"{SCRIPT} couldn't be fetched. Reload this page")


@pytest.mark.parametrize("missing", ["WebAssembly", "DecompressionStream"])
def test_a_browser_that_can_t_is_told(browser: Browser, address: str, missing: str) -> None:
    page = browser.new_page()
    page.add_init_script(f"delete globalThis.{missing};")
    page.goto(address)
    page.click("#live-answer")
    wait_for(page, "This browser can't run the model: ")
    page.close()


def test_a_page_opened_as_a_file_says_what_to_do(browser: Browser, folder: Path) -> None:
    page = browser.new_page()
    page.goto((folder / "index.html").as_uri())
    page.click("#live-answer")
    wait_for(page, "A page opened as a file may not fetch its model. Serve its folder")
    page.close()


def test_the_policy_lets_no_other_host_in(opened: Callable[..., Visit]) -> None:
    page = opened().page
    asked = "url => fetch(url).then(() => 'came', () => 'refused')"
    (port,) = free_ports(1)
    assert page.evaluate(asked, "live/words.json") == "came"
    page.evaluate("addEventListener('securitypolicyviolation', told => { window.told = told; })")
    assert page.evaluate(asked, f"http://127.0.0.1:{port}/") == "refused"
    page.wait_for_function("window.told?.violatedDirective === 'connect-src'")


def test_it_looks_as_the_page_does(opened: Callable[..., Visit]) -> None:
    """On a phone in the dark, then wide and light, with the model that came."""
    page = opened(390, "dark").page
    page.route(f"**/live/{WASM}?*", lambda _: None)  # never answered
    page.click("#live-answer")
    most = re.compile(r"^(8[5-9]|9\d)$")  # per cent: all but what is held back
    expect(page.locator("#live-progress")).to_have_attribute(
        "aria-valuenow", most, timeout=PATIENCE
    )
    page.screenshot(path=ROOT / "test-output" / "live-fetching.png")
    page.goto(page.url)
    page.unroute(f"**/live/{WASM}?*")
    ask(page, "The soup was not bad at all.", "A " + "very" * 60 + " long word.")
    page.evaluate(AXE_SCRIPT)
    for width, scheme in ((390, "dark"), (1280, "light")):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = page.evaluate("axe.run('#part-try').then(found => found.violations)")
        assert found == []
        page.screenshot(path=ROOT / "test-output" / f"live-{scheme}-{width}.png")
