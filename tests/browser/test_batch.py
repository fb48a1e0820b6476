"""The Batch tab as a person meets it, and its API endpoint as a program does."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from playwright.sync_api import Page, expect

from minbert.batch import MOST_BYTES, MOST_ROWS
from tests.browser.walk import shot
from tests.served import free_ports, serving
from trainer.publish.visit import Visit, open_view

Open = Callable[..., Visit]
ANSWERS = "minbert-answers.tsv"
HOSTILE = "<img src=x onerror=alert(1)>"
LABELLED = (
    "id\tsentence\tsentiment\n"
    "a\tA moving, funny and gorgeous film.\t4\n"
    f"b\tA dull, ugly mess. {HOSTILE}\t0\n"
    "c\tThe train leaves at nine.\tmeh\n"
    "d\tPleasant enough on a rainy day.\t\n"
)
DUPLICATES = (
    "sentence1,sentence2,is_duplicate\n"
    "How do I boil an egg?,How can I boil an egg?,1\n"
    '"Where, exactly, is it?",Who wrote this song?,0\n'
)
SIMILAR = (
    "sentence1\tsentence2\tsimilarity\n"
    "A man plays the violin.\tA man is playing a violin.\t5\n"
    "A woman cuts an onion.\tA woman slices a tomato.\t2.4\n"
    "A child sleeps.\tThe mayor opened a bridge.\t0\n"
)


@pytest.fixture
def open_batch(visit: Open) -> Callable[..., Visit]:
    expect.set_options(timeout=30_000)  # a busy machine answers late

    def opened(**options: Any) -> Visit:  # noqa: ANN401 - passed on
        seen = visit(**options)
        seen.page.get_by_role("tab", name="Batch", exact=True).click()
        expect(seen.page.locator("#batch-text textarea")).to_be_visible()
        return seen

    return opened


@pytest.fixture(scope="module")
def client(app_url: str) -> Iterator[Client]:
    client = Client(app_url, verbose=False)
    yield client
    client.close()


def bring(page: Page, folder: Path, content: str | bytes, name: str = "rows.csv") -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    page.locator("#batch-file input[type=file]").set_input_files(path)
    return path


def answered(page: Page) -> None:
    page.locator("#batch-run").click()
    expect(page.locator("#batch-download")).to_be_visible(timeout=60_000)


def downloaded(page: Page) -> list[dict[str, str]]:
    with page.expect_download() as download:
        page.locator("#batch-download").click()
    with Path(download.value.path()).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


@pytest.mark.whole
def test_the_limits_and_what_is_kept_are_told_before(open_batch: Open) -> None:
    seen = open_batch()
    seen.page.get_by_text("What a file looks like").click()
    told = seen.page.locator("#batch-limits").inner_text()
    assert f"{MOST_ROWS:,} rows" in told
    assert f"{MOST_BYTES:,} bytes" in told
    assert "60 to 70 minutes, then deleted" in seen.page.locator("#batch-kept").inner_text()
    expect(seen.page.locator("#batch-stop")).to_be_hidden()


def test_a_labelled_file_is_answered_scored_and_drawn(
    open_batch: Open, client: Client, tmp_path: Path
) -> None:
    width = 390  # test_views.py looks at the light, wide page
    seen = open_batch(theme="dark", width=width)
    page = seen.page
    path = bring(page, tmp_path, LABELLED)
    expect(page.locator("#batch-file")).to_contain_text("rows")
    answered(page)
    expect(page.locator("#batch-rows tbody tr")).to_have_count(4)
    expect(page.locator("#batch-preview")).to_contain_text("Read: id, sentence, sentiment")
    expect(page.locator("#batch-rows")).to_contain_text(HOSTILE)
    assert page.locator("#batch-rows img").count() == 0
    expect(page.locator("#batch-notice")).to_contain_text("4 rows answered in")
    expect(page.locator("#batch-notice .mb-problem li")).to_have_text(re.compile("^Line 4: .*meh"))
    open_view(page, "batch-scores")
    expect(page.locator("#batch-measures")).to_contain_text("of 2 labelled rows")
    expect(page.locator("#batch-first-plot .heatmap-label")).to_have_count(25)
    expect(page.locator("#batch-second-plot .scatterlayer .js-line")).to_have_count(2)
    expect(page.locator("#batch-second-plot .barlayer .point")).to_have_count(10)
    for plot in ("first", "second"):
        box = page.locator(f"#batch-{plot}-plot svg.main-svg").first.bounding_box()
        assert box is not None
        assert width * 0.6 < box["width"] < width
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    told = client.predict(file=handle_file(path), api_name="/batch")
    open_view(page, "batch-rows")
    rows = downloaded(page)
    assert [row["line"] for row in rows if row["problem"]] == ["4"]
    for row, answer in zip(rows, told["rows"], strict=True):
        assert (row["id"], row["sentence"]) == (answer["id"], answer["sentence"])
        assert row["predicted_label"] == answer["predicted_label"]
        assert float(row["p_4"]) == pytest.approx(answer["p_4"], abs=2e-4)
    assert told["bad_labels"][0]["line"] == 4
    assert told["scores"]["scored"] == 2
    shot(seen.page, "batch-dark")
    assert (seen.errors, seen.dialogs) == ([], [])


@pytest.mark.whole
def test_columns_are_chosen_in_the_preview(open_batch: Open) -> None:
    page = open_batch().page
    page.locator("#batch-text textarea").fill("review,rating\nSo good,4\nSo bad,0\n")
    preview = page.locator("#batch-preview")
    expect(preview).to_contain_text("Left alone: 'rating'")
    page.locator("#batch-column-label input").click()
    page.get_by_role("option", name="rating as sentiment").click()
    expect(preview).to_contain_text("'rating' as sentiment")
    answered(page)
    open_view(page, "batch-scores")
    expect(page.locator("#batch-measures")).to_contain_text("of 2 labelled rows")


@pytest.mark.whole
def test_pasted_pairs_are_answered_by_either_model(open_batch: Open) -> None:
    page = open_batch().page
    page.locator("#batch-text textarea").fill(DUPLICATES)
    answered(page)
    open_view(page, "batch-scores")
    expect(page.locator("#batch-measures")).to_contain_text("F1")
    expect(page.locator("#batch-first-plot .heatmap-label")).to_have_count(4)
    open_view(page, "batch-rows")
    mean = downloaded(page)
    page.get_by_label("CLS pooling").check()
    page.locator("#batch-run").click()
    expect(page.locator("#batch-notice")).to_contain_text("CLS pooling", timeout=60_000)
    cls = downloaded(page)
    assert [row["sentence1"] for row in cls] == [row["sentence1"] for row in mean]
    assert [row["p_duplicate"] for row in cls] != [row["p_duplicate"] for row in mean]


@pytest.mark.whole
def test_similarity_is_drawn_against_people_s(open_batch: Open) -> None:
    seen = open_batch()
    seen.page.locator("#batch-text textarea").fill(SIMILAR)
    answered(seen.page)
    open_view(seen.page, "batch-scores")
    expect(seen.page.locator("#batch-measures")).to_contain_text("Pearson")
    expect(seen.page.locator("#batch-first-plot .scatterlayer .point")).to_have_count(3)
    expect(seen.page.locator("#batch-second-plot")).to_be_hidden()
    assert seen.errors == []


@pytest.mark.whole
def test_pairs_without_a_header_are_answered_when_chosen(open_batch: Open) -> None:
    page = open_batch().page
    page.locator("#batch-text textarea").fill("A dog runs.\tA dog is running.")
    page.locator("#batch-run").click()
    expect(page.locator("#batch-notice [role=alert]")).to_contain_text("Line 1: the first line")
    page.get_by_label("Pairs: paraphrase and similarity").check()
    answered(page)
    expect(page.locator("#batch-rows tbody tr")).to_have_count(1)


def test_a_run_is_stopped_in_its_midst(open_batch: Open, client: Client, tmp_path: Path) -> None:
    page = open_batch().page
    rows = "".join(f"Row {row} of a long and slow file\n" for row in range(4000))
    bring(page, tmp_path, rows, "rows.txt")
    expect(page.locator("#batch-file")).to_contain_text("rows")
    page.locator("#batch-run").click()
    bar = page.locator("#batch-notice [role=progressbar]")
    expect(bar).not_to_have_attribute("aria-valuenow", "0", timeout=60_000)
    expect(page.locator("#batch-notice")).to_contain_text(
        re.compile(r"of 4,000 rows · \d+(\.\d)? rows a second · about \d+ (s|min) left")
    )
    page.locator("#batch-stop").click()
    expect(page.locator("#batch-notice")).to_contain_text("Stopped:", timeout=60_000)
    expect(page.locator("#batch-run")).to_be_visible()
    told = page.locator("#batch-notice h3").inner_text()
    done = int(re.findall(r"[\d,]+", told)[0].replace(",", ""))
    assert 0 < done < 4000
    kept = downloaded(page)
    assert len(kept) == 4000
    assert [bool(row["predicted_label"]) for row in kept] == [row < done for row in range(4000)]
    assert kept[-1]["problem"] == "not answered: the run was stopped"
    assert client.predict(None, "Fine.", api_name="/batch")["rows"], "its place is free"


def test_a_bad_file_gets_the_line_and_the_reason(open_batch: Open, tmp_path: Path) -> None:
    seen = open_batch()
    bring(seen.page, tmp_path, b"A line.\n\xff\xfe not text")
    expect(seen.page.locator("#batch-file")).to_contain_text("rows")
    seen.page.locator("#batch-run").click()
    reason = seen.page.locator("#batch-notice [role=alert]")
    expect(reason).to_contain_text("Line 2: the file should be text in UTF-8", timeout=30_000)
    expect(seen.page.locator("#batch-download")).to_be_hidden()
    expect(seen.page.locator("#batch-run")).to_be_visible()
    assert seen.errors == []


def test_the_server_refuses_a_file_that_is_far_too_large(app_url: str) -> None:
    for size, status in ((MOST_BYTES, 200), (MOST_BYTES + 1_000_000, 413)):
        files = {"files": ("rows.csv", b"x" * size)}
        told = httpx.post(f"{app_url}/gradio_api/upload", files=files, timeout=60)
        assert told.status_code == status


def test_the_endpoint_answers_a_text_of_each_kind(client: Client) -> None:
    told = client.predict(None, DUPLICATES, "auto", "cls", api_name="/batch")
    assert (told["kind"], told["model"], told["bad_rows"]) == ("pairs", "cls", [])
    assert [row["is_duplicate"] for row in told["rows"]] == [1, 0]
    assert told["scores"]["confusion"][0][0] + told["scores"]["confusion"][0][1] == 1
    assert told["scores"]["metrics"]["f1"]["n"] == 2
    plain = client.predict(None, f"{HOSTILE}\n", "sentiment", api_name="/batch")
    assert plain["scores"] is None
    (row,) = plain["rows"]
    assert row["sentence"] == HOSTILE
    assert sum(row[f"p_{rating}"] for rating in range(5)) == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((None, ""), "nothing to answer"),
        ((None, "a", "poetry"), "should be one of auto, sentiment, pairs"),
        ((None, "a", "auto", "max"), "not in the list of choices"),
    ],
)
def test_the_endpoint_says_what_is_wrong(
    client: Client, arguments: tuple[Any, ...], said: str
) -> None:
    with pytest.raises(AppError, match=said):
        client.predict(*arguments, api_name="/batch")


def test_the_endpoint_reads_no_file_of_the_server(app_url: str) -> None:
    stolen = {"path": "/etc/hostname", "meta": {"_type": "gradio.FileData"}}
    data = {"data": [stolen, "", "auto", "mean"]}
    call = f"{app_url}/gradio_api/call/batch"
    ticket = httpx.post(call, json=data, timeout=30).json()["event_id"]
    told = httpx.get(f"{call}/{ticket}", timeout=30).text
    assert "event: error" in told
    assert "rows" not in told
    fine = {"data": [None, "Fine.", "auto", "mean"]}
    ticket = httpx.post(call, json=fine, timeout=30).json()["event_id"]
    assert "event: complete" in httpx.get(f"{call}/{ticket}", timeout=30).text


def until(page: Page, there: Callable[[], bool]) -> None:
    """Look until something is so; a busy machine may take long."""
    for _ in range(600):
        if there():
            return
        page.wait_for_timeout(100)
    pytest.fail("a minute was not enough")


@pytest.mark.whole
def test_files_are_deleted_after_a_while(visit_at: Open, tmp_path: Path) -> None:
    (port,) = free_ports(1)
    url, cache = f"http://127.0.0.1:{port}", tmp_path / "cache"
    arguments = ["-m", "tests.browser.short_lived", str(port)]
    with serving(arguments, ready=url, GRADIO_TEMP_DIR=str(cache)):
        page = visit_at(url).page
        page.get_by_role("tab", name="Batch", exact=True).click()
        bring(page, tmp_path, SIMILAR)
        expect(page.locator("#batch-file")).to_contain_text("rows")
        page.locator("#batch-run").click()
        until(page, lambda: [path.name for path in cache.glob("batch-*/*")] == [ANSWERS])
        until(page, lambda: not [path for path in cache.rglob("*") if path.is_file()])
