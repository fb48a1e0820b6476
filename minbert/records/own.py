"""What is recorded of models of your own: a training run leaves its result.json beside them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from minbert.records.reading import read_known
from minbert.records.scores import Scores, Training, read_report
from minbert.records.shipped import CARD_FILE, Records

RUN_FILE, MODEL_FOLDER = "result.json", "model"  # of a run's folder


def read_own_records(folders: Mapping[str, Path], results: Path) -> Records:
    """Return what the runs of some models recorded, and their cards; often nothing.

    Args:
        folders: of the models, by what the page calls them.
        results: where the report's numbers stand, to hold the scores against.
    """
    problems: list[str] = []
    training: dict[str, Training] = {}
    for name, folder in folders.items():
        path = folder.resolve().parent / RUN_FILE
        if folder.resolve().name != MODEL_FOLDER or not path.is_file():
            continue
        again = f"Train {folder} again, or move the file away."
        if ran := read_known(path, Training, problems.append, again):
            training[name] = ran
    scores = {name: scores_of(ran) for name, ran in training.items() if ran.metrics}
    cards = [folder / CARD_FILE for folder in folders.values()]
    told = [path.read_text(encoding="utf-8", errors="replace") for path in cards if path.is_file()]
    anchors = read_report(results, problems.append) if scores else ()
    return Records("\n\n".join(told), scores, training, {}, anchors, tuple(problems), own=True)


def scores_of(ran: Training) -> Scores:
    """Return a run's scores on the dev files, made at its end."""
    return Scores(
        normalised=ran.normalised,
        metrics=ran.metrics,
        commit=ran.commit,
        machine=ran.machine,
    )
