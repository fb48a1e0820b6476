"""Which words made this answer: four methods, a line each, their sums, where they disagree."""

from __future__ import annotations

import dataclasses

from minbert.explain import (
    Disagreement,
    Explanation,
    IntegratedGradients,
    disagreement,
    explain,
    integrated_gradients,
)
from minbert.metrics import average_ranks
from minbert.predictor import Predictor
from minbert.ui.parts.blocks import finding_block
from minbert.ui.parts.coloured_words import Line, coloured
from minbert.ui.parts.steps import Far, Tell, watched
from minbert.ui.parts.tables import table
from minbert.ui.parts.texts import texts_of
from minbert.ui.why.subject import Subject, short_name, target_name

TEXTS = texts_of(__package__)
NAMES = {
    "integrated gradients": "integrated gradients",
    "gradient": "gradient × input",
    "occlusion": "leaving it out",
    "rollout": "attention rollout",
}
ALL = {2: "Both", 3: "All three", 4: "All four"}  # methods, as they come
ALIKE, HARDLY = 0.7, 0.3  # rank correlations from which methods are called alike, or hardly so


@dataclasses.dataclass(frozen=True)
class Attribution:
    """What each method says of each word."""

    subject: Subject
    gradients: IntegratedGradients
    explanations: tuple[Explanation, ...]  # by method, as `NAMES` lists them

    @property
    def labels(self) -> list[str]:
        """Return all words; of a pair with the sentence's name."""
        return [
            f"{name}: {word}" if len(self.subject.names) > 1 else word
            for name, word, _ in self.entries
        ]

    @property
    def entries(self) -> list[tuple[str, str, tuple[float, ...]]]:
        """Return (sentence, word, the methods' numbers) of all words that each method tried."""
        found = []
        for side, name in enumerate(self.subject.names):
            rows = [(each.first, each.second)[side] for each in self.explanations]
            for place in range(min(len(row.words) for row in rows)):
                numbers = tuple(row.values[place] for row in rows)
                found.append((name, rows[0].words[place], numbers))
        return found

    @property
    def ranks(self) -> list[tuple[float, ...]]:
        """Return the words' ranks by method, 1 for the largest size."""
        numbers = [entry[2] for entry in self.entries]
        columns = [
            average_ranks([-abs(row[place]) for row in numbers]).tolist() if numbers else []
            for place in range(len(self.explanations))
        ]
        return list(zip(*columns, strict=True))


def by_gradients(
    predictor: Predictor, subject: Subject, target: int | str | None, tell: Tell
) -> Attribution:
    """Ask both methods that take gradients, which come together."""

    def told(done: int, whole: int) -> None:
        tell(Far("points of integrated gradients", done, whole))

    texts = subject.first, subject.second
    found = integrated_gradients(predictor, *texts, task=subject.task, target=target, progress=told)
    methods = (
        Explanation("integrated gradients", found.target, found.first, found.second, signed=True),
        Explanation("gradient", found.target, *found.gradient, signed=True),
    )
    return Attribution(subject, found, methods)


def further(predictor: Predictor, found: Attribution, method: str, tell: Tell) -> Attribution:
    """Ask one more method about the same target."""
    texts, target = (found.subject.first, found.subject.second), found.gradients.target
    asked = watched(predictor, f"texts, {NAMES[method]}", tell)
    tell(Far(NAMES[method], 0, 1))
    more = explain(asked, *texts, task=target.task, target=target.score, method=method)
    return dataclasses.replace(found, explanations=(*found.explanations, more))


def method_lines(found: Attribution) -> list[Line]:
    """Return each sentence by each method."""
    return [
        Line(
            name,
            list(zip(side.words, side.values, strict=True)),
            label=NAMES[each.method],
            shares=not each.signed,
        )
        for place, name in enumerate(found.subject.names)
        for each in found.explanations
        if (side := (each.first, each.second)[place]).words
    ]


def attribution_block(found: Attribution) -> str:
    """Show the sentence once for each method, its words tinted."""
    title, lines = finding(found)
    shown = coloured(method_lines(found))
    numbers = attribution_table(found)
    return finding_block(title, lines, TEXTS["read.attribution"], numbers, shown=shown)


