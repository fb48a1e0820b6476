"""What happens on an event of the Attention studio: texts and controls in, figures out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
import torch
from torch import Tensor

from minbert.answers import AttentionResult
from minbert.explain.attention_view import DIRECTIONS, AttentionView, view_attention
from minbert.explain.heads_summary import CLS, SEP, summarise_heads
from minbert.explain.rollout import attention_rollout, pooled_rollout
from minbert.explain.words import group_tokens, merge_sum
from minbert.ui.attention import findings
from minbert.ui.attention.figures import map_figure
from minbert.ui.attention.heads_picture import picture_block
from minbert.ui.attention.lines import MOST_WORDS, lines_figure
from minbert.ui.engine import Engine
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.numbers import percent
from minbert.ui.parts.refusal import asked, refusal
from minbert.ui.parts.texts import texts_of
from minbert.ui.question import InputError

TEXTS = texts_of(__package__)
ALONE, SECOND, TOGETHER = "A alone", "B alone", "A and B together"
ONE, ALL, ROLLOUT = "One head", "All heads", "Rollout"  # all: of files and bertviz alone
SCOPES, VIEWS = (TOGETHER, ALONE, SECOND), (ONE, ROLLOUT)
MODEL_NAMES = {"mean": "mean pooling", "cls": "CLS pooling", "untuned": "before fine-tuning"}
HEAD_COLUMNS = ("Layer", "Head", "Spread, bits", "On [SEP], %", "Distance", "A → B, %")
SORTS = {  # how the table of heads can be sorted: by which column, largest first
    "sharpest": (2, False),
    "broadest": (2, True),
    "most on [SEP]": (3, True),
    "farthest": (4, True),
    "most from A to B": (5, True),
    "layer": (0, False),
}


@dataclasses.dataclass(frozen=True)
class Controls:
    """What the tab's controls say, in their order."""

    scope: str = TOGETHER
    layer: float = 1  # 1 for the lowest
    head: float = 1  # 0 for the mean of all
    model: str = "mean"
    view: str = ONE
    direction: str = "all"
    hide_specials: bool = False
    pieces: bool = False  # word pieces in place of words
    top: float = 100.0  # per cent of the shown attention that is kept


@dataclasses.dataclass(frozen=True)
class Drawn:
    """What the controls show of one input: maps, cut and merged."""

    view: AttentionView  # of one layer, of all, or of the rollout as one layer with one head
    result: AttentionResult  # the layers that were asked for, whole
    lines: list[str]  # what a person should know of it
    head: int  # 1-based, 0 for the mean; 1 for a rollout

    @property
    def map(self) -> Tensor:
        """Return the one map that is chosen, (R, C)."""
        maps = self.view.weights[0]
        return maps.mean(dim=0) if self.head == 0 else maps[self.head - 1]


