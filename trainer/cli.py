"""`python -m trainer`: download, train, evaluate, calibrate, predict, reproduce, publish and more.

Each command loads what it needs when it runs; neither gradio nor plotly is ever loaded.
"""

from __future__ import annotations

import argparse
import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from minbert.device import DEVICES
from trainer.commands.bias import add_bias_parser
from trainer.commands.calibrate import add_calibrate_parser
from trainer.commands.index import add_index_parser
from trainer.commands.mine import add_mine_parser
from trainer.config import MlmConfig, TrainConfig
from trainer.data.course import SPLITS
from trainer.data.download import DownloadError, download
from trainer.data.treebank_download import download_trees
from trainer.evaluation.heads import add_heads_parser
from trainer.options import add_setting_options, chosen_settings
from trainer.publish.errors import PublishError
from trainer.publish.publish import add_publish_parser
from trainer.recipes import CHAINS, RECIPES, ROWS
from trainer.recipes.profiles import PROFILES, changes_of, with_profile

RESULTS = Path("assets/results")
USER_ERRORS = (ValueError, OSError, DownloadError, PublishError)  # each message says what to do


def tell(message: str) -> None:
    """Write a line for the person at the terminal."""
    sys.stderr.write(message + "\n")
    sys.stderr.flush()


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


def add_reproduction_parsers(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    data_default: Path,
    data_help: str,
) -> None:
    """Add the commands around the report's tables."""
    reproduce = commands.add_parser("reproduce", help="run the rows of the report's tables")
    reproduce.add_argument(
        "--rows", nargs="+", choices=tuple(ROWS), metavar="ROW", help=f"of {', '.join(ROWS)}"
    )
    reproduce.add_argument("--seeds", type=int, default=1, help="seeds 0 to N-1 (default: 1)")
    add_profile_option(reproduce, "cpu")
    reproduce.add_argument("--data", type=Path, default=data_default, help=data_help)
    reproduce.add_argument("--runs", type=Path, default=Path("runs/reproduction"))
    add_machine_options(reproduce)
    reproduce.set_defaults(command=run_reproduce)

    untrained = commands.add_parser("untrained", help="score heads that nobody trained")
    untrained.add_argument("--seeds", type=int, default=20, help="draws (default: 20)")
    add_profile_option(untrained, "cpu")
    untrained.add_argument("--data", type=Path, default=data_default, help=data_help)
    add_machine_options(untrained)
    untrained.set_defaults(command=run_untrained)

    heads = add_heads_parser(commands)
    tables = commands.add_parser("tables", help="print the tables of what was reproduced")
    tables.add_argument("--readme", type=Path, help="also write them into this file's marked part")
    for command in (reproduce, untrained, heads, tables):
        command.add_argument(
            "--results", type=Path, default=RESULTS, help=f"folder (default: {RESULTS})"
        )
    tables.set_defaults(command=run_tables)


def add_profile_option(parser: argparse.ArgumentParser, default: str) -> None:
    """Add the option that fits a recipe to a machine."""
    parser.add_argument(
        "--profile",
        choices=tuple(PROFILES),
        default=default,
        help=f"what changes in the recipe for this machine (default: {default}: "
        + ("nothing)" if default == "report" else "see trainer/recipes/profiles.py)"),
    )


def add_machine_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where to compute."""
    parser.add_argument("--device", choices=DEVICES, default="auto", help="default: auto")
    parser.add_argument("--threads", type=int, help="CPU threads (default: torch's own choice)")


def use_threads(count: int | None) -> None:
    """Set torch's CPU threads, where a number is given.

    Raises:
        ValueError: a number below 1.
    """
    if count is None:
        return
    if count < 1:
        raise ValueError(f"`--threads` should be at least 1. Found {count}.")
    import torch

    torch.set_num_threads(count)


def run_download(options: argparse.Namespace) -> None:
    """Bring the course's files."""
    download(options.data, report=tell)
    download_trees(options.data, report=tell)


def run_train(options: argparse.Namespace) -> None:
    """Train a recipe."""
    from trainer.run.train import train

    use_threads(options.threads)
    if options.recipe in CHAINS:
        run_train_chain(options)
        return
    recipe = RECIPES[options.recipe]
    if changes := changes_of(recipe, options.profile):
        tell(f"Profile {options.profile} changes: {changes}")
    config = dataclasses.replace(with_profile(recipe, options.profile), **chosen_settings(options))
    out = options.out or Path("runs") / f"{config.name}-{config.seed}"
    model = train(
        config,
        options.data,
        out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The model is in {model}")


def run_train_chain(options: argparse.Namespace) -> None:
    """Train a recipe of several stages."""
    from trainer.run.chain import train_chain

    if options.profile != "report":
        raise ValueError(
            f"`--profile` goes with recipes of one run. Found {options.profile!r} with "
            f"{options.recipe}, which is made for two CPU cores as it is; leave it out."
        )
    chain = CHAINS[options.recipe].changed(**chosen_settings(options))
    out = options.out or Path("runs") / f"{chain.name}-{chain.stages[0].config.seed}"
    model = train_chain(
        chain,
        options.data,
        out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The model is in {model}")


def run_mlm(options: argparse.Namespace) -> None:
    """Train an encoder on as a masked language model."""
    from trainer.run.mlm import train_mlm

    use_threads(options.threads)
    model = train_mlm(
        MlmConfig(**chosen_settings(options)),
        options.data,
        options.out,
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )
    tell(f"The encoder is in {model}")


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


def run_reproduce(options: argparse.Namespace) -> None:
    """Run what is missing of the report's tables, and print them."""
    from trainer.reproduction.reproduce import reproduce
    from trainer.reproduction.tables import tables

    use_threads(options.threads)
    if options.seeds < 1:
        raise ValueError(f"`--seeds` should be at least 1. Found {options.seeds}.")
    reproduce(
        options.rows or tuple(ROWS),
        range(options.seeds),
        options.profile,
        data=options.data,
        runs=options.runs,
        results=options.results,
        device_name=options.device,
        report=tell,
    )
    sys.stdout.write(tables(options.results) + "\n")


def run_untrained(options: argparse.Namespace) -> None:
    """Score untrained heads under the baseline's settings."""
    from minbert.device import choose_device
    from trainer.reproduction.untrained import untrained_heads

    use_threads(options.threads)
    untrained_heads(
        with_profile(RECIPES["baseline"], options.profile),
        options.data,
        seeds=options.seeds,
        device=choose_device(options.device),
        out=options.results / "untrained-heads.json",
        report=tell,
    )


def run_tables(options: argparse.Namespace) -> None:
    """Print the reproduced tables as Markdown."""
    from trainer.reproduction.tables import tables, write_into_readme

    markdown = tables(options.results)
    if options.readme:
        write_into_readme(options.readme, markdown)
    sys.stdout.write(markdown + "\n")


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
