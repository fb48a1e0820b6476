"""The best model of two CPU cores: the treebank's phrases first, then all tasks together.

1. phrases: one pass over the sentiment treebank's sentences and phrases of three words and more,
   sentiment alone.
2. multitask: from that encoder and head on, annealed sampling. Half of sentiment's batches hold
   phrases again; similarity also reads the SemEval pairs of 2012 to 2016 where they are at hand,
   through the joint head and the Siamese cosine. The weights that are kept are averaged.

Differs from the report: all of this, and the settings of `mean`, on which both stages build.
"""

import dataclasses

from trainer.recipes.mean import RECIPE
from trainer.recipes.stage import Chain, Stage
from trainer.trees import TREES_FILE

PHRASES = Stage(
    "phrases",
    dataclasses.replace(
        RECIPE,
        name="best_phrases",
        sentiment_data="sst-trees",
        tasks="sentiment",
        scored_tasks="sentiment",
        epochs=3,
        tokens_per_epoch=491_500,  # three of these are one pass
        dev_examples=0,
    ),
    needs=(TREES_FILE,),
)
MULTITASK = Stage(
    "multitask",
    dataclasses.replace(
        RECIPE,
        name="best_multitask",
        epochs=8,
        tokens_per_epoch=750_000,
        sampler="annealed",
        sentiment_phrases=0.5,
        extra_similarity="sts-2012-2016",
        ema=0.999,
    ),
)
CHAIN = Chain("best", (PHRASES, MULTITASK))
