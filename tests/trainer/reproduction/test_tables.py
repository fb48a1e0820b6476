"""The reproduced tables: cells by hand, notes beneath, what is undefined or missing told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from trainer.reproduction import tables
from trainer.reproduction.claims import compare

MARKED = "# Title\n\n<!-- reproduction -->\nold\n<!-- /reproduction -->\n\nthe end\n"


def metric(value: float | None, se: float | None = 0.015, n: int = 1101) -> dict[str, Any]:
    return {"value": value, "se": se, "n": n, "split": "dev"}


def record(row: str, seed: int = 0, **changed: object) -> dict[str, Any]:
    return {
        "row": row,
        "title": f"BERT + {row}",
        "table": "dev",
        "seed": seed,
        "profile": "cpu",
        "metrics": {
            "sentiment accuracy": metric(0.5),
            "sentiment within_one": metric(0.9),
            "paraphrase accuracy": metric(0.8, 0.004, 10006),
            "similarity pearson": metric(0.7, 0.01, 863),
            "normalised": metric(0.717, None, 11970),
        },
        "report": {
            "sentiment accuracy": 0.36,
            "paraphrase accuracy": 0.632,
            "similarity pearson": -0.129,
        },
        "report_split": "dev",
        "minutes": 12.34,
        "tokens": 3_775_103,
        "commit": "abc123",
        "machine": "AMD EPYC, 2 cores",
        "curve": [],
        "config": {"encoder": "sentence-transformers/all-MiniLM-L6-v2"},
        **changed,
    }


def written(folder: Path, runs: object, comparisons: object = None) -> str:
    (folder / "reproduction.json").write_text(json.dumps(runs), encoding="utf-8")
    if comparisons is not None:
        (folder / "comparisons.json").write_text(json.dumps(comparisons), encoding="utf-8")
    return tables.tables(folder)


def cells(markdown: str, start: str) -> dict[str, str]:
    """Return a row of the table by its columns' names."""
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    (row,) = [line for line in lines if line.startswith(f"| {start}")]
    header = [line for line in lines[: lines.index(row)] if line.startswith("| row")][-1]
    names, values = ([cell.strip() for cell in line.split("|")[1:-1]] for line in (header, row))
    return dict(zip(names, values, strict=True))


def test_a_row_puts_the_report_beside_ours(tmp_path: Path) -> None:
    assert cells(written(tmp_path, [record("baseline")]), "BERT + baseline") == {
        "row": "BERT + baseline (`baseline`)",
        "SST, report": ".360",
        "SST, ours": ".500 ± .015",
        "Para, report": ".632",
        "Para, ours": ".800 ± .004",
        "STS, report": "-.129",
        "STS, ours": ".700 ± .010",
        "normalised mean, ours": ".717",
        "tokens": "3.78 M",
        "minutes": "12.3",
        "seeds": "0",
    }


def test_several_seeds_are_their_mean_and_sd(tmp_path: Path) -> None:
    runs = [
        record("baseline", k, minutes=m, metrics={"sentiment accuracy": metric(value)})
        for k, m, value in ((2, 10.0, 0.54), (0, 20.0, 0.5), (1, 30.0, 0.52))
    ]
    found = cells(written(tmp_path, runs), "BERT + baseline")
    assert found["SST, ours"] == ".520 ± .020"
    assert (found["minutes"], found["seeds"]) == ("20.0", "0, 1, 2")


def test_what_is_undefined_is_written_so(tmp_path: Path) -> None:
    dead = {"similarity pearson": metric(None, None), "similarity zero_share": metric(1.0, 0.0)}
    lone = written(tmp_path, [record("baseline", metrics=dead)])
    assert cells(lone, "BERT + baseline")["STS, ours"] == "undefined"
    assert "exactly 0: BERT + baseline (seed 0) 1.000." in lone
    alive = {"similarity pearson": metric(0.4)}
    both = written(
        tmp_path, [record("baseline", metrics=dead), record("baseline", 1, metrics=alive)]
    )
    assert cells(both, "BERT + baseline")["STS, ours"] == "undefined (1 of 2 seeds)"


def test_a_metric_that_a_row_lacks_is_blank(tmp_path: Path) -> None:
    runs = [
        record(
            "sst",
            table="part1",
            report={"sentiment accuracy": 0.409},
            metrics={"sentiment accuracy": metric(0.4)},
        ),
        record(
            "cfimdb",
            table="part1",
            report={"cfimdb accuracy": 0.788},
            metrics={"cfimdb accuracy": metric(0.8, n=245)},
        ),
    ]
    found = written(tmp_path, runs)
    assert found.startswith("### Part 1")
    first, second = cells(found, "BERT + sst"), cells(found, "BERT + cfimdb")
    assert (first["SST, report"], first["CFIMDB, report"], first["CFIMDB, ours"]) == (
        ".409",
        "",
        "",
    )
    assert (second["SST, ours"], second["CFIMDB, ours"]) == ("", ".800 ± .015")
    assert "Para" not in found


def test_rows_stand_in_the_report_s_order_and_the_later_record_counts(tmp_path: Path) -> None:
    runs = [record("cosine"), record("mean_pretraining"), record("baseline")]
    runs += [record("baseline", minutes=99.0)]
    found = written(tmp_path, runs)
    places = [found.index(f"(`{row}`)") for row in ("baseline", "mean_pretraining", "cosine")]
    assert places == sorted(places)
    assert cells(found, "BERT + baseline")["minutes"] == "99.0"


