"""The command publish; the work is in `trainer.publish`."""

from __future__ import annotations

import argparse
from pathlib import Path

from trainer.commands.terminal import print_result, tell

NAME = "publish"
HELP = "publish the app as a Hugging Face Space"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--space", metavar="USER/NAME", help="the Space to publish")
    which.add_argument(
        "--verify",
        metavar="USER/NAME|ADDRESS",
        help="hold a live Space, or a page at http://..., against this checkout; alone",
    )
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
    """Publish as the options say, or verify what was published."""
    if options.verify is not None:
        check_alone(options)
        verify_page(options.verify)
        return
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


def verify_page(target: str) -> None:
    """Print each check of a live page.

    Raises:
        PublishError: one doesn't hold; or the page can't be asked, with the next step.
        ValueError: `target` is no Space's name and no address.
    """
    from trainer.publish.errors import PublishError
    from trainer.publish.verify import verify

    if "://" not in target:
        check_name("--verify", target)
    checks = []
    for check in verify(target, tell):
        print_result(f"{'ok' if check.holds else 'FAILED':<8}{check.told}")
        checks.append(check.holds)
    if not all(checks):
        raise PublishError(
            f"`{target}` should pass all {len(checks)} checks. Found {checks.count(False)} that "
            "failed, as told above; publish it anew from this checkout, or verify it from the one "
            "that it was published from."
        )


def check_alone(options: argparse.Namespace) -> None:
    """See that --verify, which uploads nothing, has none of the others' options.

    Raises:
        ValueError: it has.
    """
    others = ("model_repo", "hardware", "static", "index", "live", "private", "dry_run")
    for name in others:
        if getattr(options, name):
            raise ValueError(
                "`--verify` should stand alone: it uploads nothing. Found "
                f"--{name.replace('_', '-')} beside it; leave that out."
            )


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
