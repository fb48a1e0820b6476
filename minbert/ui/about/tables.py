"""The HTML of the tab "About" that comes from records: tasks, numbers, cost."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape

from minbert.records.scores import MAIN, PUBLIC, Anchor, Range
from minbert.records.shipped import Records
from minbert.records.speed import THREE_TASKS, Speed
from minbert.ui.about.calibration import calibration_block
from minbert.ui.about.findings import (
    TRAIN_MAJORITY,
    name_of,
    numbers_finding,
    parameters_in_card,
    settings_finding,
    settings_of,
    shown_value,
    size_in_card,
    with_error,
)
from minbert.ui.engine import CALLED
from minbert.ui.parts.blocks import card, finding_block, note_block, sources_block
from minbert.ui.parts.numbers import fixed
from minbert.ui.parts.score_rows import encoder_notes
from minbert.ui.parts.tables import fold, table
from minbert.ui.parts.texts import texts_of

TEXTS = texts_of(__package__)
UNKNOWN = "not told"
QUESTIONS = {  # task: the question, the data set as the card names it
    "sentiment": ("How positive is it? (sentiment)", "SST-5"),
    "paraphrase": ("Do both say the same? (paraphrase)", "Quora"),
    "similarity": ("How close are they in meaning? (similarity)", "STS"),
}
HOLDS = TEXTS.by_name("tables.holds")  # task: what its data set holds


def tasks_block(records: Records) -> str:
    """Return a card a task: the question, its data, how much of it."""
    cards = []
    for metric in MAIN:
        task = metric.split(" ")[0]
        question, data_set = QUESTIONS[task]
        size = size_in_card(records.card, data_set) or "a number that the model card doesn't tell"
        found = [one.flat[metric] for one in records.scores.values() if metric in one.flat]
        counts = {f"{written(one.n)} ({one.split or 'split not told'})" for one in found}
        scored = " or ".join(sorted(counts)) or UNKNOWN
        notes = f"Learned from: {size}. Scored on: {scored}.{overlap(records, task)}"
        body = f"<p>{escape(HOLDS[task])}</p>" + note_block(notes)
        cards.append(card(question, data_set, body))
    return f'<div class="mb-cards">{"".join(cards)}</div>'


def overlap(records: Records, task: str) -> str:
    """Say what became of scored pairs that had also trained the model."""
    left_out = {one.left_out.get(task) for one in records.scores.values()} - {None}
    if any(left_out):
        return f" Left out as they had trained the model: {max(filter(None, left_out)):,}."
    if task == "similarity" and left_out:
        return (
            " The course's split repeats 16 dev pairs in its training file; they are counted, "
            "as in the report."
        )
    return ""


def numbers_block(records: Records) -> str:
    """Return our scores beside the others', what they mean, and where they come from."""
    title, lines = numbers_finding(records.scores)
    head = [
        "Model",
        "Split",
        "Encoder",
        "Sentiment\n(SST-5 accuracy)",
        "at most one\nclass beside",
        "Paraphrase\n(Quora accuracy)",
        "Similarity\n(STS Pearson)",
        "Mean of\nthe three",
    ]
    rows = [*our_rows(records), *map(anchor_row, (*records.report, *PUBLIC))]
    shown = table("Our scores, the report's and the best public ones", head, rows)
    notes = "".join(map(note_block, encoder_notes(records)))
    more = notes + every_number(records) + sources(records)
    scores = finding_block(title, lines, TEXTS["read.numbers"], more, shown=shown)
    return scores + calibration_block(records.calibration)


def our_rows(records: Records) -> list[list[str]]:
    """Return both models' rows, and that of always giving the commonest answer."""
    rows = []
    for model, one in records.scores.items():
        cells = [
            with_error(one.flat.get(name)) for name in (MAIN[0], "sentiment within_one", *MAIN[1:])
        ]
        ran = records.training.get(model)
        size = "" if records.own else parameters_in_card(records.card)
        encoder = ran.encoder if ran and ran.encoder else UNKNOWN
        encoder += f"\n({size})" if size else ""
        whose = "yours" if records.own else "ours"
        name = f"{whose}: {CALLED.get(model, model)} pooling"
        whole = "–" if one.normalised is None else fixed(one.normalised)
        rows.append([name, splits(metric.split for metric in one.flat.values()), encoder])
        rows[-1] += [*cells, whole]
    for one in list(records.scores.values())[:1]:
        always = [one.flat.get(f"{task} {TRAIN_MAJORITY}") for task in list(QUESTIONS)[:2]]
        split = splits(found.split for found in always if found)
        first, second = map(with_error, always)
        name = "always the training file's\ncommonest answer"
        rows.append([name, split, "none", first, "–", second, "–", "–"])
    return rows


