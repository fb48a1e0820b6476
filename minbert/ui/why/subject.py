"""What is asked about: one task's answer to the sentences in the boxes, and words for it."""

from __future__ import annotations

import dataclasses

from minbert.explain import EXPECTED, Answer, Target, target_for
from minbert.predictor import Predictor
from minbert.tasks import SENTIMENT, clamped
from minbert.ui.engine import Engine
from minbert.ui.parts import refusal
from minbert.ui.parts.blocks import note_block
from minbert.ui.parts.numbers import percent

OF_A, OF_B, PARAPHRASE, SIMILARITY = "Sentiment of A", "Sentiment of B", "Paraphrase", "Similarity"
KINDS = (OF_A, OF_B, PARAPHRASE, SIMILARITY)
TASK_OF = {OF_A: "sentiment", OF_B: "sentiment", PARAPHRASE: "paraphrase", SIMILARITY: "similarity"}
ANSWER = "answer"  # the target that the page's own answer is
TARGETS: dict[str, list[tuple[str, str]]] = {
    "sentiment": [
        ("the rating", EXPECTED),
        ("the class it answers", ANSWER),
        *((name, str(place)) for place, name in enumerate(SENTIMENT.labels)),
    ],
    "paraphrase": [("yes", ANSWER)],
    "similarity": [
        ("the score shown", ANSWER),
        ("joint score", "joint"),
        ("Siamese score", "siamese"),
        ("mean of both", "mean"),
    ],
}
REFUSED = "Can't explain this"


@dataclasses.dataclass(frozen=True)
class Subject:
    """One task's answer, and the sentences it is of."""

    kind: str
    first: str
    second: str | None  # None for sentiment

    @property
    def task(self) -> str:
        """Return the task."""
        return TASK_OF[self.kind]

    @property
    def texts(self) -> tuple[str, ...]:
        """Return the sentences."""
        return (self.first,) if self.second is None else (self.first, self.second)

    @property
    def names(self) -> tuple[str, ...]:
        """Return what the page calls the sentences."""
        if self.second is not None:
            return "A", "B"
        return ("B",) if self.kind == OF_B else ("A",)


def asked(engine: Engine, first: str, second: str, kind: str) -> Subject:
    """Check what is asked about.

    Raises:
        gr.Error: a text that can't be answered, or a sentence B that isn't there.
    """
    if kind not in KINDS:
        raise refusal.refusal(f"Task should be one of {', '.join(KINDS)}. Found {kind!r}.")
    first, second = refusal.asked(engine, first, second, REFUSED).texts
    if kind == OF_A:
        return Subject(kind, first, None)
    if not second:
        told = "Sentence B is empty. Type one there, or choose the sentiment of A."
        raise refusal.refusal(told, title=REFUSED)
    return Subject(kind, second, None) if kind == OF_B else Subject(kind, first, second)


def cut_note(predictor: Predictor, subject: Subject, target: int | str | None = None) -> str:
    """Return a note that the model reads less than the text, so that no rest is explained.

    It is empty where nothing was cut.

    Args:
        predictor: that answers.
        subject: what is asked about.
        target: as the library takes it; None is the page's own answer.
    """
    texts = subject.first, subject.second
    # what is read doesn't depend on the class, which only an answer would tell
    score = EXPECTED if subject.task == "sentiment" else target
    left_out = target_for(predictor, subject.task, score, *texts).left_out(predictor, *texts)
    if not left_out:
        return ""
    pieces = "word piece is" if left_out == 1 else "word pieces are"
    return note_block(f"The text was cut: {left_out:,} {pieces} left out and not explained.")


def target_of(task: str, choice: str | None) -> int | str | None:
    """Return a chosen target as the library takes it; None is the page's own answer."""
    known = {value for _, value in TARGETS[task]}
    if choice in (None, "", ANSWER) or choice not in known:
        return None
    return int(choice) if choice.isdigit() else choice


def target_name(target: Target) -> str:
    """Name the number that is explained, with its unit."""
    if target.task == "sentiment":
        if target.score == EXPECTED:
            return "the rating (0 to 4)"
        return f"“{SENTIMENT.labels[int(target.score)]}” (its log-odds against the other classes)"
    if target.task == "paraphrase":
        return "“yes” (its log-odds)"
    kind = {"joint": "joint ", "siamese": "Siamese ", "mean": ""}[str(target.score)]
    return f"the {kind}similarity (0 to 5)"


def short_name(target: Target) -> str:
    """Name the number that is explained in a title."""
    return target_name(target).split(" (")[0]


def said(task: str, answer: Answer) -> str:
    """Return an answer as a label with its number."""
    if task == "sentiment":
        return f"{answer.label} ({answer.value:.1f} of 4)"
    if task == "paraphrase":
        return f"{answer.label} (yes {percent(answer.value)})"
    return f"{clamped(answer.value):.1f} of 5 ({answer.label})"


def short_answer(task: str, answer: Answer) -> str:
    """Return an answer's label; of a similarity its score."""
    return f"{clamped(answer.value):.1f} of 5" if task == "similarity" else answer.label


def moved(task: str, change: float) -> str:
    """Write by how much an answer's value changed."""
    if task == "paraphrase":
        return f"{100 * change:+.0f} points"
    return f"{change:+.2f}"
