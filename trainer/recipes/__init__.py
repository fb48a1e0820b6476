"""Recipes by name: each a `TrainConfig` in a file of its own."""

from __future__ import annotations

from trainer.config import TrainConfig
from trainer.recipes import cls, mean

RECIPES: dict[str, TrainConfig] = {recipe.name: recipe for recipe in (mean.RECIPE, cls.RECIPE)}
