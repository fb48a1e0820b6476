"""What a person does with an answer: threshold, swap, pin and compare, share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlparse

import pytest
from playwright.sync_api import Page, Request, expect

from tests.browser.test_page import HOSTILE, ask, findings
from tests.browser.walk import open_tab, tab_names
from tests.served import free_ports, serving
from trainer.publish.visit import Visit, settle

WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
Open = Callable[..., Visit]
A, B = "The harbour was calm at dawn.", "At sunrise the harbour lay still."


def boxes(page: Page) -> tuple[str, str]:
    return tuple(page.locator(f"#{name} textarea").input_value() for name in ("first", "second"))


def link_of(page: Page) -> str:
    page.get_by_text("Share it, or get it elsewhere").click()
    page.locator("#share").click()
    box = page.locator("#link textarea, #link input")
    expect(box).not_to_have_value("")
    return box.input_value()


def test_the_threshold_decides_and_asks_no_model(kept: Visit) -> None:
    page = kept.page
    ask(page, "How can I learn cooking?", "How do I learn to cook?")
    decision = page.locator("#predictions .mb-card").nth(2)
    before = decision.locator(".mb-value").inner_text()
    assert decision.locator(".mb-finding").inner_text() == "yes"
    number = page.locator("#threshold input[type=number]")
    number.fill("0.95")
    number.press("Enter")
    expect(decision.locator(".mb-finding")).to_have_text("no")
    expect(decision).to_contain_text("yes above 95 %")
    assert decision.locator(".mb-value").inner_text() == before


def test_swapping_answers_the_other_way_round(kept: Visit) -> None:
    page = kept.page
    ask(page, "The soup was wonderful.", "The soup was awful.")
    first, second = boxes(page)
    moods = findings(page)[:2]
    assert moods[0] != moods[1]
    page.locator("#swap").click()
    expect(page.locator("#first textarea")).to_have_value(second)
    expect(page.locator("#predictions .mb-finding").first).to_have_text(moods[1])
    assert boxes(page) == (second, first)
    assert findings(page)[:2] == moods[::-1]


def test_a_pinned_answer_is_compared_with_the_next(kept: Visit) -> None:
    page = kept.page
    ask(page, "The soup was wonderful.", "I loved the soup.")
    expect(page.locator("#unpin")).to_be_hidden()
    page.locator("#pin").click()
    pinned = page.locator("#change")
    expect(pinned).to_contain_text("Pinned: “The soup was wonderful.” and “I loved the soup.”")
    ask(page, "The soup was awful.", "I loved the soup.")
    expect(pinned).to_contain_text("Sentiment of A:")
    expect(pinned).to_contain_text("→")
    lines = pinned.locator("li").all_inner_texts()
    assert [line.split(":")[0] for line in lines] == [
        *("Sentiment of A", "Sentiment of B"),
        *("Paraphrase", "Similarity"),
    ]
    assert "expected rating -" in lines[0]
    assert lines[1].endswith("+0.0")
    page.locator("#unpin").click()
    expect(pinned).to_have_text("")
    expect(page.locator("#unpin")).to_be_hidden()


def test_typing_is_answered_and_can_be_switched_off(visit: Open) -> None:
    page = visit().page
    ask(page, A, B)
    settle(page)
    before = page.locator("#predictions").inner_text()
    asked: list[str] = []

    def note(sent: Request) -> None:
        if sent.method == "POST":  # of any event
            asked.append(sent.url)

    page.on("request", note)
    page.clock.install()
    page.clock.pause_at(page.evaluate("Date.now() + 10"))
    page.locator("#first textarea").fill("")
    page.locator("#first textarea").press_sequentially("An awful, boring evening")
    page.clock.run_for(350)
    early = list(asked)
    page.clock.resume()  # of all pages of this visitor
    assert early == [], "nothing is asked until 400 ms after the last key"
    changed = "before => document.getElementById('predictions').innerText !== before"
    page.wait_for_function(changed, arg=before)
    expect(page.locator("#predictions .mb-finding").first).to_contain_text("negative")
    assert len(asked) == 1, "one question for all of the 24 keys"
    page.get_by_label("Answer while I type").uncheck()
    told = page.locator("#predictions").inner_text()
    page.locator("#first textarea").fill("A lovely evening")
    page.wait_for_timeout(1_500)
    assert page.locator("#predictions").inner_text() == told
    page.locator("#answer").click()
    page.wait_for_function(changed, arg=told)


@pytest.mark.whole
def test_a_link_reopens_the_page_and_leaves_no_trace(visit: Open) -> None:
    seen = visit()
    page = seen.page
    ask(page, A, B)
    link = link_of(page)
    assert parse_qs(urlparse(link).fragment) == {"a": [A], "b": [B], "tab": ["try-answers"]}
    assert A not in urlparse(link).query
    assert urlparse(page.url).fragment == "", "the address, and so the history, stays as it was"
    assert page.evaluate("localStorage.length + sessionStorage.length") <= 1  # gradio's own theme
    page.goto("about:blank")
    page.goto(link.replace("tab=try-answers", "tab=pooling-split"))
    page.wait_for_selector("#predictions .mb-card", state="attached")
    expect(page.locator("#first textarea")).to_have_value(A)
    opened = page.get_by_role("tab", name="Pooling lab", exact=True)
    expect(opened).to_have_attribute("aria-selected", "true")
    page.wait_for_selector("#split-plot .heatmaplayer image")
    assert boxes(page) == (A, B)
    assert not any(A.split()[1] in url for url in seen.requests if "http" in url)


EVERYTHING_KEPT = """async () => {
    const kept = [JSON.stringify({...localStorage}), JSON.stringify({...sessionStorage})];
    for (const {name} of await indexedDB.databases()) {
        const base = await new Promise(done => {
            const asked = indexedDB.open(name);
            asked.onsuccess = () => done(asked.result);
        });
        for (const store of base.objectStoreNames) {
            const all = base.transaction(store).objectStore(store).getAll();
            kept.push(JSON.stringify(await new Promise(done => {
                all.onsuccess = () => done(all.result);
            })));
        }
        base.close();
    }
    return kept.join() + document.cookie + location.href;
}"""


def refused(word: str) -> dict[str, list[object]]:
    """Return a request whose refusal quotes the word; a log with the refusal would hold it."""
    return {"data": [["a film"], word]}


def test_what_is_typed_is_kept_nowhere(visit_at: Open, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    url, word = f"http://127.0.0.1:{port}", "quinceorchard"
    arguments = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(tmp_path / "cache")}
    with serving(["app.py"], ready=url, **arguments) as program:
        page = visit_at(url).page
        ask(page, f"The {word} is in bloom.", f"I love the {word}.")
        page.locator("#pin").click()
        expect(page.locator("#change")).to_contain_text(word)
        for name in tab_names(page)[:: 1 if WHOLE else 3]:
            open_tab(page, name)
        assert word not in page.evaluate(EVERYTHING_KEPT)
        asked = page.request.post(f"{url}/gradio_api/call/similarity_matrix", data=refused(word))
        told = page.request.get(f"{asked.url}/{asked.json()['event_id']}").text()
        assert "event: error" in told
        assert word not in program.stop()
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path for path in written if word.encode() in path.read_bytes()] == []


@pytest.mark.parametrize("tab", [pytest.param("Try it", marks=pytest.mark.whole), HOSTILE])
def test_a_hostile_link_shows_text_and_runs_nothing(visit: Open, tab: str) -> None:
    seen = visit(link=urlencode({"a": HOSTILE, "b": HOSTILE, "tab": tab}))
    page = seen.page
    expect(page.locator("#first textarea")).to_have_value(HOSTILE)
    page.wait_for_selector("#predictions .mb-card")
    page.locator("#pin").click()
    expect(page.locator("#change")).to_contain_text("Pinned")
    page.get_by_text("Share it, or get it elsewhere").click()
    expect(page.locator("#json")).to_contain_text("onerror")
    assert page.locator("#injected").count() == 0
    assert seen.dialogs == []
    assert seen.errors == []


def test_the_python_lines_are_shown_and_hold_what_was_typed(kept: Visit) -> None:
    page = kept.page
    ask(page, A)
    page.get_by_text("Share it, or get it elsewhere").click()
    expect(page.locator("#python")).to_contain_text("predictor.sentiment")
    expect(page.locator("#python")).to_contain_text(A)
