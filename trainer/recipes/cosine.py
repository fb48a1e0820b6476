"""Dev table, row 6: similarity from the cosine of the two embeddings, 2.5 * (cos + 1)."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(
        REPORT,
        name="cosine",
        cosine_scaling="shifted",
        similarity_score="siamese",
        joint_weight=0.0,
        siamese_weight=1.0,
    ),
    table="dev",
    title="Mean, pretraining, fine-tuning, cosine similarity",
    report=scores(0.496, 0.795, 0.698),
    report_split="dev",
)
