"""Test table, row 2: fine-tuning with annealed sampling."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="annealed", sampler="annealed"),
    table="test",
    title="Mean, pretraining, fine-tuning (annealed sampling)",
    report=scores(0.521, 0.803, 0.857),
    report_split="test",
)
