"""What makes exact splits possible: a mean-pooled embedding is a sum over tokens."""

from __future__ import annotations

from minbert.predictor import Predictor


def check_mean_pooling(predictor: Predictor) -> None:
    """Refuse a model whose embedding isn't the mean of its tokens' hidden states.

    Raises:
        ValueError: another pooling.
    """
    found = predictor.config.pooling
    if found != "mean":
        raise ValueError(
            f"`pooling` of the model should be 'mean' for an exact split. Found {found!r}; "
            "leave its words out one by one instead (`minbert.explain.occlusion`)."
        )
