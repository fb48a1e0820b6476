"""The treebank's download, against a server of our own: only the right training trees stay."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import assert_says
from tests.trainer.file_server import NAME, Server
from tests.trainer.samples import write_course_files, write_trees
from trainer import cli
from trainer.data import treebank_download as module
from trainer.data.course import FILES
from trainer.data.download import BACK_OFF
from trainer.data.treebank import TREES_FILE
from trainer.data.treebank_download import MEMBER, TREES_URL, check_trees, download_trees

LEFT_OUT = f"{TREES_FILE} left out; `train best` goes without its first stage: "


class Call:
    """One call's folder, its reports and its waits."""

    def __init__(self, folder: Path) -> None:
        self.folder = write_course_files(folder)
        self.file = folder / TREES_FILE
        self.lines: list[str] = []
        self.waits: list[float] = []

    @property
    def trees(self) -> str:
        """Return the trees of the folder's sentences; nothing stays in the folder."""
        path = write_trees(self.folder)
        text = path.read_text(encoding="utf-8")
        path.unlink()
        return text

    def __call__(self, url: str) -> bool:
        return download_trees(
            self.folder, url=url, report=self.lines.append, wait=self.waits.append
        )

    def left(self) -> list[str]:
        """Name the files beside the trees."""
        return sorted(path.name for path in self.file.parent.glob("*"))


@pytest.fixture
def call(tmp_path: Path) -> Call:
    return Call(tmp_path / "data")


def archive(**members: str) -> bytes:
    """Return a zip archive; `__` in a name stands for a folder's slash."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as opened:
        for name, text in members.items():
            opened.writestr(name.replace("__", "/") + ".txt", text)
    return buffer.getvalue()


def address(server: Server) -> str:
    return f"{server.url}/{NAME}"


def test_only_the_training_trees_are_kept(server: Server, call: Call) -> None:
    trees = call.trees
    server.content = archive(trees__dev="(2 secret)\n", trees__train=trees, trees__test="(3 x)\n")
    assert call(address(server))
    assert call.file.read_text(encoding="utf-8") == trees
    assert call.left() == ["train.txt"]
    assert call.lines == [f"{TREES_FILE} brought and verified."]


def test_trees_that_are_there_are_verified_without_a_request(server: Server, call: Call) -> None:
    write_trees(call.folder)
    assert call(address(server))
    assert call.lines == [f"{TREES_FILE} is there already, verified."]
    assert server.ranges == []


def test_other_trees_that_are_there_are_left_as_they_are(server: Server, call: Call) -> None:
    call.file.parent.mkdir()
    call.file.write_text("(2 (2 my) (2 own))\n", encoding="utf-8")
    assert not call(address(server))
    assert_says(call.lines[0], parameter=TREES_FILE, rule="48 trees", found="Found 1.")
    assert call.file.read_text(encoding="utf-8") == "(2 (2 my) (2 own))\n"
    assert server.ranges == []


def swapped(text: str) -> str:
    """Exchange the first two trees."""
    first, second, *rest = text.splitlines(keepends=True)
    return "".join([second, first, *rest])


def another_class(text: str) -> str:
    """Give the first tree another class."""
    return f"({(int(text[1]) + 1) % 5}{text[2:]}"


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (lambda text: text.split("\n", 1)[1], {"rule": "48 trees", "found": "Found 47"}),
        (swapped, {"parameter": "tree 1", "rule": "s0-0", "found": "another sentence"}),
        (another_class, {"parameter": "tree 1", "rule": "s0-0", "found": "another class"}),
        (lambda text: text[:-3], {"parameter": "line 48"}),
        (lambda _: "", {"rule": "at least one tree", "found": "none"}),
    ],
)
def test_wrong_trees_do_not_stay(
    server: Server, call: Call, change: Callable[[str], str], says: dict[str, str]
) -> None:
    server.content = archive(trees__train=change(call.trees))
    assert not call(address(server))
    (line,) = call.lines
    assert line.startswith(LEFT_OUT)
    assert_says(line, **says)
    assert call.left() == []


def test_what_is_no_archive_or_lacks_the_trees_does_not_stay(server: Server, call: Call) -> None:
    whole = archive(trees__train=call.trees)
    for content in (b"<html>moved</html>", archive(trees__dev="(2 x)"), whole[: len(whole) // 2]):
        server.content = content
        assert not call(address(server))
        assert_says(call.lines[-1], parameter="archive", rule=MEMBER)
        assert call.left() == []
    damaged = bytearray(whole)
    damaged[60:80] = bytes(20)
    server.content = bytes(damaged)
    assert not call(address(server))
    assert call.left() == []


def test_a_giant_is_refused(server: Server, call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LARGEST", 100)
    server.content = archive(trees__train=call.trees)
    assert not call(address(server))
    assert_says(call.lines[0], parameter=MEMBER, rule="100 bytes")


def test_an_address_that_does_not_answer_ends_in_one_line(server: Server, call: Call) -> None:
    assert not call(f"{server.url}/elsewhere.zip")
    (line,) = call.lines
    assert line.startswith(LEFT_OUT)
    assert_says(line, found="404")
    assert call.waits == []


def test_a_busy_server_is_tried_again(server: Server, call: Call) -> None:
    server.content = archive(trees__train=call.trees)
    server.faults = ["503", "cut"]
    assert call(address(server))
    assert call.waits == list(BACK_OFF[:2])
    assert server.ranges[-1] is not None  # what came before the cut is kept
    assert call.file.is_file()


def test_a_folder_without_the_sentences_is_told(call: Call) -> None:
    path = write_trees(call.folder)
    check_trees(path, call.folder)
    (call.folder / FILES["sentiment"]["train"]).unlink()
    assert not call("http://127.0.0.1:1/never-asked")
    assert_says(call.lines[0], parameter="ids-sst-train.csv")


def test_case_and_spaces_of_the_sentences_make_no_difference(call: Call) -> None:
    path = write_trees(call.folder)
    table = call.folder / FILES["sentiment"]["train"]
    with table.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t"))
    with table.open("w", encoding="utf-8", newline="") as file:
        changed = [[*row[:2], f" {row[2].upper()}  ", row[3]] for row in rows[1:]]
        csv.writer(file, delimiter="\t", lineterminator="\n").writerows([rows[0], *changed])
    check_trees(path, call.folder)


def test_the_command_brings_the_trees_after_the_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[tuple[str, Path]] = []
    monkeypatch.setattr(
        "trainer.data.download.download",
        lambda folder, report: asked.append(("files", folder)),  # noqa: ARG005
    )
    monkeypatch.setattr(
        "trainer.data.treebank_download.download_trees",
        lambda folder, report: asked.append(("trees", folder)),  # noqa: ARG005
    )
    assert cli.main(["download", "--data", str(tmp_path)]) == 0
    assert asked == [("files", tmp_path), ("trees", tmp_path)]
    assert TREES_URL.endswith(".zip")
