"""What the page shows in a browser, for tests/stored_answers.py: texts, figures, values, refusals.

Every component that has an elem_id and can be seen is read as a person sees it, tab by tab: what a
hidden tab holds is its own affair. A step stores what it has changed; None is a component of the
open tab that is no longer there.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Browser, Locator, Page, Request, sync_playwright

PATIENT = 300  # seconds
POLL, CALM = 150, 400  # milliseconds between two looks, and without a change of the page
LOST = 20_000  # so long without a change: a request under way is one whose end was never told
LONG = 300_000  # a longer text is stored as its digest
EVENT = re.compile("/(queue|run|call|upload|assets)/")  # requests that change what is shown
TABS = ("Try it", "Pooling lab", "Attention", "Why?", "Batch", "Experiments", "About")
PRESSED = {  # for which every button is pressed: which options too, and what "Why?" is asked about
    "single": (slice(0, None, 3), "Sentiment of A"),
    "pair": (slice(5), "Similarity"),
    "questions": (slice(1, None, 3), "Paraphrase"),
}
NUMBERS = {
    "Paraphrase: say yes above": "0.9",
    "Layer (1: lowest)": "4",
    "Head (0: mean of all)": "7",
    "Keep the strongest, % of the attention": "50",
    "α of the last epoch": "0.4",
    "Epochs": "5",
}
TEXTS = {
    "#edit-word": "strange",
    "#set-lines": "left | A dog barks.\nA dog is barking.\nIt rained.",
}
BATCH_TASKS = ("As the columns say", "Sentences: sentiment", "Pairs: paraphrase and similarity")
# Before the page's own scripts: what it tells in passing, and a reading of all that it shows.
READER = r"""
window.toasts = [];
new MutationObserver(changes => {
    window.changed = performance.now();
    const added = changes.flatMap(change => [...change.addedNodes]).filter(node => node.matches);
    for (const node of added) {
        if (node.matches('.toast-body')) window.toasts.push(node);
        window.toasts.push(...node.querySelectorAll('.toast-body'));
    }
}).observe(document, {attributes: true, characterData: true, childList: true, subtree: true});
const plain = value => {
    if (ArrayBuffer.isView(value) || Array.isArray(value)) return [...value].map(plain);
    if (typeof value === 'bigint') return Number(value);
    if (!value || typeof value !== 'object') return value;
    const left = key => key.startsWith('_') || (key === 'range' && value.autorange);
    const kept = Object.entries(value).filter(([key]) => !left(key));
    return Object.fromEntries(kept.map(([key, one]) => [key, plain(one)]));
};
const markup = one => {
    const copy = (one.querySelector('.prose') ?? one).cloneNode(true);
    for (const part of copy.querySelectorAll('*')) {
        const names = [...part.classList].filter(name => !name.startsWith('svelte-'));
        names.length ? part.setAttribute('class', names.join(' ')) : part.removeAttribute('class');
        if (part.matches('iframe')) part.removeAttribute('style');
    }
    return copy.innerHTML.replace(/<!--.*?-->/gs, '').trim();
};
const code = one => {
    const held = one.querySelector('.cm-content');
    const view = held && (held.cmTile ?? held.cmView)?.view;
    return view ? view.state.doc.toString() : held && held.innerText;
};
const figure = one => {
    const drawn = one.querySelector('.js-plotly-plot');
    return drawn && drawn.layout ? {data: plain(drawn.data), layout: plain(drawn.layout)} : null;
};
const cells = one => !one.checkVisibility() ? undefined // rows are there only when they are seen
    : [...one.querySelectorAll('[data-row][data-col]')]
        .filter(cell => Number(cell.dataset.row) < 6)
        .map(cell => `${cell.dataset.row}, ${cell.dataset.col}: ${cell.textContent.trim()}`);
