"""The Hub: the one module of the publisher that speaks over the network."""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, RepoCard, constants, get_token, set_client_factory
from huggingface_hub.errors import EntryNotFoundError, HfHubHTTPError, RepositoryNotFoundError

from trainer.publish.errors import (
    TOKENS,
    PublishError,
    answer_of,
    connection_gone,
    explain,
    one_line,
    refused_creation,
    refused_hardware,
    without_token,
)
from trainer.publish.ours import is_our_model, is_our_space, other_kind

SILENCE = 120.0  # seconds without a byte after which the connection counts as lost
BUILD_TIME = 1800.0  # seconds until a build should be done; the Hub's own limit for starting
PAUSE = 5.0  # seconds between two looks at a build
STALE = 60.0  # seconds that the Hub may take to notice a new commit
LOST_LOOKS = 5  # looks at a build that may fail in a row
BROKEN = ("BUILD_ERROR", "RUNTIME_ERROR", "CONFIG_ERROR", "NO_APP_FILE", "DELETING")
RESTING = ("PAUSED", "STOPPED", "SLEEPING")


class Hub:
    """A person's account on the Hub, by their token, which is never told."""

    def __init__(
        self,
        report: Callable[[str], None],
        *,
        silence: float = SILENCE,
        pause: float = PAUSE,
        needs_token: bool = True,
    ) -> None:
        """Find the token: HF_TOKEN, else what `hf auth login` stored, else "" where none is needed.

        Raises:
            PublishError: there is none, or the Hub's client is told to stay offline.
        """
        token = get_token() or ""
        if needs_token and not token:
            raise PublishError(
                f"A Hugging Face token is needed. Found none; make one with write access at "
                f"{TOKENS}, then `hf auth login`, or set HF_TOKEN. (--dry-run needs none.)"
            )
        if constants.HF_HUB_OFFLINE:
            raise PublishError("HF_HUB_OFFLINE keeps this machine off the Hub. Unset it first.")
        self.token = token
        self.report: Callable[[str], None] = lambda line: report(without_token(line, token))
        self.pause = pause
        patience = httpx2.Timeout(silence, connect=min(silence, 20.0))
        set_client_factory(lambda: httpx2.Client(follow_redirects=True, timeout=patience))
        self.api = HfApi(
            endpoint=constants.ENDPOINT, token=token or False, library_name="minbert-lab"
        )

    @contextlib.contextmanager
    def doing(self, what: str, again: str = "") -> Iterator[None]:
        """Turn any error of the client within the block into a `PublishError`."""
        try:
            yield
        except Exception as error:  # the client raises its own, httpx2's, xet's and built-in ones
            raise explain(error, what, self.token, again) from error

    def address(self, repo: str, kind: str) -> str:
        """Return where a repo is looked at."""
        return f"{self.api.endpoint}/{'spaces/' if kind == 'space' else ''}{repo}"

    def log_in(self, *repos: str) -> str:
        """Return the account's name, once it is known that it may write to these repos.

        Raises:
            PublishError: the token is refused or can only read, or a namespace isn't theirs.
        """
        with self.doing("logging in"):
            told = self.api.whoami()
        access = (told.get("auth") or {}).get("accessToken") or {}
        if access.get("role") == "read":
            raise PublishError(f"The token can only read. Make one with write access at {TOKENS}.")
        orgs = {org["name"]: org.get("roleInOrg") for org in told.get("orgs", [])}
        name = str(told["name"])
        for repo in repos:
            owner = repo.split("/")[0]
            if owner != name and orgs.get(owner, "read") == "read":
                theirs = ", ".join(repr(each) for each in (name, *orgs))
                raise PublishError(
                    f"`{repo}` should be under an account that this token may write to: {theirs}. "
                    f"Found {owner!r}; take one of these, or log in as {owner!r}."
                )
        return name

    def check_readme(self, folder: Path, kind: str) -> None:
        """Let the Hub read a folder's README before anything is created.

        Raises:
            PublishError: its front matter is refused.
        """
        card = RepoCard((folder / "README.md").read_text(encoding="utf-8"))
        with self.doing(f"checking the {kind}'s README"):
            try:
                card.validate(repo_type=kind)
            except ValueError as error:
                raise PublishError(
                    f"The Hub refuses the {kind}'s README.md: {one_line(error)}. Nothing was "
                    "created. Mend it in assets/publish or trainer/publish/card.py, and run this "
                    "again."
                ) from error

    def find(self, repo: str, kind: str, private: bool, sdk: str = "gradio") -> bool:
        """Say whether the repo is there already, and see that it is ours to update.

        Args:
            repo: USER/NAME.
            kind: "space" or "model".
            private: whether it should be.
            sdk: of a Space, "gradio" or "static".

        Raises:
            PublishError: it holds something else, is a Space of the other kind, or is public where
                it should be private.
        """
        with self.doing(f"looking for {repo}"):
            try:
                info = self.api.repo_info(repo, repo_type=kind)
            except RepositoryNotFoundError:
                return False
            listed = getattr(info, "siblings", None) or []
            files, read = {each.rfilename for each in listed}, self._reader(repo, kind)
            if kind == "space":
                found = getattr(info, "sdk", None)
                if {found, sdk} == {"gradio", "static"}:
                    raise PublishError(other_kind(repo, sdk))
                ours = found == sdk and is_our_space(sdk, files, read)
            else:
                ours = is_our_model(files, read)
        if not ours:
            raise PublishError(
                f"`{repo}` should be free, or a {kind} that this command made. Found a {kind} with "
                "something else in it; choose another name, or delete it in its settings."
            )
        if private and getattr(info, "private", None) is False:
            raise PublishError(
                f"`{repo}` should be private. Found it public already; nothing was uploaded. Make "
                f"it private in its settings first, or leave --private out."
            )
        return True

    def _reader(self, repo: str, kind: str) -> Callable[[str], bytes]:
        """Return what reads a small file of a repo, or nothing where it isn't there."""

        def read(name: str) -> bytes:
            with tempfile.TemporaryDirectory() as folder:
                try:
                    path = self.api.hf_hub_download(repo, name, repo_type=kind, local_dir=folder)
                except EntryNotFoundError:
                    return b""
                return Path(path).read_bytes()

        return read

    def create(
        self,
        repo: str,
        kind: str,
        *,
        private: bool,
        sdk: str = "gradio",
        hardware: str | None = None,
    ) -> None:
        """Create a repo that isn't there; a static Space has no hardware.

        Raises:
            PublishError: the Hub refuses; where money is the reason, with the ways out.
        """
        extra: dict[str, Any] = {}
        if kind == "space":
            extra = {"space_sdk": sdk, "space_hardware": hardware}
        try:
            self.api.create_repo(repo, repo_type=kind, private=private or None, **extra)
        except Exception as error:
            told = refused_creation(error, repo, hardware or "cpu-basic")
            if kind == "space" and sdk == "gradio" and told is not None:
                raise PublishError(without_token(told, self.token)) from error
            raise explain(error, f"creating {repo}", self.token) from error
        self.report(f"Created {self.address(repo, kind)}")

    def take_back(self, repo: str, kind: str) -> None:
        """Delete a repo that this run created and that nothing of worth was put into."""
        try:
            self.api.delete_repo(repo, repo_type=kind, missing_ok=True)
        except Exception as error:
            self.report(
                f"Couldn't delete {self.address(repo, kind)} again "
                f"({one_line(error)}); delete it in its settings, or leave it for the next run."
            )
        else:
            self.report(f"Deleted {self.address(repo, kind)} again")

    def upload(self, folder: Path, repo: str, kind: str, message: str) -> str:
        """Upload what changed, delete what is gone, in one commit; return the commit's id.

        Raises:
            PublishError: the Hub refuses, the connection is lost, or there is no room.
        """
        self.report(f"Uploading to {self.address(repo, kind)} ...")
        with self.doing(f"uploading to {repo}"):
            done = self.api.upload_folder(
                repo_id=repo,
                repo_type=kind,
                folder_path=folder,
                commit_message=message,
                delete_patterns="*",
                ignore_patterns=["**/__pycache__/**", ".gradio/**"],
            )
            return str(done.oid)

    def set_hardware(self, space: str, hardware: str | None) -> None:
        """Ask for the hardware, where it is another than the Space has.

        Raises:
            PublishError: the Hub refuses.
        """
        if hardware is None:
            return
        try:
            runtime = self.api.get_space_runtime(space)
            if hardware in (runtime.requested_hardware, runtime.hardware):
                return
            self.api.request_space_hardware(space, hardware)  # type: ignore[arg-type]  # a name will do
        except Exception as error:
            told = refused_hardware(error, space, hardware)
            if told is not None:
                raise PublishError(without_token(told, self.token)) from error
            raise explain(error, f"asking for {hardware}", self.token) from error
        self.report(f"Asked for {hardware}")

    def wait(
        self, space: str, commit: str, patience: float = BUILD_TIME, *, static: bool = False
    ) -> None:
        """Wait until the Space runs this commit, telling each stage; a static one has no build.

        Raises:
            PublishError: the build fails, with its last words, or the Hub takes too long.
        """
        begun, stage, address = time.monotonic(), "", self.address(space, "space")
        while (waited := time.monotonic() - begun) < patience:
            runtime = self._look(space, static=static)
            if runtime is None:
                return
            if str(runtime.stage) != stage:
                stage = str(runtime.stage)
                self.report(f"The Space is {stage.lower().replace('_', ' ')} ({waited:.0f} s)")
            if stage in BROKEN:
                raise PublishError(
                    without_token(self._broken(space, stage, runtime.raw), self.token)
                )
            if stage in RESTING:
                self.report(f"It is {stage.lower()}: open {address} to wake it")
                return
            runs = runtime.raw.get("sha")
            if stage == "RUNNING" and (static or runs in (None, commit) or waited > STALE):
                return
            time.sleep(self.pause)
        raise PublishError(
            f"The Space is still {stage} after {patience / 60:.0f} minutes. All files are "
            f"uploaded; look at its log: {address}?logs=build"
        )

    def _look(self, space: str, *, static: bool) -> Any:  # noqa: ANN401 - the client's SpaceRuntime
        """Return how a Space runs; None where a static one, which only lies there, doesn't."""
        for left in reversed(range(LOST_LOOKS)):
            try:
                return self.api.get_space_runtime(space)
            except Exception as error:
                answer = answer_of(error)
                none = isinstance(error, KeyError) or (  # the client misses the answer's stage
                    answer is not None and answer.response.status_code == 404
                )
                if static and none:
                    return None
                passing = connection_gone(error) or (answer is not None and is_busy(answer))
                if not left or not passing:
                    told = explain(error, f"waiting for {space}", self.token)
                    raise PublishError(f"All files are uploaded. {told}") from error
                time.sleep(self.pause)
        raise AssertionError("the last look returns or raises")

    def _broken(self, space: str, stage: str, raw: dict[str, Any]) -> str:
        """Tell a failed build with its last words."""
        log = "build" if stage in ("BUILD_ERROR", "CONFIG_ERROR") else "run"
        lines: list[str] = []
        with contextlib.suppress(Exception):  # the error itself is told without its log, too
            for line in self.api.fetch_space_logs(space, build=log == "build"):
                lines = [*lines[-14:], line.rstrip()]
        said = raw.get("errorMessage")
        return "\n".join(
            [
                f"The Space's files are uploaded, but it doesn't run: {stage}."
                + (f" The Hub says: {said}" if said else ""),
                *(f"  {line}" for line in lines),
                f"The whole log: {self.address(space, 'space')}?logs={log}. Mend what it names, "
                f"then run the same command again.",
            ]
        )


def is_busy(answer: HfHubHTTPError) -> bool:
    """Say whether the Hub asks for patience only."""
    return answer.response.status_code in (408, 429) or answer.response.status_code >= 500
