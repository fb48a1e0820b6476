"""The command publish; the work is in `trainer.publish`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import tell

NAME = "publish"
HELP = "publish the app as a Hugging Face Space"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--space", required=True, metavar="USER/NAME", help="the Space")
    parser.add_argument(
        "--model-repo", metavar="USER/NAME", help="also publish the model, with its card"
    )
    parser.add_argument(
        "--hardware",
        help="cpu-basic, zero-a10g, ... (default: as it is; cpu-basic for a new Space)",
    )
    parser.add_argument(
        "--static",
        action="store_true",
        help="the page of findings instead of the app: runs nothing, free for everyone",
    )
    parser.add_argument(
        "--index",
        type=Path,
        metavar="DIR",
        help="also upload your own index of training sentences; mind the data's terms",
    )
    parser.add_argument(
        "--live",
        action="store_true",
        help="with --static: the model beside the page, to answer in the visitor's browser",
    )
    parser.add_argument("--private", action="store_true", help="for the owner alone to see")
    parser.add_argument(
        "--dry-run", type=Path, metavar="DIR", help="build and check into DIR, upload nothing"
    )


def run(options: argparse.Namespace) -> None:
    """Publish as the options say."""
    from trainer.publish.folder import Plan
    from trainer.publish.publish import build_into, check_empty, publish

    check_name("--space", options.space)
    if options.model_repo:
        check_name("--model-repo", options.model_repo)
    check_hardware(options.hardware, static=options.static)
    if options.static and options.index is not None:
        raise ValueError(
            "`--index` should be left out with --static: such a page holds no training sentences. "
            f"Found {options.index}; leave one of the two out."
        )
    if options.live and not options.static:
        raise ValueError(
            "`--live` should come with --static: it is the page that answers in the browser. Found "
            "it alone; add --static, or leave it out for the app."
        )
    plan = Plan(
        space=options.space,
        model_repo=options.model_repo,
        hardware=options.hardware,
        private=options.private,
        static=options.static,
        index=options.index,
        live=options.live,
    )
    if options.dry_run is not None:
        build_into(check_empty(options.dry_run), plan, tell)
        tell(f"Nothing was uploaded; it is all in {options.dry_run}")
        return
    from trainer.publish.upload import Hub

    publish(plan, Hub(tell), tell)


def check_name(option: str, name: str) -> None:
    """See that a repo's name can be one.

    Raises:
        ValueError: it can't.
    """
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id  # type: ignore[attr-defined]  # it is there

    try:
        validate_repo_id(name)
        if name.count("/") == 1:
            return
        why = "the account's name is missing"
    except HFValidationError as error:
        why = str(error)
    raise ValueError(f"`{option}` should be USER/NAME. Found {name!r}; {why}")


def check_hardware(hardware: str | None, *, static: bool = False) -> None:
    """See that the client knows the hardware, and that the Space is one that has some.

    Raises:
        ValueError: it doesn't, or it isn't.
    """
    if static and hardware is not None:
        raise ValueError(
            "`--hardware` should be left out with --static: such a Space is a page and runs "
            f"nothing. Found {hardware!r}; leave one of the two out."
        )
    from huggingface_hub import SpaceHardware

    known = [each.value for each in SpaceHardware]
    if hardware is not None and hardware not in known:
        raise ValueError(f"`--hardware` should be one of {', '.join(known)}. Found {hardware!r}.")
