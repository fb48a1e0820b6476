"""The shipped CLS model: the recipe `mean` with nothing changed but the pooling."""

import dataclasses

from trainer.recipes import mean

RECIPE = dataclasses.replace(mean.RECIPE, name="cls", pooling="cls")
