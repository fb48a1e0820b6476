"""Part 1: CFIMDB with the encoder frozen; whole reviews of up to 512 tokens."""

import dataclasses

from trainer.recipes import part1_sst_pretrain
from trainer.recipes.row import Row

ROW = Row(
    config=dataclasses.replace(
        part1_sst_pretrain.ROW.config,
        name="part1_cfimdb_pretrain",
        sentiment_data="cfimdb",
        max_length=512,
    ),
    table="part1",
    title="CFIMDB, frozen encoder",
    report={"cfimdb accuracy": 0.788},
    report_split="dev",
)
