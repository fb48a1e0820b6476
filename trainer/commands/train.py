"""The command train; the work is in `trainer.run`, elsewhere in `trainer.publish.jobs`."""

from __future__ import annotations

import argparse
import dataclasses
import shlex
from pathlib import Path

from trainer.commands.terminal import (
    add_data_option,
    add_machine_options,
    add_profile_option,
    agree,
    default_data,
    tell,
)
from trainer.config import TrainConfig
from trainer.options import add_setting_options, as_arguments, chosen_settings
from trainer.recipes import CHAINS, RECIPES
from trainer.recipes.profiles import changes_of, with_profile
from trainer.recipes.row import Chain

NAME = "train"
HELP = "train a recipe, or continue a run"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    recipes = (*CHAINS, *RECIPES)
    parser.add_argument("recipe", choices=recipes, metavar="RECIPE", help=", ".join(recipes))
    add_data_option(parser)
    add_profile_option(parser, "report")
    parser.add_argument("--out", type=Path, help="folder of the run (default: runs/RECIPE-SEED)")
    parser.add_argument("--resume", action="store_true", help="continue the run in --out")
    add_machine_options(parser)
    add_job_options(parser)
    add_setting_options(parser, TrainConfig)


def add_job_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of a run on a rented machine."""
    group = parser.add_argument_group("on a machine of the Hugging Face Hub, paid by the minute")
    group.add_argument("--on", choices=("hf-jobs",), help="train there, bring the run back here")
    group.add_argument("--flavor", help="the machine, such as a10g-small; left out, all are listed")
    group.add_argument("--timeout", help="the Hub stops it then, as in 90m (default: 2h)")
    group.add_argument("--yes", action="store_true", help="start without asking")
    group.add_argument(
        "--dry-run", action="store_true", help="what it costs and sends; send nothing"
    )
    group.add_argument("--attach", metavar="JOB", help="come back to a job that was started before")


def run(options: argparse.Namespace) -> None:
    """Train a recipe of one run or of several stages, here or on a rented machine."""
    if options.on is not None:
        run_job(options)
        return
    for name in ("flavor", "timeout", "yes", "dry_run", "attach"):
        if value := getattr(options, name):
            raise ValueError(
                f"`--{name.replace('_', '-')}` goes with --on hf-jobs. Found {value!r} without it; "
                "add that, or leave this out."
            )
    recipe = recipe_of(options)
    model = run_chain(recipe, options) if isinstance(recipe, Chain) else run_recipe(recipe, options)
    tell(f"The model is in {model}")


def recipe_of(options: argparse.Namespace) -> TrainConfig | Chain:
    """Return the recipe with the command line's changes.

    Raises:
        ValueError: a change that it doesn't take.
    """
    changes = chosen_settings(options)
    if options.recipe not in CHAINS:
        recipe = with_profile(RECIPES[options.recipe], options.profile)
        return dataclasses.replace(recipe, **changes)
    if options.profile != "report":
        raise ValueError(
            f"`--profile` goes with recipes of one run. Found {options.profile!r} with "
            f"{options.recipe}, which is made for two CPU cores as it is; leave it out."
        )
    return CHAINS[options.recipe].changed(**changes)


def out_of(recipe: TrainConfig | Chain, options: argparse.Namespace) -> Path:
    """Return the run's folder."""
    seed = (recipe.stages[0].config if isinstance(recipe, Chain) else recipe).seed
    return options.out or Path("runs") / f"{recipe.name}-{seed}"


def run_recipe(config: TrainConfig, options: argparse.Namespace) -> Path:
    """Train a recipe of one run; return the model's folder."""
    from trainer.run.train import train

    if changes := changes_of(RECIPES[options.recipe], options.profile):
        tell(f"Profile {options.profile} changes: {changes}")
    return train(
        config,
        options.data,
        out_of(config, options),
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )


def run_chain(chain: Chain, options: argparse.Namespace) -> Path:
    """Train a recipe of several stages; return the model's folder."""
    from trainer.run.chain import train_chain

    return train_chain(
        chain,
        options.data,
        out_of(chain, options),
        resume=options.resume,
        device_name=options.device,
        report=tell,
    )


def run_job(options: argparse.Namespace) -> None:
    """Train on a rented machine, or come back to a job that does."""
    from trainer.publish import jobs
    from trainer.publish.publish import check_empty
    from trainer.publish.upload import Hub

    check_travels(options)
    recipe = recipe_of(options)
    out = check_empty(out_of(recipe, options), "--out")
    attach = f"python -m trainer train {options.recipe} --on hf-jobs --out {shlex.quote(str(out))}"
    hub = Hub(tell, needs_token=not options.dry_run)
    owner = hub.log_in() if hub.token else "USER"
    if options.attach is None:
        order = jobs.Order(
            out.name,
            (options.recipe, *changes_for_job(options)),
            mines_first(recipe),
            options.flavor,
            jobs.seconds_of(options.timeout or "2h"),
        )
        machine = jobs.machine_for(order, hub)
        for line in jobs.cost_lines(order, machine):
            tell(line)
        if options.dry_run:
            for line in jobs.describe(order, machine, jobs.repo_of(order, owner)):
                tell(line)
            tell("Nothing was sent")
            return
        if not options.yes:
            agree("Start the job?")
        job, repo = jobs.start(order, machine, hub, owner)
    else:
        job, repo = jobs.look_at(options.attach, hub, owner)
    model = jobs.await_run(job, repo, hub, out, f"{attach} --attach {job.id}")
    tell(f"The model is in {model}")


def check_travels(options: argparse.Namespace) -> None:
    """See that the run needs nothing that lies on this machine alone.

    Raises:
        ValueError: it does.
    """
    settings = chosen_settings(options)
    here = {
        "--data": options.data if options.data != default_data() else None,
        "--resume": options.resume,
        "--start-from": settings.get("start_from"),
        "--soft-labels": settings.get("soft_labels"),
        "--encoder": encoder
        if (encoder := settings.get("encoder")) and Path(encoder).exists()
        else "",
    }
    for name, value in here.items():
        if value:
            raise ValueError(
                f"`{name}` should be left out with --on hf-jobs: the job downloads the course's "
                f"files and public models, and sees nothing of this machine. Found {value}; leave "
                "it out, or train where it lies."
            )


def changes_for_job(options: argparse.Namespace) -> list[str]:
    """Return the options of train that the job gets, the settings among them."""
    given = {
        "--profile": options.profile if options.profile != "report" else None,
        "--device": options.device if options.device != "auto" else None,
        "--threads": options.threads,
    }
    passed = [word for name, value in given.items() if value for word in (name, str(value))]
    return [*passed, *as_arguments(chosen_settings(options))]


def mines_first(recipe: TrainConfig | Chain) -> bool:
    """Say whether a recipe reads the hard negatives that `mine` makes."""
    stages = [s.config for s in recipe.stages] if isinstance(recipe, Chain) else [recipe]
    return any("quora-mined" in config.extra_paraphrase for config in stages)