const other = one => {
    const fields = [...one.querySelectorAll('input:not([type=file]), textarea, button')];
    const value = field => ['radio', 'checkbox'].includes(field.type) ? field.checked
        : field.matches('button') ? field.disabled : field.value;
    return [one.textContent.replace(/\s+/g, ' ').trim(), one.disabled, ...fields.map(value)];
};
const READ = {html: markup, code, plot: figure, dataframe: cells};
const PLACES = ['row', 'column', 'group', 'form', 'tabs', 'tabitem', 'tab', 'accordion', 'state'];
window.shown = () => {
    const found = {};
    for (const {type, props} of window.gradio_config.components) {
        const one = props.elem_id && document.getElementById(props.elem_id);
        if (!one || PLACES.includes(type) || !one.checkVisibility()) continue;
        found[props.elem_id] = (READ[type] ?? other)(one);
    }
    return JSON.stringify(found);
};
window.still = calm => performance.now() - window.changed > calm
    && ![...document.querySelectorAll('.mb-plot')]
        .some(plot => plot.checkVisibility() && !plot.querySelector('svg.main-svg, .empty'));
window.told = () => {
    const texts = window.toasts.splice(0).map(one => one.textContent.replace(/\s+/g, ' ').trim());
    document.querySelectorAll('.toast-close').forEach(button => button.click());
    return [...new Set(texts)].sort();
};
window.words = () => {
    const copy = [...document.querySelectorAll('.tabitem')].find(one => one.checkVisibility())
        .cloneNode(true);
    copy.querySelectorAll('.mb-plot, .cm-editor, .cell-wrap, style').forEach(one => one.remove());
    return copy.textContent.replace(/\s+/g, ' ');
};
"""
UNFOLD = """() => [...document.querySelectorAll('button.label-wrap:not(.open)')]
    .filter(fold => fold.checkVisibility()).forEach(fold => fold.click())"""

# An editor's height hangs on whether its font was there when it was built.
STEADY = ".cm-editor { height: 200px !important; overflow: hidden; }"


class Visit:
    """One open page: what it waits for, what was seen so far, and what each step has changed."""

    def __init__(self, browser: Browser, url: str, width: int = 1280, theme: str = "light") -> None:
        """Open the page and wait until it is still."""
        self.url, self.steps, self.known = url, {}, {}  # type: ignore[var-annotated]
        self.tab, self.there = "Try it", {}  # type: ignore[var-annotated] # by tab, the components seen last
        self.waiting: set[Request] = set()
        self.files: dict[str, str] = {}  # downloaded since the last step
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.page.add_init_script(READER)
        self.page.on("request", lambda request: self.waiting.add(request))
        for end in ("requestfinished", "requestfailed"):
            self.page.on(end, lambda request: self.waiting.discard(request))  # type: ignore[call-overload]
        self.page.goto(f"{url}/?__theme={theme}")
        self.page.wait_for_selector("#predictions .mb-card", timeout=60_000)
        self.settle()

    def settle(self) -> None:
        """Wait until no event is under way and what is shown stays as it is."""
        looks, last = 0, time.monotonic() + PATIENT
        while looks < 2 and time.monotonic() < last:
            self.page.wait_for_timeout(POLL)
            busy = any(EVENT.search(request.url) for request in self.waiting)
            calm = self.page.evaluate(f"window.still({LOST if busy else CALM})")
            looks = looks + 1 if calm else 0
        self.waiting.clear()

    def take(self, name: str) -> None:
        """Store under this name what has changed since the last step."""
        self.settle()
        now = tidy(json.loads(self.page.evaluate("window.shown()")), self.url)
        gone = dict.fromkeys(key for key in self.there.get(self.tab, ()) if key not in now)
        changed = {key: one for key, one in now.items() if self.known.get(key, ...) != one}
        self.known |= {**gone, **now}
        self.there[self.tab] = set(now)
        if told := self.page.evaluate("window.told()"):
            changed["(toasts)"] = told
        changed |= {f"(download) {file}": tidy(text, self.url) for file, text in self.files.items()}
        self.files = {}
        self.steps[name] = {**gone, **changed}

    def open(self, tab: str) -> None:
        """Open a tab, from the menu where a narrow page has no room for it, and all its folds."""
        place = self.page.get_by_role("tab", name=tab, exact=True)
        if place.count() == 0:
            self.page.get_by_role("button", name="More tabs").click()
            self.page.locator(".overflow-dropdown").get_by_text(tab, exact=True).click()
        else:
            place.click()
        self.tab = tab
        self.page.wait_for_timeout(300)
        self.page.evaluate(UNFOLD)
        self.settle()

    def ask(self, first: str, second: str) -> None:
        """Type both sentences and press Answer."""
        for name, text in (("first", first), ("second", second)):
            self.page.locator(f"#{name} textarea").fill(text)
        self.page.locator("#answer").click()

    def seen(self, selector: str) -> list[Locator]:
        """Return what can be seen of the open tab."""
        found = self.page.locator(f".tabitem:visible {selector}").all()
        return [one for one in found if one.is_visible()]

    def exercise(self, which: slice = slice(None)) -> None:
        """Set numbers, choices, lists, boxes and texts of the open tab, then press each button."""
        for label, value in NUMBERS.items():
            box = self.page.get_by_label(f"number input for {label}", exact=True)
            if box.count() and box.is_visible():
                box.fill(value)
                box.press("Enter")
                self.take(f"{self.tab}: {label} {value}")
        for group, choice in enumerate(self.seen("fieldset:has(input[type=radio])")):
            for option in choice.locator("label:has(input[type=radio])").all()[which]:
                if option.is_visible():
                    name = option.inner_text().strip()
                    option.click()
                    self.take(f"{self.tab}: choice {group}, {name}")
        for number, box in enumerate(self.seen("input[role=combobox], input[role=listbox]")):
            box.click()
            self.page.get_by_role("option").last.click()
            self.page.keyboard.press("Escape")
            self.take(f"{self.tab}: list {number}, the last")
        for number, box in enumerate(self.seen("input[type=checkbox]")):
            box.click()
            self.take(f"{self.tab}: box {number}")
        for selector, text in TEXTS.items():
            for box in self.seen(f"{selector} :is(textarea, input)"):
                box.fill(text)
        names = [button.inner_text() for button in self.seen("button:is(.lg, .md, .sm)")]
        for name in [*names, "Unpin"]:
            if name == "Replace":  # a swap has chosen no word
                self.page.locator("#edit-first label").first.click()
            self.press(name)

    def press(self, name: str) -> None:
        """Press the button of this name, and what it made to be downloaded."""
        button = self.page.locator(".tabitem:visible").get_by_role("button", name=name, exact=True)
        if not (button.count() and button.first.is_visible() and button.first.is_enabled()):
            return
        button.first.click()
        self.settle()
        for link in self.seen("a[download][href*='/file=']"):
            self.download(link)
        self.take(f"{self.tab}: press {name}")

    def download(self, link: Locator) -> None:
        """Keep the file behind a link for the step at hand."""
        with self.page.expect_download() as started:
            link.click()
        path = Path(started.value.path())
        self.files[started.value.suggested_filename] = path.read_text(encoding="utf-8")

    def explain(self, kind: str) -> None:
        """Press each button of "Why?" for this kind of answer; masked or another target again."""
        self.page.get_by_label(kind, exact=True).check()
        self.take(f"Why? {kind}")
        buttons = [one.get_attribute("id") for one in self.seen("button[id^=why-]")]
        for step in ("", "masked, another target"):
            if step:
                self.page.locator("#why-masked input").check()
                self.page.locator("#why-target input").click()
                self.page.get_by_role("option").last.click()
                self.settle()
            for name in buttons:
                if not step or name in ("why-words", "why-people"):
                    self.page.locator(f"#{name}").click()
                    self.take(f"Why? {kind}: {name} {step}")
        self.page.get_by_label("Sentiment of B", exact=True).check()
        self.page.locator("#why-fewest").click()
        self.take("Why? Sentiment of B: why-fewest")

    def batch(self, files: Mapping[str, str], task: str) -> None:
        """Bring files as texts; the last, by CLS and under a task, as a file; press each button."""
        for name, text in files.items():
            self.page.locator("#batch-text textarea").fill(text)
            self.page.locator("#batch-run").click()
            self.take(f"Batch, {task}: {name}")
        self.page.locator("#batch-text textarea").fill("")
        for choice in (task, "CLS pooling"):
            self.page.locator(".tabitem:visible").get_by_label(choice, exact=True).check()
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / name
            path.write_text(text, encoding="utf-8")
            self.page.locator("#batch-file input[type=file]").set_input_files(path)
            self.settle()
        self.page.locator("#batch-run").click()
        self.settle()
        self.download(self.page.locator("#batch-download"))
        self.take(f"Batch, {task}: the file")
        for button in [one.inner_text() for one in self.seen("button:is(.lg, .md, .sm)")]:
            self.press(button)


def tidy(value: Any, url: str) -> Any:  # noqa: ANN401 - JSON
    """Return a value without addresses, generated names, times, packed numbers and long texts."""
    if isinstance(value, str):
        text = value.replace(url, "http://page")
        text = re.sub(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}", "(generated)", text)
        text = re.sub(r"answered in [\d.]+ (s|min|h)", "answered in (time)", text)
        digest = hashlib.sha256(text.encode()).hexdigest()
        return text if len(text) < LONG else f"{len(text):,} characters, SHA-256 {digest}"
    if isinstance(value, dict) and "bdata" in value:
        numbers = np.frombuffer(base64.b64decode(value["bdata"]), np.dtype(value["dtype"]))
        shape = [int(size) for size in str(value.get("shape", -1)).split(",")]
        return numbers.reshape(shape).tolist()
    if isinstance(value, dict):
        return {key: tidy(one, url) for key, one in value.items()}
    return [tidy(one, url) for one in value] if isinstance(value, list) else value


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    """Start this machine's Chromium until the block ends."""
    path = os.environ.get("MINBERT_CHROMIUM") or shutil.which("chromium")
    args = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=args)
        yield browser
        browser.close()


