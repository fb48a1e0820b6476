"""The command publish: build, check, create, upload, wait."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trainer.publish.folder import Plan
    from trainer.publish.upload import Hub


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
    from trainer.provenance import git_commit

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


def check_empty(folder: Path, option: str = "--dry-run") -> Path:
    """Return the folder when nothing would be lost in it.

    Raises:
        ValueError: it is a file, or holds something.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise ValueError(
            f"`{option}` should be a folder that is new or empty. Found {folder}, which isn't; "
            "name another."
        )
    return folder
