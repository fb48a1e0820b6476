"""The report's claims as data, and whether each held here: paired intervals, not adjectives.

A claim compares row A with one other row, or with several. It held where every interval lies on
the claimed side, did not hold where one lies wholly on the other, and is undecided otherwise.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from minbert.records.form import Verdict
from minbert.records.runs import VERDICTS, Comparison, CurvePoint, Difference, Run
from trainer.reproduction.intervals import paired_accuracy, paired_pearson

HELD, NOT_HELD, UNDECIDED = VERDICTS
NOT_RUN = "not run yet: "
MARGIN = 0.01  # "no better" says that a gain of this much is ruled out
SLACK = 0.01  # a speed claim's dev score lies this far under the least of the runs' best
AGREEING = 3  # seeds, before a speed claim is decided

SST, PARA, STS = TASKS = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")
SPEED = ("million tokens", "minutes")
DEV_ROWS = ("baseline", "cls_pretraining", "mean_pretraining", "contrastive", "surgery", "cosine")
TEST_ROWS = ("round_robin", "annealed")

Predictions = Mapping[str, Mapping[str, Any]]  # by ROW-SEED
Labels = Mapping[str, Sequence[float]]  # by task
Sides = tuple[bool, bool]  # an interval lies on the claimed side; wholly on the other

RULES: dict[str, Callable[[float, float, int], Sides]] = {  # of low, high, n
    "better": lambda low, high, _: (low > 0, high < 0),
    "lower": lambda low, high, _: (high < 0, low > 0),
    "no better": lambda low, high, _: (low <= 0 and high < MARGIN, low > 0),
    # A needs less; low and high are the seeds' least and most
    "faster": lambda low, high, n: (n >= AGREEING and high < 0, n >= AGREEING and low > 0),
}


class Answered(Run):
    """A run with what it predicts on dev; None where that wasn't kept."""

    predictions: dict[str, Any] | None = None


@dataclasses.dataclass(frozen=True)
class Claim:
    """One claim: row A against each of the rows B, on each metric.

    Raises:
        ValueError: an unknown rule, or no other row to compare with.
    """

    id: str
    says: str  # in our words, with the report's section
    a: str
    b: tuple[str, ...]
    metrics: tuple[str, ...] = TASKS
    rule: str = "better"
    caveat: str = ""

    def __post_init__(self) -> None:
        """Check the rule's name and the rows."""
        if self.rule not in RULES:
            raise ValueError(f"`rule` should be one of {', '.join(RULES)}. Found {self.rule!r}.")
        if not self.b or self.a in self.b:
            raise ValueError(f"`b` should name rows other than {self.a}. Found {self.b}.")

    def names(self) -> dict[str, tuple[str, str]]:
        """Name the claim's differences: `METRIC`, or `METRIC against B` where B are several."""
        several = len(self.b) > 1
        return {
            f"{metric} against {row}" if several else metric: (metric, row)
            for row in self.b
            for metric in self.metrics
        }


MEAN_CAVEAT = (
    "all-MiniLM-L6-v2 was itself trained with mean pooling, so this is half decided before "
    "training begins; the control starts from an encoder that favours no pooling"
)
CONTROL_CAVEAT = "the control; a short training on does not undo all of the encoder's past"
BASELINE_CAVEAT = "the baseline trains SST alone: its other heads are as they were drawn"
THIRD_CAVEAT = "per step it gives Quora a third of the steps, less than annealed sampling does"
SPEED_CAVEAT = (
    "the score is .01 under the least of the runs' best; minutes count on one machine only"
)
ROUND_ROBINS = (("round_robin", "Round robin"), ("full_pass", "Round robin by whole epochs"))
TECHNIQUES = {
    "pretraining": "Head pretraining",
    "mean": "Mean pooling",
    "annealed": "Annealed sampling",
    "cosine": "Cosine similarity",
    "contrastive": "Contrastive learning",
    "surgery": "Gradient surgery",
}

