"""A small made-up model card and both models' records; no number here was measured."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tests.minbert.ui.sample_results import write_sample

CARD = """# Two made-up models

- **What**: one BERT encoder (1.5 M parameters).
- **Data**: SST-5 (11 sentences),
  Quora question pairs (22 pairs), STS (33 pairs and 4 more), see the [list](../list.md).

## Limits

Decide nothing about people with `them`.
"""


def metric(value: float | None, n: int, se: float | None = 0.02) -> dict[str, Any]:
    return {"value": value, "se": se, "n": n, "split": "dev"}


def scores(shift: float = 0.0) -> dict[str, Any]:
    return {
        "normalised": 0.701 + shift,
        "metrics": {
            "sentiment": {
                "accuracy": metric(0.511 + shift, 1_234, 0.011),
                "within_one": metric(0.876, 1_234),
                "train's majority": metric(0.222, 1_234),
            },
            "paraphrase": {
                "accuracy": metric(0.822, 5_678),
                "train's majority": metric(0.633, 5_678),
            },
            "similarity": {"pearson": metric(0.744, 910), "siamese_pearson": metric(None, 910)},
        },
        "left_out": {"sentiment": 0, "paraphrase": 0, "similarity": 0},
        "commit": "abc123+",
        "machine": "Test machine",
    }


def training(pooling: str) -> dict[str, Any]:
    return {
        "recipe": pooling,
        "seed": 41,
        "minutes": 12.3,
        "tokens": 4_567_890,
        "commit": "def456",
        "machine": "Training machine",
        "threads": 3,
        "config": {
            "name": pooling,
            "encoder": "owner/all-MiniLM-L6-v2",
            "pooling": pooling,
            "surgery": True,
        },
    }


def write(path: Path, content: object) -> None:
    path.write_text(json.dumps(content), encoding="utf-8")


def write_about(folder: Path) -> tuple[Path, Path]:
    """Write models' and results' folders and return them."""
    models, results = folder / "assets/models", folder / "assets/results"
    models.mkdir(parents=True)
    write_sample(results)
    (models / "README.md").write_text(CARD, encoding="utf-8")
    for model, shift in (("mean", 0.0), ("cls", -0.1)):
        write(results / f"{model}-dev.json", scores(shift))
        write(results / f"{model}.json", training(model))
    return models, results