def finding(found: Attribution) -> tuple[str, list[str]]:
    """Say which word the methods put first, what the numbers add up to, where they disagree."""
    entries, ranks = found.entries, found.ranks
    if not entries:
        return "There are no words to explain", [completeness(found.gradients)]
    methods = [each.method for each in found.explanations]
    first = {
        method: min(range(len(entries)), key=lambda row: ranks[row][place])
        for place, method in enumerate(methods)
    }
    votes = list(first.values())
    most = max(votes, key=votes.count)
    what = short_name(found.gradients.target)
    if votes.count(most) == len(methods):
        title = f"{ALL[len(methods)]} methods put “{entries[most][1]}” first for {what}"
    elif votes.count(most) > 1:
        count = f"{votes.count(most)} of {len(methods)}"
        title = f"{count} methods put “{entries[most][1]}” first for {what}"
    else:
        title = f"Each method puts another word first for {what}"
    others = [
        f"{NAMES[method]} puts “{entries[row][1]}” first"
        for method, row in first.items()
        if row != most or votes.count(most) == 1
    ]
    lines = ["; ".join(others).capitalize() + "."] if others else []
    lines.append(completeness(found.gradients))
    lines += disagreements(disagreement(found.explanations), found.subject)
    skipped = sum(each.skipped for each in found.explanations)
    if skipped:
        lines.append(f"{skipped} further words were not left out, and are not shown.")
    return title, lines


def completeness(found: IntegratedGradients) -> str:
    """Say what the integrated gradients add up to, and by how much the answer moved."""
    moved = found.value - found.baseline_value
    return (
        f"Integrated gradients add up to {found.total:+.2f}; the model's number for "
        f"{target_name(found.target)} moved by {moved:+.2f}, from {found.baseline_value:.2f} for "
        f"the blank sentence to {found.value:.2f}."
    )


def disagreements(found: Disagreement, subject: Subject) -> list[str]:
    """Say which methods rank the words alike or hardly alike, and the word they disagree on most.

    A correlation over two words says nothing, so it takes three.
    """
    if len(found.words) < 3:
        return []
    lines = []
    known = {pair: value for pair, value in found.correlations.items() if value is not None}
    if known:
        closest, furthest = (
            max(known, key=lambda pair: known[pair]),
            min(known, key=lambda pair: known[pair]),
        )
        lines.append(
            f"Most alike rank {both(closest)} ({degree(known[closest])}: rank correlation "
            f"{known[closest]:.2f}), least alike {both(furthest)} ({degree(known[furthest])}: "
            f"{known[furthest]:.2f})."
        )
    word = found.words[0]
    if word.spread > 0:
        high = found.methods[word.ranks.index(min(word.ranks))]
        low = found.methods[word.ranks.index(max(word.ranks))]
        whose = f" of {subject.names[word.side]}" if len(subject.names) > 1 else ""
        lines.append(
            f"They disagree most on “{word.word}”{whose}: of {len(found.words)} words "
            f"{NAMES[high]} ranks it {min(word.ranks):g}, {NAMES[low]} {max(word.ranks):g}."
        )
    return lines


def both(pair: tuple[str, str]) -> str:
    """Name two methods."""
    return f"{NAMES[pair[0]]} and {NAMES[pair[1]]}"


def degree(correlation: float) -> str:
    """Say how alike two rankings are."""
    if correlation >= ALIKE:
        return "much alike"
    return "hardly alike" if correlation < HARDLY else "somewhat alike"


def attribution_table(found: Attribution) -> str:
    """Return every word's numbers and ranks as a table."""
    rows = [
        [label]
        + [
            cell
            for place, each in enumerate(found.explanations)
            for cell in (f"{numbers[place]:{'+' if each.signed else ''}.3f}", f"{ranks[place]:g}")
        ]
        for label, (_, _, numbers), ranks in zip(
            found.labels, found.entries, found.ranks, strict=True
        )
    ]
    heads = ["Word", *(cell for name in NAMES.values() for cell in (name, "rank"))]
    what = short_name(found.gradients.target)
    return table(f"Each word's number for {what}, by method", heads, rows)
