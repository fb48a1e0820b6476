"""Every kind of record: read as shipped, written and read again, and damaged in many ways."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from minbert.files import write_json
from minbert.records.bias import Bias
from minbert.records.calibration import Calibration
from minbert.records.form import VERSION, Metric, Record
from minbert.records.heads import Heads, UntrainedHeads
from minbert.records.reading import (
    MissingRecordError,
    RecordError,
    read_all,
    read_entries,
    read_known,
    read_record,
)
from minbert.records.runs import Comparison, Run
from minbert.records.scores import Scores, Training
from minbert.records.speed import Speed
from tests.support import assert_says

ROOT = Path(__file__).resolve().parents[3]
RESULTS = ROOT / "assets" / "results"
LISTS: dict[str, type[Record]] = {"reproduction.json": Run, "comparisons.json": Comparison}
KINDS: dict[str, type[Record]] = {
    **{f"{name}-dev.json": Scores for name in ("mean", "cls", "mean-masked")},
    **{f"{name}.json": Training for name in ("mean", "cls")},
    **{f"trials/{path.name}": Training for path in (RESULTS / "trials").glob("*.json")},
    **{f"{name}-calibration.json": Calibration for name in ("mean", "cls")},
    **{"bias.json": Bias, "untuned-heads.json": Heads, "untrained-heads.json": UntrainedHeads},
    "speed.json": Speed,
}
COMMANDS = {
    Run: "python -m trainer reproduce",
    Comparison: "python -m trainer reproduce",
    Scores: "python -m trainer evaluate",
    Training: "python -m trainer train",
    Calibration: "python -m trainer calibrate",
    Bias: "python -m trainer bias",
    Heads: "python -m trainer heads",
    UntrainedHeads: "python -m trainer untrained",
    Speed: "make bench",
}


def stored(name: str) -> Any:  # noqa: ANN401 - any JSON
    return json.loads((RESULTS / name).read_text(encoding="utf-8"))


def without_version(told: Any) -> Any:  # noqa: ANN401 - any JSON
    """Return a record's JSON, and that of the records in it, as before there were versions."""
    if isinstance(told, dict):
        return {name: without_version(one) for name, one in told.items() if name != "version"}
    return [without_version(one) for one in told] if isinstance(told, list) else told


def problems_in(folder: Path) -> list[str]:
    """Read every kind of record in a folder; return what is reported."""
    told: list[str] = []
    for name, form in KINDS.items():
        read_known(folder / name, form, told.append)
    for name, form in LISTS.items():
        told += read_entries(folder / name, form)[1]
    return told


def test_every_shipped_file_is_read() -> None:
    assert {path.relative_to(RESULTS).as_posix() for path in RESULTS.glob("*.json")} <= {
        *KINDS,
        *LISTS,
    }
    assert problems_in(RESULTS) == []


@pytest.mark.parametrize("name", [name for name in KINDS if "version" not in stored(name)])
def test_a_record_without_a_version_is_kept_whole(name: str, tmp_path: Path) -> None:
    record = read_record(RESULTS / name, KINDS[name])
    assert record.version == 0
    assert without_version(record.to_dict()) == stored(name)
    written = record.model_copy(update={"version": VERSION})
    write_json(tmp_path / "again.json", written.to_dict())
    assert read_record(tmp_path / "again.json", KINDS[name]) == written


@pytest.mark.parametrize("name", list(LISTS))
def test_entries_without_a_version_are_kept_whole(name: str, tmp_path: Path) -> None:
    entries = read_all(RESULTS / name, LISTS[name])
    assert {entry.version for entry in entries} == {0}
    assert [without_version(entry.to_dict()) for entry in entries] == stored(name)
    written = tuple(entry.model_copy(update={"version": VERSION}) for entry in entries)
    write_json(tmp_path / "again.json", [entry.to_dict() for entry in written])
    assert read_all(tmp_path / "again.json", LISTS[name]) == written


def test_numbers_stay_as_they_stand_and_what_is_none_is_undefined() -> None:
    told = Metric.model_validate({"value": float("nan"), "se": 1, "n": 9.0, "more": 3})
    assert (told.value, told.se, told.n, told.split) == (None, 1, 9, "")
    assert Metric(value=float("-inf")).value is None
    assert repr(told.model_dump(mode="json")["se"]) == "1"
    for wrong in (True, "1", [1]):
        with pytest.raises(ValidationError):
            Metric.model_validate({"value": wrong})
    with pytest.raises(ValidationError, match="frozen"):
        told.value = 0.5


def put(value: object, *path: str | int) -> Callable[[Any], Any]:
    """Return a change of a record's JSON: a value at a place."""

    def change(told: Any) -> Any:  # noqa: ANN401 - any JSON
        inner = told
        for step in path[:-1]:
            inner = inner[step]
        inner[path[-1]] = value
        return told

    return change


def nested(depth: int) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for _ in range(depth):
        found = {"stages": [found]}
    return found