class Studio:
    """The tab's events, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    @property
    def names(self) -> dict[str, str]:
        """Return what the page calls the models that can be looked at, by their short names."""
        called = {name: f"{pooling} pooling" for name, pooling in self.engine.names.items()}
        return {name: called.get(name, MODEL_NAMES[name]) for name in self.engine.models}

    def fitted(self, controls: Controls) -> tuple[Controls, list[str]]:
        """Return the controls with a layer and a head that the model has, and what was changed.

        The sliders follow the chosen model; until they do, they may still stand at another's.
        """
        if controls.model not in self.engine.models:
            return controls, []  # the question itself is refused
        shape = self.engine.models[controls.model].config.encoder
        layers, heads = shape.num_hidden_layers, shape.num_attention_heads
        layer = min(max(int(controls.layer), 1), layers)
        head = min(max(int(controls.head), 0), heads)
        told = []
        if layer != controls.layer:
            told.append(f"This model has {layers} layers: layer {layer} is shown.")
        if head != controls.head and controls.view == ONE:
            told.append(f"It has {heads} heads in a layer: head {head} is shown.")
        return dataclasses.replace(controls, layer=layer, head=head), told

    def asked(self, first: str, second: str, controls: Controls) -> tuple[str, str, list[str]]:
        """Return the texts that the chosen input holds, B empty for one alone, and a note."""
        first, second = asked(self.engine, first, second, "Can't show this").texts
        if controls.scope == ALONE:
            return first, "", []
        if not second:
            return first, "", ["There is no sentence B, so this is A alone."]
        return (first, second, []) if controls.scope == TOGETHER else (second, "", [])

    def maps(
        self, first: str, second: str, layers: Sequence[int] | None, model: str
    ) -> AttentionResult:
        """Return a model's maps, or show what is wrong with the question."""
        try:
            return self.engine.attention(first, second, layers, model)
        except InputError as error:
            raise refusal(str(error), field=error.field) from error

    def layers(self, controls: Controls) -> list[int] | None:
        """Return the layers that a view needs, 1-based; None: all."""
        if controls.view == ALL:
            return None
        layer = int(controls.layer)
        return list(range(1, layer + 1)) if controls.view == ROLLOUT and layer > 0 else [layer]

    def fill(self, first: str, second: str, controls: Controls) -> tuple[Any, ...]:
        """Return what `show` returns, and the table of heads, of one pass of the model.

        Raises:
            gr.Error: the question can't be answered, or a model isn't there.
        """
        first, second, lines = self.asked(first, second, controls)
        controls, changed = self.fitted(controls)
        every = self.maps(first, second, None, controls.model)
        kept = [layer - 1 for layer in self.layers(controls) or every.layers]
        result = dataclasses.replace(every, weights=every.weights[kept], layers=tuple(kept))
        shown = self.shown(self.cut(result, controls, [*lines, *changed]), controls)
        return *shown, self.picture(every, controls), self.table_of(every)

    def draw(self, first: str, second: str, controls: Controls) -> Drawn:
        """Ask the model and cut out what the controls say; of a layer too high the nearest."""
        first, second, lines = self.asked(first, second, controls)
        controls, changed = self.fitted(controls)
        result = self.maps(first, second, self.layers(controls), controls.model)
        return self.cut(result, controls, [*lines, *changed])

    def cut(self, result: AttentionResult, controls: Controls, lines: Sequence[str]) -> Drawn:
        """Cut out of a model's maps what the controls say."""
        told = list(lines)
        if result.left_out:
            told.append(f"The text was cut: {result.left_out:,} word pieces are left out.")
        direction = controls.direction if controls.direction in DIRECTIONS else "all"
        if direction != "all" and 1 not in result.segments:
            told.append("A direction needs A and B together; here all of it is shown.")
            direction = "all"
        looked = result
        if controls.view == ROLLOUT:
            rolled = attention_rollout(result.weights)
            looked = dataclasses.replace(
                result, weights=rolled[None, None], layers=result.layers[-1:]
            )
        view = view_attention(
            looked,
            direction=direction,
            hide_specials=bool(controls.hide_specials),
            words=not controls.pieces,
            top=min(max(float(controls.top), 1.0), 100.0),
        )
        if view.weights.numel():
            share = view.shown.mean().item()
            if share < 0.995:
                told.append(f"Shown is {percent(share)} of what the drawn rows attend to.")
        heads = view.weights.shape[1]
        head = 1 if controls.view == ROLLOUT else min(max(int(controls.head), 0), heads)
        return Drawn(view, result, told, head)

    def show(self, first: str, second: str, *controls: Any) -> tuple[str, go.Figure, str, str]:  # noqa: ANN401 - see Controls
        """Draw what the controls say: one head's map or the rollout, and all heads.

        Returns:
            the map's words, the map, its lines between words, the picture of all heads.
        """
        words, figure, lines, picture, _ = self.fill(first, second, Controls(*controls))
        return words, figure, lines, picture

    def shown(self, drawn: Drawn, chosen: Controls) -> tuple[str, go.Figure, str]:
        """Return the words, the figure and the lines of what is drawn."""
        view, lines = drawn.view, drawn.lines
        if chosen.view == ROLLOUT:
            title, reading = self.rollout_finding(drawn, chosen), TEXTS["read.rollout"]
        else:
            layer = drawn.result.layers[0] + 1
            title = findings.head_finding(view.rows, view.columns, drawn.map, layer, drawn.head)
            reading = findings.READ_MAP
        more = findings.attention_table(view.rows, view.columns, drawn.map)
        block = finding_block(title, lines, f"{self.told(chosen)} {reading}", more)
        figure = map_figure(view.rows, view.columns, drawn.map)
        longest = max(len(view.rows), len(view.columns))
        if longest > MOST_WORDS:
            lines = [*lines, f"Of {longest} words or pieces the first {MOST_WORDS} are drawn."]
        between = finding_block(
            title,
            lines,
            f"{self.told(chosen)} {TEXTS['read.lines']}",
            more,
            shown=lines_figure(view.rows, view.columns, drawn.map),
        )
        return block, figure, between

    def picture(self, every: AttentionResult, controls: Controls) -> str:
        """Return the picture of all heads, cut and merged as the controls say."""
        drawn = self.cut(every, dataclasses.replace(controls, view=ALL), [])
        title = findings.grid_finding(every, summarise_heads(every))
        reading = f"{self.told(controls)} {TEXTS['read.grid']} {TEXTS['read.heads']}"
        shown = picture_block(drawn.view, TEXTS["read.pick"])
        return finding_block(title, drawn.lines, reading, shown=shown)

    def told(self, controls: Controls) -> str:
        """Name the model that is looked at."""
        name = self.names.get(controls.model, controls.model)
        kind = "encoder" if controls.model == "untuned" else "model"
        return f"This is the {kind} {name if kind == 'encoder' else f'with {name}'}."

    def rollout_finding(self, drawn: Drawn, controls: Controls) -> str:
        """Say which word goes most into the embedding."""
        predictor, result = self.engine.models[controls.model], drawn.result
        shares = pooled_rollout(attention_rollout(result.weights), predictor.config.pooling)
        special = [token in (CLS, SEP) for token in result.tokens]
        grouped = group_tokens(result.tokens, special, pieces=bool(controls.pieces))
        merged = merge_sum(shares, grouped.groups)
        return findings.rollout_finding(grouped.labels, merged, len(result.layers))

    def table_of(self, result: AttentionResult) -> list[list[float | None]]:
        """Return the table of all heads of an input's maps, the sharpest first."""
        summary = summarise_heads(result)
        columns = (summary.entropy, 100 * summary.to_sep, summary.distance)
        table: list[list[float | None]] = []
        for layer in range(len(summary.layers)):
            for head in range(summary.entropy.shape[1]):
                numbers = [round(float(column[layer, head]), 2) for column in columns]
                across = summary.a_to_b
                crossing = None if across is None else round(100 * float(across[layer, head]), 2)
                table.append([layer + 1, head + 1, *numbers, crossing])
        return sort_heads(table, next(iter(SORTS)))

    def attention(
        self,
        first: str,
        second: str = "",
        layer: int = 1,
        layers: list[int] | None = None,
        model: str = "mean",
    ) -> dict[str, Any]:
        """Return a model's attention maps, of one layer or of several.

        Args:
            first: sentence A.
            second: sentence B; empty for A alone.
            layer: 1 for the lowest; it counts where `layers` isn't given.
            layers: such numbers, each once, for maps of several layers; an empty list for all.
            model: mean, cls, or untuned where the page was started with an encoder; of your own
                models mean is the first and cls the second, whatever their pooling.

        Returns:
            tokens (T), segments (T; 0 for A, 1 for B), left_out, layers (their numbers, lowest
            first), and weights: (H, T, T) of `layer`, or (L, H, T, T) where `layers` is given.
        """
        first, second = asked(self.engine, first, second).texts
        result = self.maps(first, second, [layer] if layers is None else layers or None, model)
        weights = torch.round(result.weights.double(), decimals=6)
        return {
            "tokens": result.tokens,
            "segments": result.segments,
            "layers": [number + 1 for number in result.layers],
            "weights": (weights[0] if layers is None else weights).tolist(),
            "left_out": result.left_out,
        }


def sort_heads(table: Sequence[Sequence[Any]], by: str) -> list[list[Any]]:
    """Sort the rows of the table of heads; `by` is one of `SORTS`, an empty cell counts as 0."""
    column, largest_first = SORTS[by]
    rows = [list(row) for row in table]
    rows.sort(key=lambda row: (row[0], row[1]))
    rows.sort(key=lambda row: float(row[column] or 0), reverse=largest_first)
    return rows
