"""What the model card tells of calibration: the fit, and its worth by cross-fitting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from minbert.config import UNCALIBRATED
from minbert.records.calibration import Calibration, scales_of
from trainer.publish.errors import PublishError

MEASURES = {
    "ece": "Expected calibration error",
    "nll": "Negative log-likelihood",
    "accuracy": "Accuracy",
}


def calibration_part(record: Calibration | None, config: Mapping[str, Any]) -> str:
    """Return the card's section on calibration.

    Args:
        record: what `calibrate` wrote, or None.
        config: the checkpoint's config.json.

    Raises:
        PublishError: the record is of another fit than the config has.
    """
    scales = scales_of(config)
    if record is None:
        return fit_line(scales) + (
            "" if scales == UNCALIBRATED else " How much it helps was not recorded."
        )
    if record.scales != scales:
        raise PublishError(
            f"The calibration's record in assets/results should tell the model's own fit, "
            f"{scales}. Found {record.scales}; write it anew: `python -m trainer calibrate --json`."
        )
    return (
        f"{fit_line(scales)} The table tells what that does on dev, where each example is scored "
        f"by a fit to the {(record.folds or 1) - 1} of {record.folds} folds without it (seed "
        f"{record.seed}). The error is Guo et al.'s, section 2, with {record.bins} bins: of "
        "sentiment the most probable class's probability is held against how often it is right, "
        "of paraphrase the probability of yes against the share of yes. “By chance” is what "
        "perfectly calibrated answers would show on as many examples. Commit of the calibration "
        f"`{record.commit or 'unknown'}`.\n\n{table(record)}"
    )


def fit_line(scales: Mapping[str, float]) -> str:
    """Say which temperatures the model has."""
    if scales == UNCALIBRATED:
        return "None: the probabilities are as the heads give them, at temperature 1."
    return (
        "Temperature scaling (Guo et al. 2017): logits are divided by "
        f"{scales['sentiment_temperature']:.3f} for sentiment and by "
        f"{scales['paraphrase_temperature']:.3f} for paraphrase, where "
        f"{scales['paraphrase_offset']:+.3f} is added as well (Platt 1999). Fitted to dev by "
        "negative log-likelihood, and stored in `config.json`."
    )


def table(record: Calibration) -> str:
    """Return each task's measures before and after as a Markdown table."""
    lines = [
        "| task | measure | before | after | by chance | split | examples |",
        "|---|---|---|---|---|---|---|",
    ]
    for task, told in record.tasks.items():
        for measure, title in MEASURES.items():
            before, after = (str(getattr(each, measure)) for each in (told.before, told.after))
            chance = f"{told.ece_by_chance:.3f}" if measure == "ece" else ""
            lines.append(
                f"| {task} | {title} | {before} | {after} | {chance} | {told.split} | {told.n:,} |"
            )
    return "\n".join(lines)


def probabilities_line(config: Mapping[str, Any]) -> str:
    """Say what a probability is good for, as a limit of the model."""
    if scales_of(config) == UNCALIBRATED:
        return "The probabilities are not calibrated for any decision."
    return (
        "The probabilities are calibrated on text like dev's alone; elsewhere they may be far off, "
        "and they are no ground for a decision."
    )
