"""The hand-written sets of assets/evaluation: who did what, and statements; never trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from minbert import ASSETS
from minbert.metrics import THRESHOLD, Metric, share
from minbert.predictor import Predictor
from minbert.tables import read_table
from minbert.tasks import PARAPHRASE
from trainer.evaluation.scores import Scores

FOLDER = ASSETS / "evaluation"
SURELY_NOT = 0.05  # probability below which a pair is none beyond doubt


def score_hand_written(predictor: Predictor, folder: Path = FOLDER) -> dict[str, Scores]:
    """Score paraphrase, the mean of both orders, on each set.

    Of who did what also each class alone, and the area under the ROC curve: how often a pair that
    means the same scores above one that doesn't.

    Raises:
        DataError: a file isn't there, as in an installed package.
    """
    found: dict[str, Scores] = {}
    scored = {}
    for name in ("who_did_what", "unrelated_statements", "same_statements"):
        rows = read_table(folder / f"{name}.tsv", PARAPHRASE, labelled=True).examples
        answers = predictor.pairs([(row.texts[0], row.texts[1]) for row in rows])
        labels = np.array([row.label == 1 for row in rows])
        scored[name] = np.array([answer.paraphrase for answer in answers]), labels
    scores, same = scored["who_did_what"]
    yes, higher = scores > THRESHOLD, scores[same][:, None] - scores[~same]
    found["who did what"] = {
        "accuracy": share(yes == same),
        "same meaning": share(yes[same]),
        "another meaning": share(~yes[~same]),
        "area under ROC": Metric(float((np.sign(higher).mean() + 1) / 2), None, len(scores)),
    }
    unrelated, reworded = (scored[f"{name}_statements"][0] for name in ("unrelated", "same"))
    found["unrelated"] = {
        "below .05": share(unrelated < SURELY_NOT),
        "below .5": share(unrelated < THRESHOLD),
    }
    found["reworded"] = {"above .5": share(reworded > THRESHOLD)}
    return found
