"""The record of speed tells ratios the right way round, whatever the unit."""

from __future__ import annotations

from pathlib import Path

import pytest

from minbert.files import write_json
from minbert.records.reading import RecordError, read_record
from minbert.records.speed import HEAD, OURS, Speed


def timing(what: str, contestant: str, unit: str, median: float) -> dict[str, object]:
    ends = {"median": median, "least": median / 2, "most": median * 2}
    return {"what": what, "contestant": contestant, "unit": unit, "rounds": 3, **ends}


RECORD = {
    **{"version": 1, "commit": "abc", "machine": "a machine", "threads": 2},
    "versions": {"torch": "2.13"},
    "timings": [
        timing("one pair", OURS, "ms", 4.0),
        timing("one pair", "another", "ms", 6.0),
        timing("a file", OURS, "sentences/s", 900.0),
        timing("a file", "another", "sentences/s", 600.0),
        timing("a file", "a third", "sentences/s", 1800.0),
        timing("occlusion", OURS, "ms", 250.0),
    ],
}


def test_ratios_say_how_many_times_as_good_ours_is() -> None:
    rows = list(Speed.model_validate(RECORD).rows())
    assert [row[:3] for row in rows] == [
        ("one pair", "another", "1.50"),
        ("a file", "another", "1.50"),
        ("a file", "a third", "0.50"),
        ("occlusion", "", ""),
    ]
    assert rows[0][3:] == ("4.0 ms (2.0 to 8.0)", "6.0 ms (3.0 to 12.0)")
    assert rows[1][3] == "900 sentences/s (450 to 1,800)"


def test_a_grid_has_a_row_for_each_thing_and_a_column_for_each_usual_contestant() -> None:
    head, rows = Speed.model_validate(RECORD).grid()
    assert head == ["", OURS, "another"]
    assert rows == [
        ["one pair", "4.0 ms", "6.0 ms (1.50)"],
        ["a file; a third: 1,800 sentences/s (0.50)", "900 sentences/s", "600 sentences/s (1.50)"],
        ["occlusion", "250 ms", ""],
    ]


def test_the_table_says_where_it_comes_from(tmp_path: Path) -> None:
    write_json(tmp_path / "speed.json", RECORD)
    markdown = read_record(tmp_path / "speed.json", Speed).markdown()
    lines = markdown.splitlines()
    assert lines[0] == f"| {' | '.join(HEAD)} |"
    assert len({line.count("|") for line in lines[:6]}) == 1
    assert lines[-1] == "a machine, 2 threads, commit abc; torch 2.13."


def test_a_damaged_record_names_the_command(tmp_path: Path) -> None:
    write_json(tmp_path / "speed.json", RECORD | {"timings": [timing("x", OURS, "parsecs", 1.0)]})
    with pytest.raises(RecordError, match=r"unit.*make bench"):
        read_record(tmp_path / "speed.json", Speed)