DAMAGES: list[tuple[str, bytes | Callable[[Any], Any], str]] = [
    ("cls.json", b"", "can't be read (Expecting value"),
    ("mean-dev.json", b'{"metrics": {"sentim', "can't be read (Unterminated string"),
    ("mean-calibration.json", b"\xff\xfe{}", "can't be read ('utf-8' codec"),
    ("comparisons.json", b"[" * 100_000, "can't be read (maximum recursion depth"),
    ("untrained-heads.json", b"9" * 5_000, "can't be read (Exceeds the limit"),
    ("bias.json", b"[]", "it should be an object. Found a list."),
    ("untuned-heads.json", b"null", "it should be an object. Found nothing."),
    ("reproduction.json", b"{}", "should be a list. Found an object."),
    ("mean.json", put(2, "version"), "`version` should be 1 at most. Found 2, of a newer"),
    ("comparisons.json", put(9, 4, "version"), "entry 5 is left out: `version` should be 1 at"),
    ("bias.json", put(True, "version"), "`version` should be a whole number from 0. Found True."),
    ("cls-dev.json", put(-1, "version"), "`version` should be a whole number from 0. Found -1."),
    ("mean-dev.json", put(None, "metrics"), "`metrics` should be an object. Found nothing."),
    (
        "mean-masked-dev.json",
        put("high", "metrics", "sentiment", "accuracy", "value"),
        "`metrics.sentiment.accuracy.value` should be a number or null. Found a text.",
    ),
    ("cls.json", put(True, "seed"), "`seed` should be a number or null. Found true or false."),
    ("mean.json", put(10**400, "minutes"), "`minutes` should be a number or null. Found one of"),
    ("mean.json", put(3, "stages", 0), "`stages[0]` should be an object. Found a number."),
    ("mean.json", put([nested(400)], "stages"), "breaks a rule (Recursion error"),
    ("mean.json", put("\ud800", "recipe"), "can't be read ('utf-8' codec"),
    (
        "cls-calibration.json",
        put({}, "tasks", "sentiment", "after", "ece"),
        "`tasks.sentiment.after.ece.value` should be a number. Found nothing.",
    ),
    ("reproduction.json", put(" ", 0, "row"), "entry 1 is left out: `row` should be a text that"),
    ("reproduction.json", put(3, 7), "entry 8 is left out: it should be an object."),
    ("comparisons.json", put("maybe", 0, "verdict"), "`verdict` should be one of 'held', 'did"),
    (
        "comparisons.json",
        put(3, 0, "differences", "sentiment\naccuracy"),
        "`differences.sentiment accuracy` should be an object. Found a number.",
    ),
    ("bias.json", put({}, "difference", "sentiment"), "`difference.sentiment` should hold 'all l"),
    ("untuned-heads.json", put(["a"], "inputs", 0), "`inputs[0][1]` should be there."),
    (
        "untuned-heads.json",
        put(None, "heads", "entropy", 1, 2),
        "`heads.entropy[1][2]` should be a number. Found nothing.",
    ),
]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("assets") / "results"
    return Path(shutil.copytree(RESULTS, folder, ignore=shutil.ignore_patterns("predictions")))


def only_problem(folder: Path, name: str, said: str) -> None:
    """Check that one line is reported: the file, what is wrong with it, the command."""
    (line,) = problems_in(folder)
    assert line.startswith("/".join((folder / name).parts[-3:]))
    command = f"`{COMMANDS[{**KINDS, **LISTS}[name]]}"
    assert_says(line, found=said, step=command, never=("\n", str(folder)))


@pytest.mark.parametrize(("name", "damage", "said"), DAMAGES)
def test_a_damage_is_one_clear_line(
    whole: Path, name: str, damage: bytes | Callable[[Any], Any], said: str
) -> None:
    path = whole / name
    before = path.read_bytes()
    damaged = damage if isinstance(damage, bytes) else json.dumps(damage(stored(name))).encode()
    try:
        path.write_bytes(damaged)
        only_problem(whole, name, said)
    finally:
        path.write_bytes(before)


@pytest.mark.parametrize("name", [*LISTS, *KINDS])
def test_a_missing_file_and_a_folder_in_its_place_are_one_line(whole: Path, name: str) -> None:
    path = whole / name
    before = path.read_bytes()
    try:
        path.unlink()
        only_problem(whole, name, "is not there.")
        path.mkdir()
        only_problem(whole, name, "can't be read (Is a directory).")
    finally:
        shutil.rmtree(path, ignore_errors=True)
        path.write_bytes(before)


def test_whoever_needs_every_entry_gets_an_error(whole: Path) -> None:
    assert len(read_all(whole / "reproduction.json", Run)) == len(stored("reproduction.json"))
    with pytest.raises(MissingRecordError, match=r"none\.json is not there"):
        read_record(whole / "none.json", Scores)
    with pytest.raises(RecordError, match=r"should be a list\. Found an object"):
        read_all(whole / "bias.json", Run)


def test_the_trainer_s_help_reads_no_record() -> None:
    code = (
        "import contextlib, io, sys\nfrom trainer.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()):\n"
        "    main(['--help'])\n"
        "assert 'pydantic' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