# Not formatted, so as to read as a table: id, what it says (section), A, B, metrics, rule, caveat.
# fmt: off
CLAIMS = (
    Claim("mean_beats_cls", "Mean pooling beats CLS pooling on all three tasks (5.4)",
          "mean_pretraining", ("cls_pretraining",), caveat=MEAN_CAVEAT),
    Claim("mean_beats_raw_cls", "Mean pooling beats the raw [CLS] state, without the pooler (5.4)",
          "mean_pretraining", ("cls_raw_pretraining",), caveat=MEAN_CAVEAT),
    Claim("mean_beats_cls_control", "Mean beats CLS after training on as a masked language model",
          "mlm_mean_pretraining", ("mlm_cls_pretraining",), caveat=CONTROL_CAVEAT),
    Claim("pretraining_helps", "Individual pretraining, with mean pooling, beats the baseline (6)",
          "mean_pretraining", ("baseline",), caveat=BASELINE_CAVEAT),
    Claim("pretraining_helps_fine_tuning", "Individual pretraining helps before fine-tuning (6)",
          "round_robin", ("no_pretraining",)),
    Claim("dropout_in_pretraining", "Ours: the encoder's dropout, on while heads are pretrained as "
          "the report has it, does no better than embeddings computed once without (4.3)",
          "dropout_on_pretraining", ("mean_pretraining",), rule="no better"),
    *(Claim(f"annealed_lifts_{row}", f"Annealed sampling lifts SST and STS over {name} (5.4)",
            "annealed", (row,), (SST, STS))
      for row, name in (("round_robin", "round robin"), ("full_pass", "round robin by epochs"))),
    *(Claim(f"{row}_paraphrase", f"{name} beats annealed sampling on paraphrase (5.4)",
            row, ("annealed",), (PARA,), caveat=THIRD_CAVEAT if row == "round_robin" else "")
      for row, name in ROUND_ROBINS),
    *(Claim(f"{row}_best_paraphrase", f"{name} is the best of all rows on paraphrase (5.4)",
            row, (*DEV_ROWS, "annealed"), (PARA,))
      for row, name in ROUND_ROBINS),
    Claim("cosine_best_dev_row", "Cosine similarity is the best row of the dev table (5.4, 6)",
          "cosine", DEV_ROWS[:-1]),
    Claim("cosine_no_better", "Cosine similarity is no better than the models without it (6)",
          "cosine", TEST_ROWS, rule="no better"),
    Claim("surgery_faster", "Gradient surgery trains faster, to a fixed dev score (4.8, 6)",
          "surgery", ("round_robin",), SPEED, "faster", SPEED_CAVEAT),
    Claim("surgery_no_better", "Gradient surgery scores no better (6)",
          "surgery", ("round_robin",), rule="no better"),
    Claim("contrastive_no_help", "Contrastive learning, one epoch, does not help (5.4, 6)",
          "contrastive", ("one_epoch",), rule="no better"),
    Claim("dropout", "Dropout .2 beats .3 (4.7)", "round_robin", ("dropout_03",)),
    *(Claim(f"adds_{name}", f"{TECHNIQUES.get(name, 'Fine-tuning')} adds to the row before (5.4)",
            a, (b,), caveat={"mean": MEAN_CAVEAT, "pretraining": BASELINE_CAVEAT}.get(name, ""))
      for name, a, b in (("pretraining", "cls_pretraining", "baseline"),
                         ("mean", "mean_pretraining", "cls_pretraining"),
                         ("fine_tuning", "round_robin", "mean_pretraining"),
                         ("contrastive", "contrastive", "one_epoch"),
                         ("surgery", "surgery", "round_robin"),
                         ("cosine", "cosine", "round_robin"),
                         ("annealed", "annealed", "round_robin"))),
    *(Claim(f"all_needs_{name}", f"{technique} adds to all the others in tandem (abstract)",
            "all", (f"all_without_{name}",), caveat=MEAN_CAVEAT if name == "mean" else "")
      for name, technique in TECHNIQUES.items()),
    Claim("masking_costs", "Ours: masking demographic terms, as section 8 proposes, costs score",
          "masked", ("annealed",), rule="lower"),
    Claim("pals_help", "Ours: projected attention layers, at which the report failed (1), help",
          "pals", ("annealed",)),
)
# fmt: on


def tokens_to(
    curve: Sequence[CurvePoint], metric: str, target: float
) -> tuple[float, float] | None:
    """Return the tokens and minutes at which a curve first reaches `target`; None if it never does.

    Linear between the curve's points; of one that begins at the target or above the first counts.
    """
    before: tuple[float, float, float] | None = None
    for point in curve:
        score, tokens, minutes = point.scores[metric], point.tokens, point.minutes
        if score is None or tokens is None or minutes is None:  # undefined there
            continue
        if score >= target:
            low, *start = before or (score, tokens, minutes)
            share = (target - low) / (score - low) if before else 1.0
            return start[0] + share * (tokens - start[0]), start[1] + share * (minutes - start[1])
        before = (score, tokens, minutes)
    return None


def speed_difference(metric: str, a: Sequence[Run], b: Sequence[Run]) -> Difference | None:
    """Return what A needs less what B needs for one dev score: mean, least and most over seeds.

    The score is the highest normalised mean that every run reaches, less SLACK. None where a run
    has no curve, and for minutes that different machines took.
    """
    runs = [*a, *b]
    scores = [
        [point.normalised for point in run.curve if point.normalised is not None] for run in runs
    ]
    if not all(scores) or (metric == "minutes" and len({run.machine for run in runs}) > 1):
        return None
    target = min(max(of_run) for of_run in scores) - SLACK
    reached = np.array([tokens_to(run.curve, "normalised", target) for run in runs])
    needed = reached[:, 1] if metric == "minutes" else reached[:, 0] / 1e6
    each = needed[: len(a)] - needed[len(a) :]
    return Difference(float(each.mean()), float(each.min()), float(each.max()), len(each))


