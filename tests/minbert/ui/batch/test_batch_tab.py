"""The Batch tab's events: every row answered or told, stops that free the model, no row kept."""

from __future__ import annotations

import contextvars
import csv
import errno
import os
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert.answers import SentimentResult
from minbert.batch import MOST_BYTES, MOST_ROWS, BatchTable, RowAnswer, answer_rows, read_batch
from minbert.predictor import Predictor
from minbert.serving import BULK, QUICK, _urgency
from minbert.ui.batch import events as batch_events
from minbert.ui.batch.events import API_ROWS, AUTO, MOST_WAITING, PAIRS, PLACES, SENTENCES, Batch
from minbert.ui.batch.previews import offer, preview_of
from minbert.ui.batch.tab import EXAMPLES
from minbert.ui.batch.tables import NO_SCORES
from minbert.ui.engine import Engine
from minbert.ui.theme import launch_options
from tests.read_html import numbers_in, read

NOTICE, DOWNLOAD, MEASURES, WORDS, PLOT, MORE_WORDS, MORE_PLOT, ROWS = range(8)
SENTENCES_FILE = (
    b"id\tsentence\tsentiment\na\tthe cat sleeps\t4\nb\ta dog runs\t7\nc\tthe park\t\nd\t\t1\n"
)
PAIRS_TEXT = "sentence1,sentence2,is_duplicate\nthe cat,a cat,1\na dog,the park,0\n"
HOSTILE = "<img src=x onerror=alert(1)>"


