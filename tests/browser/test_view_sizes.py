"""What Chromium receives for one view of the Attention studio and of Why?: below 2 MB, always.

The longest pair is the heavy set's; test_views.py counts what each view of a short one brings, and
tests/benchmarks/test_attention_served.py what the server sends of the longest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_page import ask
from tests.browser.walk import open_tab
from trainer.publish.visit import Visit, open_view, settle

Open = Callable[..., Visit]
PATIENT = 240_000  # milliseconds: a busy machine is slow, not wrong
MOST_BYTES = 2_000_000
LONG = "the quick brown fox jumps over the lazy dog and "
A, B = (LONG * 7).strip(), (LONG * 6).strip()  # with their marks more than the 128 tokens read


class Received:
    """Counts what the page receives, as the browser tells it, unpacked.

    What the page makes for itself, such as the picture of a heat map, is a data URL there. Scripts
    are the page's own code, Plotly's above all, which comes once, with the first figure.
    """

    def __init__(self, page: Page) -> None:
        self.count = 0
        self.left_out: set[str] = set()
        self.session = page.context.new_cdp_session(page)
        self.session.send("Network.enable")
        self.session.on("Network.requestWillBeSent", self._note)
        self.session.on("Network.dataReceived", self._add)

    def _note(self, event: dict[str, Any]) -> None:
        made_here = event["request"]["url"].startswith(("data:", "blob:"))
        if made_here or event.get("type") == "Script":
            self.left_out.add(event["requestId"])

    def _add(self, event: dict[str, Any]) -> None:
        if event["requestId"] not in self.left_out:
            self.count += event["dataLength"]

    def of(self, act: Callable[[], object]) -> int:
        """Return the bytes that came while `act` went on."""
        self.count = 0
        act()
        return self.count


@pytest.mark.whole
def test_each_view_of_the_longest_pair_is_small(visit: Open) -> None:
    seen = visit()
    page = seen.page
    received = Received(page)
    title = page.locator("#attention-words h3")
    open_tab(page, "Attention")

    def settled(label: str, told: str) -> Callable[[], None]:
        def act() -> None:
            page.get_by_label(label, exact=True).click()
            expect(title).to_contain_text(told, timeout=PATIENT)
            settle(page)  # with what comes beside it

        return act

    def together() -> None:
        page.get_by_label("A alone").click()
        page.get_by_label("A and B together").click()
        expect(page.locator("#attention-words")).to_contain_text(
            "The text was cut", timeout=PATIENT
        )
        settle(page)

    def framed(kind: str) -> Callable[[], None]:
        def act() -> None:
            page.locator(f"#bertviz-{kind}").click()
            frame = page.locator(f"#attention-bertviz iframe[title^='bertviz {kind}']")
            expect(frame).to_have_count(1, timeout=PATIENT)

        return act

    def masked() -> None:
        page.locator("#attention-mask").get_by_text("fox", exact=True).first.click()
        expect(page.locator("#masked-words h3")).to_contain_text("“fox” masked", timeout=PATIENT)
        settle(page)

    ask(page, A, B)
    sizes = {
        "new input": received.of(together),
        "rollout": received.of(settled("Rollout", "Through layers")),
        "one head": received.of(settled("One head", "Layer 6")),
    }
    open_view(page, "attention-lines")
    sizes |= {f"bertviz {kind}": received.of(framed(kind)) for kind in ("model", "head")}
    open_view(page, "attention-without")
    sizes["masked"] = received.of(masked)
    print(sizes)  # noqa: T201 - the figures the check is for
    assert min(sizes.values()) > 10_000, "what came was seen"
    assert max(sizes.values()) < MOST_BYTES
    assert seen.errors == []


@pytest.mark.whole
def test_a_whole_press_of_why_is_small(visit: Open) -> None:
    page = visit().page
    page.locator("#first textarea").fill(A)
    open_view(page, "why-people")
    received = Received(page)

    def act() -> None:
        page.locator("#why-explain").click()
        expect(page.locator("#why-people-told h3")).to_be_visible(timeout=PATIENT)

    assert 10_000 < received.of(act) < MOST_BYTES
