"""How far do untrained heads scatter? The report's first row, before any training.

Report: section 5.4, row 1 of the dev table: a model trained on SST alone has paraphrase and
similarity heads as they were drawn. One draw says little about the next.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from minbert import metrics
from minbert.files import write_json
from minbert.records.heads import Spread, UntrainedHeads
from minbert.tasks import TASKS
from trainer.config import TrainConfig
from trainer.data.course import read_split
from trainer.data.run_data import subset
from trainer.provenance import provenance
from trainer.reproduction.intervals import mean_and_sd
from trainer.run.finish import scoring_predictor
from trainer.run.heads import HEADS_SEED, embed_examples, head_metric, head_output
from trainer.run.train import build_model, fresh_heads
from trainer.seeding import mix_seed

Report = Callable[[str], None]


def untrained_heads(
    config: TrainConfig, data: Path, *, seeds: int, device: torch.device, out: Path, report: Report
) -> None:
    """Score fresh heads of `seeds` seeds on dev and write the scores and their spread to `out`."""
    model = build_model(config, report).to(device)
    predictor = scoring_predictor(model, device, config)
    dev = {
        name: subset(read_split(data, name, "dev").examples, 0, config.seed)
        for name in config.scored
    }
    embedded = {name: embed_examples(predictor, TASKS[name], rows) for name, rows in dev.items()}
    drawn: list[dict[str, Any]] = []
    for seed in range(seeds):
        torch.manual_seed(mix_seed(seed, HEADS_SEED))
        heads = fresh_heads(model).eval()
        scores: dict[str, Any] = {"seed": seed}
        for name, rows in embedded.items():
            task = TASKS[name]
            with torch.no_grad():
                output = head_output(heads, task, rows.embeddings)
            scores[f"{name} {task.metric}"] = head_metric(task, output, rows.labels).value
            if name == "similarity":
                scores["similarity zero_share"] = metrics.share((output == 0).numpy()).value
        drawn.append(scores)
        report(", ".join(f"{name} {value}" for name, value in scores.items()))
    summary = {name: spread([row[name] for row in drawn]) for name in drawn[0] if name != "seed"}
    record = UntrainedHeads(
        draws=tuple(drawn), spread=summary, config=config.to_dict(), **provenance(device)
    )
    write_json(out, record.to_dict())


def spread(values: list[float | None]) -> Spread:
    """Return mean, SD, least and greatest of the values that are defined, and how many aren't."""
    known = [value for value in values if value is not None]
    mean, deviation = mean_and_sd(known)
    return Spread(
        mean=mean,
        sd=deviation,
        least=min(known, default=None),
        greatest=max(known, default=None),
        undefined=len(values) - len(known),
    )
