"""Part 1: CFIMDB with every layer fine-tuned, from a fresh head."""

import dataclasses

from trainer.recipes import part1_cfimdb_pretrain
from trainer.recipes.row import Row

ROW = Row(
    config=dataclasses.replace(
        part1_cfimdb_pretrain.ROW.config, name="part1_cfimdb_finetune", head_epochs=0, epochs=10
    ),
    table="part1",
    title="CFIMDB, fine-tuned",
    report={"cfimdb accuracy": 0.971},
    report_split="dev",
)
