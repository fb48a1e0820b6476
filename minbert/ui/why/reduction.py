"""Fewer words, one other word, near sentences: findings and tables of the tab "Why?"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

from minbert.explain import Counterfactual, Counterfactuals, Neighbour, Reduction, Step
from minbert.tasks import SENTIMENT
from minbert.ui.parts.answer_cards import finding_block, meter
from minbert.ui.parts.steps import Far
from minbert.ui.parts.tables import simple_head, table
from minbert.ui.why.question import Question, moved, said, short_answer

MOST_ROWS = 12  # replaced words in the table
AROUND = 14  # characters shown on both sides of a replacement
POOLINGS = {"cls": "CLS", "mean": "mean"}
OPENING = (
    "An explanation tells what a method sees of the model's arithmetic, not what the model "
    "“thought”, and methods disagree. Attention shows where information flows; it is not an "
    "explanation. All of this is about the mean-pooling model, and each part is computed when you "
    "press its button."
)
READ_REDUCTION = (
    "How to read this: from the top, each line lacks the word that the model needs least, as long "
    "as its answer stays (of a similarity: within half a point). What is left at the bottom is "
    "enough for the model. Where it makes no sense to you, the model didn't need what you need. "
    "What it can't tell: whether a still shorter text would do, because words go one at a time."
)
READ_SWAPS = (
    "How to read this: one word is replaced at a time by words of our own short lists, and the "
    "model answers again; shown is each word's strongest replacement. What it can't tell: words "
    "that no list holds were not tried, and where a replacement changes the meaning, the answer "
    "ought to change."
)
READ_NEAREST = (
    "How to read this: the training sentences whose embeddings are nearest to yours, with the "
    "label that the model learned from; the distance is 1 less the cosine. Both models learned "
    "from the same sentences and differ in pooling alone. What it can't tell: a near sentence "
    "need not have taught the model anything."
)
NO_INDEX = (
    "There is no index of training sentences on this machine. It is not shipped, because the "
    "sentences belong to their data sets.",
    "To build it from your own copy, in the repository's folder: python -m trainer download, "
    "then python -m trainer index (some minutes on two cores), then press the button again.",
    "It is looked for in $MINBERT_INDEX, else in .cache/minbert-lab/index of your home folder.",
)


def waiting(told: str) -> str:
    """Return what a part shows before its button is pressed."""
    return f'<p class="mb-note">{escape(told)}</p>'


def progress(far: Far) -> str:
    """Say with a number how far it is."""
    share = far.done / far.whole if far.whole else 0.0
    return (
        f'<div class="mb-findings" role="status"><p>{escape(far.told)}</p>'
        f"{meter(share, 'mb-progress', far.told)}</div>"
    )


def reduction_block(question: Question, found: Reduction) -> str:
    """Return the fewest words that keep the answer, and every step there."""
    whole, last = found.steps[0], found.shortest
    answer = short_answer(question.task, whole.answer)
    kept = " and ".join(f"“{' '.join(side)}”" for side in (last.first, last.second) if side)
    count, of = len(last.left), len(whole.left)
    if count == of:
        title = f"No word can go without losing {quoted(answer)}"
    elif count == 1:
        title = f"One of {of} words is enough for {quoted(answer)}: {kept}"
    else:
        title = f"{count} of {of} words are enough for {quoted(answer)}: {kept}"
    lines = []
    if found.next_answers:
        changed = sorted({short_answer(question.task, each) for each in found.next_answers})
        lines.append(f"Without one word more it would say {' or '.join(map(quoted, changed))}.")
    elif len(last.left) == len(question.names):
        lines.append("It ends there because a sentence keeps one word at least.")
    if found.skipped:
        lines.append(f"The last {found.skipped} words always stayed: only the first ones may go.")
    names = [f"Words of {name}" for name in question.names] if whole.second else ["Words"]
    rows = [step_row(question, step) for step in found.steps]
    steps = table("Step by step", simple_head([*names, "Taken away", "The model says"]), rows)
    return f'<div class="mb-texts">{finding_block(title, lines, READ_REDUCTION, steps)}</div>'


def step_row(question: Question, step: Step) -> list[str]:
    """Return what is left after a step, and the answer to it."""
    sides = [step.first, step.second] if question.second is not None else [step.first]
    return [
        *(" ".join(side) for side in sides),
        step.removed or "",
        said(question.task, step.answer),
    ]


def swaps_block(question: Question, found: Counterfactuals) -> str:
    """Return the strongest replacement of each word."""
    task, tries = question.task, found.by_word
    now = short_answer(task, found.answer)
    if not tries:
        lines = ["Nothing was tried. Type a sentence with a common word, such as “good” or “is”."]
        return finding_block("None of these words is in our lists", lines, READ_SWAPS)
    flips = [each for each in tries if each.flips and task != "similarity"]
    best = flips[0] if flips else tries[0]
    swap = f"“{best.word}” → “{best.replacement}”"
    after = short_answer(task, best.answer)
    if task == "similarity":
        title = f"{swap} moves the score most: {now} → {after}"
    elif flips:
        title = f"{swap} turns {quoted(now)} into {quoted(after)}"
    else:
        title = f"No single word that was tried changes {quoted(now)}; {swap} comes nearest"
    count = len(found.tries)
    lines = [
        f"{count} replacements of {len(tries)} words were tried; the answer now: "
        f"{said(task, found.answer)}."
    ]
    if found.left_out:
        lines.append(f"{found.left_out} more replacements were not tried.")
    rows = [swap_row(question, each) for each in tries[:MOST_ROWS]]
    heads = ["Replacement", "Where", "The model then says", "Change", "Another answer"]
    listed = table("Each word's strongest replacement", simple_head(heads), rows)
    return f'<div class="mb-texts">{finding_block(title, lines, READ_SWAPS, listed)}</div>'


def swap_row(question: Question, each: Counterfactual) -> list[str]:
    """Return one replaced word with what comes of it."""
    whose = f" ({question.names[each.side]})" if len(question.names) > 1 else ""
    answer = said(question.task, each.answer)
    change = moved(question.task, each.change)
    return [
        *(f"{each.word} → {each.replacement}", f"{around(each)}{whose}", answer, change),
        "yes" if each.flips else "",
    ]


def around(each: Counterfactual) -> str:
    """Return the replacement with what stands around it."""
    start, end = each.start - AROUND, each.start + len(each.replacement) + AROUND
    cut = each.text[max(0, start) : end]
    return ("…" if start > 0 else "") + cut + ("…" if end < len(each.text) else "")


def quoted(label: str) -> str:
    """Put a label in quotes; a score stands as it is."""
    return label if label.endswith(" of 5") else f"“{label}”"


def no_index_block() -> str:
    """Say how to build an index."""
    return finding_block("No training sentences to look among", NO_INDEX, READ_NEAREST)


def nearest_block(found: Mapping[str, Mapping[str, Sequence[Neighbour]]]) -> str:
    """Return a table for each sentence (A, B) and pooling."""
    tables, titles = [], []
    for name, by_model in found.items():
        for model, neighbours in by_model.items():
            rows = [
                [each.text.text, label_of(each), f"{max(0.0, 1 - each.cosine):.3f}"]
                for each in neighbours
            ]
            head = simple_head(["Training sentence", "Its label", "Distance"])
            tables.append(table(f"Nearest to {name}, {POOLINGS[model]} pooling", head, rows))
        firsts = {rows[0].text.text for rows in by_model.values() if rows}
        same = "the same sentence" if len(firsts) == 1 else "different sentences"
        titles.append(f"to {name} {same}")
    title = "Nearest under CLS and mean pooling: " + ", ".join(titles)
    return f'<div class="mb-texts">{finding_block(title, [], READ_NEAREST, "".join(tables))}</div>'


def label_of(neighbour: Neighbour) -> str:
    """Return what a training sentence taught, with its partner."""
    text = neighbour.text
    if text.task == "sentiment":
        place = int(text.label)
        known = 0 <= place < len(SENTIMENT.labels)
        return f"sentiment: {SENTIMENT.labels[place] if known else place}"
    what = f"similarity {text.label:g} of 5"
    if text.task == "paraphrase":
        what = "a duplicate" if text.label else "no duplicate"
    return f"{what} with “{text.other}”"
