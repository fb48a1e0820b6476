"""The record of bias: what is told of it fits its numbers, and a bad file is told as such."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minbert.records.bias import COMMAND, DEV, FILE, Bias
from minbert.records.reading import RecordError, read_record
from minbert.records.scores import MAIN
from minbert.tasks import TASKS
from minbert.ui.why.bias_record import SWITCH_COMMAND, record_block, record_finding, switch_line
from tests.read_html import direction, named_in, numbers_in, read

NAMES = ("one/model", "two/model")
RESULTS = Path(__file__).parents[4] / "assets" / "results"


def interval(mean: float, low: float, high: float) -> dict[str, dict[str, float]]:
    return {"all lists": {"mean": mean, "low": low, "high": high}}


def model(name: str, masked: bool | None, accuracy: float, spread: float) -> dict[str, Any]:
    spreads = {
        task: interval(spread, spread - 0.01, spread + 0.01)
        for task in ("sentiment", "paraphrase", "similarity")
    }
    dev = {
        "sentiment accuracy": {"value": accuracy, "se": 0.015, "n": 9},
        "sentiment f1": {"value": 0.1},
    }
    return {
        **{"model": name, "masked_in_training": masked, "seed": 3},
        **{"spread": spreads, "dev": dev},
    }


def written(folder: Path, **changes: Any) -> Path:  # noqa: ANN401 - any part of the record
    record = {
        "models": [model("one/model", True, 0.45, 0.2), model("two/model", False, 0.46, 0.3)],
        "difference": {
            "sentiment": interval(-0.1, -0.2, -0.05),
            "paraphrase": interval(-0.01, -0.03, 0.01),
            "similarity": interval(0.02, 0.01, 0.03),
        },
        "commit": "abc",
    }
    (folder / FILE).write_text(json.dumps({**record, **changes}), encoding="utf-8")
    return folder


def told(folder: Path) -> tuple[str, list[str]]:
    return record_finding(read_record(folder / FILE, Bias))


def test_the_title_counts_what_the_intervals_decide(tmp_path: Path) -> None:
    title, lines = told(written(tmp_path))
    models = read_record(tmp_path / FILE, Bias).models
    called = [one.called for one in models]
    assert numbers_in(title) == ["1", "3", "1"], "narrower, of all, wider"
    assert named_in(title, called) == named_in(lines[0], called) == called
    found = lines[0].partition(":")[2].split(";")
    assert [(named_in(one, TASKS), numbers_in(one), direction(one)) for one in found] == [
        (["sentiment"], ["-0.100", "-0.200", "-0.050"], -1),
        (["paraphrase"], ["-0.010", "-0.030", "+0.010"], 0),
        (["similarity"], ["+0.020", "+0.010", "+0.030"], 1),
    ]
    assert named_in(lines[1], DEV.values()) == [DEV["sentiment accuracy"]]
    assert numbers_in(lines[1])[-2:] == ["0.450", "0.460"]
    assert "abc" in lines[2].rstrip(".").split()


@pytest.mark.parametrize("masked", [None, True])
def test_models_whose_training_is_alike_or_not_told_go_by_their_names(
    tmp_path: Path, masked: bool | None
) -> None:
    models = [model(name, masked, 0.4, 0.2) for name in NAMES]
    title, lines = told(written(tmp_path, models=models))
    assert named_in(title, NAMES) == named_in(lines[0], NAMES) == list(NAMES)


def test_one_model_tells_its_own_spread(tmp_path: Path) -> None:
    one = [model("one/model", False, 0.4, 0.25)]
    title, _ = told(written(tmp_path, models=one, difference={}))
    assert numbers_in(title) == ["0.250", "0.240", "0.260"]


def test_the_table_has_a_row_a_model(tmp_path: Path) -> None:
    one, other = read(record_block(written(tmp_path))).rows
    assert [one[0], one[2], other[0], other[2]] == ["one/model", "3", "two/model", "3"]
    assert [named_in(row[1], ("masked",)) for row in (one, other)] == [["masked"], []]
    assert [one[3], other[3]] == ["0.200 (0.190 to 0.210)", "0.300 (0.290 to 0.310)"]
    assert [row[6:] for row in (one, other)] == [
        *(["0.450 ± 0.015", "", ""], ["0.460 ± 0.015", "", ""])
    ]


def test_no_record_and_a_bad_one_are_told(tmp_path: Path) -> None:
    assert COMMAND in read(record_block(tmp_path)).text
    (tmp_path / FILE).write_text('{"models": [{"model": "a"}]}', encoding="utf-8")
    with pytest.raises(RecordError, match=r"`models\[0\].spread` should be an object") as caught:
        read_record(tmp_path / FILE, Bias)
    block = read(record_block(tmp_path))
    assert block.finding.lines == [str(caught.value)]
    assert block.tables == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"difference": {"sentiment": {}}}, "`difference.sentiment` should hold 'all lists'"),
        ({"models": [{"model": "a", "spread": {}}]}, "`models[0].spread` should hold 'sentiment'"),
        (
            {"models": [{"model": "a", "masked_in_training": "yes"}]},
            "`models[0].masked_in_training` should be true or false. Found a text",
        ),
    ],
)
def test_what_the_finding_needs_is_checked(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    assert said in read(record_block(written(tmp_path, **change))).text


def test_the_shipped_record_compares_masked_with_plain_training() -> None:
    record = read_record(RESULTS / FILE, Bias)
    assert [one.masked_in_training for one in record.models] == [True, False]
    assert set(record.difference) == set(TASKS)
    for one in record.models:
        assert None not in [one.score(name) for name in MAIN]


def evaluation(folder: Path, name: str, accuracy: float) -> None:
    """Write what `evaluate` writes, as far as the tab reads it."""
    metrics = {
        "sentiment": {"accuracy": {"value": accuracy, "se": 0.015}},
        "paraphrase": {"accuracy": {"value": accuracy + 0.3, "se": 0.003}},
        "similarity": {"pearson": {"value": accuracy + 0.4, "se": 0.008}},
    }
    (folder / name).write_text(json.dumps({"metrics": metrics}), encoding="utf-8")


def test_what_the_switch_costs(tmp_path: Path) -> None:
    evaluation(tmp_path, "mean-dev.json", 0.5)
    assert SWITCH_COMMAND in switch_line(tmp_path)
    evaluation(tmp_path, "mean-masked-dev.json", 0.45)
    line = switch_line(tmp_path)
    assert named_in(line, DEV.values()) == list(DEV.values())
    assert [number for number in numbers_in(line) if "." in number] == [
        *("0.450", "0.015", "0.500", "0.015", "0.750", "0.003", "0.800", "0.003"),
        *("0.850", "0.008", "0.900", "0.008"),
    ]
    assert line in read(record_block(written(tmp_path))).finding.lines
    (tmp_path / "mean-masked-dev.json").write_text("[1]", encoding="utf-8")
    assert SWITCH_COMMAND in switch_line(tmp_path)
    (tmp_path / "bias.json").unlink()
    assert SWITCH_COMMAND in read(record_block(tmp_path)).text
