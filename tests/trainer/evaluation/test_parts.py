"""Work that was stopped goes on and ends to the byte like an unbroken run, alone or shared."""

from __future__ import annotations

import functools
import gzip
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from minbert.predictor import Predictor
from minbert.tables import DataError
from tests.trainer.evaluation.sharing import COUNT, PART, command, label, write_source
from tests.trainer.run.processes import start
from trainer.evaluation import answer, parts
from trainer.evaluation.embed import embed_file
from trainer.evaluation.parts import Part, Parts
from trainer.evaluation.predict import predict_file
from trainer.run.distributed import World

PARTS = -(-COUNT // PART)


@pytest.fixture(scope="module")
def predictor(model_folder: Path) -> Predictor:
    return Predictor.from_pretrained(model_folder, "cpu")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return write_source(tmp_path)


def predicted(predictor: Predictor, source: Path, target: Path, **changes: object) -> list[str]:
    """Label the file in parts; return the lines told."""
    told: list[str] = []
    options: dict[str, Any] = {
        "skip_bad": False,
        "report": told.append,
        "part_rows": PART,
        **changes,
    }
    predict_file(predictor, "sentiment", source, target, **options)
    return told


def embedded(predictor: Predictor, source: Path, target: Path) -> list[str]:
    told: list[str] = []
    embed_file(predictor, source, target, report=told.append, part_rows=PART)
    return told


Command = Callable[[Predictor, Path, Path], list[str]]


def stop_before(number: int, monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Let the writing of a part fail."""
    write = Parts.write

    def stopping(self: Parts, which: int, part: Part) -> None:
        if which == number:
            raise error
        write(self, which, part)

    monkeypatch.setattr(Parts, "write", stopping)


@pytest.mark.parametrize(
    ("name", "work"),
    [
        ("out.tsv", predicted),
        ("out.csv.gz", predicted),
        ("out.jsonl", embedded),
        ("out.npy", embedded),
    ],
)
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_stopped_work_goes_on_and_ends_to_the_byte_alike(
    predictor: Predictor,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    work: Command,
    error: BaseException,
) -> None:
    whole, target = source.with_name(f"whole-{name}"), source.with_name(name)
    work(predictor, source, whole)
    with monkeypatch.context() as patched:
        stop_before(5, patched, error)
        with pytest.raises(type(error)):
            work(predictor, source, target)
    assert not target.exists()
    folder = target.with_name(name + ".parts")
    assert sorted(path.name for path in folder.iterdir()) == [
        "manifest.json",
        *(f"part-{number:06d}" for number in range(5)),
    ]
    answered: list[int] = []
    monkeypatch.setattr(answer, "make_part", recorded(answer.make_part, answered))
    told = work(predictor, source, target)
    assert f"5 of {PARTS} parts are there already" in told[0]
    assert answered == [PART, PART, COUNT % PART]
    assert target.read_bytes() == whole.read_bytes()
    assert sorted(source.parent.iterdir()) == sorted([source, target, whole])


def recorded(make: Callable[..., Part], answered: list[int]) -> Callable[..., Part]:
    def make_part(work: answer.Work, form: object, rows: answer.Rows, step: object) -> Part:
        answered.append(len(rows))
        return make(work, form, rows, step)

    return make_part


def test_who_stops_it_is_told_how_to_go_on(
    model_folder: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    target = source.with_name("out.tsv")
    defaults = {**predict_file.__kwdefaults__, "part_rows": PART}
    monkeypatch.setattr(predict_file, "__kwdefaults__", defaults)
    with monkeypatch.context() as patched:
        stop_before(3, patched, KeyboardInterrupt())
        assert command(model_folder, source, target) == 130
    told = capsys.readouterr().err
    assert f"3 of {PARTS} parts are kept in {target}.parts: the same command goes on" in told
    assert command(model_folder, source, target) == 0
    assert f"{target}: {COUNT} predictions" in capsys.readouterr().err


def test_work_that_is_stopped_at_once_leaves_nothing(
    predictor: Predictor, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop_before(0, monkeypatch, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        predicted(predictor, source, source.with_name("out.tsv"))
    assert list(source.parent.iterdir()) == [source]


@pytest.mark.parametrize("damage", ["torn", "empty", "a bit", "no head"])
def test_a_damaged_part_is_made_again(
    predictor: Predictor, source: Path, monkeypatch: pytest.MonkeyPatch, damage: str
) -> None:
    whole, target = source.with_name("whole.tsv"), source.with_name("out.tsv")
    predicted(predictor, source, whole)
    with monkeypatch.context() as patched:
        stop_before(5, patched, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            predicted(predictor, source, target)
    path = target.with_name("out.tsv.parts") / "part-000002"
    content = path.read_bytes()
    last = bytes([content[-2] ^ 1]) + content[-1:]
    path.write_bytes(
        {
            "torn": content[: len(content) // 2],
            "empty": b"",
            "a bit": content[:-2] + last,
            "no head": content.partition(b"\n")[2],
        }[damage]
    )
    predicted(predictor, source, target)
    assert target.read_bytes() == whole.read_bytes()


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"columns": "sentence=sentence"}, "options"),
        ({"skip_bad": True}, "options"),
        ({"part_rows": PART + 1}, "rows a part"),
        ("a row more", "input"),
        ("weights", "model"),
        ("embed", "options"),
        ("torch", "backend"),
    ],
)
def test_parts_of_another_command_are_refused(
    predictor: Predictor,
    model_folder: Path,
    source: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: dict[str, Any] | str,
    says: str,
) -> None:
    target = source.with_name("out.tsv")
    with monkeypatch.context() as patched:
        stop_before(2, patched, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            predicted(predictor, source, target)
    if changes == "a row more":
        write_source(source.parent, COUNT + 1)
    runtime = "torch" if changes == "torch" else "auto"
    model = Predictor.from_pretrained(model_folder, "cpu", runtime=runtime)
    if changes == "weights":
        model.model.sums = {**model.model.sums, "model.safetensors": "0" * 64}
    options = changes if isinstance(changes, dict) else {}
    work = embedded if changes == "embed" else functools.partial(predicted, **options)
    with pytest.raises(DataError, match=f"Found another {says}; give the same command as then"):
        work(model, source, target)
    assert len(list(target.with_name("out.tsv.parts").glob("part-*"))) == 2


def test_a_folder_of_something_else_is_left_alone(predictor: Predictor, source: Path) -> None:
    folder = source.with_name("out.tsv.parts")
    folder.mkdir()
    (folder / "part-list.txt").write_text("mine")
    with pytest.raises(DataError, match=r"Found part-list.txt and no manifest.json"):
        predicted(predictor, source, source.with_name("out.tsv"))
    assert [path.name for path in folder.iterdir()] == ["part-list.txt"]


def test_cut_rows_are_counted_over_all_parts(
    predictor: Predictor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = tmp_path / "in.txt", tmp_path / "out.tsv"
    long = "the film was dull " * 30
    source.write_text("\n".join([long, "short", *["the plot"] * 20, long]), encoding="utf-8")
    with monkeypatch.context() as patched:
        stop_before(1, patched, KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            predicted(predictor, source, target)
    told = predicted(predictor, source, target)
    assert told[-2] == "2 of 23 rows were cut: the model reads 48 tokens"


def test_progress_is_told_in_lines_where_there_is_no_terminal(
    predictor: Predictor, source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = source.with_name("out.tsv")
    assert predicted(predictor, source, target) == [f"{target}: {COUNT} predictions"]
    monkeypatch.setattr(answer, "LOG_SECONDS", 0.0)
    lines = predicted(predictor, source, target)[:-1]
    assert len(lines) == PARTS
    assert lines[0].startswith(f"{PART} of {COUNT} rows, ")
    assert lines[-1].endswith("a second, 00:00 left")


def test_a_pipe_and_standard_output_get_the_same_and_no_parts_are_kept(
    predictor: Predictor, source: Path, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    whole, pipe = source.with_name("whole.csv.gz"), source.with_name("pipe.csv.gz")
    predicted(predictor, source, whole)
    os.mkfifo(pipe)
    got: list[bytes] = []
    reader = threading.Thread(target=lambda: got.append(pipe.read_bytes()))
    reader.start()
    predicted(predictor, source, pipe)
    reader.join()
    assert got == [whole.read_bytes()]
    predicted(predictor, source, Path("-"))
    commas = gzip.decompress(got[0])
    assert capfdbinary.readouterr().out == commas.replace(b",", b"\t")
    assert sorted(source.parent.iterdir()) == sorted([source, pipe, whole])


def test_several_processes_need_a_file_that_they_share(predictor: Predictor, source: Path) -> None:
    with pytest.raises(DataError, match="a folder that the 2 processes share"):
        predicted(predictor, source, Path("-"), world=World(1, 2))


@pytest.mark.parametrize("there", [True, False])
def test_a_process_that_nobody_began_for_waits_a_limited_time(
    predictor: Predictor, source: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    monkeypatch.setattr(parts, "PATIENCE", 0.0)
    monkeypatch.setattr(parts, "POLL", 0.01)
    target = source.with_name("out.tsv")
    if there:  # the others have done it all
        target.write_text("done")
        assert predicted(predictor, source, target, world=World(1, 2)) == []
        assert target.read_text() == "done"
        return
    with pytest.raises(DataError, match=r"first process \(RANK 0\) within 0 seconds"):
        predicted(predictor, source, target, world=World(1, 2))


@pytest.mark.whole
def test_two_processes_share_a_file_and_one_is_killed_and_started_again(
    model_folder: Path, source: Path
) -> None:
    whole, target = source.with_name("whole.tsv"), source.with_name("out.tsv")
    assert label(model_folder, source, whole) == 0

    def run(rank: int, stop: str = "") -> Any:  # noqa: ANN401 - a process of the fork server
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank), "WORLD_SIZE": "2"}
        told = source.with_name(f"told-{rank}-{stop[:8]}")
        return start(told, label, model_folder, source, target, stop=stop, environment=place)

    first, second = run(0), run(1, stop="part-000003:1:torn")
    second.join(60)
    assert second.exitcode == -9
    folder = target.with_name("out.tsv.parts")
    assert (folder / "part-000001").exists()
    assert not (folder / "part-000003").exists()
    assert first.is_alive(), "it waits for the other one's parts"
    again = run(1)
    again.join(60)
    first.join(60)
    assert (first.exitcode, again.exitcode) == (0, 0)
    assert target.read_bytes() == whole.read_bytes()
    ids = [line.split(b"\t")[0] for line in target.read_bytes().splitlines()[1:]]
    assert len(ids) == len(set(ids)) == COUNT
    assert not folder.exists()


def test_the_joining_may_be_killed_as_well(model_folder: Path, source: Path) -> None:
    whole, target = source.with_name("whole.tsv"), source.with_name("out.tsv")
    assert label(model_folder, source, whole) == 0
    process = start(
        source.with_name("told"), label, model_folder, source, target, stop="out.tsv:1:torn"
    )
    process.join(60)
    assert process.exitcode == -9
    assert not target.exists()
    assert label(model_folder, source, target) == 0
    assert target.read_bytes() == whole.read_bytes()
    assert not list(source.parent.glob("*.part*"))
