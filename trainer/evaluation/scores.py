"""Scoring a model on the course's files, majority baselines beside it.

The pair tasks are scored on the mean of both orders of the joint input, as the page shows them;
during training, to be quick, in the file's order alone. Pairs that this very checkpoint was
trained on are counted and left out (a user's downloaded split differs from ours).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from minbert import metrics
from minbert.metrics import Metric
from minbert.predictor import Predictor
from minbert.records import form
from minbert.tables import Example
from minbert.tasks import TASKS, Task

Scores = dict[str, Metric]
Answers = dict[str, NDArray[Any]]  # what a model says of each example, by name
MAIN_METRICS = {task.name: task.metric for task in TASKS.values()}


def answer_task(
    predictor: Predictor, task: Task, examples: Sequence[Example], *, both_orders: bool
) -> Answers:
    """Return a model's answers to examples of one task.

    Returns:
        sentiment: class. paraphrase: duplicate. similarity: headline, joint and siamese scores,
        not clamped. Each (N,).
    """
    if task.name == "sentiment":
        results = predictor.sentiment([example.texts[0] for example in examples])
        probabilities = np.array([result.probabilities for result in results])
        return {"class": probabilities.argmax(axis=1)}
    pairs = [(example.texts[0], example.texts[1]) for example in examples]
    probability, joint = predictor.joint(pairs)
    if both_orders:
        turned = predictor.joint([(b, a) for a, b in pairs])
        probability, joint = (probability + turned[0]) / 2, (joint + turned[1]) / 2
    if task.name == "paraphrase":
        return {"duplicate": (probability > metrics.THRESHOLD).numpy()}
    siamese = predictor.siamese(pairs)
    headline = predictor.headline(joint, siamese)
    return {"headline": headline.numpy(), "joint": joint.numpy(), "siamese": siamese.numpy()}


def score_answers(
    task: Task, answers: Answers, examples: Sequence[Example], *, relu: bool = False
) -> Scores:
    """Score answers to examples, all of them labelled.

    Returns:
        sentiment: accuracy, within_one. paraphrase: accuracy, f1. similarity: pearson and
        spearman of the headline score, joint_pearson, siamese_pearson; for the ReLU head also
        zero_share, the share of exact zeros, which tells a head that is dying.
    """
    labels = [math.nan if row.label is None else row.label for row in examples]
    main = main_score(task, answers, examples)
    if task.name == "sentiment":
        return {
            "accuracy": main,
            "within_one": metrics.within_one(answers["class"], labels),
        }
    if task.name == "paraphrase":
        truth = [label == 1 for label in labels]
        return {
            "accuracy": main,
            "f1": metrics.f1(answers["duplicate"], truth),
        }
    scores = {
        "pearson": main,
        "spearman": metrics.spearman(answers["headline"], labels),
        "joint_pearson": metrics.pearson(answers["joint"], labels),
        "siamese_pearson": metrics.pearson(answers["siamese"], labels),
    }
    if relu:
        scores["zero_share"] = metrics.share(answers["joint"] == 0)
    return scores


def main_score(task: Task, answers: Answers, examples: Sequence[Example]) -> Metric:
    """Score answers by the task's main metric alone, which needs its main answer alone."""
    labels = [math.nan if row.label is None else row.label for row in examples]
    if task.name == "sentiment":
        return metrics.accuracy(answers["class"], labels)
    if task.name == "paraphrase":
        return metrics.accuracy(answers["duplicate"], [label == 1 for label in labels])
    return metrics.pearson(answers["headline"], labels)


def score_task(
    predictor: Predictor, task: Task, examples: Sequence[Example], *, both_orders: bool
) -> Scores:
    """Score a model on examples of one task, all of them labelled; see `score_answers`."""
    answers = answer_task(predictor, task, examples, both_orders=both_orders)
    relu = predictor.config.similarity_head == "relu"
    return score_answers(task, answers, examples, relu=relu)


def score_all(
    predictor: Predictor, examples: dict[str, list[Example]], *, both_orders: bool
) -> dict[str, Scores]:
    """Score every task given."""
    return {
        name: score_task(predictor, TASKS[name], rows, both_orders=both_orders)
        for name, rows in examples.items()
    }


def normalised(scores: dict[str, Scores]) -> float | None:
    """Return the course's aggregate of three tasks' scores; None where one is undefined."""
    values = (scores.get(name, {}).get(metric) for name, metric in MAIN_METRICS.items())
    return metrics.normalised_mean(*(found.value if found else None for found in values))


def selection_score(scores: dict[str, Scores]) -> float | None:
    """Return what a model is selected by: the normalised mean, or of one task its own metric."""
    if len(scores) > 1:
        return normalised(scores)
    ((name, found),) = scores.items()
    return found[MAIN_METRICS[name]].value


def majority_baseline(task: Task, train: Sequence[float], labels: Sequence[float]) -> Metric | None:
    """Score "always the training file's majority class" on `labels`; None for similarity."""
    if task.kind == "score":
        return None
    return metrics.accuracy([metrics.majority_class(train)] * len(labels), labels)


def recorded(scores: dict[str, Scores], split: str) -> form.Metrics:
    """Return scores as a record holds them."""
    return {
        task: {name: form.Metric.of(metric, split=split) for name, metric in found.items()}
        for task, found in scores.items()
    }
