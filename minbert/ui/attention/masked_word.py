"""What the Attention studio does on request: mask a word, bertviz, files, before and after."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gradio as gr
import plotly.graph_objects as go
from gradio.processing_utils import save_bytes_to_cache

from minbert.answers import AttentionResult
from minbert.explain.heads_summary import example_heads
from minbert.explain.masked import answer_masked, mask_word
from minbert.explain.words import words_of
from minbert.predictor import Predictor
from minbert.records.heads import FILE, Heads
from minbert.records.reading import MissingRecordError, RecordError, read_record
from minbert.text import Encoded
from minbert.ui.attention import bertviz as bertviz_frame
from minbert.ui.attention import files as attention_files
from minbert.ui.attention import findings as words
from minbert.ui.attention import fine_tuning
from minbert.ui.attention.bertviz import NO_FRAME
from minbert.ui.attention.events import (
    ALL,
    MODEL_NAMES,
    ONE,
    ROLLOUT,
    SECOND,
    SORTS,
    Controls,
    Studio,
)
from minbert.ui.attention.figures import map_figure
from minbert.ui.attention.fine_tuning import NO_RECORD, tuning_figure
from minbert.ui.engine import Answer
from minbert.ui.parts.answer_words import changes
from minbert.ui.parts.blocks import finding_block, notice_line
from minbert.ui.parts.refusal import refusal

NO_WORD = ""  # no word is masked
AS_IT_IS, WITH_MASK = "as it is", "with [MASK]"
# The word to mask, what was said of it, both maps, bertviz's frame, the files, the table's order.
HIDDEN = gr.update(value=None, visible=False)
CLEARED: tuple[Any, ...] = (NO_WORD, "", HIDDEN, HIDDEN, NO_FRAME, None, next(iter(SORTS)))


class Extras:
    """The tab's events on request, bound to its studio and a folder of results."""

    def __init__(self, studio: Studio, results: Path) -> None:
        """Serve this studio's engine."""
        self.studio = studio
        self.engine = studio.engine
        self.results = results
        self._after: dict[str, dict[str, list[list[float]]]] = {}  # by model; our own sentences

    def refresh(self, first: str, second: str, *controls: Any) -> tuple[Any, ...]:  # noqa: ANN401 - see Controls
        """Fill the tab for new texts: map, table of heads, words to mask; clear the rest."""
        chosen = Controls(*controls)
        words_to_mask = word_choices(self.maskable(first, second, chosen))
        return (
            *self.studio.fill(first, second, chosen),
            gr.update(choices=words_to_mask, value=NO_WORD),
            *CLEARED[1:],
        )

    def redraw(
        self,
        first: str,
        second: str,
        word: str | None,
        *controls: Any,  # noqa: ANN401 - see Controls
    ) -> tuple[Any, ...]:
        """Draw the masked word's maps for new settings; clear what was made of the old ones.

        Returns:
            what `mask` returns; then bertviz's frame and the files, empty.
        """
        try:
            known = self.maskable(first, second, Controls(*controls))
        except gr.Error:  # the map's own event tells it
            known = {}
        kept = word if word in known else NO_WORD
        return (*self.mask(first, second, kept, *controls), NO_FRAME, None)

    def maskable(self, first: str, second: str, controls: Controls) -> dict[str, str]:
        """Return the words of the chosen input by their place, SENTENCE:WORD."""
        a, b, _ = self.studio.asked(first, second, controls)
        alone_b = controls.scope == SECOND and bool((second or "").strip())
        named = [(1, a)] if alone_b else [(0, a), (1, b)]
        found = {}
        predictor = self.engine.models.get(controls.model, self.engine.mean)
        for sentence, text in named:
            if not text:
                continue
            (item,) = predictor.encode_single([text])
            grouped = words_of(item, predictor.tokenizer)
            for entry, place in enumerate(grouped.sentences[0]):
                found[f"{sentence}:{entry}"] = grouped.labels[place]
        return found

    def mask(
        self,
        first: str,
        second: str,
        word: str | None,
        *controls: Any,  # noqa: ANN401 - see Controls
    ) -> tuple[str, dict[str, Any], dict[str, Any]]:
        """Show answers and attention with one word masked, beside the old."""
        chosen = Controls(*controls)
        if chosen.view == ALL:  # two large figures would say less than two small ones
            chosen = dataclasses.replace(chosen, view=ONE)
        if not word:
            return "", HIDDEN, HIDDEN
        known = self.maskable(first, second, chosen)
        if word not in known:
            raise refusal("Choose a word of the present sentences to mask.")
        sentence, entry = (int(number) for number in word.split(":"))
        a, b, lines = self.studio.asked(first, second, chosen)
        predictor = self.engine.models.get(chosen.model, self.engine.mean)
        items = predictor.encode_joint([(a, b)]) if b else predictor.encode_single([a])
        masked = mask_word(predictor, items[0], sentence if b else 0, entry)
        before, after = (
            self.studio.cut(self.attend(predictor, item, chosen), chosen, lines)
            for item in (items[0], masked)
        )
        most = max((float(one.map.max()) for one in (before, after) if one.map.numel()), default=1)
        told = self.answers(chosen, first, second, sentence, entry)
        title = (
            f"With “{known[word]}” masked (word {entry + 1} of {'AB'[sentence]}); "
            f"{words.drawn_name(before.result, before.head, rollout=chosen.view == ROLLOUT)}"
        )
        figures, tables = [], []
        for name, one in ((AS_IT_IS, before), (WITH_MASK, after)):
            rows, columns = one.view.rows, one.view.columns
            figure = map_figure(rows, columns, one.map, most).update_xaxes(title=name)
            figures.append(gr.update(visible=True, value=figure))
            tables.append(words.map_twin(rows, columns, one.map, f"The numbers, {name}"))
        block = finding_block(title, told, words.READ_MASK, "".join(tables))
        return block, figures[0], figures[1]

    def attend(self, predictor: Predictor, item: Encoded, controls: Controls) -> AttentionResult:
        """Return the maps of an encoded input, of the layers that the controls need."""
        layers = self.studio.layers(controls) or [1]
        top = predictor.config.encoder.num_hidden_layers
        return predictor.attention(item, None, [min(max(layer, 1), top) - 1 for layer in layers])

    def answers(
        self, controls: Controls, first: str, second: str, sentence: int, entry: int
    ) -> list[str]:
        """Say how the answers change with the word masked."""
        if controls.model == "untuned":
            return ["The encoder before fine-tuning answers nothing; here is its attention."]
        question = self.engine.ask(first, second)
        first, second = question.texts
        predictor = self.engine.models[controls.model]
        old = self.engine.answer(predictor, question)
        sentiments, pair = answer_masked(predictor, first, second, sentence, entry)
        told = changes(old, Answer(tuple(sentiments), pair))
        return told if second else told[:1]

    def bertviz(self, kind: str, first: str, second: str, *controls: Any) -> str:  # noqa: ANN401 - see Controls
        """Draw bertviz's view ('head' or 'model') of what the controls show, in a frame."""
        chosen = Controls(*controls)
        chosen = dataclasses.replace(chosen, view=ONE if kind == "head" else ALL)
        drawn = self.studio.draw(first, second, chosen)
        view, most = drawn.view, bertviz_frame.MOST_ENTRIES[kind]
        rows, columns = view.rows[:most], view.columns[:most]
        if not rows or not columns:
            return notice_line(["Nothing is left to draw with these settings."])
        weights = view.weights[..., : len(rows), : len(columns)]
        longest = max(len(view.rows), len(view.columns))
        notes = [f"Of {longest} words or pieces the first {most} are drawn"] * (longest > most)
        name = MODEL_NAMES.get(chosen.model, chosen.model)
        if kind == "head":
            layer = drawn.result.layers[0] + 1
            text = bertviz_frame.head_view(weights[0], rows, columns, layer, drawn.head)
            title = f"bertviz head view: {name}, layer {layer}"
            notes.append("Hover a word; click a colour to switch a head, double-click for it alone")
        else:
            text = bertviz_frame.model_view(weights, rows, columns)
            title = f"bertviz model view: {name}, all layers and heads"
            notes.append("Click a small map to see it large")
        return notice_line([title, *notes]) + bertviz_frame.frame(text, title)

    def files(self, cache: str, first: str, second: str, *controls: Any) -> list[str]:  # noqa: ANN401 - see Controls
        """Write what is drawn as a page, a table and JSON into gradio's cache."""
        chosen = Controls(*controls)
        block, figure = self.studio.show(first, second, *controls)
        drawn = self.studio.draw(first, second, chosen)
        view, numbers = drawn.view, [layer + 1 for layer in drawn.result.layers]
        maps = attention_files.chosen_maps(
            view, numbers, None if chosen.view == ALL else drawn.head
        )
        settings = {
            **{"first": first, "second": second, **dataclasses.asdict(chosen)},
            "shown_share": float(view.shown.mean()) if view.weights.numel() else 0.0,
        }
        texts = {
            "attention.html": attention_files.as_page(figure, block),
            "attention.csv": attention_files.as_csv(view, maps),
            "attention.json": attention_files.as_json(view, maps, settings),
        }
        return [
            save_bytes_to_cache(text.encode("utf-8"), name, cache_dir=cache)
            for name, text in texts.items()
        ]

    def tuning(self, measure: str, model: str) -> tuple[str, go.Figure | None]:
        """Draw what fine-tuning changed in each head, over the sentences of the record."""
        try:
            record = read_record(self.results / FILE, Heads)
        except MissingRecordError:
            return finding_block(NO_RECORD, [], ""), None
        except RecordError as error:
            return finding_block(NO_RECORD, [str(error)], ""), None
        kept = "mean" if model == "untuned" else model
        if kept not in self._after:
            self._after[kept] = example_heads(self.engine.models[kept], record.inputs)
        old, new = record.heads.get(measure), self._after[kept].get(measure)
        if old is None or new is None or [len(r) for r in old] != [len(r) for r in new]:
            return finding_block("The record is of another encoder than the models'", [], ""), None
        lines = [
            f"Before: {record.encoder}. After: the model with {MODEL_NAMES[kept]}. "
            f"Averages over {len(record.inputs)} of our own examples."
        ]
        if "untuned" not in self.engine.models:
            lines.append(
                "Its whole maps are there when the page is started with "
                "`python app.py --encoder FOLDER_OR_ID`."
            )
        title, more = (
            fine_tuning.tuning_finding(old, new, measure),
            fine_tuning.tuning_twin(old, new, measure),
        )
        return finding_block(title, lines, fine_tuning.READ_TUNING, more), tuning_figure(
            old, new, measure
        )


def word_choices(known: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return what can be clicked, as (shown, place): no word, then the words as they are read."""
    sentences = {place.partition(":")[0] for place in known}
    shown = [("(none)", NO_WORD)]
    for place, word in known.items():
        sentence, _, entry = place.partition(":")
        begins = entry == "0" and len(sentences) > 1
        shown.append((f"{'AB'[int(sentence)]}: {word}" if begins else word, place))
    return shown


def pick_row(event: gr.SelectData) -> tuple[float, float, str]:
    """Return layer, head and view for a row of the table of heads that was chosen."""
    layer, head, *_ = event.row_value
    return float(layer), float(head), ONE
