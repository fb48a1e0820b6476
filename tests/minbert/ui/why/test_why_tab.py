"""The tab Why?: what each part shows is what the library says, in words that fit the numbers."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import gradio as gr
import pytest

from minbert.explain import (
    METHODS,
    Explanation,
    IntegratedGradients,
    Target,
    WordScores,
    explain,
    find_counterfactuals,
    integrated_gradients,
    probe_bias,
    probe_sentence,
    probe_terms,
    reduce_input,
)
from minbert.explain.nearest import PROBE, TrainingText, save_index
from minbert.ui.engine import Engine
from minbert.ui.parts.colours import AGAINST, FOR
from minbert.ui.why import attribution
from minbert.ui.why.api import ExplainEndpoint
from minbert.ui.why.events import Why
from minbert.ui.why.subject import KINDS, OF_A, OF_B, PARAPHRASE, SIMILARITY, Subject

A, B = "the old actor is good and the film is bad", "a woman plays"
WORDS = ("dull", "film", "good")
HOSTILE = "<img src=x onerror=alert(1)> good <b>woman</b>"


@pytest.fixture
def why(engine: Engine) -> Why:
    return Why(engine)


def last(shown: object) -> tuple[object, ...]:
    *_, found = shown  # type: ignore[misc]
    return found


@pytest.mark.parametrize("kind", KINDS)
def test_four_methods_stand_side_by_side(why: Why, engine: Engine, kind: str) -> None:
    task = {OF_A: "sentiment", OF_B: "sentiment"}.get(kind, kind.lower())
    texts = {OF_A: (A, None), OF_B: (B, None)}.get(kind, (A, B))
    words, plot, stop = last(why.attribute(A, B, kind, "answer"))
    assert stop == gr.update(visible=False)
    figure = plot["value"]
    assert plot["visible"]
    assert len(figure.data) == len(METHODS) == 4
    for bars, method in zip(figure.data, METHODS, strict=True):
        told = explain(engine.mean, *texts, task, None, method)
        values = [*told.first.values, *told.second.values]
        raw = [row[1] for row in bars.customdata]
        assert raw == pytest.approx(values, abs=1e-4)
        largest = max(map(abs, values))
        assert list(bars.x) == pytest.approx([value / largest for value in values], abs=1e-3)
        if told.signed:
            assert list(bars.marker.color) == [FOR if v >= 0 else AGAINST for v in values]
        else:
            assert set(bars.marker.color) == {attribution.UNSIGNED}
        strongest = max(range(len(values)), key=lambda row: abs(values[row]))
        assert bars.text[strongest].startswith("1")
    assert {tuple(axis.range) for axis in figure.select_xaxes()} == {(-1.5, 1.5)}
    found = integrated_gradients(engine.mean, *texts, task=task)
    assert f"add up to {found.total:+.2f}" in words
    assert f"moved by {found.value - found.baseline_value:+.2f}" in words
    assert "How to read this" in words
    assert words.count('<th scope="row">') == len(figure.data[0].x)


def test_a_chosen_class_is_explained(why: Why, engine: Engine) -> None:
    words, plot, _ = last(why.attribute(A, "", OF_A, "1"))
    found = integrated_gradients(engine.mean, A, task="sentiment", target=1)
    assert [row[1] for row in plot["value"].data[0].customdata] == pytest.approx(
        list(found.first.values), abs=1e-5
    )
    assert "“negative” (its log-odds" in words
    words, *_ = last(why.attribute(A, B, SIMILARITY, "siamese"))
    assert "the Siamese similarity" in words
    words, *_ = last(why.attribute(A, B, SIMILARITY, "3"))
    assert "Siamese" not in words, "a class is no target of a similarity"


def test_work_tells_how_far_it_is_and_can_be_stopped(why: Why) -> None:
    steps = list(why.attribute(A, B, SIMILARITY, "answer"))
    assert len(steps) > 1
    for words, plot, stop in steps[:-1]:
        assert "mb-progress" in words
        assert " of " in words
        assert plot["visible"] is False
        assert stop == gr.update(visible=True)


def made(*columns: tuple[float, ...], words: tuple[str, ...] = WORDS) -> attribution.Attribution:
    """Return an attribution of three words with these numbers by method."""
    target = Target("sentiment", 4)
    of = [
        Explanation(method, target, WordScores(words, column), WordScores(), method != "rollout")
        for method, column in zip(METHODS, columns, strict=True)
    ]
    empty = WordScores()
    found = IntegratedGradients(
        target, of[0].first, empty, empty, empty, (empty, empty), 2.5, 1.0, 1.5, "pad", 2
    )
    return attribution.Attribution(Subject(OF_A, "dull film good", None), found, tuple(of))


def test_the_finding_counts_who_agrees_and_names_who_does_not() -> None:
    same = (0.1, 0.2, 3.0)
    title, lines = attribution.finding(made(same, same, same, same))
    assert title == "All four methods put “good” first for “very positive”"
    assert not any("puts" in line for line in lines)
    assert not any("disagree most" in line for line in lines)
    assert lines[0].startswith("Integrated gradients add up to +1.50;")
    assert lines[0].endswith("by +1.50, from 1.00 for the blank sentence to 2.50.")
    title, lines = attribution.finding(made(same, (-3.0, 0.1, 2.0), same, (0.1, 0.5, 0.4)))
    assert title == "2 of 4 methods put “good” first for “very positive”"
    assert lines[0] == "Gradient × input puts “dull” first; attention rollout puts “film” first."
    least = next(line for line in lines if "Most alike" in line)
    assert least.startswith(
        "Most alike rank integrated gradients and leaving it out "
        "(much alike: rank correlation 1.00)"
    )
    told = next(line for line in lines if "disagree most" in line)
    assert "“dull”: of 3 words gradient × input ranks it 1, integrated gradients 3" in told


def test_only_the_strongest_words_of_a_long_text_are_drawn(why: Why) -> None:
    words, plot, _ = last(why.attribute(" ".join(["good film"] * 20), "", OF_A, "answer"))
    assert len(plot["value"].data[0].x) == attribution.MOST_DRAWN
    assert f"the table has all {40}." in words
    assert words.count('<th scope="row">') == 40


def test_the_fewest_words_come_step_by_step(why: Why, engine: Engine) -> None:
    for kind, texts in ((OF_A, (A, None)), (SIMILARITY, (A, B))):
        words, stop = last(why.reduce(A, B, kind))
        found = reduce_input(
            engine.mean, *texts, task="sentiment" if kind == OF_A else "similarity"
        )
        assert words.count('<th scope="row">') == len(found.steps)
        assert f" of {len(found.steps[0].left)} words" in words
        assert " ".join(found.shortest.first) in words
        assert stop == gr.update(visible=False)


def test_the_mean_model_alone_is_explained(
    why: Why, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the CLS model was asked")

    for work in ("pooled", "hidden", "maps", "call"):
        monkeypatch.setattr(engine.cls.backend, work, refuse)
    last(why.attribute(A, B, OF_A, "answer"))
    for part in (why.reduce, why.swap):
        last(part(A, B, OF_A))


def test_other_words_are_ranked_by_what_they_change(why: Why, engine: Engine) -> None:
    words, _ = last(why.swap(A, B, PARAPHRASE))
    found = find_counterfactuals(engine.mean, A, B, task="paraphrase")
    rows = unescape(words).split('<th scope="row">')[1:]
    assert len(rows) == len(found.by_word)
    for row, each in zip(rows, found.by_word, strict=True):
        assert row.startswith(f"{each.word} → {each.replacement}</th>")
        assert f"{100 * each.change:+.0f} points" in row
        assert ("<td>yes</td>" in row) == each.flips
    assert f"{len(found.tries)} replacements" in words
    assert "None of these words" in last(why.swap("zzz", "", OF_A))[0]


def test_terms_for_people_are_swapped_and_masked(why: Why, engine: Engine) -> None:
    words, _ = last(why.probe(A, B, OF_B, False))
    (swaps,) = probe_sentence(engine.mean, B, task="sentiment")
    assert swaps.terms[0] == "woman"
    assert words.count('<th scope="row">') == len(swaps.terms)
    assert f"“{swaps.lowest}” gets the lowest" in words
    masked, _ = last(why.probe(A, B, OF_B, True))
    assert "No swap changes the answer" in masked
    assert "The model reads: a [MASK] plays" in masked
    before, after = (engine.mean.sentiment([text])[0] for text in (B, "a [MASK] plays"))
    assert f"from {before.label} ({before.expected:.1f} of 4) to {after.label}" in masked
    assert "nothing to swap" in last(why.probe("the film is good", "", OF_A, False))[0]


def test_our_sentences_show_every_list_and_masking_removes_the_spread(
    why: Why, engine: Engine
) -> None:
    words, plot, _ = last(why.probe_ours(SIMILARITY, False))
    (dots,) = plot["value"].data
    assert list(dots.y) == list(probe_terms())
    for place, category in enumerate(probe_terms()):
        probe = probe_bias(engine.mean, category, "similarity")
        assert dots.x[place] == pytest.approx(probe.mean_spread, abs=1e-4)
        assert list(dots.customdata[place]) == pytest.approx([probe.low, probe.high], abs=1e-4)
        assert f"<td>{probe.mean_spread:.3f}</td>" in words
    widest = max(zip(dots.x, dots.y, strict=True))[1]
    assert f"Swapping {widest} spreads the similarity" in words
    masked, plot, _ = last(why.probe_ours(SIMILARITY, True))
    assert max(plot["value"].data[0].x) < 1e-3
    assert "No swap changes the similarity" in masked


def test_without_an_index_the_tab_says_how_to_build_one(
    why: Why, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path / "nothing"))
    told = why.nearest(A, "", OF_A)
    assert "python -m trainer index" in told
    assert str(tmp_path) not in told


def test_neighbours_come_with_label_and_distance_for_both_poolings(
    why: Why, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path))
    texts = [TrainingText("sentiment", A, 4.0), TrainingText("sentiment", "dull <b>plot</b>", 0.0)]
    texts.append(TrainingText("similarity", B, 2.5, "a dog runs"))
    for engines in ((engine.mean, engine.cls), (engine.cls, engine.mean)):
        models = dict(zip(("mean", "cls"), engines, strict=True))
        inputs = [text.text for text in texts]
        embeddings = {name: model.embed(inputs, "similarity") for name, model in models.items()}
        probes = {name: model.embed([PROBE], "similarity")[0] for name, model in models.items()}
        save_index(tmp_path, texts, embeddings, probes, {})
        if engines[0] is engine.mean:
            told = why.nearest(A, "", OF_A)
            assert told.count("<caption>Nearest to A") == 2
            assert told.index("<td>sentiment: very positive</td><td>") < told.index("very negative")
            assert "-0.000" not in told
            assert "<b>" not in told
            assert "the same sentence" in told
            pair = why.nearest(A, B, SIMILARITY)
            assert pair.count("similarity 2.5 of 5 with “a dog runs”") == 4
    assert "build it again" in why.nearest(A, "", OF_A), "an index of other weights"


@pytest.mark.parametrize("kind", [OF_B, PARAPHRASE, SIMILARITY])
def test_a_missing_sentence_b_is_told(why: Why, kind: str) -> None:
    with pytest.raises(gr.Error, match="Sentence B is empty"):
        next(why.reduce(A, " ", kind))
    with pytest.raises(gr.Error, match="Sentence A is empty"):
        next(why.attribute("", B, kind, "answer"))


def test_hostile_words_are_escaped(why: Why) -> None:
    shown = [
        last(why.attribute(HOSTILE, HOSTILE, SIMILARITY, "answer")),
        last(why.reduce(HOSTILE, "", OF_A)),
        last(why.swap(HOSTILE, "", OF_A)),
        last(why.probe(HOSTILE, "", OF_A, True)),
    ]
    for block, *_ in shown:
        assert "<img" not in block
        assert "<b>" not in block
    found = made(*[(1.0, 2.0, 3.0)] * 4, words=("<b>", "<img", ">"))
    figure = attribution.attribution_figure(found)
    assert figure.layout.yaxis.ticktext == ("&lt;b&gt;", "&lt;img", "&gt;")
    assert figure.data[0].customdata[0][0] == "&lt;b&gt;"
    assert "<b>" not in attribution.attribution_table(found)


def test_the_endpoint_gives_what_the_library_says(engine: Engine) -> None:
    endpoint = ExplainEndpoint(engine)
    for method in METHODS:
        told = endpoint.explain(A, B, "paraphrase", "", method)
        found = explain(engine.mean, A, B, "paraphrase", None, method)
        scores = [[word["score"] for word in told[side]] for side in ("first", "second")]
        assert scores[0] == pytest.approx(list(found.first.values), abs=1e-5)
        assert scores[1] == pytest.approx(list(found.second.values), abs=1e-5)
        assert told["signed"] == found.signed
        assert (told["completeness"] is None) == (method != "integrated gradients")
    assert endpoint.explain(A, "", "sentiment", "very negative")["target"] == "very negative"
    assert endpoint.explain(A, "", "sentiment", "3")["target"] == "positive"
    with pytest.raises(gr.Error, match="`target` of 'paraphrase' should be one of 'yes'"):
        endpoint.explain(A, B, "paraphrase", "no")
