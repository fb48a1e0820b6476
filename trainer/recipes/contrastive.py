"""Dev table, row 4: fine-tuning with the contrastive loss, one epoch only, as in the report."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(REPORT, name="contrastive", contrastive="nt_xent", epochs=1),
    table="dev",
    title="Mean, pretraining, fine-tuning, contrastive learning (1 epoch)",
    report=scores(0.415, 0.753, 0.327),
    report_split="dev",
    note="The report tells no weight: the contrastive loss is added as it is.",
)
