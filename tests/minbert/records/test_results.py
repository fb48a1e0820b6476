"""Result files are read as they are; what is missing or broken is told, the rest is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from minbert.records.runs import Results, read_results
from minbert.ui.parts.score_rows import (
    group_rows,
    main_metrics,
    metric_label,
    metrics_of,
    table_names,
)
from tests.minbert.ui.sample_results import metric, run, sample_runs, write_sample
from tests.support import assert_says


def read(tmp_path: Path, runs: object = None, comparisons: object = None) -> Results:
    for name, stored in (("reproduction", runs), ("comparisons", comparisons)):
        text = json.dumps([] if stored is None else stored)
        (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
    return read_results(tmp_path)


def test_the_sample_is_read_whole(tmp_path: Path) -> None:
    found = read_results(write_sample(tmp_path))
    assert found.problems == ()
    assert len(found.runs) == len(sample_runs())
    assert [one.verdict for one in found.comparisons].count("undecided") == 3
    annealed = next(one for one in found.runs if one.row == "annealed")
    assert annealed.metrics["sentiment accuracy"].value == 0.485
    assert annealed.report["similarity pearson"] == 0.857
    assert annealed.curve[8].tokens == 600_000
    assert annealed.probabilities[0].alpha == 1
    assert annealed.encoder.endswith("all-MiniLM-L6-v2")
    assert found.comparisons[3].rows == ("surgery", "round_robin", "annealed")


def test_missing_files_say_what_to_run(tmp_path: Path) -> None:
    problems = read_results(tmp_path / "assets" / "results").problems
    assert problems == (
        "assets/results/reproduction.json is not there. "
        "Run `python -m trainer reproduce` to write it.",
        "assets/results/comparisons.json is not there. "
        "Run `python -m trainer reproduce` to write it.",
    )


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "can't be read"),
        (b"\xff\xfe", "can't be read"),
        (b"[" * 100_000, "can't be read"),
        (b"[" + b"9" * 5_000 + b"]", "can't be read"),
        (b"{}", "should be a list. Found an object"),
        (b"7", "should be a list. Found a number"),
    ],
)
def test_a_broken_file_says_what_to_run(tmp_path: Path, content: bytes, said: str) -> None:
    write_sample(tmp_path)
    (tmp_path / "reproduction.json").write_bytes(content)
    found = read_results(tmp_path)
    assert found.runs == ()
    assert len(found.comparisons) == 5
    (problem,) = found.problems
    assert_says(problem, found=said, step="`python -m trainer reproduce`")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"row": None}, "`row` should be a text. Found nothing"),
        ({"metrics": []}, "`metrics` should be an object. Found a list"),
        (
            {"metrics": {"f1": {"value": "0.4"}}},
            "`metrics.f1.value` should be a number or null. Found a text",
        ),
        ({"metrics": {"f1": {"value": True}}}, "Found true or false"),
        ({"minutes": 10**400}, "`minutes` should be a number or null. Found one of 1329 bits"),
        ({"curve": {}, "seed": "x"}, "`seed` should be a number"),
        ({"curve": {}}, "`curve` should be a list. Found an object"),
        ({"curve": [3]}, "`curve[0]` should be an object. Found a number"),
        ({"curve": [{}]}, "`curve[0].epoch` should be a number. Found nothing"),
        ({"surgery": [{"epoch": 1, "pairs": 3}]}, "`surgery[0].pairs` should be an object"),
        ({"config": 3}, "`config` should be an object. Found a number"),
    ],
)
def test_a_broken_run_is_told_and_the_others_stay(
    tmp_path: Path, change: dict[str, Any], said: str
) -> None:
    runs = sample_runs()
    runs[1] = {**runs[1], **change}
    found = read(tmp_path, runs)
    assert len(found.runs) == len(runs) - 1
    (problem,) = found.problems
    assert_says(problem, parameter="entry 2", found=said)


def test_an_unknown_verdict_is_told(tmp_path: Path) -> None:
    found = read(tmp_path, [], [{"claim": "x", "says": "y", "verdict": "maybe"}])
    rule = ("'held'", "'did not hold'", "'undecided'")
    assert_says(found.problems[0], rule=rule, found="'maybe'")


def test_what_is_not_a_number_is_undefined(tmp_path: Path) -> None:
    stored = run("ours", "odd", "odd", {"similarity pearson": metric(float("nan"), 10)})
    (one,) = read(tmp_path, [stored]).runs
    assert one.metrics["similarity pearson"].value is None


def test_seeds_are_one_row_and_profiles_two(tmp_path: Path) -> None:
    runs = [
        run("new", "odd", "Odd", {"f1": metric(value, 10, 0.1)}, seed=seed, profile=profile)
        for value, seed, profile in ((0.2, 0, "cpu"), (0.4, 1, "cpu"), (0.9, 0, "gpu"))
    ]
    runs.append(run("dev", "late", "Late", {"f1": metric(0.5, 10)}))
    rows = group_rows(read(tmp_path, runs).runs)
    assert [row.label for row in rows] == ["Late", "Odd [cpu]", "Odd [gpu]"]
    score = rows[1].score("f1")
    assert score is not None
    assert score.value == pytest.approx(0.3)
    assert score.half == pytest.approx(0.196)
    assert score.sd == pytest.approx(0.1414, abs=1e-4)
    assert rows[1].score("accuracy") is None
    assert table_names(rows) == {"Report's dev table": "dev", "new": "new"}


def test_undefined_seeds_leave_the_mean_alone(tmp_path: Path) -> None:
    runs = [
        run("dev", "a", "A", {"f1": metric(value, 10)}, seed=seed)
        for seed, value in enumerate((None, 0.5))
    ]
    score = group_rows(read(tmp_path, runs).runs)[0].score("f1")
    assert score is not None
    assert (score.value, score.seeds, score.sd) == (0.5, 1, None)


def test_metrics_come_in_the_reports_order(tmp_path: Path) -> None:
    rows = group_rows(read_results(write_sample(tmp_path)).runs)
    assert main_metrics(rows) == [
        "sentiment accuracy",
        "cfimdb accuracy",
        "paraphrase accuracy",
        "similarity pearson",
    ]
    assert metrics_of(rows)[4:] == [
        "sentiment within_one",
        "paraphrase f1",
        "similarity joint_pearson",
        "normalised",
    ]


@pytest.mark.parametrize(
    ("metric_name", "label"),
    [
        ("similarity joint_pearson", "Similarity Pearson of the joint score"),
        ("cfimdb accuracy", "CFIMDB accuracy"),
        ("normalised", "Normalised mean"),
        (
            "paraphrase accuracy against cls_pretraining",
            "Paraphrase accuracy against cls pretraining",
        ),
        ("million tokens", "Million tokens"),
        ("new odd_metric", "New odd metric"),
    ],
)
def test_metrics_have_names(metric_name: str, label: str) -> None:
    assert metric_label(metric_name) == label
