"""Recipes by name: the shipped models, and each row of the report's tables in a file of its own."""

from __future__ import annotations

from trainer.config import TrainConfig
from trainer.recipes import (
    all_techniques,
    annealed,
    baseline,
    best,
    best_cls,
    cls,
    cls_pretraining,
    contrastive,
    controls,
    cosine,
    mean,
    mean_pretraining,
    part1_cfimdb_finetune,
    part1_cfimdb_pretrain,
    part1_sst_finetune,
    part1_sst_pretrain,
    round_robin,
    surgery,
)
from trainer.recipes.row import Chain, Row

REPORT_ROWS = (
    part1_sst_pretrain.ROW,
    part1_cfimdb_pretrain.ROW,
    part1_sst_finetune.ROW,
    part1_cfimdb_finetune.ROW,
    baseline.ROW,
    cls_pretraining.ROW,
    mean_pretraining.ROW,
    contrastive.ROW,
    surgery.ROW,
    cosine.ROW,
    round_robin.ROW,
    annealed.ROW,
)
ROWS: dict[str, Row] = {
    row.name: row for row in (*REPORT_ROWS, *all_techniques.ROWS, *controls.ROWS)
}
RECIPES: dict[str, TrainConfig] = {
    **{recipe.name: recipe for recipe in (mean.RECIPE, cls.RECIPE)},
    **{name: row.config for name, row in ROWS.items()},
}
CHAINS: dict[str, Chain] = {chain.name: chain for chain in (best.CHAIN, best_cls.CHAIN)}
