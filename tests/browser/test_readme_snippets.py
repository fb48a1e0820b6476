"""The calls of docs/api.md: each is run on the real page as it stands, but for the address."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from typing import Any

import pytest

from tests.docs_text import API, README, blocks

ADDRESS = "http://127.0.0.1:7860"
SNIPPETS = [block for block in blocks(API, "python") if "client" in block]


@pytest.fixture(scope="module")
def outcome(app_url: str) -> Iterator[dict[str, Any]]:
    """Run all snippets, one after another as a reader would; give the names they leave."""
    names: dict[str, Any] = {}
    assert sum(block.count(ADDRESS) for block in SNIPPETS) == 1
    for block in SNIPPETS:
        exec(block.replace(ADDRESS, app_url), names)
    yield names
    names["client"].close()


@pytest.mark.whole
def test_each_endpoint_has_its_snippet(outcome: dict[str, Any]) -> None:
    shown = [re.findall(r'api_name="(\S+)"', block) for block in SNIPPETS]
    assert all(len(named) == 1 for named in shown)
    told = outcome["client"].view_api(return_format="dict", print_info=False)
    pages_own = re.compile("/(show|load)_")  # they fill boxes and figures
    public = {name for name in told["named_endpoints"] if not pages_own.match(name)}
    assert {named[0] for named in shown} == public


def test_predict_and_compare(outcome: dict[str, Any]) -> None:
    answer, both = outcome["answer"], outcome["both"]
    assert len(answer["sentiment"]) == 2
    assert answer["paraphrase"]["label"] in ("yes", "no")
    assert 2 < answer["similarity"]["score"] < 6
    assert both["mean"] == answer
    assert both["cls"]["similarity"]["score"] != answer["similarity"]["score"]
    assert len(both["differences"]) == 5


def test_the_split_sums_to_the_cosine(outcome: dict[str, Any]) -> None:
    split = outcome["split"]
    assert (len(split["first"]), len(split["second"])) == (7, 10)
    assert [len(row) for row in split["matrix"]] == [10] * 7
    assert sum(map(sum, split["matrix"])) == pytest.approx(split["cosine"], abs=1e-5)
    assert 0 < split["score"] <= 5


def test_a_set_is_compared_each_with_each(outcome: dict[str, Any]) -> None:
    compared = outcome["compared"]
    assert [len(row) for row in compared["matrix"]] == [3, 3, 3]
    assert compared["matrix"][0][2] == pytest.approx(outcome["split"]["cosine"], abs=1e-5)
    assert sorted(compared["order"]) == [0, 1, 2]
    assert [len(point) for point in compared["points"]] == [2, 2, 2]


def test_rows_of_attention_sum_to_one(outcome: dict[str, Any]) -> None:
    maps = outcome["maps"]
    assert maps["tokens"].count("[SEP]") == 2
    assert len(maps["weights"]) == 12
    for row in maps["weights"][0]:
        assert len(row) == len(maps["tokens"])
        assert sum(row) == pytest.approx(1, abs=1e-4)


def test_a_batch_answers_line_by_line(outcome: dict[str, Any]) -> None:
    batch = outcome["batch"]
    assert (batch["kind"], batch["model"], batch["bad_rows"]) == ("sentences", "mean", [])
    assert [row["line"] for row in batch["rows"]] == [1, 2]
    assert batch["scores"] is None


def test_labels_of_ones_own_are_compared(outcome: dict[str, Any]) -> None:
    learned = outcome["learned"]
    assert (learned["rows"], learned["classes"]) == (8, ["billing", "delivery"])
    hits = sum(learned["mean"]["confusion"][place][place] for place in range(2))
    assert learned["mean"]["accuracy"]["value"] == hits / 8


def test_explained_words_sum_to_the_move_of_the_score(outcome: dict[str, Any]) -> None:
    why = outcome["why"]
    assert [len(why["first"]), len(why["second"])] == [5, 8]
    total = sum(word["score"] for side in ("first", "second") for word in why[side])
    assert total == pytest.approx(why["completeness"]["total"], abs=1e-4)


@pytest.mark.parametrize("name", [API, README])
def test_curl_gets_the_answer_in_one_step(app_url: str, name: str) -> None:
    (line,) = [block for block in blocks(name, "sh") if "curl" in block]
    assert line.count(ADDRESS) == 1
    done = subprocess.run(
        ["sh", "-euc", line.replace(ADDRESS, app_url)], capture_output=True, text=True, check=True
    )
    told = json.loads(done.stdout)
    assert "sentiment" in told
    assert ("similarity" in told) == ("second" in line)
