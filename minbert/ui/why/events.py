"""What one press in the tab "Why?" does: each part asks its method and is shown when it is done."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gradio as gr

from minbert.explain import BiasProbe, NearestIndex, Neighbour, find_counterfactuals, reduce_input
from minbert.files import CheckpointError
from minbert.serving import bulk_work
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block, note_block, progress_block
from minbert.ui.parts.colouring import exact_moods, exact_pair
from minbert.ui.parts.steps import Done, Far, Press, Tell, in_steps, watched
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Asked
from minbert.ui.why import attribution, bias, nearest, reduction, swaps
from minbert.ui.why.attribution import Attribution
from minbert.ui.why.nearest import Indexes
from minbert.ui.why.subject import (
    OF_A,
    OF_B,
    SIMILARITY,
    TARGETS,
    TASK_OF,
    Subject,
    asked,
    cut_note,
    target_of,
)

TEXTS = texts_of(__package__)
NEAREST = 5
PARTS = ("words", "fewest", "swaps", "nearest", "people")  # that one press fills, in this order
Shown = dict[str, Any]  # by place: a part, "bars", "progress", "stop"


@dataclasses.dataclass(frozen=True)
class Step:
    """One piece of the work behind a press."""

    part: str
    told: str  # what it does
    work: Callable[[Tell], Shown]


class Why:
    """The tab's events, bound to one engine; what is explained is its first model, mean."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine
        self.indexes = Indexes()

    def explain(
        self,
        first: str,
        second: str,
        kind: str,
        target: str,
        masked: bool,
        press: Press | None = None,
        parts: Sequence[str] = PARTS,
    ) -> Iterator[Shown]:
        """Fill the parts one after the other; tell how far all of it is.

        Args:
            first: A.
            second: B, or empty.
            kind: of answer, one of `KINDS`.
            target: a value of `TARGETS`, for the words.
            masked: put [MASK] in place of words for people before the model reads, for the people.
            press: whose end is the end of this.
            parts: some of `PARTS`.

        Yields:
            What is new, by place.
        """
        subject = asked(self.engine, first, second, kind)
        chosen = target_of(subject.task, target)
        press = press or Press()
        over = press.begin()
        steps = [each for each in self.steps(subject, chosen, masked) if each.part in parts]
        for place, each in enumerate(steps):
            if over():
                break
            for step in in_steps(each.work, over):
                if isinstance(step, Done):
                    yield step.value
                    continue
                told = f"Step {place + 1} of {len(steps)}, {each.told}: {step.counted}"
                share = (place + step.share) / len(steps)
                yield {"progress": progress_block(told, share), "stop": gr.update(visible=True)}
        if not over() or press.ended:  # else another press has the line
            yield idle()

    def steps(self, subject: Subject, target: int | str | None, masked: bool) -> Iterator[Step]:
        """Yield the steps in their order; the words' build on each other."""
        model, found = self.engine.mean, list[Attribution]()

        def words(add: Callable[[Tell], Attribution]) -> Callable[[Tell], Shown]:
            def work(tell: Tell) -> Shown:
                found.append(add(tell))
                note = cut_note(model, subject, target)
                return {"words": note + attribution.attribution_block(found[-1])}

            return work

        def more(method: str) -> Callable[[Tell], Shown]:
            return words(lambda tell: attribution.further(model, found[-1], method, tell))

        gradients = words(lambda tell: attribution.by_gradients(model, subject, target, tell))
        yield Step("words", "integrated gradients", gradients)
        yield Step("words", "leaving words out", more("occlusion"))
        yield Step("words", "attention", more("rollout"))
        yield Step("fewest", "taking words away", lambda tell: self.fewest(subject, tell))
        yield Step("swaps", "trying other words", lambda tell: self.swaps(subject, tell))
        yield Step("nearest", "nearest examples", lambda tell: self.nearest(subject, tell))
        people = "swapping words for people"
        yield Step("people", people, lambda tell: self.people(subject, tell, masked=masked))

    def fewest(self, subject: Subject, tell: Tell) -> Shown:
        """Show the fewest words that keep the answer, step by step."""
        latest = Far("Words taken away", 0, 1)

        def told(gone: int, most: int) -> None:
            nonlocal latest
            latest = Far("Words taken away", gone, most)
            tell(latest)

        # told again at each chunk of texts, so that Stop needn't wait for a step's end
        watching = watched(self.engine.mean, "", lambda _: tell(latest))
        texts = (subject.first, subject.second)
        found = reduce_input(watching, *texts, task=subject.task, progress=told)
        note = cut_note(self.engine.mean, subject)
        return {"fewest": note + reduction.reduction_block(subject, found)}

    def swaps(self, subject: Subject, tell: Tell) -> Shown:
        """Show the single words that would change the answer most."""
        watching = watched(self.engine.mean, "Texts answered", tell)
        found = find_counterfactuals(watching, subject.first, subject.second, task=subject.task)
        return {"swaps": cut_note(self.engine.mean, subject) + swaps.swaps_block(subject, found)}

    def nearest(self, subject: Subject, tell: Tell) -> Shown:
        """Show the nearest training sentences, or how to build an index of them."""
        tell(Far("Sentences", 0, len(subject.texts)))
        try:
            index = self.indexes.load()
            told = nearest.no_index_block() if index is None else self.nearest_in(index, subject)
        except CheckpointError as error:
            told = finding_block("The index can't be used", [str(error)], "")
        return {"nearest": told}

    def nearest_in(self, index: NearestIndex, subject: Subject) -> str:
        """Show the sentences of an index that are nearest, as far as it is of these models."""
        engine, models = self.engine, self.engine.answering
        known = {name: name for name in models if name in index.models}
        if engine.own:
            known = {
                slot: name
                for slot, predictor in models.items()
                for name in index.models
                if index.belongs(name, predictor)
            }
        found: dict[str, dict[str, list[Neighbour]]] = {}
        with bulk_work():
            for name, text in zip(subject.names, subject.texts, strict=True):
                found[name] = {
                    slot: index.nearest(model, models[slot], text, NEAREST, subject.task)
                    for slot, model in known.items()
                }
        alone = "siamese" if subject.task == "similarity" else None
        note = cut_note(engine.mean, subject, alone)
        if not engine.own:
            return note + nearest.nearest_block(found, engine.names)
        without = [engine.names[slot] for slot in models if slot not in known]
        return note + nearest.own_block(found, engine.names, without)

    def people(self, subject: Subject, tell: Tell, *, masked: bool) -> Shown:
        """Show the answers with the sentence's terms for people swapped."""
        model = self.engine.mean
        found = bias.probe_written(model, subject, masked=masked, tell=tell)
        plain = bias.probe_written(model, subject, masked=False, tell=tell) if masked else found
        whole = plain[0].answers[0] if plain else None
        block = bias.sentence_block(subject, found, masked=masked, whole=whole)
        return {"people": cut_note(model, subject) + block}

    def probe_ours(
        self, kind: str, masked: bool, press: Press | None = None
    ) -> Iterator[tuple[Any, ...]]:
        """Show the spread of the answers over our templates: words, figure, Stop button."""
        task = TASK_OF[kind]

        def work(tell: Tell) -> tuple[BiasProbe, ...]:
            return bias.probe_templates(self.engine.mean, task, masked=masked, tell=tell)

        for step in in_steps(work, (press or Press()).begin()):
            if isinstance(step, Done):
                block = bias.templates_block(task, step.value, masked=masked)
                drawn = bias.templates_figure(task, step.value)
                yield block, drawn, gr.update(visible=False)
            else:
                yield progress_block(step.told, step.share), None, gr.update(visible=True)

    def choose(self, kind: str, found: Asked | None) -> tuple[dict[str, Any], str]:
        """Offer what can be explained of a task, and show what is known of its words."""
        targets = TARGETS[TASK_OF[kind]]
        offered = gr.update(choices=targets, value=targets[0][1])
        return offered, exact_words(found, kind) if found else ""


def idle() -> Shown:
    """Return the progress and the Stop button of nothing under way."""
    return {"progress": "", "stop": gr.update(visible=False)}


def exact_words(found: Asked, kind: str) -> str:
    """Show what each word adds, where that is known with the answer itself."""
    if kind in (OF_B, SIMILARITY) and not found.second:
        return note_block(TEXTS["tab.no_second"])
    if kind in (OF_A, OF_B):
        return exact_moods(found, "A" if kind == OF_A else "B")
    return exact_pair(found) if kind == SIMILARITY else note_block(TEXTS["tab.no_split"])
