"""Dev table, row 5: fine-tuning with gradient surgery, one batch of every task a step."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="surgery", surgery=True),
    table="dev",
    title="Mean, pretraining, fine-tuning, gradient surgery",
    report=scores(0.461, 0.760, 0.499),
    report_split="dev",
)
