"""Rows that no table of the report has, each one change away from one that has."""

import dataclasses
from typing import Any

from trainer.config import TrainConfig
from trainer.recipes import annealed, cls_pretraining, mean_pretraining, round_robin
from trainer.recipes.row import Row

MLM_PASSES = 2.0


def control(start: TrainConfig, name: str, title: str, note: str = "", **changes: Any) -> Row:  # noqa: ANN401 - any field
    """Return a row that changes some settings of another."""
    return Row(dataclasses.replace(start, name=name, **changes), "controls", title, note=note)


HEADS, TURNS, SAMPLED = (module.ROW.config for module in (mean_pretraining, round_robin, annealed))
ROWS = (
    control(HEADS, "cls_raw_pretraining", "Raw [CLS], individual pretraining", pooling="cls"),
    control(HEADS, "max_pretraining", "Max pooling, individual pretraining", pooling="max"),
    control(
        HEADS,
        "dropout_on_pretraining",
        "Mean pooling, individual pretraining with encoder dropout on",
        "The report's literal form; the other rows embed each text once.",
        head_encoder_dropout=True,
    ),
    control(
        HEADS,
        "mlm_mean_pretraining",
        "Mean pooling, individual pretraining, encoder trained on as a masked language model",
        mlm_passes=MLM_PASSES,
    ),
    control(
        cls_pretraining.ROW.config,
        "mlm_cls_pretraining",
        "CLS pooling, individual pretraining, encoder trained on as a masked language model",
        mlm_passes=MLM_PASSES,
    ),
    control(TURNS, "one_epoch", "Round robin, 1 epoch, without contrastive learning", epochs=1),
    control(
        TURNS,
        "full_pass",
        "Round robin, each task's whole epoch in turn",
        sampler="full_pass",
    ),
    control(TURNS, "no_pretraining", "Round robin, without individual pretraining", head_epochs=0),
    control(TURNS, "dropout_03", "Round robin, dropout 0.3", hidden_dropout=0.3),
    control(SAMPLED, "proportional", "Proportional sampling", sampler="proportional"),
    control(SAMPLED, "square_root", "Square-root sampling", sampler="square_root"),
    control(SAMPLED, "attention", "Annealed, attention pooling", pooling="attention"),
    control(
        SAMPLED,
        "two_tower",
        "Annealed, two-tower paraphrase head",
        paraphrase_head="two_tower",
    ),
    control(
        SAMPLED,
        "pals",
        "Annealed, projected attention layers in the last 2 epochs",
        "The report tried these without success.",
        pal_size=204,
        pal_epochs=2,
    ),
    control(
        SAMPLED,
        "masked",
        "Annealed, demographic terms masked in training",
        "Section 8 of the report proposes it.",
        mask_demographics=True,
    ),
)
