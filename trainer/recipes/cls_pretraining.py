"""Dev table, row 2: CLS pooling (the course's tanh pooler), each head pretrained alone."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="cls_pretraining", pooling="pooler", epochs=0),
    table="dev",
    title="CLS pooling, individual pretraining",
    report=scores(0.346, 0.694, 0.400),
    report_split="dev",
)