def test_the_heading_says_which_split_each_side_is_of(tmp_path: Path) -> None:
    runs = [record("annealed", table="test", report_split="test")]
    runs += [record("all", table="ours", report={}, report_split=None)]
    headings = [line for line in written(tmp_path, runs).splitlines() if line.startswith("###")]
    assert headings == [
        "### Part 2: the report's test table (report: test, ours: dev)",
        "### Ours: all techniques in tandem, and all but one",
    ]


def test_a_table_of_ours_has_no_columns_for_the_report(tmp_path: Path) -> None:
    found = cells(written(tmp_path, [record("all", table="ours", report={})]), "BERT + all")
    assert [name for name in found if "report" in name or "ours" in name] == []
    assert found["SST"] == ".500 ± .015"


def test_each_profile_has_its_own_table_and_notes(tmp_path: Path) -> None:
    runs = [
        record("baseline", 0, commit="b2"),
        record("cosine", 3, commit="a1"),
        record("baseline", 1, profile="gpu", machine="H100", config={"encoder": "bert-base"}),
    ]
    cpu, gpu = written(tmp_path, runs).split("\n\n###")
    for part in (
        "Machine: AMD EPYC, 2 cores.",
        "Profile: cpu.",
        "Commit: `a1`, `b2`.",
        "Seeds: 0, 3.",
        "Examples: SST 1,101; Para 10,006; STS 863. ",
        "Quora duplicates",
    ):
        assert part in cpu
    assert "Machine: H100. Profile: gpu. Commit: `abc123`. Seeds: 1." in gpu
    assert "Quora duplicates" not in gpu


def test_a_bar_in_a_title_does_not_break_the_table(tmp_path: Path) -> None:
    assert "| a \\| b (`baseline`) |" in written(tmp_path, [record("baseline", title="a | b")])


def test_claims_stand_with_interval_verdict_and_caveat(tmp_path: Path) -> None:
    entry = {
        "claim": "x",
        "says": "X beats Y",
        "a": "x",
        "b": "y",
        "seeds": [0, 1],
        "differences": {
            "sentiment accuracy": {"value": 0.02, "low": 0.01, "high": 0.03, "n": 9},
            "similarity pearson": {"value": None, "low": None, "high": None, "n": 9},
        },
        "verdict": "undecided",
        "why": "sentiment accuracy ...",
        "caveat": "half decided before",
    }
    several = {**entry, "b": "y, z", "verdict": "held", "why": "not run yet: row z"}
    several["differences"] = {
        "paraphrase accuracy against y": {"value": -0.5, "low": -1.25, "high": 0.0, "n": 9}
    }
    found = written(tmp_path, [], [entry, several])
    assert (
        "| X beats Y [1] | `x` − `y` | SST +.020 [+.010, +.030]<br>STS undefined | 0, 1 "
        "| **undecided** |"
    ) in found
    assert (
        "| `x` − `y` / `z` | Para against `y` -.500 [-1.25, +.000]<br>not run yet: row z | 0, 1 "
        "| **held** |"
    ) in found
    assert found.count("half decided before") == 1
    assert "\n[1] half decided before." in found


def test_claims_without_runs_tell_what_is_missing(tmp_path: Path) -> None:
    found = written(tmp_path, [], [entry.to_dict() for entry in compare([], {}, {})])
    assert (
        "| `round_robin` − `dropout_03` | not run yet: row round_robin, row dropout_03 |" in found
    )


def test_without_comparisons_there_are_the_tables_alone(tmp_path: Path) -> None:
    assert "judged" not in written(tmp_path, [record("baseline")])


def test_without_results_it_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(
        ValueError, match=r"reproduction\.json is not there.*python -m trainer reproduce"
    ):
        tables.tables(tmp_path)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ('[{"a"', "can't be read"),
        ("{}", "should be a list. Found an object"),
        ("[3]", "entry 1 is left out: it should be an object. Found a number"),
        ('[{"row": "a", "table": "dev"}]', "`metrics` should be an object. Found nothing"),
    ],
)
def test_a_damaged_file_is_told(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "reproduction.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=rf"reproduction\.json.*{re.escape(told)}"):
        tables.tables(tmp_path)


def test_the_readme_changes_between_the_markers_alone(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(MARKED, encoding="utf-8")
    for _ in range(2):
        tables.write_into_readme(readme, "\nnew ± \\1\n")
        assert readme.read_text(encoding="utf-8") == MARKED.replace("\nold\n", "\n\nnew ± \\1\n\n")


@pytest.mark.parametrize(
    "text",
    [
        "no markers",
        MARKED.replace("<!-- /reproduction -->", ""),
        MARKED.replace("<!-- reproduction -->", ""),
        MARKED + MARKED,
        "<!-- /reproduction --> <!-- reproduction -->",
    ],
)
def test_a_readme_without_its_markers_is_refused_and_left(tmp_path: Path, text: str) -> None:
    readme = tmp_path / "README.md"
    readme.write_text(text, encoding="utf-8")
    with pytest.raises(ValueError, match=r"README\.md should hold <!-- reproduction -->"):
        tables.write_into_readme(readme, "new")
    assert readme.read_text(encoding="utf-8") == text
