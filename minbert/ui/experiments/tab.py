"""The tab "Experiments": its parts and controls, built from the results read at page build."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import gradio as gr

from minbert.records.form import TASKS
from minbert.records.runs import COMMAND, read_results
from minbert.ui.experiments import findings, tables
from minbert.ui.experiments.events import CURVE_MEASURES, MOST_ROWS, Experiments
from minbert.ui.experiments.figures import AGAINST, MEASURES, curve_points
from minbert.ui.experiments.sampling import END
from minbert.ui.parts import blocks
from minbert.ui.parts.blocks import finding_block, heading
from minbert.ui.parts.events import draw_when_seen
from minbert.ui.parts.score_rows import NORMALISED
from minbert.ui.parts.texts import texts_of
from minbert.ui.parts.views import view

TEXTS = texts_of(__package__)
MOST_EPOCHS = 50
NO_RUN = "none"
SIZES = {
    "the report's": (8_544, 283_010, 6_040),
    "ours": (8_544, 40_185, 6_040),
}
FIRST_SIZES = "the report's"
# A re-draw: the newest setting wins, no progress mark; by name, for whoever knows it.
REDRAW: dict[str, Any] = {
    "trigger_mode": "always_last",
    "show_progress": "hidden",
    "api_visibility": "undocumented",
}
Part = tuple[Callable[..., tuple[Any, ...]], list[Any], list[gr.components.Component]]
PLOT: dict[str, Any] = {"show_label": False, "elem_classes": "mb-plot"}


def build_experiments(folder: Path, note: str = "") -> gr.Tab:
    """Build the tab inside the page's tabs from a folder of results; return it.

    `note` says whose they are, where models of your own answer.
    """
    tab = Experiments(read_results(folder))
    found = tab.results
    built = view("Experiments", "experiments")
    with built:
        some = found.runs or found.comparisons
        title = "Some results can't be shown" if some else f"No results yet: run `{COMMAND}`"
        if found.problems:
            gr.HTML(blocks.problems_block(found.problems, title), elem_id="results-problems")
        gr.HTML(blocks.lead_block(TEXTS["tab.lead"]))
        if note:
            gr.HTML(blocks.note_block(f"{TEXTS['tab.not_yours']} {note}"), elem_id="not-yours")
        present = tab.parts()
        if len(present) > 1:
            links = "".join(f'<a href="#part-{key}">{name}</a>' for key, name in present.items())
            gr.HTML(f'<nav class="mb-jump" aria-label="Parts of this tab">{links}</nav>')
        builders = {
            "claims": build_claims,
            "scores": build_scores,
            "curves": build_curves,
            "shares": build_shares,
            "conflicts": build_conflicts,
        }
        for key, name in present.items():
            heading(name, f"part-{key}")
            draw_when_seen(built, *builders[key](tab))
    return built


def outputs(key: str) -> list[gr.components.Component]:
    """Place a finding, its figure and its table; return them."""
    return [
        gr.HTML(elem_id=f"{key}-words"),
        gr.Plot(elem_id=f"{key}-plot", **PLOT),
        gr.HTML(elem_id=f"{key}-table"),
    ]


def build_claims(tab: Experiments) -> Part:
    """Build the list of claims, each with its verdict."""
    comparisons = tab.results.comparisons
    title, lines = findings.claims_finding(comparisons)
    claims = finding_block(title, lines, findings.READ_CLAIMS)
    claims += tables.claims_block(comparisons, tab.results.runs)
    return lambda: (claims,), [], [gr.HTML(elem_id="claims")]


def build_scores(tab: Experiments) -> Part:
    """Build the tables' scores: which table, which metric."""
    names = list(tab.tables)
    first = next((name for name in names if tab.tables[name] == "dev"), names[0])
    offered = tab.metrics(first)
    with gr.Row():
        shown = gr.Radio(names, value=first, label="Table", elem_id="scores-of", min_width=260)
        chosen = gr.Dropdown(
            offered,
            value=offered[0] if offered else None,
            label="Metric",
            elem_id="scores-metric",
            min_width=200,
        )
    drawn = outputs("scores")
    shown.change(tab.choose_table, [shown, chosen], chosen, **REDRAW, api_name="choose_table").then(
        tab.show_scores, [shown, chosen], drawn, **REDRAW, api_name="show_table"
    )
    chosen.input(tab.show_scores, [shown, chosen], drawn, **REDRAW, api_name="show_scores")
    return tab.show_scores, [shown, chosen], drawn


