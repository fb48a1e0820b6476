"""A longer recipe than `mean`: all tasks together, and from there with phrases and more pairs.

1. tasks: the recipe `mean`: heads alone, then annealed sampling over the three tasks.
2. phrases: from that model on, a lower learning rate. Three of five sentiment batches hold the
   phrases of the sentiment treebank; similarity also reads the SemEval pairs of 2012 to 2016 where
   they are at hand. The weights that are kept are averaged.

Not shipped: on dev it was ahead of `mean` by less than a standard error (trainer/EXPERIMENTS.md).
Differs from the report: stage 2, and the settings of `mean`, on which both stages build.
"""

import dataclasses

from trainer.recipes.mean import RECIPE
from trainer.recipes.stage import Chain, Stage
from trainer.trees import TREES_FILE

TASKS = Stage("tasks", dataclasses.replace(RECIPE, precision="bf16"))
PHRASES = Stage(
    "phrases",
    dataclasses.replace(
        RECIPE,
        name="best_phrases",
        precision="bf16",
        head_epochs=0,
        epochs=6,
        tokens_per_epoch=500_000,
        learning_rate=8e-5,
        sentiment_phrases=0.6,
        extra_similarity="sts-2012-2016",
        ema=0.995,
    ),
    needs=(TREES_FILE,),
)
CHAIN = Chain("best", (TASKS, PHRASES))
