"""The page of findings as a static Space: built by minbert's own command, then looked over.

It is built in a process of its own, for the trainer knows nothing of plotly.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

from huggingface_hub import RepoCard

from minbert.browser.package import FOLDER, NAMES, NOTICE
from trainer.publish.errors import PublishError
from trainer.publish.folder import Plan

PAGE = "index.html"
STATIC_FILES = {PAGE, "LICENSE"}  # what we put into one, beside the README
LIVE_FILES = {f"{FOLDER}/{name}" for name in (*NAMES.values(), NOTICE)}  # with a model beside it
STATIC_MARK = "minBERT Lab: findings"  # in the README of a static Space of ours
MOST_BYTES = 9_000_000  # from 10 MB on the Hub keeps a file elsewhere and serves it otherwise
CLOSED = "default-src 'none'"  # the page's own policy: no request but those that it names
# A Space's host may answer for its large files from the Hub's own file store: a policy may name it.
STORE = {"https://*.hf.co", "https://*.huggingface.co"}
SHOWN = 3  # references that an error tells
LOADING = {"src", "srcset", "href", "xlink:href", "poster", "data", "action", "formaction"}
LOADING |= {"background", "ping", "manifest"}
OUTSIDE = re.compile(r"(?:^|[\s,;=])((?:https?|wss?|ftp):|//)", re.IGNORECASE)
STYLE_OUTSIDE = re.compile(
    r"""(?:url\(\s*["']?|@import\s+["'])\s*(?:(?:https?|ftp):|//)""", re.IGNORECASE
)


def build_static(plan: Plan, out: Path) -> Path:
    """Build the static Space's folder at `out`: the page, its README, the licence, maybe a model.

    Raises:
        PublishError: the page's command fails; its last words are told.
    """
    command = [sys.executable, "-B", "-m", "minbert.ui.static", "--out", str(out.resolve())]
    command += ["--space", *(["--live"] if plan.live else [])]
    command += ["--model-repo", plan.model_repo] if plan.model_repo else []
    environment = {name: value for name, value in os.environ.items() if name != "HF_TOKEN"}
    done = subprocess.run(
        command,
        cwd=plan.root,
        env={**environment, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        words = "\n".join(f"  {line}" for line in done.stderr.splitlines()[-15:]) or "  (none)"
        raise PublishError(
            "The page of findings couldn't be built, so nothing was uploaded. Mend what it names "
            "(`pip install -r requirements.txt`, should a package be missing), then run this "
            f"again. Its last words:\n{words}"
        )
    shutil.copyfile(plan.root / "LICENSE", out / "LICENSE")
    return out


def check_static(folder: Path, report: Callable[[str], None], *, live: bool = False) -> None:
    """See that the folder is a page that stands alone, and a README that makes it a static Space.

    With `live` the page has its model beside it, and nothing else.

    Raises:
        PublishError: the page is missing or too large, may ask another host for something, has
            company, or its README says otherwise.
    """
    more = LIVE_FILES if live else set()
    problems = [*page_problems(folder / PAGE, live=live), *folder_problems(folder, more)]
    if problems:
        raise PublishError(
            f"The page can't be published, so nothing was uploaded: {'; '.join(problems)}. Mend "
            "it in minbert/ui/static/, and run this again."
        )
    held = "one page and its model" if live else "one page"
    report(f"Checked: {held}, which asks no other host for anything")


def page_problems(path: Path, *, live: bool = False) -> list[str]:
    """Say what is wrong with the page."""
    if not path.is_file():
        return [f"{PAGE} should be there. Found none"]
    size = path.stat().st_size
    if size > MOST_BYTES:
        return [f"{PAGE} should have at most {MOST_BYTES:,} bytes. Found {size:,}"]
    page = References(STORE if live else set())
    page.feed(path.read_text(encoding="utf-8"))
    page.close()
    problems = []
    if page.found:
        told = ", ".join(page.found[:SHOWN])
        told += f" and {len(page.found) - SHOWN} more" if len(page.found) > SHOWN else ""
        problems.append(f"{PAGE} should refer to no other host. Found {told}")
    if CLOSED not in page.policy:
        found = repr(page.policy) if page.policy else "no policy"
        problems.append(f"{PAGE} should forbid all requests by the policy {CLOSED}. Found {found}")
    return problems


def folder_problems(folder: Path, more: set[str]) -> list[str]:
    """Say what is wrong with what stands beside the page, where `more` has to stand."""
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    problems = []
    if company := sorted(files - STATIC_FILES - more - {"README.md"}):
        problems.append(f"the folder should hold one page. Found {', '.join(company)} beside it")
    if missing := sorted(more - files):
        problems.append(f"the page's model needs {', '.join(missing)}. Found nothing there")
    if "README.md" not in files:
        return [*problems, "README.md should be there. Found none"]
    text = (folder / "README.md").read_text(encoding="utf-8")
    sdk = RepoCard(text, ignore_metadata_errors=True).data.get("sdk")
    if sdk != "static":
        problems.append(f"README.md's front matter should say `sdk: static`. Found {sdk!r}")
    if STATIC_MARK not in text:  # without it, the next run wouldn't know its own Space
        problems.append(f"README.md should name the page, {STATIC_MARK!r}. It doesn't")
    return problems


class References(HTMLParser):
    """Whatever in a page names another host: links, sources, styles, its own policy."""

    def __init__(self, allowed: set[str]) -> None:
        """Begin with nothing found; the page's policy may name the hosts that are allowed."""
        super().__init__()
        self.allowed = allowed
        self.found: list[str] = []
        self.policy = ""
        self.in_style = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Look at an element's attributes."""
        self.in_style = tag == "style"
        told = {name: value or "" for name, value in attrs}
        looked_at = LOADING
        if tag == "meta" and told.get("http-equiv"):  # a policy, or a jump to another page
            looked_at = {*LOADING, "content"}
            if told["http-equiv"].lower() == "content-security-policy":
                self.policy = told.get("content", "")
                kept = [
                    part for part in re.split(r"(\s|;)", self.policy) if part not in self.allowed
                ]
                told["content"] = "".join(kept)
        for name, value in told.items():
            outside = OUTSIDE if name in looked_at else STYLE_OUTSIDE if name == "style" else None
            if outside is not None and outside.search(value):
                self.found.append(f'<{tag} {name}="{value[:100]}">')

    def handle_data(self, data: str) -> None:
        """Look at a style sheet; scripts are held by the policy."""
        if self.in_style:
            self.found += [
                f"{each.group(0)}... in a style" for each in STYLE_OUTSIDE.finditer(data)
            ]

    def handle_endtag(self, tag: str) -> None:  # noqa: ARG002 - the parser's own signature
        """Leave a style sheet."""
        self.in_style = False
