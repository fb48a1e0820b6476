"""What a recipe of several runs holds: its stages, each of which begins with the one before."""

from __future__ import annotations

import dataclasses
from typing import Any

from trainer.config import TrainConfig


@dataclasses.dataclass(frozen=True)
class Stage:
    """One run of a chain."""

    name: str  # also the end of its folder's name
    config: TrainConfig
    needs: tuple[str, ...] = ()  # data files without which the stage is left out


@dataclasses.dataclass(frozen=True)
class Chain:
    """Runs, one after the other; each begins with the encoder and the heads of the last."""

    name: str
    stages: tuple[Stage, ...]

    def changed(self, **changes: Any) -> Chain:  # noqa: ANN401 - any field
        """Return the chain with settings changed in every stage.

        Raises:
            ValueError: a setting in which the stages differ, or that the chain itself sets.
        """
        first = self.stages[0].config
        own = {
            field.name
            for field in dataclasses.fields(TrainConfig)
            for stage in self.stages
            if getattr(stage.config, field.name) != getattr(first, field.name)
        }
        refused = sorted(set(changes) & (own | {"start_from"}))
        if refused:
            raise ValueError(
                f"`{refused[0]}` can't be changed for all stages of {self.name} at once: it is "
                "what makes a stage. Change it in the recipe's file, or train a single recipe."
            )
        stages = tuple(
            dataclasses.replace(stage, config=dataclasses.replace(stage.config, **changes))
            for stage in self.stages
        )
        return dataclasses.replace(self, stages=stages)
