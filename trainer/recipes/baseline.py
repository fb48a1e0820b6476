"""Dev table, row 1: CLS pooling, trained on SST alone; the other heads as they were drawn."""

import dataclasses

from trainer.recipes.row import REPORT, Row, scores

ROW = Row(
    config=dataclasses.replace(
        REPORT, name="baseline", pooling="pooler", tasks="sentiment", epochs=0
    ),
    table="dev",
    title="CLS pooling, single-task training (baseline)",
    report=scores(0.360, 0.632, -0.129),
    report_split="dev",
    note="The encoder is frozen: .360 on SST lies near the report's frozen rows (.346, .409), "
    "not its fine-tuned one (.513).",
)
