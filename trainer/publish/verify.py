"""A live Space, held against this checkout: its answers, its tabs, whom its page asks."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import HfApi, constants, get_token

from minbert.files import json_text
from trainer.publish.card import TITLE
from trainer.publish.check import running
from trainer.publish.errors import PublishError, explain, one_line
from trainer.publish.folder import ROOT
from trainer.publish.upload import BROKEN, RESTING

QUESTIONS = Path(__file__).with_name("questions.json")  # [endpoint of /v1, its inputs] each
MOST = 1e-4  # that a number may differ by: another machine rounds otherwise
SILENCE = 120.0  # seconds: a small Space has other visitors
SHOWN = 5  # faults of one kind that are told
TOKEN_HEADER = "X-HF-Authorization"  # as gradio's client lets itself into a private Space
HUB = ("huggingface.co", "hf.co")  # a Space's page may ask the Hub itself


@dataclasses.dataclass(frozen=True)
class Place:
    """Where a page is, and what lets its visitor in."""

    name: str  # as a person gave it
    address: str
    headers: Mapping[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Check:
    """Whether something holds, and what was found."""

    holds: bool
    told: str


def verify(target: str, report: Callable[[str], None], *, root: Path = ROOT) -> Iterator[Check]:
    """Yield each check of a live page as it is done.

    Args:
        target: a Space, USER/NAME, or a page's address, http://...
        report: is told what goes on.
        root: the checkout whose own page gives the answers that are wanted.

    Raises:
        PublishError: the page doesn't answer, isn't ours or isn't running; a Chromium or
            playwright is missing; or this checkout's own page doesn't work.
        ValueError: `target` is neither.
    """
    check_browser()
    place = place_of(target)
    with session(place) as there:
        check_ours(there, place)
        report("Starting this checkout's own page, to compare with ...")
        with running(root, report) as (url, _), session(Place("this checkout", url)) as here:
            yield check_answers(there, here)
    report(f"Opening {place.address} in a browser ...")
    yield from check_page(place)


def check_browser() -> None:
    """See that there is a Chromium, and what drives it.

    Raises:
        PublishError: one is missing.
    """
    if find_spec("playwright") is None:
        raise PublishError(
            "`--verify` opens every tab by playwright. Found none; run `pip install -e "
            "'.[verify]'` in the project's folder."
        )
    from trainer.publish.visit import chromium_path

    chromium_path()


def place_of(target: str) -> Place:
    """Return where a Space, or an address, is.

    Raises:
        PublishError: the Space isn't there, or isn't running.
        ValueError: it is no address that can be asked.
    """
    if "://" not in target:
        return find_space(target)
    parts = urlsplit(target)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError(
            "`--verify` should be USER/NAME, or an address such as http://127.0.0.1:7860. Found "
            f"{target!r}."
        )
    return Place(target, target.rstrip("/"))


def find_space(space: str) -> Place:
    """Return a Space's own host, when it is running.

    Raises:
        PublishError: it isn't running, is a static one, or the Hub doesn't tell of it.
    """
    token = get_token() or ""
    api = HfApi(endpoint=constants.ENDPOINT, token=token or False, library_name="minbert-lab")
    page = f"{constants.ENDPOINT}/spaces/{space}"
    try:
        info = api.space_info(space)
        stage = "RUNNING" if info.sdk == "static" else str(api.get_space_runtime(space).stage)
    except Exception as error:  # the client raises its own, httpx2's and built-in ones
        raise explain(error, f"looking for {space}", token) from error
    if info.sdk == "static":
        raise PublishError(
            f"`{space}` should be a Gradio Space. Found a static one, which has no answers to "
            f"compare; open {page} in a browser."
        )
    if stage != "RUNNING":
        step = f"its build is at {page}?logs=build; run this again when it is done"
        if stage in RESTING:
            step = f"open {page} to wake it, and run this again in some minutes"
        elif stage in BROKEN:
            step = f"look at {page}?logs=run, mend what it names, and publish again"
        told = stage.lower().replace("_", " ")
        raise PublishError(f"`{space}` should be running. Found it {told}; {step}.")
    address = info.host or f"https://{info.subdomain}.hf.space"
    headers = {TOKEN_HEADER: f"Bearer {token}"} if token else {}
    return Place(space, address.rstrip("/"), headers)


def session(place: Place) -> httpx2.Client:
    """Return what asks a page; it follows no redirect, so that a token stays with its host."""
    timeout = httpx2.Timeout(SILENCE, connect=20.0)
    return httpx2.Client(base_url=place.address, headers=dict(place.headers), timeout=timeout)


def check_ours(there: httpx2.Client, place: Place) -> None:
    """See that a page of minBERT Lab answers.

    Raises:
        PublishError: it doesn't answer, or is another one.
    """
    with answering(place):
        reply = there.get("/v1/openapi.json")
    title = None
    with contextlib.suppress(ValueError, TypeError, KeyError):
        title = reply.json()["info"]["title"]
    if title != TITLE:
        found = f"status {reply.status_code}" if title is None else repr(title)
        raise PublishError(
            f"`{place.name}` should be a page of {TITLE}, which {place.address}/v1/openapi.json "
            f"says. Found {found}; check the name, or publish it with --space."
        )


@contextlib.contextmanager
def answering(place: Place) -> Iterator[None]:
    """Turn a lost connection into an error that says what to do.

    Raises:
        PublishError: the page doesn't answer.
    """
    try:
        yield
    except httpx2.HTTPError as error:
        raise PublishError(
            f"`{place.name}` should answer. Found {one_line(error)} at {place.address}; see that "
            "it runs, and run this again."
        ) from error


# Answers


def check_answers(there: httpx2.Client, here: httpx2.Client) -> Check:
    """Ask both pages all questions, and compare."""
    questions = json.loads(QUESTIONS.read_text(encoding="utf-8"))
    faults, largest, at = [], 0.0, ""
    for endpoint, inputs in questions:
        theirs, ours = (ask(page, endpoint, inputs) for page in (there, here))
        found = list(differences(theirs, ours))
        if not found:
            continue
        worst = max(found, key=lambda each: (MOST < each.by < math.inf, each.by))
        where = f"{endpoint} of {shown(inputs)}"
        if worst.by > MOST:
            faults.append(f"{where} {worst}")
        elif worst.by > largest:
            largest, at = worst.by, f" ({endpoint} of {shown(inputs)})"
    if faults:
        return Check(
            False,
            f"{len(faults)} of {len(questions)} answers aren't this checkout's to {MOST:g}: it "
            f"runs other weights or other code{listed(faults)}",
        )
    told = f"{len(questions)} answers equal this checkout's; largest difference {largest:.1e}{at}"
    return Check(True, told)


def ask(page: httpx2.Client, endpoint: str, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return a page's status and answer; what isn't JSON as text."""
    try:
        reply = page.post(f"/v1/{endpoint}", json=inputs)
    except httpx2.HTTPError as error:
        return {"status": one_line(error)}
    try:
        answer: object = reply.json()
    except ValueError:
        answer = reply.text[:100]
    return {"status": reply.status_code, "answer": answer}


