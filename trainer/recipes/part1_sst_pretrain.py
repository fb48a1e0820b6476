"""Part 1: SST-5 with the encoder frozen, a head on [CLS] (the course's tanh pooler)."""

import dataclasses

from trainer.recipes.row import REPORT, Row

ROW = Row(
    config=dataclasses.replace(
        REPORT,
        name="part1_sst_pretrain",
        pooling="pooler",
        tasks="sentiment",
        scored_tasks="sentiment",
        epochs=0,
    ),
    table="part1",
    title="SST, frozen encoder",
    report={"sentiment accuracy": 0.409},
    report_split="dev",
)
