"""Answers to a table: the predictor's own, chunk by chunk, with nothing left behind."""

from __future__ import annotations

import contextvars
import threading
import tracemalloc
from collections.abc import Sequence
from pathlib import Path

import pytest

from minbert.answers import PairResult, SentimentResult
from minbert.batch import (
    BatchTable,
    answer_rows,
    is_duplicate,
    predicted_class,
    read_batch,
)
from minbert.predictor import Predictor
from minbert.serving import BULK, QUICK, TEXTS_PER_CHUNK, ModelQueue, QueuedBackend, _urgency
from minbert.serving import served as served_by
from minbert.text import Encoded
from tests.support import WORDS, redraw, tiny_model, watch_encoder


@pytest.fixture
def served(tmp_path: Path) -> Predictor:
    model = tiny_model(tmp_path)
    redraw(model, seed=5, std=0.3)
    return served_by(model, "cpu", ModelQueue())


@pytest.fixture
def encoded(monkeypatch: pytest.MonkeyPatch) -> list[list[Encoded]]:
    """Watch every batch that the encoder reads."""
    return watch_encoder(monkeypatch)


class Urgencies(Predictor):
    """Notes how urgent its questions are, and answers them without a model."""

    def __init__(self) -> None:
        self.seen: list[int] = []

    def sentiment(self, texts: Sequence[str]) -> list[SentimentResult]:
        self.seen.append(_urgency.get())
        return [SentimentResult(tuple([0.1 + index % 2] * 5)) for index in range(len(texts))]

    def pairs(self, pairs: Sequence[tuple[str, str]]) -> list[PairResult]:
        return [PairResult(*(index + 0.5 + x for x in range(6))) for index in range(len(pairs))]


def sentences(count: int) -> BatchTable:
    words = len(WORDS)
    return read_batch(
        "\n".join(
            " ".join(WORDS[(row + word * 7) % words] for word in range(2 + row % 5))
            for row in range(count)
        )
    )


def pairs(count: int) -> BatchTable:
    rows = (f"the film is {WORDS[row]},{WORDS[-row]} dog sits" for row in range(count))
    return read_batch("\n".join(["sentence1,sentence2", *rows]))


def test_sentences_are_answered_as_the_predictor_does(served: Predictor) -> None:
    table = sentences(23)
    chunks = list(answer_rows(served, table, rows_at_a_time=10))
    assert [len(chunk) for chunk in chunks] == [10, 10, 3]
    found = [answer for chunk in chunks for answer in chunk]
    wanted = Predictor(served.model, "cpu").sentiment([row.first for row in table.rows])
    for answer, own in zip(found, wanted, strict=True):
        assert answer.probabilities == pytest.approx(own.probabilities, abs=1e-5)
        assert (answer.label, predicted_class(answer)) == (
            own.label,
            own.probabilities.index(max(own.probabilities)),
        )
    assert len({answer.probabilities for answer in found}) > 10  # they are not all alike


def test_pairs_are_answered_as_the_predictor_does(served: Predictor) -> None:
    table = pairs(13)
    found = [answer for chunk in answer_rows(served, table, rows_at_a_time=5) for answer in chunk]
    plain = Predictor(served.model, "cpu")
    wanted = plain.pairs([(row.first, row.second or "") for row in table.rows])
    for answer, own in zip(found, wanted, strict=True):
        assert answer.paraphrase == pytest.approx(own.paraphrase, abs=1e-5)
        assert answer.similarity == pytest.approx(own.similarity, abs=1e-4)
        assert answer.joint == pytest.approx(own.joint, abs=1e-4)
        assert answer.siamese == pytest.approx(own.siamese, abs=1e-4)
    assert any(abs(answer.paraphrase_ab - answer.paraphrase_ba) > 1e-3 for answer in found)


def test_a_pair_is_a_duplicate_above_the_threshold() -> None:
    pair = PairResult(0.6, 0.8, 0, 0, 0, 0)
    assert [is_duplicate(pair, at) for at in (0.69, 0.71)] == [True, False]
    assert is_duplicate(pair)
    assert not is_duplicate(PairResult(0.5, 0.5, 0, 0, 0, 0))


def test_a_table_of_bad_rows_has_no_answers(served: Predictor) -> None:
    assert list(answer_rows(served, read_batch("id,sentence\n1,\n"))) == []


def test_a_chunk_of_no_rows_is_refused_at_once(served: Predictor) -> None:
    with pytest.raises(ValueError, match=r"`rows_at_a_time` should be at least 1\. Found 0"):
        answer_rows(served, sentences(2), rows_at_a_time=0)


def test_who_stops_asking_stops_the_work(served: Predictor, encoded: list[list[Encoded]]) -> None:
    answers = answer_rows(served, sentences(100), rows_at_a_time=20)
    assert encoded == []
    assert len(next(answers)) == 20
    assert sum(map(len, encoded)) == 20
    answers.close()
    served.backend.call(lambda: None)  # whatever was queued before it is done by now
    assert sum(map(len, encoded)) == 20
    assert isinstance(served.backend, QueuedBackend)
    assert served.backend.queue._waiting == []
    assert list(answers) == []


def test_the_model_s_work_comes_in_small_chunks(
    served: Predictor, encoded: list[list[Encoded]]
) -> None:
    (answers,) = answer_rows(served, sentences(60))
    assert len(answers) == sum(map(len, encoded)) == 60
    assert max(map(len, encoded)) <= TEXTS_PER_CHUNK[BULK]


def test_the_work_is_bulk_and_what_happens_between_two_chunks_is_not() -> None:
    predictor = Urgencies()
    for _ in answer_rows(predictor, sentences(6), rows_at_a_time=2):
        assert _urgency.get() == QUICK
    assert predictor.seen == [BULK] * 3


def test_chunks_may_be_asked_for_from_other_threads_and_contexts() -> None:
    predictor = Urgencies()
    answers = answer_rows(predictor, sentences(6), rows_at_a_time=2)
    assert len(contextvars.copy_context().run(next, answers)) == 2
    found: list[int] = []
    thread = threading.Thread(target=lambda: found.append(len(next(answers))))
    thread.start()
    thread.join(30)
    assert found == [2]
    contextvars.copy_context().run(answers.close)
    assert predictor.seen == [BULK] * 2


def test_an_error_of_the_model_reaches_who_asked(
    served: Predictor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_off() -> None:
        raise RuntimeError("out of memory")

    watch_encoder(monkeypatch, break_off)
    with pytest.raises(RuntimeError, match="out of memory"):
        next(answer_rows(served, sentences(3)))
    assert _urgency.get() == QUICK


def test_twenty_thousand_answered_pairs_stay_small() -> None:
    row = ",".join(["A long and slow film . " * 5] * 2)
    content = "sentence1,sentence2\n" + "".join(f"{row}{number}\n" for number in range(4_000))
    tracemalloc.start()
    try:
        table = read_batch(content.encode())
        chunks = list(answer_rows(Urgencies(), table))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert sum(len(chunk) for chunk in chunks) == 4_000
    assert most * 20_000 / 4_000 < 100e6
