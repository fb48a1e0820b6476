"""The tab "About": what this is, its numbers beside others', its cost, its card, its limits."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

import gradio as gr

from minbert.records.shipped import Records, read_records
from minbert.ui.about.card import card_html, heading
from minbert.ui.about.tables import cost_block, numbers_block, tasks_block
from minbert.ui.parts.blocks import problems_block

PURPOSE = (
    "minBERT Lab is a small language model (BERT) that you can question and look inside. It reads "
    "one or two English sentences and answers three things: how positive each sounds, whether both "
    "say the same, and how close they are in meaning. One shared network (the encoder), written "
    "here from scratch and trained on all three at once, gives every answer; it comes twice, so "
    "that you can see what changes when a sentence is summed up by its first token (CLS pooling) "
    "or by the average of all tokens (mean pooling)."
)
PRIVACY = (
    "What you type is answered and forgotten: this page writes it to no file, no log and no "
    "history.",
    "The page asks no other machine for anything: models, fonts and scripts come from the machine "
    "that serves it. Where somebody else runs it for you, that is theirs.",
    "A link that you make on Share holds both sentences in its part after the #, which browsers "
    "send to no server; whoever you give it to can read them.",
    "No account, no cookies of ours, no usage counts.",
)
LICENCE = (
    "Code and weights: Apache-2.0. The weights derive from all-MiniLM-L6-v2, Apache-2.0 as well.",
    "The data sets have terms of their own, which allow research use; none of their sentences is "
    "in this repository.",
)
CARD_NOTE = (
    '<p class="mb-note">The text since “What training took” is the model card, the README.md '
    "beside the weights.</p>"
)
PARTS = (
    ("minbert/bert.py", "the network (encoder)"),
    ("minbert/attention.py", "how words look at each other (attention)"),
    ("minbert/pooling.py", "from tokens to one vector (pooling)"),
    ("minbert/heads.py", "from that vector to answers (task heads)"),
    ("minbert/predictor.py", "text in, answers out"),
    ("minbert/explain", "why: exact splits and left-out words"),
    ("minbert/ui", "this page"),
    ("trainer/recipes", "how each model was trained; not in a published Space"),
    ("trainer/EXPERIMENTS.md", "the lab book, failures included; not in a published Space"),
)


def build_about(models: Path, results: Path) -> gr.Tab:
    """Build the tab inside the page's tabs from the folders of models and results; return it."""
    built = gr.Tab("About", id="about")
    with built:
        for key, html in sections(read_records(models, results)).items():
            gr.HTML(html, elem_id=f"about-{key}")
    return built


def sections(records: Records) -> dict[str, str]:
    """Return the tab's parts as HTML, by name, in their order."""
    missing = problems_block(records.problems, "Some of this page can't be shown")
    parts = {
        "problems": missing,
        "purpose": heading("What this is") + f"<p>{escape(PURPOSE)}</p>",
        "tasks": heading("What it learned from") + tasks_block(records),
        "numbers": heading("How good it is") + numbers_block(records),
        "cost": heading("What training took") + cost_block(records),
        "card": records.card and card_html(records.card) + CARD_NOTE,
        "privacy": heading("Privacy") + listed(PRIVACY),
        "licence": heading("Licence") + listed(LICENCE),
        "code": heading("Where the code is") + code_block(),
    }
    return {key: html for key, html in parts.items() if html}


def listed(lines: Sequence[str]) -> str:
    """Return plain lines as a list."""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="mb-findings"><ul>{items}</ul></div>'


def code_block() -> str:
    """Return the code's parts, each a path and what it does."""
    items = "".join(f"<li><code>{escape(path)}</code>: {escape(what)}</li>" for path, what in PARTS)
    return f'<div class="mb-findings"><ul>{items}</ul></div>'
