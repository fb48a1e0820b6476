"""What happens on an event of the tab "Why?": each part asks its method, tells how far it is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import gradio as gr

from minbert.explain import BiasProbe, NearestIndex, Neighbour, find_counterfactuals, reduce_input
from minbert.files import CheckpointError
from minbert.serving import bulk_work
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block, progress_block
from minbert.ui.parts.figures import no_figure
from minbert.ui.parts.steps import Done, Far, Tell, in_steps, watched
from minbert.ui.parts.texts import texts_of
from minbert.ui.why import attribution, bias, nearest, reduction, swaps
from minbert.ui.why.nearest import Indexes
from minbert.ui.why.subject import TARGETS, TASK_OF, Subject, asked, cut_note, target_of

TEXTS = texts_of(__package__)
NEAREST = 5
Found = TypeVar("Found")
Shown = tuple[Any, ...]  # a part's words, its figure where it has one, the Stop button


class Why:
    """The tab's events, bound to one engine; what is explained is its first model, mean."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine
        self.indexes = Indexes()

    def attribute(self, first: str, second: str, kind: str, target: str) -> Iterator[Shown]:
        """Show which words made the answer, by four methods."""
        subject = asked(self.engine, first, second, kind)
        chosen = target_of(subject.task, target)

        def work(tell: Tell) -> attribution.Attribution:
            return attribution.attribute(self.engine.mean, subject, chosen, tell)

        def shown(found: attribution.Attribution) -> Shown:
            title, lines = attribution.finding(found)
            numbers = attribution.attribution_table(found)
            block = finding_block(title, lines, TEXTS["read.attribution"], numbers)
            note = cut_note(self.engine.mean, subject, chosen)
            return note + block, attribution.attribution_figure(found)

        yield from with_figure(work, shown)

    def reduce(self, first: str, second: str, kind: str) -> Iterator[Shown]:
        """Show the fewest words that keep the answer, step by step."""
        subject = asked(self.engine, first, second, kind)

        def work(tell: Tell) -> str:
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
            return note + reduction.reduction_block(subject, found)

        yield from without_figure(work)

    def swap(self, first: str, second: str, kind: str) -> Iterator[Shown]:
        """Show the single words that would change the answer most."""
        subject = asked(self.engine, first, second, kind)

        def work(tell: Tell) -> str:
            watching = watched(self.engine.mean, "Texts answered", tell)
            found = find_counterfactuals(watching, subject.first, subject.second, task=subject.task)
            return cut_note(self.engine.mean, subject) + swaps.swaps_block(subject, found)

        yield from without_figure(work)

    def nearest(self, first: str, second: str, kind: str) -> str:
        """Show the nearest training sentences, or how to build an index of them."""
        subject = asked(self.engine, first, second, kind)
        models, names = self.engine.answering, self.engine.names
        try:
            index = self.indexes.load()
            if index is None:
                return nearest.no_index_block()
            if self.engine.own:
                return self.nearest_of_own(index, subject)
            found: dict[str, dict[str, list[Neighbour]]] = {}
            with bulk_work():
                for name, text in zip(subject.names, subject.texts, strict=True):
                    found[name] = {
                        model: index.nearest(model, predictor, text, NEAREST, subject.task)
                        for model, predictor in models.items()
                        if model in index.models
                    }
        except CheckpointError as error:
            return finding_block("The index can't be used", [str(error)], "")
        alone = "siamese" if subject.task == "similarity" else None
        return cut_note(self.engine.mean, subject, alone) + nearest.nearest_block(found, names)

    def nearest_of_own(self, index: NearestIndex, subject: Subject) -> str:
        """Show the sentences nearest by models of your own, as far as the index is of these."""
        found: dict[str, dict[str, list[Neighbour]]] = {}
        engine = self.engine
        with bulk_work():
            known = {
                slot: model
                for slot, predictor in engine.answering.items()
                for model in index.models
                if index.belongs(model, predictor)
            }
            for name, text in zip(subject.names, subject.texts, strict=True):
                found[name] = {
                    slot: index.nearest(model, engine.answering[slot], text, NEAREST, subject.task)
                    for slot, model in known.items()
                }
        without = [engine.names[slot] for slot in engine.answering if slot not in known]
        alone = "siamese" if subject.task == "similarity" else None
        told = nearest.own_block(found, engine.names, without)
        return cut_note(engine.mean, subject, alone) + told

    def probe(self, first: str, second: str, kind: str, masked: bool) -> Iterator[Shown]:
        """Show the answers with the sentence's terms for people swapped."""
        subject = asked(self.engine, first, second, kind)

        def work(tell: Tell) -> str:
            model = self.engine.mean
            found = bias.probe_written(model, subject, masked=masked, tell=tell)
            plain = bias.probe_written(model, subject, masked=False, tell=tell) if masked else found
            whole = plain[0].answers[0] if plain else None
            note = cut_note(model, subject)
            return note + bias.sentence_block(subject, found, masked=masked, whole=whole)

        yield from without_figure(work)

    def probe_ours(self, kind: str, masked: bool) -> Iterator[Shown]:
        """Show the spread of the answers over our templates."""
        task = TASK_OF[kind]

        def work(tell: Tell) -> tuple[BiasProbe, ...]:
            return bias.probe_templates(self.engine.mean, task, masked=masked, tell=tell)

        def shown(found: tuple[BiasProbe, ...]) -> Shown:
            block = bias.templates_block(task, found, masked=masked)
            return block, bias.templates_figure(task, found)

        yield from with_figure(work, shown)

    def choose(self, kind: str) -> dict[str, Any]:
        """Offer what can be explained of a task."""
        return gr.update(choices=TARGETS[TASK_OF[kind]], value=TARGETS[TASK_OF[kind]][0][1])


def with_figure(work: Callable[[Tell], Found], shown: Callable[[Found], Shown]) -> Iterator[Shown]:
    """Yield (words, figure, Stop button) while the work goes on, and when it is done."""
    for step in in_steps(work):
        if isinstance(step, Done):
            block, figure = shown(step.value)
            yield block, gr.update(value=figure, visible=True), gr.update(visible=False)
        else:
            yield progress_block(step.told, step.share), no_figure(), gr.update(visible=True)


def without_figure(work: Callable[[Tell], str]) -> Iterator[Shown]:
    """Yield (words, Stop button) while the work goes on, and when it is done."""
    for step in in_steps(work):
        if isinstance(step, Done):
            yield step.value, gr.update(visible=False)
        else:
            yield progress_block(step.told, step.share), gr.update(visible=True)
