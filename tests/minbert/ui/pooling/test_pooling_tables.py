"""The tables beside the figures hold the figures' numbers, capped."""

from __future__ import annotations

from minbert.explain import layer_similarity, split_sentiment, split_similarity
from minbert.ui.engine import Engine
from minbert.ui.parts.both_poolings import answers_table
from minbert.ui.parts.tables import map_table
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.tables import contributions_table, layers_table, split_table
from tests.read_html import numbers_in, read

A, B = "the cat sleeps on the sofa", "a dog runs in the park"


def test_a_large_map_is_capped_and_says_so() -> None:
    names = [f"w{k}" for k in range(30)]
    for rows, columns, told in (
        *((30, 5, ["24", "30", "5", "5"]), (24, 5, [])),
        (2, 30, ["2", "2", "24", "30"]),
    ):
        html = map_table("Map", "x", names[:rows], names[:columns], [[1.0] * columns] * rows, ".1f")
        (table,) = read(html).tables
        assert numbers_in(table.caption) == told
        assert {len(row) for row in (*table.heads, *table.rows)} == {min(columns, 24) + 1}
        assert len(table.rows) == min(rows, 24)


def test_the_answers_table_has_both_models(engine: Engine) -> None:
    cls, mean = (engine.answer(model, engine.ask(A, B)) for model in (engine.cls, engine.mean))
    found = read(answers_table(cls, mean)).rows
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
    assert len(read(answers_table(*alone)).rows) == 5


def test_the_lab_s_tables_hold_its_figures_numbers(engine: Engine) -> None:
    split = split_similarity(engine.mean, A, B)
    cells = read(split_table(split)).rows
    assert cells[1][2] == f"{split.matrix[1, 1].item():.4f}"
    assert [row[0] for row in cells] == list(split.first.labels)
    splits = {name: split_sentiment(engine.mean, text) for name, text in (("A", A), ("B", B))}
    told = contributions_table(splits)
    assert read(told).rows[2][1] == f"{splits['A'].relative[2, 0].item():+.3f}"
    assert len(read(told).rows) == len(splits["A"].words) + len(splits["B"].words)
    cosines = {
        name: layer_similarity(model, A, B, (name,))[name]
        for name, model in (("cls", engine.cls), ("mean", engine.mean))
    }
    lines = read(layers_table(cosines)).rows
    assert [line[0] for line in lines] == ["words", "layer 1", "layer 2"]
    assert lines[2][1:] == [f"{cosines['cls'][2]:.3f}", f"{cosines['mean'][2]:.3f}"]


def test_every_figure_of_the_lab_has_its_table(engine: Engine) -> None:
    found = Lab(engine).compare(engine.ask(A, B))
    for words, _ in (found.answers, found.split, found.contributions, found.layers):
        assert len(read(words).find("details")) == 1
        assert len(read(words).rows) >= 3
