"""Dev table, row 3: mean pooling, each head pretrained alone on the frozen encoder."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="mean_pretraining", pooling="mean", epochs=0),
    table="dev",
    title="Mean pooling, individual pretraining",
    report=scores(0.460, 0.755, 0.651),
    report_split="dev",
)