def score_difference(
    metric: str, a: Sequence[Answered], b: Sequence[Answered], labels: Labels
) -> Difference | None:
    """Return A's score less B's, averaged over the seeds; None where a task wasn't scored."""
    task = metric.split()[0]
    if any(task not in (run.predictions or {}) for run in (*a, *b)):
        return None
    truth = np.asarray(labels[task], dtype=np.float64)
    of_a, of_b = (np.array([_column(run, task, len(truth)) for run in x]) for x in (a, b))
    if metric == STS:
        return paired_pearson(of_a, of_b, truth)
    return paired_accuracy(of_a == truth, of_b == truth)


def _column(run: Answered, task: str, n: int) -> list[float]:
    predicted = (run.predictions or {})[task]
    if len(predicted) != n:
        raise ValueError(
            f"{run.row}-{run.seed} should hold {n} {task} predictions, one for each dev example. "
            f"Found {len(predicted)}; run that row again."
        )
    return [float("nan") if value is None else float(value) for value in predicted]


def judge(claim: Claim, differences: Mapping[str, Difference]) -> tuple[Verdict, str]:
    """Return a claim's verdict and why, difference by difference.

    Args:
        claim: what is claimed.
        differences: row A less row B, named as `claim.names()` names them; one may be missing.
    """
    sides, words = [], []
    for name in claim.names():
        found = differences.get(name, Difference(None, None, None, 0))
        side = (False, False)
        if found.low is not None and found.high is not None:
            side = RULES[claim.rule](found.low, found.high, found.n or 0)
        said = "as claimed" if side[0] else "the other way" if side[1] else UNDECIDED
        number = str(found) if name in differences else "not scored"
        words.append(f"{name} {number}: {said}")
        sides.append(side)
    held, other = all(side[0] for side in sides), any(side[1] for side in sides)
    return NOT_HELD if other else HELD if held else UNDECIDED, "; ".join(words)


def compare(runs: Sequence[Run], predictions: Predictions, labels: Labels) -> list[Comparison]:
    """Judge every claim, over the seeds that its rows share; the list of comparisons.json.

    Args:
        runs: the records of reproduction.json; of several of one row and seed the last counts.
        predictions: what each run predicts on dev, by ROW-SEED.
        labels: the dev files' labels by task.

    Raises:
        ValueError: a run's predictions are not as many as the labels.
    """
    by_row: dict[str, dict[int, Answered]] = {}
    for run in runs:
        predicted = predictions.get(f"{run.row}-{run.seed}")
        answered = Answered.model_validate({**dict(run), "predictions": predicted})
        by_row.setdefault(run.row, {})[run.seed] = answered
    return [_compared(claim, by_row, labels) for claim in CLAIMS]


def _compared(
    claim: Claim, runs: Mapping[str, Mapping[int, Answered]], labels: Labels
) -> Comparison:
    rows = (claim.a, *claim.b)
    missing = [row for row in rows if row not in runs]
    there = [runs[row] for row in rows if row in runs]
    shared = set(there[0]).intersection(*there[1:]) if there else set()
    timed = claim.metrics == SPEED
    seeds = sorted(s for s in shared if _comparable([of_row[s] for of_row in there], timed))
    differences: dict[str, Difference] = {}
    for name, (metric, row) in claim.names().items():
        if seeds and claim.a in runs and row in runs:
            a, b = ([runs[of][seed] for seed in seeds] for of in (claim.a, row))
            score = speed_difference if timed else partial(score_difference, labels=labels)
            found = score(metric, a, b)
            if found is not None:
                differences[name] = found
    verdict, why = judge(claim, differences)
    if missing:
        verdict, why = UNDECIDED, NOT_RUN + ", ".join(f"row {row}" for row in missing)
    elif not seeds:
        verdict, why = UNDECIDED, "no seed with predictions, one profile and the same dev files"
    elif len(seeds) == 1:
        why += f"; seed {seeds[0]} alone, and the interval leaves out the chance of training"
    return Comparison(
        claim=claim.id,
        says=claim.says,
        a=claim.a,
        b=", ".join(claim.b),
        seeds=tuple(seeds),
        differences=differences,
        verdict=verdict,
        why=why,
        caveat=claim.caveat,
    )


def _comparable(runs: Sequence[Answered], timed: bool) -> bool:
    """Return whether runs share a profile and, unless they are only timed, the dev files."""
    if len({run.profile for run in runs}) > 1:
        return False
    if timed:
        return True
    kept = [run.predictions for run in runs if run.predictions is not None]
    if len(kept) < len(runs):
        return False
    hashes = [item for predictions in kept for item in predictions["files"].items()]
    return len(set(hashes)) == len(dict(hashes))
