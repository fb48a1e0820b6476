"""bertviz as a frame: it fetches nothing, its data is written once, and text stays text."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import torch
from torch import Tensor

from minbert.ui.attention import bertviz as bertviz_frame
from tests.read_html import read
from tests.support import assert_close

# bertviz leaves its script file for the garbage collector to close
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*_view.js:ResourceWarning")

HOSTILE = "</script><script>alert(1)</script><!--"
ROWS, COLUMNS = ["[CLS]", "film", HOSTILE], ["[CLS]", HOSTILE]


@pytest.fixture
def weights() -> Tensor:
    """Give maps of 4 layers and 3 heads, 3 rows by 2 columns."""
    generator = torch.Generator().manual_seed(0)
    return torch.rand(4, 3, 3, 2, generator=generator)


def settings_of(document: str) -> dict[str, Any]:
    found = re.findall(r"const params = (\{.*\});", document)
    assert len(found) == 1
    settings: dict[str, Any] = json.loads(found[0])
    return settings


def test_the_head_view_holds_one_layer_once_and_rounded(weights: Tensor) -> None:
    document = bertviz_frame.head_view(weights[2], ROWS, COLUMNS, layer=3, head=2)
    settings = settings_of(document)
    (data,) = settings["attention"]
    assert_close(torch.tensor(data["attn"]), weights[2:3], 0.0005001)
    assert all(len(number) <= 5 for number in re.findall(r"0\.\d+", json.dumps(data["attn"])))
    assert (data["left_text"], data["right_text"]) == (ROWS, COLUMNS)
    assert settings["include_layers"] == [3]
    assert settings["layer"] == 3
    assert settings["heads"] == [1]
    assert document.count('"attn"') == 1


def test_head_0_begins_with_all_heads_on(weights: Tensor) -> None:
    document = bertviz_frame.head_view(weights[0], ROWS, COLUMNS, layer=1, head=0)
    assert settings_of(document)["heads"] is None


def test_the_model_view_counts_layers_and_heads_from_1(weights: Tensor) -> None:
    settings = settings_of(bertviz_frame.model_view(weights, ROWS, COLUMNS))
    (data,) = settings["attention"]
    assert_close(torch.tensor(data["attn"]), weights, 0.0005001)
    assert settings["include_layers"] == [1, 2, 3, 4]
    assert settings["include_heads"] == [1, 2, 3]
    assert settings["total_heads"] == 3


@pytest.mark.parametrize("view", ["head", "model"])
def test_nothing_is_fetched_and_no_text_leaves_its_script(weights: Tensor, view: str) -> None:
    document = (
        bertviz_frame.head_view(weights[0], ROWS, COLUMNS, 1, 1)
        if view == "head"
        else bertviz_frame.model_view(weights, ROWS, COLUMNS)
    )
    page = read(document)
    assert page.outside == []
    assert "alert" not in page.text
    policy = page.one("meta", **{"http-equiv": "Content-Security-Policy"}).attributes["content"]
    assert policy.startswith("default-src 'none'")
    scripts = ["".join(map(str, script.children)) for script in page.find("script")]
    assert len(scripts) == 5  # jquery, d3, shim, drawing, height
    assert "<!--" not in scripts[3]
    colours = " ".join(scripts[2:]).lower()
    assert not {"#e69f00", "#ff7f0e"} & set(re.findall("#[0-9a-f]{6}", colours)), "the poolings'"


def test_the_frame_is_sandboxed_titled_and_escaped() -> None:
    made = read(bertviz_frame.frame('<p title="x">', 'Heads of "it"')).one("iframe").attributes
    assert (made["sandbox"], made["title"]) == ("allow-scripts", 'Heads of "it"')
    assert made["srcdoc"] == '<p title="x">'


@pytest.mark.parametrize(
    "made",
    [
        "<div></div>",
        '<script type="text/javascript">const params = {};</script>',
        '<script src="x"></script><script type="text/javascript">let a;</script>',
        '<script src="x"></script><script type="text/javascript">const params = {};',
    ],
)
def test_another_bertviz_is_told(made: str) -> None:
    with pytest.raises(ValueError, match="should write one script that begins with its data"):
        bertviz_frame.document(made, ())
