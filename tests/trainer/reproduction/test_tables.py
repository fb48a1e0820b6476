"""The reproduced tables: cells by hand, notes beneath, what is undefined or missing told."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support import assert_says, markdown_tables
from trainer.reproduction import tables
from trainer.reproduction.claims import NOT_RUN, compare

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
    """Return a row of a table by its columns' names."""
    rows = [row for table in markdown_tables(markdown) for row in table]
    (found,) = [row for row in rows if next(iter(row.values())).startswith(start)]
    return found


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
    assert_says(lone, found="BERT + baseline (seed 0) 1.000", never="nan")
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
    assert {name.split(",")[0] for name in first} == {
        *("row", "SST", "CFIMDB", "tokens", "minutes", "seeds"),
    }


def test_rows_stand_in_the_report_s_order_and_the_later_record_counts(tmp_path: Path) -> None:
    runs = [record("cosine"), record("mean_pretraining"), record("baseline")]
    runs += [record("baseline", minutes=99.0)]
    found = written(tmp_path, runs)
    ((*rows,),) = markdown_tables(found)
    assert [row["row"].split("`")[1] for row in rows] == ["baseline", "mean_pretraining", "cosine"]
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
    counts = "SST 1,101; Para 10,006; STS 863"
    assert_says(cpu, found=("AMD EPYC, 2 cores", " cpu", "`a1`, `b2`", " 0, 3", counts))
    assert_says(gpu, found=("H100", " gpu", "`abc123`", " 1."), never=("AMD", "`a1`"))
    assert_says(cpu, rule=tables.QUORA)
    assert_says(gpu, never=tables.QUORA)


def test_a_bar_in_a_title_does_not_break_the_table(tmp_path: Path) -> None:
    found = written(tmp_path, [record("baseline", title="a | b")])
    assert cells(found, "a")["row"] == "a \\| b (`baseline`)"


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
    difference = "difference (95 % interval)"
    assert markdown_tables(found) == [
        [
            {
                **{"claim": "X beats Y [1]", "rows": "`x` − `y`", "seeds": "0, 1"},
                difference: "SST +.020 [+.010, +.030]<br>STS undefined",
                "verdict": "**undecided**",
            },
            {
                **{"claim": "X beats Y [1]", "rows": "`x` − `y` / `z`", "seeds": "0, 1"},
                difference: "Para against `y` -.500 [-1.25, +.000]<br>not run yet: row z",
                "verdict": "**held**",
            },
        ]
    ]
    assert found.count("half decided before") == 1
    assert found.splitlines()[-1].startswith("[1] half decided before")


def test_claims_without_runs_tell_what_is_missing(tmp_path: Path) -> None:
    entries = compare([], {}, {})
    (rows,) = markdown_tables(written(tmp_path, [], [entry.to_dict() for entry in entries]))
    assert len(rows) == len(entries)
    for row, entry in zip(rows, entries, strict=True):
        assert_says(row["difference (95 % interval)"], found=(NOT_RUN, *entry.rows))


def test_without_comparisons_there_are_the_tables_alone(tmp_path: Path) -> None:
    assert len(markdown_tables(written(tmp_path, [record("baseline")]))) == 1


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