@pytest.fixture
def batch(engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Batch:
    """Give the events of a small engine; what they write lies in the test's own folder."""
    monkeypatch.setattr(batch_events, "get_upload_folder", lambda: str(tmp_path / "cache"))
    return Batch(engine)


def begun(
    batch: Batch, content: bytes | None, text: str = "", task: str = AUTO, model: str = "mean"
) -> tuple[str, Iterator[tuple[Any, ...]]]:
    """Press the button; return the run's ticket and its steps."""
    notice, ticket, run, stop, *_ = batch.read(content, text, task)
    assert read(notice).one(role="status")
    assert ticket
    assert (run["visible"], stop["visible"]) == (False, True)
    batch.proceed(ticket)
    return ticket, batch.work(ticket, content, text, task, model)


def ended(steps: Iterator[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return a run's results."""
    *progress, results = list(steps)
    assert all(read(step[NOTICE]).one(role="progressbar") for step in progress)
    assert all(part == gr.skip() for step in progress for part in step[1:])
    return results


def written(results: tuple[Any, ...]) -> list[dict[str, str]]:
    with Path(results[DOWNLOAD]["value"]).open(encoding="utf-8-sig", newline="") as lines:
        return list(csv.DictReader(lines, delimiter="\t"))


def lines(count: int) -> str:
    return "\n".join(f"the cat {row}" for row in range(count))


class Slow(Predictor):
    """Answers without a model; notes each chunk's size and urgency."""

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine.mean.model, "cpu")
        self.seen: list[tuple[int, int]] = []

    def sentiment(self, texts: Sequence[str]) -> list[SentimentResult]:
        self.seen.append((len(texts), _urgency.get()))
        return [SentimentResult((0.1, 0.2, 0.4, 0.2, 0.1))] * len(texts)


@pytest.fixture
def slow(engine: Engine, batch: Batch) -> Slow:
    predictor = Slow(engine)
    batch.engine = Engine(predictor, engine.cls)
    return predictor


def test_a_file_is_answered_as_the_model_does(batch: Batch, engine: Engine) -> None:
    _, steps = begun(batch, SENTENCES_FILE)
    results = ended(steps)
    notice = read(results[NOTICE])
    assert numbers_in(notice.finding.title)[0] == "3"
    bad_row, bad_label = notice.find(css="mb-problem")
    assert [numbers_in(line)[0] for line in bad_row.texts("li")] == ["5"]
    assert [numbers_in(line)[0] for line in bad_label.texts("li")] == ["3"]
    first, second, third, bad = written(results)
    texts = ("the cat sleeps", "a dog runs", "the park")
    own = engine.mean.sentiment(texts)
    assert [row["predicted_label"] for row in (first, second, third)] == [one.label for one in own]
    assert float(third["p_2"]) == pytest.approx(own[2].probabilities[2], abs=1e-5)
    assert [row["line"] for row in (second, bad) if row["problem"]] == ["3", "5"]
    assert [row[:2] for row in read(results[ROWS]).rows] == [
        [text, one.label] for text, one in zip(texts, own, strict=True)
    ]
    measures = read(results[MEASURES]).finding
    assert [numbers_in(line)[0] for line in measures.lines] == ["2", "1"], "unlabelled; labelled"
    assert batch.runs == {}
    assert batch.working == 0


def test_the_model_chosen_is_the_one_that_answers(batch: Batch, engine: Engine) -> None:
    for model, predictor in (("mean", engine.mean), ("cls", engine.cls)):
        (row, _) = written(ended(begun(batch, None, PAIRS_TEXT, AUTO, model)[1]))
        (pair,) = predictor.pairs([("the cat", "a cat")])
        assert float(row["p_duplicate"]) == pytest.approx(pair.paraphrase, abs=1e-5)
        assert float(row["predicted_similarity"]) == pytest.approx(pair.score, abs=1e-4)


def test_figures_come_with_labels_alone(batch: Batch) -> None:
    plain = ended(begun(batch, None, "the cat\na dog")[1])
    assert (plain[MEASURES], plain[WORDS]) == (NO_SCORES, "")
    assert plain[PLOT] is plain[MORE_PLOT] is None
    pairs = ended(begun(batch, None, PAIRS_TEXT)[1])
    assert len(pairs[PLOT].data[0].z) == 2
    assert pairs[MORE_PLOT].data
    similar = ended(begun(batch, None, PAIRS_TEXT.replace("is_duplicate", "similarity"))[1])
    assert list(similar[PLOT].data[1].x) == [1, 0]
    assert similar[MORE_PLOT] is None
    empty = ended(begun(batch, None, "sentence,sentiment\nthe cat,\n")[1])
    assert numbers_in(read(empty[MEASURES]).finding.title) == ["0"]
    assert empty[PLOT] is None


def test_a_new_run_clears_the_old_results(batch: Batch) -> None:
    for content, text in ((SENTENCES_FILE, ""), (None, "")):
        _, _, _, _, *cleared = batch.read(content, text, AUTO)
        hidden = gr.update(value=None, visible=False)
        assert cleared == [hidden, NO_SCORES, "", None, "", None, ""]


@pytest.mark.parametrize(
    ("content", "text", "task", "said"),
    [
        (None, " \n", AUTO, "nothing to answer"),
        (b"", "", AUTO, "Found no text"),
        (b"a", "b", AUTO, "There is a file and pasted text as well"),
        (b"id\tfilm\tcity\n1\tx\ty", "", AUTO, "Line 1: the first line should name the columns"),
        (b"fine\n\xff", "", AUTO, "Line 2: the file should be text in UTF-8"),
        (SENTENCES_FILE, "", PAIRS, "Line 1: pairs need two sentences a row"),
        (None, PAIRS_TEXT, SENTENCES, "Line 1: sentences need one sentence a row"),
        (None, f"{HOSTILE}\t{HOSTILE}", AUTO, HOSTILE),
        (b"x" * (MOST_BYTES + 1), "", AUTO, "at most 5,000,000 bytes"),
        (None, "x\n" * (MOST_ROWS + 1), AUTO, "at most 20,000 rows. Found 20,001"),
    ],
)
def test_what_cannot_be_answered_gets_the_reason(
    batch: Batch, content: bytes | None, text: str, task: str, said: str
) -> None:
    notice, ticket, run, stop, *_ = batch.read(content, text, task)
    assert said in read(notice).one(role="alert").text
    assert (ticket, run["visible"], stop["visible"]) == ("", True, False)
    with pytest.raises(gr.Error):
        batch.proceed(ticket)


def test_pairs_without_a_header_are_read_where_chosen(batch: Batch) -> None:
    (row,) = written(ended(begun(batch, None, "the cat\ta cat", PAIRS)[1]))
    assert (row["sentence1"], row["sentence2"], row["line"]) == ("the cat", "a cat", "1")


def test_progress_tells_rows_speed_and_time_left(batch: Batch, slow: Slow) -> None:
    _, steps = begun(batch, None, lines(150))
    *told, end = [read(step[NOTICE]) for step in steps]
    bars = [step.one(role="progressbar").attributes["aria-valuenow"] for step in told]
    assert bars == ["0", "64", "128"]
    assert [step.numbers[:2] for step in told] == [[done, "150"] for done in bars]
    assert len(told[1].numbers) == 4, "how fast and how long is the clock's to say"
    assert numbers_in(end.finding.title)[0] == "150"
    assert [size for size, _ in slow.seen] == [64, 64, 22]


def test_a_run_s_work_is_bulk_whichever_thread_does_a_step(batch: Batch, slow: Slow) -> None:
    _, steps = begun(batch, None, lines(150))
    for _ in range(4):
        thread = threading.Thread(target=contextvars.copy_context().run, args=(next, steps))
        thread.start()
        thread.join(30)
        assert _urgency.get() == QUICK
    assert slow.seen == [(64, BULK), (64, BULK), (22, BULK)]


def test_a_stop_keeps_what_is_answered_and_ends_the_work(
    batch: Batch, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[bool] = []

    def watched(asked: Predictor, table: BatchTable, **options: int) -> Iterator[list[RowAnswer]]:
        try:
            yield from answer_rows(asked, table, **options)
        finally:
            closed.append(True)

    monkeypatch.setattr(batch_events, "answer_rows", watched)
    ticket, steps = begun(batch, None, lines(150))
    next(steps), next(steps)
    notice, run, stop = batch.stop(ticket)
    assert read(notice).one(role="status")
    assert run == stop == gr.skip()
    (results,) = steps
    assert closed == [True]
    assert numbers_in(read(results[NOTICE]).finding.title) == ["64", "150"]
    rows = written(results)
    assert [bool(row["predicted_label"]) for row in rows] == [place < 64 for place in range(150)]
    assert len(slow.seen) == 1
    assert (batch.runs, batch.working) == ({}, 0)


def test_a_visitor_who_leaves_stops_the_work(batch: Batch, slow: Slow) -> None:
    _, steps = begun(batch, None, lines(150))
    next(steps), next(steps)
    assert batch.working == 1
    steps.close()  # type: ignore[attr-defined]
    assert len(slow.seen) == 1
    assert (batch.runs, batch.working) == ({}, 0)


def test_a_run_stopped_in_the_queue_never_begins(batch: Batch, slow: Slow) -> None:
    ticket, steps = begun(batch, None, "the cat")
    notice, run, stop = batch.stop(ticket)
    assert read(notice).one(role="status")
    assert (run["visible"], stop["visible"]) == (True, False)
    assert list(steps) == [(gr.skip(),) * 8]
    assert (slow.seen, batch.runs, batch.working) == ([], {}, 0)


def test_a_ticket_is_good_for_one_run(batch: Batch) -> None:
    ticket, steps = begun(batch, None, "the cat")
    next(steps)
    assert list(batch.work(ticket, None, "a dog", AUTO, "mean")) == [(gr.skip(),) * 8]
    assert list(batch.work("mine", None, "a dog", AUTO, "mean")) == [(gr.skip(),) * 8]
    assert batch.working == 1
    assert numbers_in(read(ended(steps)[NOTICE]).finding.title)[0] == "1"
    assert batch.stop(ticket)[1]["visible"], "nothing left to stop"


def test_the_button_comes_back_at_a_run_s_end(batch: Batch) -> None:
    ticket, steps = begun(batch, None, "the cat")
    assert [part["visible"] for part in batch.restore(ticket)] == [False, True]
    list(steps)
    assert [part["visible"] for part in batch.restore(ticket)] == [True, False]


def waiting_for(batch: Batch) -> list[str]:
    return read(batch.read(None, "a dog\nthe park", AUTO)[0]).numbers


def test_who_has_to_wait_is_told_so(batch: Batch, slow: Slow) -> None:
    runs = [begun(batch, None, "the cat")[1] for _ in range(PLACES)]
    for steps in runs:
        assert waiting_for(batch) == ["2"], "rows alone: it starts"
        next(steps)
    assert waiting_for(batch) == ["2", str(PLACES)], "rows, and files of others before it"
    for steps in runs:
        list(steps)
    assert waiting_for(batch) == ["2"]
    assert slow.seen


def test_tickets_of_visitors_who_left_are_forgotten_but_no_run_is(batch: Batch) -> None:
    ticket, steps = begun(batch, None, "the cat")
    next(steps)
    for _ in range(MOST_WAITING + 5):
        batch.read(None, "a dog", AUTO)
    assert len(batch.runs) == MOST_WAITING + 1
    assert ticket in batch.runs
    list(steps)


def test_an_error_of_the_model_frees_the_place(
    batch: Batch, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(texts: Sequence[str]) -> list[SentimentResult]:
        raise RuntimeError(f"out of memory at {len(texts)}")

    monkeypatch.setattr(slow, "sentiment", broken)
    _, steps = begun(batch, None, "the cat")
    with pytest.raises(RuntimeError, match="out of memory"):
        list(steps)
    assert (batch.runs, batch.working) == ({}, 0)


def test_the_endpoint_tells_what_the_download_does(batch: Batch) -> None:
    told = batch.batch(SENTENCES_FILE)
    rows = written(ended(begun(batch, SENTENCES_FILE)[1]))
    assert set(rows[0]) - {"problem"} == set(told["rows"][0])
    for row, answer in zip(rows, told["rows"], strict=False):
        assert (row["id"], row["sentence"]) == (answer["id"], answer["sentence"])
        assert int(row["predicted_sentiment"]) == answer["predicted_sentiment"]
    pairs = batch.batch(None, PAIRS_TEXT, AUTO, "cls")
    rows = written(ended(begun(batch, None, PAIRS_TEXT, AUTO, "cls")[1]))
    assert set(rows[0]) - {"problem"} == set(pairs["rows"][0])
    assert float(rows[1]["siamese_similarity"]) == pytest.approx(
        pairs["rows"][1]["siamese_similarity"], abs=1e-5
    )
    assert (told["kind"], told["model"], pairs["model"]) == ("sentences", "mean", "cls")
    assert [row["line"] for row in told["bad_rows"]] == [5]
    assert [label["line"] for label in told["bad_labels"]] == [3]
    assert told["columns"] == {"id": "id", "sentence": "sentence", "sentiment": "sentiment"}
    assert told["scores"]["task"] == "sentiment"
    assert batch.batch(None, "the cat")["scores"] is None


def test_the_endpoint_s_work_is_bulk_and_counted(
    batch: Batch, slow: Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    working: list[int] = []
    plain = slow.sentiment

    def watched(texts: Sequence[str]) -> list[SentimentResult]:
        working.append(batch.working)
        return plain(texts)

    monkeypatch.setattr(slow, "sentiment", watched)
    batch.batch(None, lines(API_ROWS))
    assert {urgency for _, urgency in slow.seen} == {BULK}
    assert set(working) == {1}
    assert batch.working == 0
    with pytest.raises(gr.Error, match=r"at most 2,000 rows\. Found 2,001"):
        batch.batch(None, lines(API_ROWS + 1))


RATED = b'review,rating\n"Well, the cat sleeps",4\na dog runs in the park,0\n'


def test_columns_are_told_and_may_be_chosen_by_programs(batch: Batch) -> None:
    told = batch.batch(RATED)
    assert [row["sentence"] for row in told["rows"]] == [
        *("Well, the cat sleeps", "a dog runs in the park"),
    ]
    assert (told["columns"], told["scores"]) == ({"sentence": "review"}, None)
    assert "'rating'" in told["taken_for"][0], "left alone, and said"
    for columns in ("sentiment=rating", "sentence=1, sentiment=2", "Sentence=Review,sentiment=2"):
        scored = batch.batch(RATED, None, AUTO, "mean", columns)
        assert scored["columns"] == {"sentence": "review", "sentiment": "rating"}
        assert scored["scores"]["scored"] == 2
    assert batch.batch(RATED, columns="plain")["rows"][0]["sentence"] == "review,rating"
    with pytest.raises(gr.Error, match=r"Found sentence=film for this header: .*'review'"):
        batch.batch(RATED, columns="sentence=film")


def test_a_shifted_scale_is_said_and_not_scored(batch: Batch) -> None:
    rows = "".join(f"the cat {row},{row % 5 + 1}\n" for row in range(5))
    told = batch.batch(None, f"sentence,sentiment\n{rows}")
    assert len(told["rows"]) == 5
    assert told["scores"] is None
    assert numbers_in(told["taken_for"][1])[:4] == ["1", "5", "0", "4"]
    results = ended(begun(batch, None, f"sentence,sentiment\n{rows}")[1])
    assert results[MEASURES] == NO_SCORES
    assert read(results[NOTICE]).finding.lines[-1] == told["taken_for"][1]


def test_a_preview_shows_the_first_rows_under_what_they_are_read_as() -> None:
    shown, first, second, label = offer(RATED, "", AUTO)
    assert read(shown).rows == [["Well, the cat sleeps"], ["a dog runs in the park"]]
    assert "Left alone: 'rating'" in shown.replace("&#x27;", "'")
    assert [part["visible"] for part in (first, second, label)] == [True] * 3
    assert ("rating", "rating") in first["choices"]
    assert ("rating as sentiment", "sentiment=rating") in label["choices"]
    chosen = read(preview_of(RATED, "", AUTO, "review", "", "sentiment=rating"))
    assert chosen.rows == [["Well, the cat sleeps", "4"], ["a dog runs in the park", "0"]]
    assert read(preview_of(RATED, "", AUTO, "plain", "", "")).rows[0] == ["review,rating"]
    pair = read(preview_of(RATED, "", AUTO, "review", "rating", ""))
    assert pair.rows[0] == ["Well, the cat sleeps", "4"]
    assert preview_of(None, " ", AUTO) == ""
    assert "Take one of them away" in preview_of(RATED, "more", AUTO)
    assert offer(None, "", AUTO)[1]["visible"] is False


def test_columns_without_a_name_of_their_own_are_offered_by_number() -> None:
    _, first, _, label = offer(b'text,"a,b",text,2\nthe cat sleeps,1,2,3\n', "", AUTO)
    assert [value for _, value in first["choices"]] == ["", *"1234", "plain"]
    assert label["choices"][1] == ("column 1 as sentiment", "sentiment=1")


def test_a_run_reads_the_columns_that_were_chosen(batch: Batch) -> None:
    chosen = ("review", "", "sentiment=rating")
    notice, ticket, *_ = batch.read(RATED, "", AUTO, *chosen)
    assert "'rating' as sentiment" in read(notice).one(role="status").text
    results = ended(batch.work(ticket, RATED, "", AUTO, "mean", *chosen))
    assert [row["sentiment"] for row in written(results)] == ["4", "0"]
    assert results[MEASURES]


@pytest.mark.parametrize("text", EXAMPLES.values())
def test_the_examples_can_be_scored(text: str) -> None:
    table = read_batch(text)
    assert table.label_task is not None
    assert table.bad_rows == ()
    assert all(row.label is not None for row in table.rows)


def test_uploads_may_be_as_large_as_is_told_and_hardly_larger() -> None:
    assert MOST_BYTES < launch_options()["max_file_size"] < MOST_BYTES * 1.1


def test_a_full_disk_costs_the_download_alone(
    batch: Batch, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What was answered is shown all the same, and nothing half-written stays."""

    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    monkeypatch.setattr(os, "replace", full)
    block, download, *_, rows = ended(begun(batch, None, "a fine film", AUTO)[1])
    assert "No space left on device" in block
    assert (download["value"], download["visible"]) == (None, False)
    assert "a fine film" in rows
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_file()]
