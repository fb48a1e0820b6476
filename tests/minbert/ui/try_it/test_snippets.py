"""The same answer elsewhere: the Python lines run, the JSON is the answer."""

from __future__ import annotations

import ast
import json
import re

import pytest

from minbert.answers import SentimentResult
from minbert.tasks import SENTIMENT, clamped
from minbert.ui.engine import Engine
from minbert.ui.parts import answer_cards, answer_words, numbers
from minbert.ui.question import Answer, Asked
from minbert.ui.try_it.events import Handlers, as_dict, changed
from minbert.ui.try_it.snippets import json_text, python_lines, shortened
from tests.read_html import named_in, numbers_in, quoted_in, read

ODD = 'it\'s "quoted"\n\\ and\u2028 <b>'


@pytest.mark.parametrize("second", ["", "a dog runs", ODD])
def test_the_python_lines_parse_and_hold_the_very_texts(second: str) -> None:
    tree = ast.parse(python_lines(ODD, second))
    texts = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert ODD in texts
    assert second in texts or not second
    called = [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert ("answer" if second else "sentiment") in called


def test_the_json_is_the_answer_rounded(engine: Engine) -> None:
    answer = as_dict(engine.answer(engine.mean, engine.ask("a cat", "a dog")))
    told = json.loads(json_text("a cat", "a dog", answer))
    assert told["first"] == "a cat"
    assert told["similarity"] == shortened(answer["similarity"])
    assert told["paraphrase"]["probability"] == round(answer["paraphrase"]["probability"], 4)
    assert shortened({"a": [1, 2.00001, "x", None]}) == {"a": [1, 2.0, "x", None]}


def test_both_orders_keep_their_names(engine: Engine) -> None:
    question = engine.ask("a cat", "a good film")
    _, pair = engine.mean.answer(*question.texts)
    assert pair.paraphrase_ab != pytest.approx(pair.paraphrase_ba, abs=1e-4)
    told = as_dict(engine.answer(engine.mean, question))
    given = [told["paraphrase"][name] for name in ("a_then_b", "b_then_a")]
    orders = "joint_a_then_b", "joint_b_then_a"
    given += [told["similarity"][f"raw_{name}"] for name in orders]
    wanted = [pair.paraphrase_ab, pair.paraphrase_ba, pair.joint_ab, pair.joint_ba]
    assert given == pytest.approx(wanted, abs=1e-5)
    assert [told["similarity"][name] for name in orders] == [*map(clamped, given[2:])]


def test_a_rating_that_hardly_moves_has_no_minus() -> None:
    before, now = (
        Answer((SentimentResult((low, 0.2, 0.2, 0.2, 0.4 - low)),), None) for low in (0.2, 0.205)
    )
    assert numbers_in(answer_words.changes(before, now)[0]) == ["+0.0"]


def test_changes_are_told_task_by_task(engine: Engine) -> None:
    before = engine.answer(engine.mean, engine.ask("a good film", "a dull plot"))
    now = engine.answer(engine.mean, engine.ask("a bad film", "a dull plot"))
    lines = answer_words.changes(before, now)
    for name, line, old, new in zip("AB", lines, before.sentiments, now.sentiments, strict=False):
        assert named_in(line, "AB") == [name]
        assert numbers_in(line) == [f"{new.expected - old.expected:+z.1f}"]
        assert named_in(line, SENTIMENT.labels) == list(dict.fromkeys((old.label, new.label)))
    assert before.pair is not None
    assert now.pair is not None
    shares = [numbers.percent(one.paraphrase) for one in (before.pair, now.pair)]
    assert re.findall(r"(?:[<>] )?\d+ %", lines[2]) == shares
    scores = [numbers.shown(one.similarity) for one in (before.pair, now.pair)]
    assert numbers_in(lines[3]) == [*scores, "5"]
    alone = engine.answer(engine.mean, engine.ask("a good film", ""))
    assert [numbers_in(line) != [] for line in answer_words.changes(alone, now)] == [True, False]
    assert changed(None, now) == ""
    panel = read(changed(Asked(engine.ask("a good film", ""), alone), now))
    assert quoted_in(panel.one("h3").text) == ["a good film"]
    assert panel.texts("li") == answer_words.changes(alone, now)


def test_the_threshold_is_shown_and_decides(engine: Engine) -> None:
    handlers = Handlers(engine, within_one=0.8937)
    question = engine.ask("a good film", "a dull plot")
    answer = engine.answer(engine.mean, question)
    assert answer.pair is not None
    asked = Asked(question, answer)
    for apart, decision in ((-0.01, "yes"), (0.01, "no")):
        threshold = answer.pair.paraphrase + apart
        html = handlers.show_threshold(asked, threshold)
        assert html == answer_cards.answer_panel(answer, threshold, 0.8937)
        assert read(html).texts(css="mb-finding")[2] == decision
    assert "89" in read(html).numbers
    assert "89" not in read(answer_cards.answer_panel(answer)).numbers
    assert handlers.show_threshold(None, 0.5) == ""
    assert handlers.pin(None) == (None, "")
    kept, told = handlers.pin(asked)
    assert kept == asked
    assert quoted_in(read(told).one("h3").text) == ["a good film", "a dull plot"]
