"""The pooling lab: figures hold the exact numbers, words say what the figures hold."""

from __future__ import annotations

import dataclasses

import gradio as gr
import pytest
import torch

from minbert.explain import (
    integrated_gradients,
    layer_similarity,
    split_sentiment,
    split_similarity,
)
from minbert.explain.words import Words, words_of
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.parts.colours import AGAINST, FOR
from minbert.ui.pooling import findings
from minbert.ui.pooling.events import MOST_SENTENCES, NO_SECOND, Lab
from minbert.ui.pooling.figures import contributions_figure, layers_figure, split_figure
from tests.read_html import named_in, numbers_in, quoted_in, read

A, B = "the cat sleeps on the sofa", "a dog runs in the park"


@pytest.fixture
def lab(engine: Engine) -> Lab:
    return Lab(engine)


def test_the_split_figure_holds_the_matrix_and_its_sums(engine: Engine) -> None:
    split = split_similarity(engine.mean, A, B)
    heat, columns, rows = split_figure(split).data
    assert sum(map(sum, heat.z)) == pytest.approx(split.cosine, abs=1e-2)
    assert torch.tensor(heat.z).shape == split.matrix.shape
    assert sum(columns.y) == pytest.approx(split.cosine, abs=1e-5)
    assert sum(rows.x) == pytest.approx(split.cosine, abs=1e-5)
    assert list(columns.marker.color) == [FOR if value >= 0 else AGAINST for value in columns.y]
    assert heat.zmin == -heat.zmax, "the scale is centred at zero"
    assert len(set(heat.y)) == len(split.first.labels), "repeated words keep rows of their own"
    assert list(split.first.labels).count("the") == 2


def test_the_contributions_share_one_scale(engine: Engine) -> None:
    splits = {name: split_sentiment(engine.mean, text) for name, text in (("A", A), ("B", B))}
    first, second = contributions_figure(splits).data
    assert first.zmax == second.zmax == -first.zmin
    assert first.zmax == pytest.approx(max(s.relative.abs().max().item() for s in splits.values()))
    assert list(first.y) == list(SENTIMENT.labels)
    assert pytest.approx(splits["A"].relative.numpy(), abs=1e-4) == torch.tensor(first.z).T
    columns = torch.tensor(second.z).sum(dim=0)
    assert columns.abs().max() < 1e-3, "for one class is against the others"


def test_the_layers_figure_has_a_line_a_pooling(engine: Engine) -> None:
    cosines = {
        name: layer_similarity(model, A, B, (name,))[name]
        for name, model in (("cls", engine.cls), ("mean", engine.mean))
    }
    lines = layers_figure(cosines).data
    assert [line.name for line in lines] == ["CLS", "mean"]
    assert all(len(line.y) == 3 for line in lines), "words and two layers"
    assert lines[0].y[0] == pytest.approx(1.0), "[CLS] starts the same in every sentence"
    told = findings.layers_finding({"cls": [1.0, 0.25], "mean": [0.5, 0.75]})
    assert named_in(told, ("CLS", "mean")) == ["CLS", "mean"]
    assert numbers_in(told) == ["0.25", "0.75"], "of the last layer"


def test_the_split_finding_names_the_two_words_that_do_most(engine: Engine) -> None:
    split = split_similarity(engine.mean, A, B)
    (pair,) = engine.mean.pairs([(A, B)])
    title, lines = findings.split_finding(split, pair)
    inner = split.matrix[1:-1, 1:-1]
    row, column = divmod(int(inner.argmax()), inner.shape[1])
    assert quoted_in(title) == [split.first.labels[row + 1], split.second.labels[column + 1]]
    assert numbers_in(title) == [f"{inner.max().item():.3f}", f"{split.cosine:.3f}"]
    assert split.formula in lines[0]
    assert f"{split.cosine:.3f}" in numbers_in(lines[0])
    carried = split.matrix.sum() - inner.sum()
    assert numbers_in(lines[1]) == [f"{carried.item():.3f}", f"{split.cosine:.3f}"]


def test_without_words_none_is_named(engine: Engine) -> None:
    (item,) = engine.mean.single_inputs([[]])
    marks = words_of(item, engine.mean.tokenizer)
    split, moods = split_similarity(engine.mean, A, B), split_sentiment(engine.mean, A)
    (pair,) = engine.mean.pairs([(A, B)])
    split = dataclasses.replace(split, first=marks, second=marks, matrix=torch.full((2, 2), 0.25))
    assert quoted_in(findings.split_finding(split, pair)[0]) == []
    moods = dataclasses.replace(moods, words=marks)
    assert quoted_in(findings.loudest_word("A", moods)) == []


def test_the_loudest_word_is_never_a_mark(engine: Engine) -> None:
    split = split_sentiment(engine.mean, A)
    louder = split.contributions.clone()
    louder[0, split.probabilities.index(max(split.probabilities))] += 100
    split = dataclasses.replace(split, contributions=louder)
    best = split.probabilities.index(max(split.probabilities))
    loudest = 1 + int(split.relative[1:-1, best].argmax())
    told = findings.loudest_word("A", split)
    assert quoted_in(told) == [split.words.labels[loudest]]
    assert numbers_in(told)[-1] == f"{split.relative[loudest, best].item():+.2f}"
    assert named_in(told, SENTIMENT.labels) == [SENTIMENT.labels[best]]
    assert findings.outer(split.words) == {0, len(split.words.labels) - 1}
    assert isinstance(split.words, Words)