def written(value: float | None, digits: int = 0) -> str:
    """Write a number that may not be known."""
    return UNKNOWN if value is None else f"{value:,.{digits}f}"


def splits(names: Iterable[str]) -> str:
    """Name the splits that scores were made on."""
    return " and ".join(sorted(set(names) - {""})) or UNKNOWN


def anchor_row(anchor: Anchor) -> list[str]:
    """Return the table's row of somebody else's scores."""
    first, *rest = map(ranged, anchor.scores)
    whole = ranged(anchor.normalised)
    return [anchor.name, anchor.split, anchor.encoder, first, "–", *rest, whole]


def ranged(ends: Range) -> str:
    """Write a score, or the lowest and the highest."""
    low, high = map(fixed, ends)
    return low if low == high else f"{low} to {high}"


def sources(records: Records) -> str:
    """Tell with which seed and commit, and on what machine, each of our rows was made."""
    lines = []
    for model, one in records.scores.items():
        ran = records.training.get(model)
        seed = written(ran.seed if ran else None)
        trained = ran.commit if ran and ran.commit else UNKNOWN
        lines.append(
            f"{model}: seed {seed} alone · trained by commit {trained} · scored by commit "
            f"{one.commit or UNKNOWN} · machine {one.machine or UNKNOWN}"
        )
    if any("+" in one.commit for one in records.scores.values()):
        lines.append("A commit with + had changes that were not yet committed.")
    return sources_block(lines) if lines else ""


def every_number(records: Records) -> str:
    """Return all of our numbers behind a fold."""
    known = dict.fromkeys(name for one in records.scores.values() for name in one.flat)
    if not known:
        return ""
    rows = []
    for name in known:
        found = [one.flat.get(name) for one in records.scores.values()]
        counts = {f"{metric.n:,}" for metric in found if metric and metric.n is not None}
        split = splits(metric.split for metric in found if metric)
        examples = " or ".join(sorted(counts)) or UNKNOWN
        rows.append([name_of(name), *map(with_error, found), split, examples])
    head = ["Measure", *records.scores, "Split", "Examples"]
    return fold(
        "Every number of both models" if len(records.scores) > 1 else "Every number",
        table("All scores, ± one standard error", head, rows),
    )


def speed_block(speed: Speed) -> str:
    """Return how fast ours is beside other programs; the finding is about a pair's answers."""
    (title,) = [
        TEXTS["tables.speed"].format(taken=ours.median, times=ours.median / others[0].median)
        for _, ours, others in speed.groups()
        if ours.what == THREE_TASKS
    ] or [TEXTS["tables.speed_unknown"]]
    shown = table(TEXTS["tables.speed_caption"], *speed.grid())
    return (
        f'<div class="mb-findings"><h3>{escape(title)}</h3>{shown}{note_block(speed.source)}</div>'
    )


def cost_block(records: Records) -> str:
    """Return the machine, minutes and tokens of each run, and in what the runs differ."""
    if not records.training:
        return note_block(f"The training records are {UNKNOWN}.")
    rows = [
        [
            model,
            ran.machine or UNKNOWN,
            written(ran.threads),
            written(ran.minutes, 1),
            written(ran.tokens),
            written(ran.seed),
            ran.commit or UNKNOWN,
        ]
        for model, ran in records.training.items()
    ]
    head = ["Model", "Machine", "Threads", "Minutes", "Tokens read", "Seed", "Commit"]
    names = settings_of(records.training)
    settings = [
        [
            name.replace("_", " "),
            *(shown_value(ran.config.get(name)) for ran in records.training.values()),
        ]
        for name in names
    ]
    told = table("All settings", ["Setting", *records.training], settings)
    finding = settings_finding(records.training)
    shown = table("Time and data of each training run", head, rows)
    settings_fold = fold("All settings of both runs", told) if names else ""
    title = finding or "What training took"
    return f'<div class="mb-findings"><h3>{escape(title)}</h3>{shown}{settings_fold}</div>'
