"""Bringing the course's data files: a pinned commit, checked by git blob id, resumed when cut.

A file is written as `<name>.partial` beside its place and renamed into it once its git blob id
(SHA-1 of "blob SIZE", a zero byte and the content) is the wanted one. What is there under the
final name is therefore always whole, and a file of the reader's own is never overwritten.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from tqdm import tqdm

COURSE_REPOSITORY = "amahankali10/CS224N-Spring2024-DFP-Student-Handout"
COURSE_COMMIT = "3f64c60c8a0e40a9fe581235b08f4607ff187077"
BASE_URL = f"https://raw.githubusercontent.com/{COURSE_REPOSITORY}/{COURSE_COMMIT}/data"

# File name -> git blob id at that commit.
COURSE_FILES: Mapping[str, str] = {
    "ids-sst-train.csv": "9cb7333cb1dae49c2bd2a4b56a24882a6e8704b5",
    "ids-sst-dev.csv": "3171aa629a340809d2db4a50df8f6e5ec9420ab0",
    "ids-sst-test-student.csv": "bbd2313758825f86e24416d6aad64cd93370cf7a",
    "quora-train.csv": "1f2e73b884113e629e2786001fb9cc8ae4a696c1",
    "quora-dev.csv": "97f9430a53b7f5544f857ff27a236c40bb42b5c7",
    "quora-test-student.csv": "a1b1e5ba3ef282ba1e9b169c509eb80dbbc68666",
    "sts-train.csv": "12b17760e7795fee35aeeabc290d5651de02622a",
    "sts-dev.csv": "9392860e584717976b8d817cc40c9e6ceeec27e0",
    "sts-test-student.csv": "25f0cf8fafdd1f82b9e2bb460c708af34341ce60",
    "ids-cfimdb-train.csv": "cd57bcbd2f7214ea6dd1783d3e885d324b1f478d",
    "ids-cfimdb-dev.csv": "8a0f5dcf3d40189b96c801a12cd79bf8003e61de",
}

BACK_OFF = (1.0, 2.0, 4.0)  # seconds before the second, third and fourth try of one file
TIMEOUT = 30.0  # seconds without a byte, after which a connection counts as cut
CHUNK = 1 << 16  # bytes held in memory at a time


class DownloadError(RuntimeError):
    """A file that can't be brought; the message says why and what to do."""


class _CutError(Exception):
    """A failure of the connection or of the server that may pass: worth another try."""


def download(
    folder: Path,
    *,
    base_url: str = BASE_URL,
    files: Mapping[str, str] = COURSE_FILES,
    report: Callable[[str], None],
    wait: Callable[[float], None] = time.sleep,
) -> list[Path]:
    """Bring `files` (name -> git blob id) from `base_url` into `folder`, each one verified.

    Files that are there already are verified and skipped; all of them are looked at before the
    first request. A run that fails or is killed leaves its whole files and one `.partial`, which
    the next run resumes.

    Args:
        folder: where the files go; made if it doesn't exist.
        base_url: the address before `/<name>`.
        files: what to bring.
        report: takes one line of text per event: skipped, resumed, trying again, brought.
        wait: sleeps that many seconds between two tries.

    Returns:
        the files' paths, in the order of `files`.

    Raises:
        DownloadError: no network, an address that doesn't answer, wrong bytes, a file of that
            name with other bytes, or a folder that can't be written to.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in _missing(folder, files, report):
            url = f"{base_url.rstrip('/')}/{quote(name)}"
            _fetch(url, folder / name, files[name], report, wait)
    except OSError as error:
        raise DownloadError(
            f"`--data` should be a folder that can be written to, with room for the files. "
            f"Found {folder}: {error}. Make room or choose another folder, then run it again: "
            "what came so far is kept."
        ) from error
    return [folder / name for name in files]


def blob_id(path: Path) -> str:
    """Return the file's git blob id, 40 hex digits, reading it piece by piece."""
    with path.open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        digest = hashlib.sha1(f"blob {size}\0".encode(), usedforsecurity=False)
        while piece := file.read(CHUNK):
            digest.update(piece)
    return digest.hexdigest()


def _missing(folder: Path, files: Mapping[str, str], report: Callable[[str], None]) -> list[str]:
    """Return the names not yet in `folder`, refusing files that are there with other bytes."""
    found = {name: blob_id(folder / name) for name in files if (folder / name).exists()}
    others = [name for name in found if found[name] != files[name]]
    if others:
        listed = "; ".join(
            f"{name} with git blob id {found[name]} instead of {files[name]}" for name in others
        )
        raise DownloadError(
            f"{folder} should hold the course's own files, or none of their names. Found {listed}. "
            "Nothing was changed: name another folder with `--data`, or delete what is there."
        )
    for name in found:
        report(f"{name} is there already, verified.")
    return [name for name in files if name not in found]