def test_states_of_one_pass_give_the_same_figures(engine: Engine, lab: Lab) -> None:
    found = lab.compare(engine.ask(A, B))
    split, moods = split_similarity(engine.mean, A, B), split_sentiment(engine.mean, A)
    assert found.split[1] is not None
    assert found.contributions[1] is not None
    assert found.layers[1] is not None
    assert found.split[1].data[0].z == pytest.approx(split.matrix.numpy(), abs=1e-3)
    assert len(found.contributions[1].data) == 2
    shown = torch.tensor(found.contributions[1].data[0].z).T
    assert shown.numpy() == pytest.approx(moods.relative.numpy(), abs=1e-3)
    for line, name in zip(found.layers[1].data, ("cls", "mean"), strict=True):
        model = {"cls": engine.cls, "mean": engine.mean}[name]
        wanted = layer_similarity(model, A, B, (name,))[name]
        assert list(line.y) == pytest.approx(wanted, abs=1e-3)


def test_one_sentence_has_contributions_alone(engine: Engine, lab: Lab) -> None:
    found = lab.compare(engine.ask(A, " "))
    assert found.split[1] is None
    assert found.layers[1] is None
    assert [read(part[0]).finding.title for part in (found.split, found.layers)] == [NO_SECOND] * 2
    assert found.contributions[1] is not None
    assert len(found.contributions[1].data) == 1


def test_words_are_coloured_under_both_poolings_on_a_button(engine: Engine, lab: Lab) -> None:
    at_once = read(lab.compare(engine.ask(A, B)).contributions[0])
    assert [line.partition(" ")[0] for line in at_once.texts("p", "mb-line")] == ["mean"] * 2
    *steps, (words, progress, stop) = lab.colour(A, B)
    assert all(shown == gr.skip() for shown, *_ in steps), "what is there stays meanwhile"
    assert all(numbers_in(read(told).one("p").text) for _, told, _ in steps)
    assert (progress, stop) == ("", gr.update(visible=False))
    page = read(words)
    lines = page.find(css="mb-said")
    assert [line.one("p", "mb-line").text.partition(" ")[0] for line in lines] == [
        *("mean", "CLS"),
        *("mean", "CLS"),
    ]
    found, other = (
        integrated_gradients(engine.cls, text, task="sentiment", target="expected").first
        for text in (A, B)
    )
    largest = max(map(abs, (*found.values, *other.values)))
    shares = [float(word.attributes["data-own"]) for word in lines[1].find("span")]
    assert shares == pytest.approx([value / largest for value in found.values], abs=2e-3)
    moods = split_sentiment(engine.mean, A)
    told = [word.attributes["aria-label"] for word in lines[0].find("span")]
    for label, exact, by_gradients in zip(
        told, moods.leaning.values[1:-1], found.values, strict=True
    ):
        numbers = [float(one.replace("−", "-")) for one in numbers_in(label)]
        assert numbers == pytest.approx([exact, by_gradients], abs=0.005)


def test_why_similar_begins_with_the_words_and_their_partners(engine: Engine, lab: Lab) -> None:
    page = read(lab.compare(engine.ask(A, B)).split[0])
    first, second = page.one(css="mb-alike").find(css="mb-sentence")
    assert [word.text for word in first.find("span")] == A.split()
    assert [word.text for word in second.find("span")] == B.split()


def test_a_set_is_compared_in_the_order_given(lab: Lab, engine: Engine) -> None:
    told = lab.similarity_matrix([A, B, A], "mean")
    split = split_similarity(engine.mean, A, B)
    assert told["matrix"][0][1] == pytest.approx(split.cosine, abs=1e-5)
    assert told["matrix"][0][2] == pytest.approx(1.0, abs=1e-5)
    assert sorted(told["order"]) == [0, 1, 2]
    assert abs(told["order"].index(0) - told["order"].index(2)) == 1
    cls = lab.similarity_matrix([A, B], "cls")["matrix"][0][1]
    assert cls == pytest.approx(layer_similarity(engine.cls, A, B, ("cls",))["cls"][-1], abs=1e-5)


@pytest.mark.parametrize(
    ("texts", "pooling", "said"),
    [
        ([], "mean", "1 to 50"),
        ([A] * (MOST_SENTENCES + 1), "mean", "1 to 50"),
        ([A, ""], "mean", "Sentence 2 of the set"),
        ([A], "attention", "should be one of cls, mean, max, pooler"),
    ],
)
def test_a_bad_set_is_refused(lab: Lab, texts: list[str], pooling: str, said: str) -> None:
    with pytest.raises(gr.Error, match=said):
        lab.similarity_matrix(texts, pooling)


def test_a_split_of_one_sentence_is_refused(lab: Lab) -> None:
    with pytest.raises(gr.Error, match="Sentence B is empty"):
        lab.similarity_split(A, "")
    with pytest.raises(gr.Error, match="Sentence A is empty"):
        lab.similarity_split("", B)