def seen_page(
    url: str, inputs: Mapping[str, tuple[str, str]], files: Mapping[str, str]
) -> dict[str, Any]:
    """Return what the page shows for each input, and at each control for some of them."""
    found: dict[str, Any] = {}
    with chromium() as browser:
        visit = Visit(browser, url)
        for tab in TABS:
            visit.open(tab)
            visit.take(tab)
            visit.steps[f"{tab}: its words"] = tidy(visit.page.evaluate("window.words()"), url)
        visit.open("Experiments")
        visit.exercise()
        for name, pair in inputs.items():
            visit.open("Try it")
            visit.ask(*pair)
            for tab in TABS[:3]:
                visit.open(tab)
                visit.take(f"{name}, {tab}")
        found["each input"] = visit.steps
        visit.page.close()
        for place, (name, (which, kind)) in enumerate(PRESSED.items()):
            visit = Visit(browser, url)
            for tab in TABS[:5]:
                visit.ask(*inputs[name])
                visit.open(tab)
                visit.take(f"{tab}, opened")
                if tab == "Why?":
                    visit.explain(kind)
                elif tab == "Batch":
                    visit.batch(dict(list(files.items())[place::3]), BATCH_TASKS[place])
                else:
                    visit.exercise(which)
            found[f"each control: {name}"] = visit.steps
            visit.page.close()
    return found


def take_shots(url: str, pair: tuple[str, str], folder: Path) -> list[Path]:
    """Take a picture of each tab, light and dark, and as wide as a phone; return the files."""
    folder.mkdir(parents=True, exist_ok=True)
    files = []
    with chromium() as browser:
        for width, theme in ((1280, "light"), (1280, "dark"), (390, "light")):
            visit = Visit(browser, url, width, theme)
            visit.page.add_style_tag(content=STEADY)
            visit.ask(*pair)
            for tab in TABS:
                visit.open(tab)
                name = re.sub(r"\W+", "-", tab.lower()).strip("-")
                files.append(folder / f"{name}-{theme}-{width}.png")
                visit.page.screenshot(path=files[-1], full_page=True)
            visit.page.close()
    return files
