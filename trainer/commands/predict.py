"""The command predict; the work is in `trainer.evaluation.predict`."""

from __future__ import annotations

import argparse

from minbert.tasks import TASKS
from trainer.commands.terminal import add_file_options, add_machine_options, tell

NAME = "predict"
HELP = "label a file"
FAST = "fast"
FASTER = {
    "int8": "Encodes with 8-bit weights.",
    "bf16": "Encodes in bfloat16.",
}
NOT_FASTER = "--fast can't help with this model on this processor; encodes in float32."


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_file_options(parser, ".tsv, .csv, .jsonl (each with .gz too) or .parquet")
    parser.add_argument("--task", required=True, choices=tuple(TASKS))
    parser.add_argument(
        "--fast",
        dest="backend",
        action="store_const",
        const=FAST,
        help="8-bit or bf16 weights, whichever the processor is faster in; a little less exact",
    )
    add_machine_options(parser)


def run(options: argparse.Namespace) -> None:
    """Label a file."""
    from minbert.predictor import Predictor
    from trainer.evaluation.predict import predict_file
    from trainer.run.distributed import World

    World.of_environment().take_gpu()
    predictor = Predictor.from_pretrained(options.model, options.device, runtime=options.backend)
    if options.backend == FAST:
        tell(FASTER.get(getattr(predictor.backend, "runtime", ""), NOT_FASTER))
    predict_file(
        predictor,
        options.task,
        options.input,
        options.output,
        skip_bad=options.skip_bad,
        columns=options.columns,
        report=tell,
    )
