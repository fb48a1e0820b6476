"""The command publish: build, check, create, upload, wait."""

from __future__ import annotations

import argparse
import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from trainer.publish.folder import Plan
    from trainer.publish.upload import Hub


def add_publish_parser(
    commands: Any,  # noqa: ANN401 - argparse keeps the type of sub-parsers to itself
    report: Callable[[str], None],
) -> None:
    """Add the command that publishes the app as a Hugging Face Space."""
    parser = commands.add_parser("publish", help="publish the app as a Hugging Face Space")
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
    parser.set_defaults(command=lambda options: run_publish(options, report))


def run_publish(options: argparse.Namespace, report: Callable[[str], None]) -> None:
    """Publish as the options say."""
    from trainer.publish.folder import Plan

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
        build_into(empty(options.dry_run), plan, report)
        report(f"Nothing was uploaded; it is all in {options.dry_run}")
        return
    from trainer.publish.upload import Hub

    publish(plan, Hub(report), report)


def publish(
    plan: Plan,
    hub: Hub,
    report: Callable[[str], None],
    check: Callable[..., object] | None = None,
    build: Callable[[Plan, Path], Path] | None = None,
) -> None:
    """Publish a plan: the model repo where there is one, then the Space.

    `build` makes the Space's folder and `check` tries it; by default as the plan says: the app is
    started and asked, the static page is looked over.

    Raises:
        PublishError: whatever went wrong, with the next step.
    """
    from trainer.run.folder import git_commit

    repos = [repo for repo in (plan.space, plan.model_repo) if repo]
    report(f"Logged in as {hub.log_in(*repos)}")
    with tempfile.TemporaryDirectory(prefix="minbert-publish-") as folder:
        build_into(Path(folder), plan, report, check, build)
        parts = [(plan.space, "space")]
        if plan.model_repo:
            parts.append((plan.model_repo, "model"))
        make_room(plan, hub, Path(folder), parts)
        message = f"minBERT Lab, commit {git_commit() or 'unknown'}"
        for repo, kind in reversed(parts):
            commit = hub.upload(Path(folder) / kind, repo, kind, message)
    hub.set_hardware(plan.space, plan.hardware)
    hub.wait(plan.space, commit, static=plan.static)
    if plan.model_repo:
        report(f"The model is at {hub.address(plan.model_repo, 'model')}")
    report(f"The Space is at {hub.address(plan.space, 'space')}")


def make_room(plan: Plan, hub: Hub, folder: Path, parts: list[tuple[str, str]]) -> None:
    """See that every repo is there: all of them, or none that wasn't there before."""
    for _, kind in parts:
        hub.check_readme(folder / kind, kind)
    there = [hub.find(repo, kind, plan.private, plan.sdk) for repo, kind in parts]
    created: list[tuple[str, str]] = []
    try:
        for (repo, kind), known in zip(parts, there, strict=True):
            if not known:
                hardware = None if plan.static else plan.runs_on
                hub.create(repo, kind, private=plan.private, sdk=plan.sdk, hardware=hardware)
                created.append((repo, kind))
    except BaseException:
        for repo, kind in created:
            hub.take_back(repo, kind)
        raise


def build_into(
    folder: Path,
    plan: Plan,
    report: Callable[[str], None],
    check: Callable[..., object] | None = None,
    build: Callable[[Plan, Path], Path] | None = None,
) -> None:
    """Build what is published into `folder`, tell its size, and try the Space's part."""
    from trainer.publish.check import check_space
    from trainer.publish.folder import build_model, build_space
    from trainer.publish.index import index_notice
    from trainer.publish.static import build_static, check_static

    if plan.static:
        report("Building the page of findings ...")
    built = [(build or (build_static if plan.static else build_space))(plan, folder / "space")]
    if plan.model_repo:
        built.append(build_model(plan, folder / "model"))
    for part in built:
        files = [path for path in part.rglob("*") if path.is_file()]
        size = sum(path.stat().st_size for path in files) / 1e6
        report(f"The {part.name}'s folder: {len(files)} files, {size:.1f} MB")
    if plan.index is not None:
        report(index_notice(plan.index, private=plan.private))
    look_over = functools.partial(check_static, live=plan.live) if plan.static else check_space
    (check or look_over)(folder / "space", report)


def empty(folder: Path) -> Path:
    """Return the folder when nothing would be lost in it.

    Raises:
        ValueError: it is a file, or holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"`--dry-run` should be a folder that is new or empty. Found {folder}, which isn't."
        )
    return folder


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
