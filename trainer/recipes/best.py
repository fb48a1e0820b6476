"""Two stages for all tasks: first much further data, then the course's own distribution.

1. wide: heads alone, then all tasks together on further data: every phrase of the sentiment
   treebank; Quora with duplicates and mined hard negatives (`python -m trainer mine`), about as
   many of each; STS with the SemEval pairs of 2012 to 2016. Square-root sampling, since the
   tables' sizes no longer say how much a task needs.
2. together: from that model on, Quora's own pairs alone, whose share of duplicates dev and test
   have too; treebank phrases in half of sentiment's batches; annealed sampling, a learning rate
   that falls to zero.

Both keep averaged weights. What isn't at hand of the further files is left out, and said.
Differs from the report: stage 1, and the settings of `mean`, on which both stages build.
"""

import dataclasses

from trainer.data.treebank import TREES_FILE
from trainer.recipes.mean import RECIPE
from trainer.recipes.row import Chain, Stage

BOTH = dataclasses.replace(
    RECIPE,
    precision="bf16",
    tokens_per_epoch=1_000_000,
    extra_similarity="sts-2012-2016",
    ema=0.999,
)
WIDE = Stage(
    "wide",
    dataclasses.replace(
        BOTH,
        name="best_wide",
        sampler="square_root",
        sentiment_data="sst-trees",
        extra_paraphrase="quora-mined,quora-duplicates",
        epochs=4,
    ),
    needs=(TREES_FILE,),
)
TOGETHER = Stage(
    "together",
    dataclasses.replace(
        BOTH,
        name="best",
        sentiment_phrases=0.5,
        learning_rate=8e-5,
        epochs=5,
    ),
)
CHAIN = Chain("best", (WIDE, TOGETHER))
