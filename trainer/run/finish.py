"""The end of a run: the best model as it is shipped, scored, with a record of how it came about."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minbert.checkpoint import resolve_folder
from minbert.files import write_json
from minbert.multitask import MultitaskBert
from minbert.predictor import Predictor
from minbert.records.scores import Best, Training
from minbert.storage.weights import weights_files
from minbert.tasks import TASKS
from trainer.config import TrainConfig
from trainer.data.course import sha256_of
from trainer.data.run_data import RunData
from trainer.data.seen import write_trained_on
from trainer.evaluation.leaks import leak_checks
from trainer.evaluation.scores import Answers, answer_task, normalised, recorded, score_answers
from trainer.provenance import provenance
from trainer.run.fine_tuning import FineTuning
from trainer.run.folder import Run
from trainer.run.start import started_from, trained_before
from trainer.techniques.precision import lowered

Report = Callable[[str], None]


def scoring_predictor(model: MultitaskBert, device: torch.device, config: TrainConfig) -> Predictor:
    """Return a predictor that encodes in the run's precision."""
    low = lowered(config.precision, device)
    return Predictor(model, device.type, autocast=low, runtime="torch")  # the weights change


def finish(
    run: Run, tuning: FineTuning, tables: RunData, config: TrainConfig, report: Report
) -> None:
    """Write the best model as float16, score it as it will be loaded, write the result.

    Scored on the whole dev files, as the report's numbers were: the course's own STS split shares
    16 pairs between train and dev. The command `evaluate` leaves such pairs out.
    """
    if config.epochs and tuning.best["epoch"] == 0:
        report(
            f"No epoch scored better than the model before fine-tuning (epoch 0), which is kept. "
            f"{tuning.rate} may be too high, or the run too short: metrics.jsonl has each epoch's."
        )
    best = MultitaskBert.from_pretrained(run.best)
    best.save_pretrained(run.model, dtype=torch.float16)
    files, earlier = trained_before(config)
    write_trained_on(run.model, {**files, **tables.train_files}, tables.trained, earlier)
    report("Scoring the finished model on the whole dev files")
    predictor = scoring_predictor(MultitaskBert.from_pretrained(run.model), tuning.device, config)
    answers = {
        name: answer_task(predictor, TASKS[name], table.examples, both_orders=config.both_orders)
        for name, table in tables.dev.items()
    }
    relu = config.similarity_head == "relu"
    scores = {
        name: score_answers(TASKS[name], found, tables.dev[name].examples, relu=relu)
        for name, found in answers.items()
    }
    write_json(run.predictions, predictions_of(answers, tables))
    more: dict[str, Any] = {}
    if tables.extra:
        more["extra_data"] = tables.extra
    if asks_for_more(config):
        more["leaks"] = leak_checks(tables.trained, tables.dev, answers)
    if tables.soft:
        more["soft_labels"] = tables.soft
    if config.start_from:
        more["started_from"] = started_from(Path(config.start_from))
    encoder = weights_files(resolve_folder(config.start_from or config.encoder))
    result = Training(
        recipe=config.name,
        seed=config.seed,
        minutes=round(run.seconds / 60, 1),
        tokens=tuning.tokens,
        best=Best(**tuning.best),
        normalised=normalised(scores),
        metrics=recorded(scores, "dev"),
        config=config.to_dict(),
        files=tables.sha256,
        encoder_sha256=sha256_of(encoder),
        **provenance(tuning.device),
        **more,
    )
    write_json(run.result, result.to_dict())
    for task, found in scores.items():
        report(f"{task}: " + ", ".join(f"{name} {metric}" for name, metric in found.items()))


def asks_for_more(config: TrainConfig) -> bool:
    """Say whether a run trains on more than the course's own files, or goes on from one."""
    trees = config.sentiment_data == "sst-trees" or config.sentiment_phrases > 0
    pairs = config.extra_similarity or config.extra_paraphrase
    return bool(
        trees or pairs or config.start_from or config.soft_labels or config.paraphrase_statements
    )


def predictions_of(answers: dict[str, Answers], tables: RunData) -> dict[str, Any]:
    """Return dev predictions compactly, for paired comparisons of runs: no text in them."""
    told: dict[str, Any] = {
        "files": {t.path.name: tables.sha256[t.path.name] for t in tables.dev.values()}
    }
    for name, found in answers.items():
        if name == "similarity":
            told[name] = [round(float(score), 4) for score in found["headline"]]
        else:
            kind = "class" if name == "sentiment" else "duplicate"
            told[name] = "".join(str(int(value)) for value in found[kind])
    return told
