"""The endpoint `explain`: each word of a question with a number, for programs."""

from __future__ import annotations

from typing import Any

from minbert.explain import METHODS, Target, WordScores, explain, integrated_gradients
from minbert.serving import bulk_work
from minbert.tasks import SENTIMENT
from minbert.ui.engine import Engine
from minbert.ui.parts.refusal import refusal
from minbert.ui.server.forms import Method, Task
from minbert.ui.why.subject import OF_A, PARAPHRASE, SIMILARITY, asked

KIND_OF = {"sentiment": OF_A, "paraphrase": PARAPHRASE, "similarity": SIMILARITY}
GRADIENTS = "integrated gradients"


class ExplainEndpoint:
    """The endpoint, bound to one engine."""

    def __init__(self, engine: Engine) -> None:
        """Serve this engine."""
        self.engine = engine

    def explain(
        self,
        first: str,
        second: str = "",
        task: Task = "sentiment",
        target: str = "",
        method: Method = "integrated gradients",
    ) -> dict[str, Any]:
        """Give each word a number that says what it does for the mean model's answer.

        Of your own models it is the first one's. Targets are, for sentiment, a class's name, its
        number 0-4, or expected (the rating); for similarity joint, siamese or mean (of both).

        Args:
            first: sentence A; of a long text the beginning is read.
            second: sentence B, needed for paraphrase and similarity; not looked at for sentiment.
            task: whose answer is explained; sentiment is that of A.
            target: the number that is explained; empty for the answer itself.
            method: how; gradient is gradient times input, occlusion leaves words out.

        Returns:
            task, target, method, signed (above 0 speaks for the target; else shares), first and
            second (lists of word and score), skipped (words not tried), left_out (word pieces that
            were cut, so not explained), and for integrated gradients completeness: total (the
            scores' sum), value and blank (the target's number for the sentences and for blank
            ones), gap (total less their difference); else null.
        """
        if task not in KIND_OF:
            raise refusal(f"Task should be one of {', '.join(KIND_OF)}. Found {task!r}.")
        if method not in METHODS:
            raise refusal(f"Method should be one of {', '.join(METHODS)}. Found {method!r}.")
        subject = asked(self.engine, first, second, KIND_OF[task])
        texts, chosen = (subject.first, subject.second), as_target(task, target)
        completeness, skipped, signed = None, 0, True
        try:
            with bulk_work():
                if method == GRADIENTS:
                    found = integrated_gradients(self.engine.mean, *texts, task=task, target=chosen)
                    completeness = {
                        "total": found.total,
                        "value": found.value,
                        "blank": found.baseline_value,
                        "gap": found.gap,
                    }
                    of, sides = found.target, (found.first, found.second)
                else:
                    told = explain(self.engine.mean, *texts, task, chosen, method)
                    of, sides = told.target, (told.first, told.second)
                    skipped, signed = told.skipped, told.signed
        except ValueError as error:
            raise refusal(str(error)) from error
        return {
            "task": task,
            "target": target_label(of),
            "method": method,
            "signed": signed,
            "first": listed(sides[0]),
            "second": listed(sides[1]),
            "skipped": skipped,
            "left_out": of.left_out(self.engine.mean, *texts),
            "completeness": completeness,
        }


def as_target(task: str, target: str) -> int | str | None:
    """Return a target as the library takes it."""
    target = str(target).strip()
    if task == "sentiment" and target in SENTIMENT.labels:
        return SENTIMENT.labels.index(target)
    if task == "sentiment" and target.isdecimal():
        return int(target)
    return target or None


def target_label(target: Target) -> str:
    """Name a target; of a class its name."""
    score = target.score
    return SENTIMENT.labels[score] if isinstance(score, int) else score


def listed(scores: WordScores) -> list[dict[str, Any]]:
    """Return words with their scores, in the text's order."""
    pairs = zip(scores.words, scores.values, strict=True)
    return [{"word": word, "score": value} for word, value in pairs]
