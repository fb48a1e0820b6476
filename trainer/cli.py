"""`python -m trainer`: download, train, evaluate, calibrate, predict, reproduce, publish and more.

Each command loads what it needs when it runs; neither gradio nor plotly is ever loaded.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable, Sequence
from pathlib import Path

from trainer.commands.bias import add_bias_parser
from trainer.commands.calibrate import add_calibrate_parser
from trainer.commands.download import run_download
from trainer.commands.evaluate import run_evaluate, run_predict
from trainer.commands.index import add_index_parser
from trainer.commands.mine import add_mine_parser
from trainer.commands.publish import add_publish_parser
from trainer.commands.reproduce import add_reproduction_parsers
from trainer.commands.terminal import USER_ERRORS, add_machine_options, tell
from trainer.commands.train import add_profile_option, run_mlm, run_train
from trainer.config import MlmConfig, TrainConfig
from trainer.data.course import SPLITS
from trainer.options import add_setting_options
from trainer.recipes import CHAINS, RECIPES


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 for an error a person can mend, or 130 when interrupted."""
    options = make_parser().parse_args(arguments)
    try:
        command: Callable[[argparse.Namespace], None] = options.command
        command(options)
    except USER_ERRORS as error:
        tell(f"error: {error}")
        if os.environ.get("MINBERT_TRACEBACK"):
            raise
        return 1
    except KeyboardInterrupt:
        tell("interrupted")
        return 130
    return 0


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands."""
    parser = argparse.ArgumentParser(prog="python -m trainer", description=__doc__.split("\n")[0])
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    data_help = "folder of the course's files (default: $MINBERT_DATA, else data)"
    data_default = Path(os.environ.get("MINBERT_DATA", "data"))

    fetch = commands.add_parser("download", help="bring the course's files")
    fetch.add_argument("--data", type=Path, default=data_default, help=data_help)
    fetch.set_defaults(command=run_download)

    train = commands.add_parser("train", help="train a recipe, or continue a run")
    recipes = (*CHAINS, *RECIPES)
    train.add_argument("recipe", choices=recipes, metavar="RECIPE", help=", ".join(recipes))
    train.add_argument("--data", type=Path, default=data_default, help=data_help)
    add_profile_option(train, "report")
    train.add_argument("--out", type=Path, help="folder of the run (default: runs/RECIPE-SEED)")
    train.add_argument("--resume", action="store_true", help="continue the run in --out")
    add_machine_options(train)
    add_setting_options(train, TrainConfig)
    train.set_defaults(command=run_train)

    mlm = commands.add_parser("mlm", help="train an encoder on as a masked language model")
    mlm.add_argument("--data", type=Path, default=data_default, help=data_help)
    mlm.add_argument("--out", type=Path, required=True, help="folder of the run")
    mlm.add_argument("--resume", action="store_true", help="continue the run in --out")
    add_machine_options(mlm)
    add_setting_options(mlm, MlmConfig)
    mlm.set_defaults(command=run_mlm)

    evaluate = commands.add_parser("evaluate", help="score a model on a labelled split")
    evaluate.add_argument("--model", required=True, help="folder or Hugging Face id")
    evaluate.add_argument("--data", type=Path, default=data_default, help=data_help)
    evaluate.add_argument("--split", choices=SPLITS[:2], default="dev", help="default: dev")
    evaluate.add_argument("--json", type=Path, help="also write the scores to this file")
    evaluate.add_argument(
        "--keep-trained", action="store_true", help="keep pairs that the model was trained on"
    )
    evaluate.add_argument(
        "--mask-demographics",
        action="store_true",
        help="the model reads [MASK] in place of demographic terms, as by the page's switch",
    )
    add_machine_options(evaluate)
    evaluate.set_defaults(command=run_evaluate)
    add_machine_options(add_calibrate_parser(commands, data_default, data_help))

    add_reproduction_parsers(commands, data_default, data_help)

    predict = commands.add_parser("predict", help="label a file")
    predict.add_argument("--model", required=True, help="folder or Hugging Face id")
    predict.add_argument("--task", required=True, choices=("sentiment", "paraphrase", "similarity"))
    predict.add_argument("--input", type=Path, required=True, help="tab-separated, with a header")
    predict.add_argument("--output", type=Path, required=True, help="tab-separated predictions")
    predict.add_argument("--skip-bad", action="store_true", help="leave broken rows out, counted")
    add_machine_options(predict)
    predict.set_defaults(command=run_predict)
    for add in (add_index_parser, add_mine_parser):
        add_machine_options(add(commands, data_default, data_help))
    add_publish_parser(commands, tell)
    add_machine_options(add_bias_parser(commands))
    return parser
