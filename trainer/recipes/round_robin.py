"""Test table, row 1: fine-tuning, one batch of each task in turn."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="round_robin", sampler="round_robin"),
    table="test",
    title="Mean, pretraining, fine-tuning (round robin)",
    report=scores(0.478, 0.831, 0.763),
    report_split="test",
    note="The report's own account of its round robin fits `full_pass`, among the controls, too.",
)
