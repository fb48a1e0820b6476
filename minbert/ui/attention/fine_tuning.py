"""What fine-tuning changed in each head: figure, finding, table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import torch
from plotly.subplots import make_subplots

from minbert.explain.heads_summary import Inputs, example_heads
from minbert.records.heads import FILE, Heads
from minbert.records.reading import MissingRecordError, RecordError, read_record
from minbert.ui.attention.events import Studio
from minbert.ui.attention.figures import ATTENTION_SCALE, CAMERA
from minbert.ui.engine import Engine
from minbert.ui.parts import tables
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.colours import DIVERGING
from minbert.ui.parts.figures import themed
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
MEASURE_NAMES = {
    "entropy": ("Spread (entropy)", "bits", ".2f"),
    "to_sep": ("Share on [SEP]", "share", ".0%"),
    "distance": ("Mean distance", "tokens", ".1f"),
    "a_to_b": ("Share from A to B", "share", ".0%"),
}


def tuning_finding(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], measure: str
) -> str:
    """Say which head fine-tuning changed most."""
    change = torch.tensor(after) - torch.tensor(before)
    layer, head = divmod(int(change.abs().argmax()), change.shape[1])
    name, unit, form = MEASURE_NAMES[measure]
    old, new = before[layer][head], after[layer][head]
    unit = "" if unit == "share" else f" {unit}"
    return (
        f"{name}: fine-tuning changed head {head + 1} of layer {layer + 1} most, "
        f"from {old:{form}} to {new:{form}}{unit}"
    )


def tuning_table(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], measure: str
) -> str:
    """Return both maps of a measure as a table, a row for each head."""
    name, unit, form = MEASURE_NAMES[measure]
    rows = [
        [f"layer {k}, head {h}", f"{old:{form}}", f"{new:{form}}", f"{new - old:+{form}}"]
        for k, (olds, news) in enumerate(zip(before, after, strict=True), start=1)
        for h, (old, new) in enumerate(zip(olds, news, strict=True), start=1)
    ]
    return tables.table(f"{name}, {unit}", ["Head", "Before", "After", "Change"], rows)


def tuning_figure(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], measure: str
) -> go.Figure:
    """Draw one measure by layer and head: before fine-tuning, after, and the change."""
    _, unit, form = MEASURE_NAMES[measure]
    maps = [np.asarray(values, dtype=np.float64) for values in (before, after)]
    maps.append(maps[1] - maps[0])
    top, apart = max(maps[0].max(), maps[1].max()), max(1e-9, np.abs(maps[2]).max())
    figure = make_subplots(
        rows=3, cols=1, subplot_titles=("Before", "After", "Change"), vertical_spacing=0.1
    )
    layers, heads = ([str(n + 1) for n in range(count)] for count in maps[0].shape)
    for row, values in enumerate(maps, start=1):
        changed = row == 3
        figure.add_heatmap(
            z=[[round(float(value), 4) for value in line] for line in values],
            x=heads,
            y=layers,
            xgap=1,
            ygap=1,
            colorscale=DIVERGING if changed else ATTENTION_SCALE,
            zmin=-apart if changed else 0,
            zmax=apart if changed else top,
            text=[[f"{value:{'+' if changed else ''}{form}}" for value in line] for line in values],
            texttemplate="%{text}",
            textfont={"size": 10},
            hovertemplate=f"layer %{{y}}, head %{{x}}: %{{z:{form}}} {unit}<extra></extra>",
            showscale=False,
            row=row,
            col=1,
        )
    themed(figure, height=3 * (26 * len(layers) + 60)).update_layout(modebar=CAMERA)
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_xaxes(title="head", row=3, col=1)
    figure.update_yaxes(autorange="reversed", type="category", title="layer", showgrid=False)
    return figure


class FineTuning:
    """The part's event, bound to one engine and a folder of results."""

    def __init__(self, engine: Engine, results: Path) -> None:
        """Compare the engine's models with the record in `results`."""
        self.engine, self.results, self.names = engine, results, Studio(engine).names
        self._after: dict[str, dict[str, list[list[float]]]] = {}  # by model; our own sentences

    def show(self, measure: str, model: str) -> tuple[str, go.Figure | None]:
        """Draw what fine-tuning changed in each head, over the sentences of the record."""
        try:
            record = read_record(self.results / FILE, Heads)
        except MissingRecordError:
            return finding_block(TEXTS["fine_tuning.no_record"], [], ""), None
        except RecordError as error:
            return finding_block(TEXTS["fine_tuning.no_record"], [str(error)], ""), None
        kept = "mean" if model == "untuned" else model
        encoder = record.encoder
        before: Mapping[str, Sequence[Sequence[float]]] = record.heads
        if self.engine.own:  # the record is of the encoder that the shipped models started from
            if self.engine.untuned is None:
                return finding_block(TEXTS["fine_tuning.not_theirs"], [], ""), None
            encoder = "the encoder that the page was started with"
            before = self.heads_of("untuned", record.inputs)
        old, new = before.get(measure), self.heads_of(kept, record.inputs).get(measure)
        if old is None or new is None or [len(r) for r in old] != [len(r) for r in new]:
            told = f"What is known of {encoder} is of other layers or heads than the model's"
            return finding_block(told, [], ""), None
        lines = [
            f"Before: {encoder}. After: the model with {self.names[kept]}. "
            f"Averages over {len(record.inputs)} of our own examples."
        ]
        if "untuned" not in self.engine.models:
            lines.append(
                "Its whole maps are there when the page is started with "
                "`python app.py --encoder FOLDER_OR_ID`."
            )
        title, more = tuning_finding(old, new, measure), tuning_table(old, new, measure)
        block = finding_block(title, lines, TEXTS["read.tuning"], more)
        return block, tuning_figure(old, new, measure)

    def heads_of(self, model: str, inputs: Inputs) -> dict[str, list[list[float]]]:
        """Return a model's numbers of each head over the record's sentences, computed once."""
        if model not in self._after:
            self._after[model] = example_heads(self.engine.models[model], inputs)
        return self._after[model]
