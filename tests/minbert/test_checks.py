"""What is missing or invisible, and a text where a list is meant, is refused alike everywhere."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert import explain
from minbert.batch import read_batch
from minbert.checks import TextError, is_blank
from minbert.predictor import Predictor
from minbert.tables import read_table
from minbert.tasks import SENTIMENT
from minbert.text import Tokenizer
from minbert.ui.attention.events import Studio
from minbert.ui.batch.events import Batch
from minbert.ui.engine import Engine
from minbert.ui.pooling.events import Lab
from minbert.ui.try_it.events import Handlers
from minbert.ui.why.api import ExplainEndpoint
from tests.minbert.ui.sample_engine import tiny_engine

MODEL = Path(__file__).parents[2] / "assets" / "models" / "mean"
SEEN, OTHER = "the cat sleeps", "a dog runs"
INVISIBLE = [
    "\u200b",
    "\u200b\u2060 \ufeff",
    "\u00ad",
    "\u0301",
    "\u3164",
    "\u2800 \u2800",
    "\ufffd",
]
BLANK = ["", " \n\t", "\u00a0", *INVISIBLE]
NO_TEXT = [None, math.nan, 3, b"bytes", [SEEN]]
ASKED: dict[str, Callable[[Predictor, Any], object]] = {
    "embed": lambda p, text: p.embed([SEEN, text]),
    "sentiment": lambda p, text: p.sentiment([SEEN, text]),
    "joint": lambda p, text: p.joint([(SEEN, text)]),
    "siamese": lambda p, text: p.siamese([(text, SEEN)]),
    "pairs": lambda p, text: p.pairs([(SEEN, OTHER), (SEEN, text)]),
    "answer, A": lambda p, text: p.answer(text, SEEN),
    "answer, B": lambda p, text: p.answer(SEEN, text),
    "attention": lambda p, text: p.attention(text),
    "split_similarity": lambda p, text: explain.split_similarity(p, SEEN, text),
    "split_sentiment": lambda p, text: explain.split_sentiment(p, text),
    "layer_similarity": lambda p, text: explain.layer_similarity(p, text, SEEN),
    "occlude_similarity": lambda p, text: explain.occlude_similarity(p, text, SEEN),
    "occlude_sentiment": lambda p, text: explain.occlude_sentiment(p, text),
    "occlude_joint": lambda p, text: explain.occlude_joint(p, SEEN, text),
    "pooled_by": lambda p, text: explain.pooled_by(p, [text], "mean"),
    "reduce_input": lambda p, text: explain.reduce_input(p, text, task="sentiment"),
    "find_counterfactuals": lambda p, text: explain.find_counterfactuals(p, text, task="sentiment"),
    "explain": lambda p, text: explain.explain(p, text, method="rollout"),
    "probe_sentence": lambda p, text: explain.probe_sentence(p, text),
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return tiny_engine(tmp_path_factory.mktemp("models"))


@pytest.mark.parametrize("ask", ASKED.values(), ids=ASKED)
def test_python_refuses_what_is_missing_or_blank(
    engine: Engine, ask: Callable[[Predictor, Any], object]
) -> None:
    for text in (*NO_TEXT, *BLANK):
        with pytest.raises(TextError, match=r"^`.*` should (be a text|have something to read)\. F"):
            ask(engine.mean, text)
    ask(engine.mean, SEEN)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (None, "None"),
        (math.nan, "nan"),
        ("", "an empty text"),
        ("  ", "only white space"),
        ("\u200b", "only invisible characters"),
        ([SEEN], "a value of type list"),
    ],
)
def test_the_message_names_the_place_and_what_was_found(
    engine: Engine, text: object, found: str
) -> None:
    with pytest.raises(TextError, match=rf"^`texts\[1\]` .*\. Found {found}; leave it out first"):
        engine.mean.sentiment([SEEN, text])  # type: ignore[list-item]
    with pytest.raises(TextError, match=rf"^`pairs\[0\]\[1\]` .*\. Found {found}; "):
        engine.mean.pairs([(SEEN, text)])  # type: ignore[list-item]


LISTS: dict[str, tuple[Callable[[Predictor], object], str]] = {
    "sentiment": (lambda p: p.sentiment(SEEN), r"`texts` should be a list of texts\. Found one te"),
    "embed": (lambda p: p.embed(SEEN), r"`texts` .* Found one text; write \[text\]"),
    "None": (lambda p: p.embed(None), r"`texts` should be a list of texts\. Found None"),  # type: ignore[arg-type]
    "pooled_by": (lambda p: explain.pooled_by(p, SEEN, "mean"), r"`texts` .* Found one text"),
    "pairs": (lambda p: p.pairs((SEEN, OTHER)), r"`pairs\[0\]` .* Found one text; write \[\(a, b"),  # type: ignore[arg-type]
    "joint": (lambda p: p.joint(("ab", "cd")), r"`pairs\[0\]` should be two texts, A and B\. "),  # type: ignore[arg-type]
    "siamese": (lambda p: p.siamese("ab"), r"`pairs` should be a list of pairs of texts\. Found o"),  # type: ignore[arg-type]
    "three": (lambda p: p.pairs([("a", "b", "c")]), r"`pairs\[0\]` should be two texts.* Found 3"),  # type: ignore[list-item]
    "poolings": (
        lambda p: explain.layer_similarity(p, SEEN, OTHER, "cls"),
        r"`poolings` .* one te",
    ),
    "terms": (lambda p: explain.probe_bias(p, "any", terms="he"), r"`terms` .* Found one text"),
}


@pytest.mark.parametrize(("ask", "said"), LISTS.values(), ids=LISTS)
def test_a_text_where_a_list_is_meant_is_an_error_that_says_so(
    engine: Engine, ask: Callable[[Predictor], object], said: str
) -> None:
    with pytest.raises(TextError, match=said) as refused:
        ask(engine.mean)
    assert SEEN not in str(refused.value), "an error may end up in a log, so it quotes no text"


ENDPOINTS: dict[str, Callable[[Engine, Any], object]] = {
    "predict": lambda e, text: Handlers(e).predict(text),
    "compare_pooling": lambda e, text: Handlers(e).compare_pooling(text, SEEN),
    "similarity_split, A": lambda e, text: Lab(e).similarity_split(text, SEEN),
    "similarity_split, B": lambda e, text: Lab(e).similarity_split(SEEN, text),
    "similarity_matrix": lambda e, text: Lab(e).similarity_matrix([SEEN, text]),
    "attention": lambda e, text: Studio(e).attention(text),
    "explain": lambda e, text: ExplainEndpoint(e).explain(text),
    "explain, B": lambda e, text: ExplainEndpoint(e).explain(SEEN, text, "similarity"),
}


@pytest.mark.parametrize("ask", ENDPOINTS.values(), ids=ENDPOINTS)
def test_the_endpoints_refuse_the_same(
    engine: Engine, ask: Callable[[Engine, Any], object]
) -> None:
    for text in (*NO_TEXT, *BLANK):
        with pytest.raises(gr.Error, match=r"Sentence (A|B|2).*(empty|invisible|should be a text)"):
            ask(engine, text)


@pytest.mark.parametrize("text", INVISIBLE)
def test_rows_of_files_are_refused_one_by_one(engine: Engine, text: str, tmp_path: Path) -> None:
    content = f"id\tsentence\na\t{text}\nb\t{SEEN}\n"
    table = read_batch(content)
    assert [(row.line, row.reason) for row in table.bad_rows] == [
        (2, "sentence has only invisible characters")
    ]
    told = Batch(engine).batch(content.encode())
    assert [row["id"] for row in told["rows"]] == ["b"]
    path = tmp_path / "rows.csv"
    path.write_text(content, encoding="utf-8")
    read = read_table(path, SENTIMENT, labelled=False)
    assert [row.reason for row in read.bad_rows] == ["sentence has only invisible characters"]
    assert [row.id for row in read.examples] == ["b"]


def test_what_the_tokenizer_reads_as_nothing_is_blank() -> None:
    tokenizer = Tokenizer.from_folder(MODEL)
    letters = [chr(code) for code in range(0x3000) if chr(code) != "\u1734"]
    letters += [chr(code) for code in range(0xD800, 0x10000)]  # the rest are words and signs
    for letter, pieces in zip(letters, tokenizer.pieces(letters), strict=True):
        assert pieces or is_blank(letter), hex(ord(letter))
    assert not is_blank("\U0001f3ac")
    assert not is_blank("\u200b.")
