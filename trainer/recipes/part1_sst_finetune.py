"""Part 1: SST-5 with every layer fine-tuned, from a fresh head."""

import dataclasses

from trainer.recipes import part1_sst_pretrain
from trainer.recipes.row import Row

ROW = Row(
    config=dataclasses.replace(
        part1_sst_pretrain.ROW.config, name="part1_sst_finetune", head_epochs=0, epochs=10
    ),
    table="part1",
    title="SST, fine-tuned",
    report={"sentiment accuracy": 0.513},
    report_split="dev",
)
