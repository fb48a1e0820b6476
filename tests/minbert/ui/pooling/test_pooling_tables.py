"""The tables beside the figures hold the figures' numbers, capped, escaped."""

from __future__ import annotations

import re

from minbert.explain import layer_similarity, split_sentiment, split_similarity
from minbert.ui.engine import Engine
from minbert.ui.parts.both_poolings import answers_table
from minbert.ui.parts.tables import map_table
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.tables import contributions_table, layers_table, split_table

A, B = "the cat sleeps on the sofa", "a dog runs in the park"


def rows_of(html: str) -> list[list[str]]:
    body = re.findall(r"<tbody>(.*?)</tbody>", html, flags=re.DOTALL)
    lines = [line for part in body for line in re.findall(r"<tr>(.*?)</tr>", part)]
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", line) for line in lines]


def test_a_large_map_is_capped_and_says_so() -> None:
    names = [f"w{k}" for k in range(30)]
    told = map_table("Map", "x", names, names[:5], [[1.0] * 5] * 30, ".1f")
    assert len(rows_of(told)) == 24
    assert "Map; the first 24 of 30 rows and 5 of 5 columns" in told
    assert "the first" not in map_table("Map", "x", names[:24], names[:5], [[1.0] * 5] * 24, ".1f")
    wide = map_table("Map", "x", names[:2], names, [[1.0] * 30] * 2, ".1f")
    assert {len(row) for row in rows_of(wide)} == {25}


def test_the_answers_table_has_both_models(engine: Engine) -> None:
    cls, mean = (engine.answer(model, engine.ask(A, B)) for model in (engine.cls, engine.mean))
    found = rows_of(answers_table(cls, mean))
    assert len(found) == 14
    assert found[1] == [
        "Sentiment of A, negative",
        f"{cls.sentiments[0].probabilities[1]:.1%}",
        f"{mean.sentiments[0].probabilities[1]:.1%}",
    ]
    assert cls.pair is not None
    assert mean.pair is not None
    assert found[10][1:] == [f"{cls.pair.paraphrase:.1%}", f"{mean.pair.paraphrase:.1%}"]
    assert found[13][1:] == [f"{cls.pair.siamese:.2f}", f"{mean.pair.siamese:.2f}"]
    alone = [engine.answer(model, engine.ask(A, "")) for model in (engine.cls, engine.mean)]
    assert len(rows_of(answers_table(*alone))) == 5


def test_the_lab_s_tables_hold_its_figures_numbers(engine: Engine) -> None:
    split = split_similarity(engine.mean, A, B)
    cells = rows_of(split_table(split))
    assert cells[1][2] == f"{split.matrix[1, 1].item():.4f}"
    assert [row[0] for row in cells] == list(split.first.labels)
    splits = {name: split_sentiment(engine.mean, text) for name, text in (("A", A), ("B", B))}
    told = contributions_table(splits)
    assert told.count("<details") == 1
    assert rows_of(told)[2][1] == f"{splits['A'].relative[2, 0].item():+.3f}"
    assert len(rows_of(told)) == len(splits["A"].words) + len(splits["B"].words)
    cosines = {
        name: layer_similarity(model, A, B, (name,))[name]
        for name, model in (("cls", engine.cls), ("mean", engine.mean))
    }
    lines = rows_of(layers_table(cosines))
    assert [line[0] for line in lines] == ["words", "layer 1", "layer 2"]
    assert lines[2][1:] == [f"{cosines['cls'][2]:.3f}", f"{cosines['mean'][2]:.3f}"]


def test_every_figure_of_the_lab_has_its_table(engine: Engine) -> None:
    found = Lab(engine).compare(engine.ask(A, B))
    for words, _ in (found.answers, found.split, found.contributions, found.layers):
        assert words.count("<details") == 1
        assert len(rows_of(words)) >= 3


def test_tables_escape_what_was_typed() -> None:
    told = map_table("<i>", "<b>", ["<u>"], ["<s>"], [[1.0]], ".1f")
    assert not re.search(r"<[ibus]>", told)
