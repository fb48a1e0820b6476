"""All techniques at once, which the report's abstract promises, and each left out in turn."""

import dataclasses
from typing import Any

from trainer.recipes import cosine
from trainer.recipes.row import REPORT, Row

ALL = dataclasses.replace(
    cosine.ROW.config,
    name="all",
    sampler="annealed",
    contrastive="nt_xent",
    contrastive_weight=0.1,
    surgery=True,
)
JOINT = {
    name: getattr(REPORT, name) for name in ("similarity_score", "joint_weight", "siamese_weight")
}
LEFT_OUT: dict[str, dict[str, Any]] = {
    "pretraining": {"head_epochs": 0},
    "mean": {"pooling": "pooler"},
    "annealed": {"sampler": "round_robin"},
    "cosine": JOINT,
    "contrastive": {"contrastive": "off"},
    "surgery": {"surgery": False},
}
ROWS = (
    Row(
        ALL,
        "ours",
        "All: pretraining, mean, annealed, cosine, SimCSE, surgery",
        note="SimCSE's weight is 0.1.",
    ),
    *(
        Row(
            dataclasses.replace(ALL, name=f"all_without_{name}", **changes),
            "ours",
            f"All, without {name}",
        )
        for name, changes in LEFT_OUT.items()
    ),
)
