"""The stages of `best`, with the first token's hidden state in place of the mean of all."""

import dataclasses

from trainer.recipes import best

CHAIN = dataclasses.replace(best.CHAIN.changed(pooling="cls"), name="best_cls")
