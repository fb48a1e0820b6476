"""Small made-up results in the reproduction's file format; no number here was measured."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

PRETRAINED = "BERT + mean pooling + individual pretraining"
TUNED = f"{PRETRAINED} + fine-tuning"
PAIRS = ("sentiment-paraphrase", "sentiment-similarity", "paraphrase-similarity")
REPORTED = ("sentiment accuracy", "paraphrase accuracy", "similarity pearson")


def metric(value: float | None, n: int, se: float | None = 0.015) -> dict[str, Any]:
    return {"value": value, "se": se, "n": n, "split": "dev"}


def metrics(sentiment: float, paraphrase: float, similarity: float | None) -> dict[str, Any]:
    mean = None if similarity is None else (sentiment + paraphrase + (similarity + 1) / 2) / 3
    return {
        "sentiment accuracy": metric(sentiment, 1101),
        "sentiment within_one": metric(sentiment + 0.4, 1101, 0.01),
        "paraphrase accuracy": metric(paraphrase, 2000, 0.008),
        "paraphrase f1": metric(paraphrase - 0.1, 2000, 0.01),
        "similarity pearson": metric(similarity, 863, 0.02),
        "similarity joint_pearson": metric(similarity, 863, 0.02),
        "normalised": metric(mean, 3964, None),
    }


def curve(sentiment: float, paraphrase: float, similarity: float) -> list[dict[str, Any]]:
    points = []
    for epoch in range(9):
        grown = 1 - math.exp(-0.6 * epoch)
        scores = (
            0.3 + (sentiment - 0.3) * grown,
            0.63 + (paraphrase - 0.63) * grown,
            0.1 + (similarity - 0.1) * grown,
        )
        mean = (scores[0] + scores[1] + (scores[2] + 1) / 2) / 3
        points.append(
            {
                "epoch": epoch,
                "tokens": 75_000 * epoch,
                "minutes": 0.5 + 0.7 * epoch,
                "sentiment": scores[0],
                "paraphrase": scores[1],
                "similarity": scores[2],
                "normalised": mean,
            }
        )
    return points


def shares() -> list[dict[str, Any]]:
    recorded = []
    for epoch in range(1, 9):
        alpha = 1 - 0.8 * (epoch - 1) / 7
        powers = [size**alpha for size in (8_544, 40_185, 6_040)]
        names = ("sentiment", "paraphrase", "similarity")
        p = {name: power / sum(powers) for name, power in zip(names, powers, strict=True)}
        recorded.append({"epoch": epoch, "alpha": alpha, "p": p})
    return recorded


def surgery() -> list[dict[str, Any]]:
    return [
        {
            "epoch": epoch,
            "steps": 40,
            "pairs": {
                pair: {
                    "conflict_rate": 0.45 - 0.02 * epoch - 0.06 * place,
                    "cosine": -0.02 + 0.01 * epoch + 0.02 * place,
                    "conflict_rate_after": 0.12 - 0.01 * epoch,
                    "cosine_after": 0.06 + 0.01 * epoch,
                }
                for place, pair in enumerate(PAIRS)
            },
        }
        for epoch in range(1, 9)
    ]


def run(
    table: str,
    row: str,
    title: str,
    ours: dict[str, Any],
    reported: tuple[float, ...] = (),
    **other: object,
) -> dict[str, Any]:
    named = dict(zip(REPORTED, reported, strict=False))
    return {
        "row": row,
        "title": title,
        "table": table,
        "seed": 0,
        "profile": "cpu",
        "metrics": ours,
        "report": named,
        "report_split": ("test" if table == "test" else "dev") if named else None,
        "minutes": 6.1,
        "tokens": 600_123,
        "commit": "a33f8335c7c6",
        "machine": "AMD EPYC, 2 cores",
        "curve": [],
        "probabilities": [],
        "surgery": [],
        "config": {"encoder": "sentence-transformers/all-MiniLM-L6-v2"},
        **other,
    }


def sample_runs() -> list[dict[str, Any]]:
    """Return made-up rows of all five tables, some with three seeds."""
    part1 = ({"sentiment accuracy": metric(0.391, 1101)}, {"cfimdb accuracy": metric(0.78, 245)})
    runs = [
        run("part1", "sst_head", "SST, head alone", part1[0], (0.409,)),
        run("part1", "cfimdb_head", "CFIMDB, head alone", part1[1]),
        run(
            "dev",
            "baseline",
            "(Baseline) BERT + CLS pooling + single-task training",
            metrics(0.34, 0.61, None),
            (0.36, 0.632, -0.129),
            note="the heads of the other two tasks are as they were drawn",
        ),
    ]
    for seed in range(3):
        move = 0.008 * (seed - 1)
        ours = metrics(0.33 + move, 0.68 + move, 0.41 - move)
        title = "BERT + CLS pooling + individual pretraining"
        runs.append(run("dev", "cls_pretraining", title, ours, (0.346, 0.694, 0.4), seed=seed))
        ours = metrics(0.41 + move, 0.74 - move, 0.7 + move)
        runs.append(
            run("dev", "mean_pretraining", PRETRAINED, ours, (0.46, 0.755, 0.651), seed=seed)
        )
    return [*runs, *fine_tuned_runs()]


def fine_tuned_runs() -> list[dict[str, Any]]:
    """Return made-up rows that were fine-tuned, with what was recorded on the way."""
    return [
        run(
            "dev",
            "surgery",
            f"{TUNED} + gradient surgery",
            metrics(0.47, 0.79, 0.81),
            (0.461, 0.76, 0.499),
            curve=curve(0.47, 0.79, 0.81),
            surgery=surgery(),
        ),
        run(
            "test",
            "round_robin",
            f"{TUNED} (round robin)",
            metrics(0.47, 0.80, 0.84),
            (0.478, 0.831, 0.763),
            curve=curve(0.47, 0.80, 0.84),
        ),
        run(
            "test",
            "annealed",
            f"{TUNED} (annealed sampling)",
            metrics(0.485, 0.82, 0.85),
            (0.521, 0.803, 0.857),
            curve=curve(0.485, 0.82, 0.85),
            probabilities=shares(),
        ),
        run("ours", "all", "everything together", metrics(0.49, 0.83, 0.86)),
        run("ours", "all_without_surgery", "all but surgery", metrics(0.492, 0.828, 0.862)),
        run("controls", "shuffled", "labels shuffled", metrics(0.25, 0.6, 0.01)),
    ]


def difference(value: float, half: float, n: int) -> dict[str, Any]:
    return {"value": value, "low": value - half, "high": value + half, "n": n}


def sample_comparisons() -> list[dict[str, Any]]:
    """Return three made-up claims, one at least a verdict."""
    return [
        {
            "claim": "mean-beats-cls",
            "says": "Mean pooling is better than CLS pooling on all three tasks.",
            "a": "mean_pretraining",
            "b": "cls_pretraining",
            "seeds": [0, 1, 2],
            "differences": {
                "sentiment accuracy": difference(0.08, 0.03, 1101),
                "paraphrase accuracy": difference(0.06, 0.02, 2000),
                "similarity pearson": difference(0.29, 0.05, 863),
            },
            "verdict": "held",
            "why": "Mean is ahead on all three tasks, and no interval holds zero.",
            "caveat": "",
        },
        {
            "claim": "annealed-beats-round-robin",
            "says": "Annealed sampling is better than round robin on sentiment and similarity.",
            "a": "annealed",
            "b": "round_robin",
            "seeds": [0],
            "differences": {
                "sentiment accuracy": difference(0.015, 0.02, 1101),
                "similarity pearson": difference(0.01, 0.015, 863),
            },
            "verdict": "undecided",
            "why": "Both intervals hold zero.",
            "caveat": "One seed each.",
        },
        {
            "claim": "surgery-helps-less",
            "says": "Gradient surgery gives less than the other extensions.",
            "a": "surgery",
            "b": "mean_pretraining",
            "seeds": [0],
            "differences": {"normalised": {"value": 0.05, "low": None, "high": None}},
            "verdict": "did not hold",
            "why": "It is ahead here.",
            "caveat": "",
        },
        {
            "claim": "surgery-faster",
            "says": "Gradient surgery trains faster.",
            "a": "surgery",
            "b": "round_robin, annealed",
            "seeds": [0],
            "differences": {"minutes against round_robin": difference(-1.2, 3.0, 1)},
            "verdict": "undecided",
            "why": "One seed.",
            "caveat": "",
        },
        {
            "claim": "layers-help",
            "says": "Projected attention layers help.",
            "a": "layers",
            "b": "annealed",
            "seeds": [],
            "differences": {},
            "verdict": "undecided",
            "why": "not run yet: row layers",
            "caveat": "",
        },
    ]


def write_sample(folder: Path) -> Path:
    """Write both made-up files into a folder and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, entries in (
        ("reproduction.json", sample_runs()),
        ("comparisons.json", sample_comparisons()),
    ):
        (folder / name).write_text(json.dumps(entries), encoding="utf-8")
    return folder
