"""The attention studio for new texts, and with one word masked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from minbert.answers import AttentionResult
from minbert.explain.masked import answer_masked, mask_word
from minbert.explain.words import words_of
from minbert.predictor import Predictor
from minbert.text import Encoded
from minbert.ui.attention import findings
from minbert.ui.attention.events import ONE, ROLLOUT, SECOND, SORTS, Controls, Studio
from minbert.ui.attention.figures import map_figure
from minbert.ui.parts.answer_words import changes
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import Answer

TEXTS = texts_of(__package__)
NO_WORD = ""  # no word is masked
AS_IT_IS, WITH_MASK = "as it is", "with [MASK]"


class Extras:
    """What fills the tab, and the masked word, bound to its studio."""

    def __init__(self, studio: Studio) -> None:
        """Serve this studio's engine."""
        self.studio = studio
        self.engine = studio.engine

    def refresh(self, first: str, second: str, *controls: Any) -> tuple[Any, ...]:  # noqa: ANN401 - see Controls
        """Fill the tab for new texts: maps, table of heads, words to mask, none of them masked."""
        chosen = Controls(*controls)
        words_to_mask = word_choices(self.maskable(first, second, chosen))
        return (
            *self.studio.fill(first, second, chosen),
            next(iter(SORTS)),
            gr.update(choices=words_to_mask, value=NO_WORD),
            *("", None, None),
        )

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
    ) -> tuple[str, go.Figure | None, go.Figure | None]:
        """Show answers and attention with one word masked, beside the old.

        It follows a choice of the word and any other control alike, as one event of the page: the
        last of them is shown. Texts that can't be asked are told of by the map's own event.
        """
        chosen, _ = self.studio.fitted(Controls(*controls))
        if not word:
            return "", None, None
        try:
            known = self.maskable(first, second, chosen)
        except gr.Error:
            known = {}
        if word not in known:  # it was of other texts
            return "", None, None
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
            f"{findings.drawn_name(before.result, before.head, rollout=chosen.view == ROLLOUT)}"
        )
        figures, tables = [], []
        for name, one in ((AS_IT_IS, before), (WITH_MASK, after)):
            rows, columns = one.view.rows, one.view.columns
            figure = map_figure(rows, columns, one.map, most).update_xaxes(title=name)
            figures.append(figure)
            tables.append(findings.attention_table(rows, columns, one.map, name))
        block = finding_block(title, told, TEXTS["read.mask"], "".join(tables))
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
