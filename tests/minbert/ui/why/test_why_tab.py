"""The tab Why?: what each part shows is what the library says, in words that fit the numbers."""

from __future__ import annotations

import dataclasses
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gradio as gr
import pytest

from minbert.explain import (
    METHODS,
    Answer,
    Counterfactual,
    Counterfactuals,
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
from minbert.explain.nearest import COMMAND, PROBE, TrainingText, save_index
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.parts.steps import Press
from minbert.ui.why import attribution
from minbert.ui.why.api import ExplainEndpoint
from minbert.ui.why.events import PARTS, Shown, Why, exact_words
from minbert.ui.why.subject import (
    KINDS,
    OF_A,
    OF_B,
    PARAPHRASE,
    SIMILARITY,
    Subject,
    moved,
    said,
)
from minbert.ui.why.swaps import swaps_block
from tests.read_html import named_in, numbers_in, quoted_in, read

A, B = "the old actor is good and the film is bad", "a woman plays"
WORDS = ("dull", "film", "good")


@pytest.fixture
def why(engine: Engine) -> Why:
    return Why(engine)


def pressed(
    why: Why, first: str, second: str, kind: str, *parts: str, target: str = "answer", **more: bool
) -> Shown:
    """Return what one press shows at its end, of some parts."""
    shown: Shown = {}
    for step in why.explain(first, second, kind, target, more.get("masked", False), parts=parts):
        shown |= step
    return shown


def last(shown: Iterable[tuple[Any, ...]]) -> tuple[Any, ...]:
    """Return what our own sentences show at the end, the words read."""
    *_, (words, *rest) = shown
    return (read(words), *rest)


@pytest.mark.parametrize("kind", KINDS)
def test_four_methods_stand_side_by_side(why: Why, engine: Engine, kind: str) -> None:
    task = {OF_A: "sentiment", OF_B: "sentiment"}.get(kind, kind.lower())
    texts = {OF_A: (A, None), OF_B: (B, None)}.get(kind, (A, B))
    shown = pressed(why, A, B, kind, "words")
    words = read(shown["words"])
    assert (shown["stop"], shown["progress"]) == (gr.update(visible=False), "")
    lines = words.find(css="mb-said")
    assert [line.one("p", "mb-line").text for line in lines] == [
        *attribution.NAMES.values(),
    ] * len([text for text in texts if text])
    assert len(METHODS) == 4
    (table,) = words.tables
    tints = [[float(word.attributes["data-own"]) for word in line.find("span")] for line in lines]
    for place, method in enumerate(METHODS):
        told = explain(engine.mean, *texts, task, None, method)
        values = [*told.first.values, *told.second.values]
        largest = max(map(abs, values))
        tinted = [share for line in tints[place :: len(METHODS)] for share in line]
        assert tinted == pytest.approx([value / largest for value in values], abs=1e-3)
        form = "+.3f" if told.signed else ".3f"
        assert table.column(1 + 2 * place) == [format(value, form) for value in values]
        ranked = sorted(zip(map(float, table.column(2 + 2 * place)), values, strict=True))
        sizes = [abs(value) for _, value in ranked]
        assert sizes == sorted(sizes, reverse=True)
        assert sum(rank for rank, _ in ranked) == len(values) * (len(values) + 1) / 2
    found = integrated_gradients(engine.mean, *texts, task=task)
    change = found.value - found.baseline_value
    assert {f"{found.total:+.2f}", f"{change:+.2f}"} <= set(words.numbers)


def test_a_chosen_target_is_explained(why: Why, engine: Engine) -> None:
    shown = pressed(why, A, "", OF_A, "words", target="1")
    words = read(shown["words"])
    found = integrated_gradients(engine.mean, A, task="sentiment", target=1)
    assert words.tables[0].column(1) == [format(value, "+.3f") for value in found.first.values]
    assert SENTIMENT.labels[1] in quoted_in(words.finding.title)
    scores = ("joint", "Siamese")
    titles = {}
    for target in ("siamese", "joint", "answer", "3"):
        words = read(pressed(why, A, B, SIMILARITY, "words", target=target)["words"])
        titles[target] = words.finding.title
    assert named_in(titles["siamese"], scores) == ["Siamese"]
    assert named_in(titles["joint"], scores) == ["joint"]
    assert titles["3"] == titles["answer"], "a class is no similarity's target"


def test_parts_come_one_after_the_other_with_a_number(why: Why) -> None:
    steps = list(why.explain(A, B, SIMILARITY, "answer", False))
    assert steps[-1] == {"progress": "", "stop": gr.update(visible=False)}
    told = [step for step in steps[:-1] if "progress" in step]
    parts = [name for step in steps for name in step if name in PARTS]
    assert parts == ["words"] * 3 + [*PARTS[1:]], "the words grow, method by method"
    lines = [len(read(step["words"]).find(css="mb-said")) for step in steps if "words" in step]
    assert lines == [4, 6, 8], "two methods by gradients, then one more each, of A and of B"
    shares = []
    for step in told:
        place, count, done, whole = map(int, read(step["progress"]).one("p").numbers)
        assert count == 7
        shares.append((place - 1 + done / whole) / count)
        width = read(step["progress"]).one(css="mb-progress").one(css="mb-fill").attributes["style"]
        assert width == f"width:{100 * shares[-1]:.1f}%"
        assert step["stop"] == gr.update(visible=True)
    assert shares == sorted(shares)
    places = {int(read(step["progress"]).one("p").numbers[0]) for step in told}
    assert places <= {*range(1, 8)}
    assert len(places) >= 4, "a step that is done at once needn't be told before it is done"


@pytest.mark.parametrize("end", ["Stop", "the reader leaves"])
def test_a_press_that_ends_leaves_the_model_alone_within_a_second(
    why: Why, engine: Engine, monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    calls: list[float] = []

    def slowly(real: Callable[..., Any]) -> Callable[..., Any]:
        def work(*given: Any) -> Any:  # noqa: ANN401 - any work
            time.sleep(0.3)
            calls.append(time.monotonic())
            return real(*given)

        return work

    for name in ("call", "pooled", "maps"):
        monkeypatch.setattr(engine.mean.backend, name, slowly(getattr(engine.mean.backend, name)))
    press, shown = Press(), list[Shown]()
    steps = why.explain(A, B, SIMILARITY, "answer", False, press)
    reading = threading.Thread(target=lambda: shown.extend(steps))
    if end == "Stop":  # while gradio waits for the next step, so that it can't close the iterator
        reading.start()
        time.sleep(0.5)
        press.end()
    else:
        next(steps)
        steps.close()
    stopped = time.monotonic()
    while any(one.name == "explanation" for one in threading.enumerate()):
        assert time.monotonic() < stopped + 1
        time.sleep(0.01)
    count = len(calls)
    if end == "Stop":
        reading.join(1)
        assert not reading.is_alive()
        assert shown[-1] == {"progress": "", "stop": gr.update(visible=False)}
    time.sleep(0.5)
    assert (len(calls), count > 0) == (count, True)


@pytest.mark.parametrize("kind", KINDS)
def test_words_come_with_the_answer_where_they_are_exact(engine: Engine, kind: str) -> None:
    asked = engine.asked(engine.ask(A, B))
    page = read(exact_words(asked, kind))
    shown = [[word.text for word in one.find("span")] for one in page.find(css="mb-sentence")]
    texts = {OF_A: [A], OF_B: [B], SIMILARITY: [A, B], PARAPHRASE: []}[kind]
    assert shown == [text.split() for text in texts]
    alone = read(exact_words(engine.asked(engine.ask(A, "")), kind))
    assert len(alone.find(css="mb-sentence")) == (kind == OF_A)
    assert ("Sentence B is empty" in alone.text) == (kind in (OF_B, SIMILARITY))


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
    same, names = (0.1, 0.2, 3.0), attribution.NAMES
    title, lines = attribution.finding(made(same, same, same, same))
    assert quoted_in(title) == ["good", "very positive"]
    assert numbers_in(title) == [], "all of them"
    assert [quoted_in(line) for line in lines] == [["very positive"], []], "nobody disagrees"
    assert numbers_in(lines[0]) == ["+1.50", "+1.50", "1.00", "2.50"], "sum, move, from, to"
    title, lines = attribution.finding(made(same, (-3.0, 0.1, 2.0), same, (0.1, 0.5, 0.4)))
    assert quoted_in(title) == ["good", "very positive"]
    assert numbers_in(title) == ["2", "4"]
    others, _, alike, most = lines
    assert quoted_in(others) == ["dull", "film"]
    assert named_in(others, names.values()) == [names["gradient"], names["rollout"]]
    closest = [names["integrated gradients"], names["occlusion"]]
    assert named_in(alike, names.values())[:2] == closest
    assert numbers_in(alike)[0] == "1.00"
    assert quoted_in(most) == ["dull"]
    assert named_in(most, names.values()) == [names["gradient"], names["integrated gradients"]]
    assert numbers_in(most) == ["3", "1", "3"], "of three words its highest rank, its lowest"


@pytest.mark.parametrize(("value", "grade"), [(0.7, 2), (0.69, 1), (0.3, 1), (0.29, 0), (-1.0, 0)])
def test_rankings_are_called_alike_by_their_correlation(value: float, grade: int) -> None:
    told = attribution.degree(value)
    assert named_in(told, ("hardly", "somewhat", "much")) == [("hardly", "somewhat", "much")[grade]]


def test_all_words_of_a_long_text_are_shown(why: Why) -> None:
    shown = pressed(why, " ".join(["good film"] * 20), "", OF_A, "words")
    words = read(shown["words"])
    assert [len(line.find("span")) for line in words.find(css="mb-said")] == [40] * 4
    assert len(words.rows) == 40


@pytest.mark.parametrize(("kind", "texts"), [(OF_A, (A,)), (SIMILARITY, (A, B))])
def test_the_fewest_words_come_step_by_step(
    why: Why, engine: Engine, kind: str, texts: tuple[str, ...]
) -> None:
    words = read(pressed(why, A, B, kind, "fewest")["fewest"])
    task = "sentiment" if kind == OF_A else "similarity"
    found = reduce_input(engine.mean, *texts, task=task)
    assert words.rows == [
        [
            *(" ".join(side) for side in (step.first, step.second)[: len(texts)]),
            *(step.removed or "", said(task, step.answer)),
        ]
        for step in found.steps
    ]
    title, kept = words.finding.title, words.rows[-1][: len(texts)]
    assert quoted_in(title)[-len(kept) :] == kept
    assert str(len(found.steps[0].left)) in numbers_in(title)


def test_the_mean_model_alone_is_explained(
    why: Why, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        pytest.fail("the CLS model was asked")

    for work in ("pooled", "hidden", "maps", "call"):
        monkeypatch.setattr(engine.cls.backend, work, refuse)
    assert pressed(why, A, B, OF_A, "words", "fewest", "swaps").keys() >= {"words", "swaps"}


@pytest.mark.parametrize("kind", [PARAPHRASE, SIMILARITY])
def test_other_words_are_ranked_by_what_they_change(why: Why, engine: Engine, kind: str) -> None:
    task = kind.lower()
    words = read(pressed(why, A, B, kind, "swaps")["swaps"])
    found = find_counterfactuals(engine.mean, A, B, task=task)
    assert [(row[0], *row[2:]) for row in words.rows] == [
        (
            *(f"{each.word} → {each.replacement}", said(task, each.answer)),
            *(moved(task, each.change), "yes" if each.flips else ""),
        )
        for each in found.by_word[: len(words.rows)]
    ]
    for row, each in zip(words.rows, found.by_word, strict=False):
        assert each.replacement in row[1]
        assert named_in(row[1], ("(A)", "(B)")) == [] or row[1].endswith(f"({'AB'[each.side]})")
    counts = [str(len(found.tries)), str(len(found.by_word))]
    assert numbers_in(words.finding.lines[0])[:2] == counts


@pytest.mark.parametrize(
    ("kind", "flips", "quoted", "numbers"),
    [
        (PARAPHRASE, (False, True), ["film", "plot", "no", "yes"], []),  # the one that flips
        (PARAPHRASE, (False, False), ["no", "good", "bad"], []),  # none does: the nearest
        (SIMILARITY, (False, False), ["good", "bad"], ["2.0", "5", "4.0", "5"]),  # from, to
    ],
)
def test_the_title_names_the_replacement_that_does_most(
    kind: str, flips: tuple[bool, bool], quoted: list[str], numbers: list[str]
) -> None:
    tries = tuple(
        Counterfactual(
            0, place, *words, "group", "", Answer("yes" if flip else "no", 4.0), 2.0, flip
        )
        for place, (words, flip) in enumerate(
            zip((("good", "bad"), ("film", "plot")), flips, strict=True)
        )
    )
    now = Counterfactuals(Target(kind.lower(), "joint"), Answer("no", 2.0), tries, 0)
    title = read(swaps_block(Subject(kind, A, B), now)).finding.title
    assert (quoted_in(title), numbers_in(title)) == (quoted, numbers)
    nothing = read(swaps_block(Subject(kind, A, B), dataclasses.replace(now, tries=())))
    assert (nothing.tables, quoted_in(nothing.finding.title)) == ([], [])


def test_terms_for_people_are_swapped_and_masked(why: Why, engine: Engine) -> None:
    words = read(pressed(why, A, B, OF_B, "people")["people"])
    (swaps,) = probe_sentence(engine.mean, B, task="sentiment")
    assert swaps.terms[0] == "woman"
    assert words.rows == [
        [term, said("sentiment", answer), moved("sentiment", answer.value - swaps.answers[0].value)]
        for term, answer in zip(swaps.terms, swaps.answers, strict=True)
    ]
    assert quoted_in(words.finding.title) == ["woman", swaps.lowest, swaps.highest]
    masked = read(pressed(why, A, B, OF_B, "people", masked=True)["people"])
    assert quoted_in(masked.finding.title) == [], "no term is the lowest"
    read_as, changed = masked.finding.lines
    assert read_as.endswith("a [MASK] plays")
    before, after = (engine.mean.sentiment([text])[0] for text in (B, "a [MASK] plays"))
    assert numbers_in(changed)[::2] == [f"{one.expected:.1f}" for one in (before, after)]
    assert named_in(changed, SENTIMENT.labels) == [before.label, after.label]
    nobody = pressed(why, "the film is good", "", OF_A, "people")["people"]
    assert read(nobody).tables == []


def test_our_sentences_show_every_list_and_masking_removes_the_spread(
    why: Why, engine: Engine
) -> None:
    words, plot, _ = last(why.probe_ours(SIMILARITY, False))
    (dots,) = plot.data
    assert list(dots.y) == list(probe_terms())
    for place, category in enumerate(probe_terms()):
        probe = probe_bias(engine.mean, category, "similarity")
        assert dots.x[place] == pytest.approx(probe.mean_spread, abs=1e-4)
        assert list(dots.customdata[place]) == pytest.approx([probe.low, probe.high], abs=1e-4)
        numbers = [f"{value:.3f}" for value in (probe.mean_spread, probe.low, probe.high)]
        assert words.rows[place][:4] == [category, *numbers]
    widest = max(zip(dots.x, dots.y, strict=True))[1]
    assert named_in(words.finding.title, probe_terms()) == [widest]
    masked, plot, _ = last(why.probe_ours(SIMILARITY, True))
    assert max(plot.data[0].x) < 1e-3
    assert named_in(masked.finding.title, probe_terms()) == []


def test_without_an_index_the_tab_says_how_to_build_one(
    why: Why, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path / "nothing"))
    told = pressed(why, A, "", OF_A, "nearest")["nearest"]
    assert "python -m trainer index" in told
    assert str(tmp_path) not in told


def test_neighbours_come_with_label_and_distance_for_both_poolings(
    why: Why, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path))
    texts = [TrainingText("sentiment", A, 4.0), TrainingText("sentiment", "dull plot", 0.0)]
    texts.append(TrainingText("similarity", B, 2.5, "a dog runs"))
    for engines in ((engine.mean, engine.cls), (engine.cls, engine.mean)):
        models = dict(zip(("mean", "cls"), engines, strict=True))
        inputs = [text.text for text in texts]
        embeddings = {name: model.embed(inputs, "similarity") for name, model in models.items()}
        probes = {name: model.embed([PROBE], "similarity")[0] for name, model in models.items()}
        save_index(tmp_path, texts, embeddings, probes, {})
        if engines[0] is engine.mean:
            told = read(pressed(why, A, "", OF_A, "nearest")["nearest"])
            poolings = [named_in(table.caption, ("CLS", "mean")) for table in told.tables]
            assert poolings == [["CLS"], ["mean"]]
            for table in told.tables:
                labels = [named_in(row[1], SENTIMENT.labels) for row in table.rows]
                assert labels == [["very positive"], ["very negative"]]
                assert table.rows[0][::2] == [A, "0.000"], "no minus before nothing"
            assert named_in(told.finding.title, ("same", "different")) == ["same"]
            pair = read(pressed(why, A, B, SIMILARITY, "nearest")["nearest"])
            similar = [row for row in pair.rows if row[0] == B]
            assert len(similar) == len(pair.tables) == 4
            for _, label, _ in similar:
                assert (numbers_in(label), quoted_in(label)) == (["2.5", "5"], ["a dog runs"])
    other = pressed(why, A, "", OF_A, "nearest")["nearest"]
    assert COMMAND in other, "an index of other weights"
    assert read(other).tables == []


@pytest.mark.parametrize("kind", [OF_B, PARAPHRASE, SIMILARITY])
def test_a_missing_sentence_b_is_told(why: Why, kind: str) -> None:
    with pytest.raises(gr.Error, match="Sentence B is empty"):
        next(why.explain(A, " ", kind, "answer", False))
    with pytest.raises(gr.Error, match="Sentence A is empty"):
        next(why.explain("", B, kind, "answer", False))


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


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((A, "", "paraphrase"), "Sentence B is empty"),
        ((A, B, "mood"), "Task should be one of sentiment, paraphrase, similarity. Found 'mood'"),
        ((A, B, "paraphrase", "no"), "`target` of 'paraphrase' should be one of 'yes'"),
        ((A, B, "sentiment", "", "guess"), "Method should be one of integrated gradients"),
    ],
)
def test_what_cannot_be_explained_gets_the_reason(
    engine: Engine, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(gr.Error, match=said):
        ExplainEndpoint(engine).explain(*arguments)