def build_curves(tab: Experiments) -> Part:
    """Build the training curves: which rows, which panels, against what."""
    first = tab.first_curves()
    against = [
        name
        for name in AGAINST
        if any(
            curve_points(run.curve, measure, name)
            for row in tab.curved.values()
            for run in row.runs
            for measure in CURVE_MEASURES
        )
    ] or ["epoch"]
    chosen = gr.Dropdown(
        list(tab.curved),
        value=first,
        multiselect=True,
        max_choices=MOST_ROWS,
        label=f"Rows, up to {MOST_ROWS}",
        elem_id="curves-rows",
    )
    with gr.Row():
        measures = gr.CheckboxGroup(
            [("normalised mean" if name == NORMALISED else name, name) for name in CURVE_MEASURES],
            value=list(CURVE_MEASURES),
            label="Show",
            scale=2,
            min_width=260,
        )
        axis = gr.Radio(
            [(AGAINST[name], name) for name in against],
            value=against[0],
            label="Against",
            min_width=200,
        )
    inputs: list[Any] = [chosen, measures, axis]
    drawn = outputs("curves")
    gr.on([one.change for one in inputs], tab.show_curves, inputs, drawn, **REDRAW)
    return tab.show_curves, inputs, drawn


def build_shares(tab: Experiments) -> Part:
    """Build the live formula of annealed sampling: alpha's end, epochs, data-set sizes."""
    with gr.Row():
        end = gr.Slider(
            0, 1, value=END, step=0.05, label="α of the last epoch", elem_id="alpha", min_width=260
        )
        epochs = gr.Slider(
            1, MOST_EPOCHS, value=10, step=1, label="Epochs", elem_id="epochs", min_width=260
        )
    with gr.Row():
        preset = gr.Radio(list(SIZES), value=FIRST_SIZES, label="Data-set sizes", min_width=200)
        sizes = [
            gr.Number(size, label=f"{task.capitalize()} examples", precision=0, min_width=130)
            for task, size in zip(TASKS, SIZES[FIRST_SIZES], strict=True)
        ]
        recorded = gr.Dropdown(
            [NO_RUN, *tab.sampled],
            value=NO_RUN,
            label="Beside a recorded run",
            visible=bool(tab.sampled),
            min_width=200,
        )
    inputs: list[Any] = [end, epochs, *sizes, recorded]
    drawn = outputs("shares")
    preset.change(
        lambda name: SIZES[name],
        preset,
        sizes,
        show_progress="hidden",
        api_visibility="undocumented",
        api_name="preset_sizes",
    )
    gr.on([one.change for one in inputs], tab.show_shares, inputs, drawn, **REDRAW)
    return tab.show_shares, inputs, drawn


def build_conflicts(tab: Experiments) -> Part:
    """Build the gradient conflicts: which run, rate or cosine."""
    names, measures = list(tab.conflicted), list(MEASURES)
    with gr.Row():
        chosen = gr.Dropdown(names, value=names[0], label="Run with surgery", min_width=260)
        measure = gr.Radio(measures, value=measures[0], label="Measure", min_width=200)
    drawn = outputs("conflicts")
    gr.on([chosen.change, measure.change], tab.show_conflicts, [chosen, measure], drawn, **REDRAW)
    return tab.show_conflicts, [chosen, measure], drawn