@dataclasses.dataclass(frozen=True)
class Difference:
    """One place where two answers differ."""

    path: str
    there: object
    here: object
    by: float  # infinite for what isn't two numbers

    def __str__(self) -> str:
        """Say where, what and by how much."""
        more = f" ({self.by:.1e})" if math.isfinite(self.by) else ""
        where = self.path.removeprefix(".answer")
        return f"{where}: {shown(self.there)} there, {shown(self.here)} here{more}"


def shown(value: object) -> str:
    """Return a JSON value, cut where it is long."""
    if isinstance(value, float):
        return f"{value:.6g}"
    text = json_text(value)
    return text if len(text) <= 60 else text[:57] + "..."


def differences(there: Any, here: Any, path: str = "") -> Iterator[Difference]:  # noqa: ANN401 - JSON
    """Yield the places where two answers differ at all."""
    if isinstance(there, dict) and isinstance(here, dict) and there.keys() == here.keys():
        for name in here:
            yield from differences(there[name], here[name], f"{path}.{name}")
    elif isinstance(there, list) and isinstance(here, list) and len(there) == len(here):
        for place, (one, other) in enumerate(zip(there, here, strict=True)):
            yield from differences(one, other, f"{path}[{place}]")
    elif there != here:
        numbers = [each for each in (there, here) if type(each) in (int, float)]
        by = abs(numbers[0] - numbers[1]) if len(numbers) == 2 else math.inf
        yield Difference(path, there, here, by)


# The page


def check_page(place: Place) -> Iterator[Check]:
    """Open every tab and sub-view; yield what was opened, whom the page asked, its errors.

    Raises:
        PublishError: there is no Chromium.
    """
    from trainer.publish.visit import chromium, new_visit, send_headers, walk

    with chromium() as browser:
        context = browser.new_context()
        send_headers(context, place.address, place.headers)
        seen = new_visit(context)
        views = dict(walk(seen.page, place.address))
    faults = [f"{name}: {fault}" for name, fault in views.items() if fault]
    told = f"{len(views)} views opened"
    if faults:
        told = f"{len(faults)} of {len(views)} views don't open"
    yield Check(not faults, told + listed(faults))
    yield check_requests(seen.requests, place.address)
    errors = seen.errors
    yield Check(not errors, f"JavaScript errors: {len(errors) or 'none'}{listed(errors)}")


def check_requests(requests: Sequence[str], address: str) -> Check:
    """Tell the requests to a page's own host from those to the Hub, and to strangers."""
    own, hub, others = 0, set[str](), dict[str, str]()
    for url in requests:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme in ("data", "blob", "about") or parts.netloc == urlsplit(address).netloc:
            own += parts.netloc != ""
        elif any(host == name or host.endswith(f".{name}") for name in HUB):
            hub.add(parts.netloc)
        else:
            others.setdefault(parts.netloc, url)
    told = f"Requests: {own} to the page itself; to the Hub {', '.join(sorted(hub)) or 'none'}; "
    told += f"to other hosts {', '.join(others) or 'none'}"
    return Check(not others, told + listed(others.values()))


def listed(faults: Iterable[str]) -> str:
    """Return the first faults, each on a line of its own."""
    faults = list(faults)
    lines = [f"  {fault[:300]}" for fault in faults[:SHOWN]]
    if len(faults) > SHOWN:
        lines.append(f"  and {len(faults) - SHOWN} more")
    return "".join(f"\n{line}" for line in lines)
