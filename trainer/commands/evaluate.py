"""The commands evaluate and predict."""

from __future__ import annotations

import argparse
import sys

from trainer.commands.terminal import tell, use_threads


def run_evaluate(options: argparse.Namespace) -> None:
    """Score a model."""
    from trainer.evaluation.command import evaluate

    use_threads(options.threads)
    table = evaluate(
        options.model,
        options.data,
        options.split,
        device=options.device,
        keep_trained=options.keep_trained,
        json_file=options.json,
        masked=options.mask_demographics,
        report=tell,
    )
    sys.stdout.write(table + "\n")


def run_predict(options: argparse.Namespace) -> None:
    """Label a file."""
    from minbert.predictor import Predictor
    from trainer.evaluation.predict import predict_file

    use_threads(options.threads)
    predictor = Predictor.from_pretrained(options.model, options.device)
    predict_file(
        predictor,
        options.task,
        options.input,
        options.output,
        skip_bad=options.skip_bad,
        report=tell,
    )