def _fetch(
    url: str, path: Path, wanted: str, report: Callable[[str], None], wait: Callable[[float], None]
) -> None:
    """Bring one file: what a killed run left, if it fits; verified, then renamed."""
    partial = path.with_name(path.name + ".partial")
    if not _size(partial) or blob_id(partial) != wanted:  # else killed just before the rename
        if size := _size(partial):
            report(f"{path.name}: resuming after the {size} bytes of an earlier run.")
        joined = receive_patiently(url, partial, report, wait)
        if joined and blob_id(partial) != wanted:
            report(f"{path.name}: the joined pieces aren't the file; starting over.")
            partial.unlink()
            receive_patiently(url, partial, report, wait)
    found = blob_id(partial)
    if found != wanted:
        partial.unlink()
        raise DownloadError(
            f"{path.name} should have the git blob id {wanted}. Found {found} at {url}; the "
            "download was deleted. Run it again; if that doesn't help, something on the way "
            f"changes the file: fetch it by hand into {path.parent}."
        )
    partial.replace(path)
    report(f"{path.name} brought and verified, {_size(path)} bytes.")


def receive_patiently(
    url: str, partial: Path, report: Callable[[str], None], wait: Callable[[float], None]
) -> bool:
    """Do `_receive`, trying again after each pause of `BACK_OFF` when the connection is cut."""
    for pause in BACK_OFF:
        try:
            return _receive(url, partial)
        except _CutError as error:
            report(f"{partial.stem}: {error}; trying again in {pause:g} s.")
        wait(pause)
    try:
        return _receive(url, partial)
    except _CutError as error:
        raise DownloadError(
            f"{url} should be within reach. Found: {error} ({len(BACK_OFF) + 1} tries). "
            "Check the network and the proxy settings, then run it again: "
            "what came so far is kept."
        ) from error


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _receive(url: str, partial: Path) -> bool:
    """Write what `url` holds to `partial`, after the bytes that are there if the server can.

    Returns:
        whether bytes of an earlier request were kept.
    """
    response, start = _ask(url, _size(partial))
    length = response.length  # of this answer's body; None where the server doesn't say
    with (
        response,
        partial.open("ab" if start else "wb") as file,
        tqdm(
            desc=partial.stem,
            initial=start,
            total=None if length is None else start + length,
            unit="B",
            unit_scale=True,
            disable=None,  # no bar where stderr is not a terminal
        ) as bar,
    ):
        for piece in _pieces(response, length):
            file.write(piece)
            bar.update(len(piece))
        file.flush()
        os.fsync(file.fileno())
    return start > 0


def _ask(url: str, start: int) -> tuple[HTTPResponse, int]:
    """Request `url` from byte `start` on.

    Returns:
        the answer, and the byte its body starts at: `start`, or 0 where the server doesn't do that.
    """
    headers = {"Accept-Encoding": "identity"}  # ranges and ids are of the plain bytes
    if start:
        headers["Range"] = f"bytes={start}-"
    try:
        response: HTTPResponse = urlopen(Request(url, headers=headers), timeout=TIMEOUT)
    except HTTPError as error:
        error.close()
        if start and error.code == HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
            return _ask(url, 0)
        answer = f"the server answered {error.code} {error.reason}"
        if error.code >= 500 or error.code == HTTPStatus.TOO_MANY_REQUESTS:
            raise _CutError(answer) from error
        raise DownloadError(
            f"{url} should be one of the course's files. Found: {answer}. Open the address in a "
            "browser; if the file has moved, fetch it by hand and put it into the folder."
        ) from error
    except (OSError, HTTPException) as error:
        reason = error.reason if isinstance(error, URLError) else error
        raise _CutError(f"no answer: {reason}") from error
    if not start or response.status != HTTPStatus.PARTIAL_CONTENT:
        return response, 0
    if response.headers.get("Content-Range", "").startswith(f"bytes {start}-"):
        return response, start
    response.close()
    return _ask(url, 0)


def _pieces(response: HTTPResponse, length: int | None) -> Iterator[bytes]:
    """Yield the body, `length` bytes of it; only reading it can raise `_CutError`."""
    received = 0
    while True:
        try:
            piece = response.read(CHUNK)
        except (OSError, HTTPException) as error:
            raise _CutError(f"the connection was cut: {error}") from error
        if not piece:
            break
        received += len(piece)
        yield piece
    if length is not None and received < length:
        raise _CutError(f"the connection was cut after {received} of {length} bytes")
