"""The studio's events on tiny models: each control changes what is shown, the numbers are exact."""

from __future__ import annotations

import csv
import dataclasses
import json
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
import torch
from transformers import BertModel as ReferenceBert

from minbert.checkpoint import export_encoder
from minbert.explain.rollout import attention_rollout
from minbert.files import write_json
from minbert.ui.attention.bertviz import draw_view
from minbert.ui.attention.events import (
    ALL,
    ONE,
    ROLLOUT,
    SECOND,
    SORTS,
    TOGETHER,
    Controls,
    Studio,
    sort_heads,
)
from minbert.ui.attention.files import write_files
from minbert.ui.attention.fine_tuning import FineTuning
from minbert.ui.attention.masked_word import Extras, pick_row
from minbert.ui.engine import Engine
from tests.support import assert_close

# bertviz leaves its script file for the garbage collector to close
pytestmark = pytest.mark.filterwarnings("ignore:unclosed file .*_view.js:ResourceWarning")

A, B = "the cat sits in the garden", "a slow dog sleeps"
PAIR = Controls(scope=TOGETHER, layer=2, head=3)


@pytest.fixture
def studio(engine: Engine) -> Studio:
    return Studio(engine)


@pytest.fixture
def extras(studio: Studio) -> Extras:
    return Extras(studio)


def values(controls: Controls, **changes: Any) -> tuple[Any, ...]:  # noqa: ANN401 - any control
    return dataclasses.astuple(dataclasses.replace(controls, **changes))


def heads(studio: Studio, controls: Controls) -> tuple[str, list[list[float | None]]]:
    first, second, _ = studio.asked(A, B, controls)
    return studio.heads_of(studio.maps(first, second, None, controls.model))


def drawn(
    studio: Studio,
    controls: Controls,
    **changes: Any,  # noqa: ANN401 - any control
) -> tuple[str, torch.Tensor]:
    words, figure = studio.show(A, B, *values(controls, **changes))
    return words, torch.tensor(np.asarray(figure.data[0].z, dtype=np.float32))


def test_the_drawn_numbers_are_those_of_transformers(
    engine: Engine, studio: Studio, tmp_path: Path
) -> None:
    export_encoder(engine.mean.model.encoder, engine.mean.tokenizer, tmp_path / "exported")
    reference = ReferenceBert.from_pretrained(tmp_path / "exported", attn_implementation="eager")
    (item,) = engine.mean.encode_joint([(A, B)])
    with torch.no_grad():
        maps = reference.eval()(
            input_ids=torch.tensor([item.ids]),
            token_type_ids=torch.tensor([item.token_types]),
            output_attentions=True,
        ).attentions
    weights = torch.stack(maps)[:, 0]  # (L, H, T, T)
    for head in (1, 3):
        _, shown = drawn(studio, PAIR, pieces=True, head=head)
        assert_close(shown, weights[1, head - 1], 6e-5)
    _, mean = drawn(studio, PAIR, pieces=True, head=0)
    assert_close(mean, weights[1].mean(dim=0), 6e-5)
    _, grid = drawn(studio, PAIR, pieces=True, view=ALL)
    size = len(item)
    tile = grid[size : 2 * size, 2 * size : 3 * size] / 1000  # layer 2, head 3
    assert_close(tile, weights[1, 2], 6e-4)
    _, rolled = drawn(studio, PAIR, pieces=True, view=ROLLOUT)
    assert_close(rolled, attention_rollout(weights), 6e-5)
    told = studio.attention(A, B, layers=[])
    assert_close(torch.tensor(told["weights"]), weights, 2e-6)


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "A alone"},
        {"scope": SECOND},
        {"layer": 1},
        {"head": 1},
        {"head": 0},
        {"view": ROLLOUT},
        {"direction": "A->B"},
        {"direction": "B->A"},
        {"hide_specials": True},
        {"top": 50},
    ],
)
def test_each_control_changes_the_map(studio: Studio, change: dict[str, Any]) -> None:
    _, before = drawn(studio, PAIR)
    _, after = drawn(studio, PAIR, **change)
    assert before.shape != after.shape or not torch.allclose(before, after, atol=1e-3)


def test_the_model_and_the_pieces_change_the_map(engine: Engine, studio: Studio) -> None:
    with torch.no_grad():
        engine.cls.model.encoder.layers[0].attention.query.weight.mul_(-1)
    _, before = drawn(studio, PAIR)
    words, after = drawn(studio, PAIR, model="cls")
    assert not torch.allclose(before, after, atol=1e-3)
    assert "with CLS pooling" in words
    text = "the catsing sits"  # a word of several pieces
    pieces = studio.draw(text, "", Controls(pieces=True)).view.rows
    merged = studio.draw(text, "", Controls()).view.rows
    assert len(merged) < len(pieces)
    assert "catsing" in merged


def test_each_sentence_alone_is_itself(studio: Studio) -> None:
    for scope, text in (("A alone", A), (SECOND, B)):
        rows = studio.draw(A, B, Controls(scope=scope)).view.rows
        assert rows == ("[CLS]", *text.split(), "[SEP]")


def test_a_direction_without_a_pair_and_a_missing_b_are_told(studio: Studio) -> None:
    words, _ = studio.show(A, "", *values(PAIR, direction="A->B"))
    assert "There is no sentence B" in words
    assert "A direction needs A and B together" in words


def test_what_is_left_out_of_the_figure_is_told(studio: Studio) -> None:
    words, _ = drawn(studio, PAIR, hide_specials=True)
    assert "of what the drawn rows attend to" in words
    whole, _ = drawn(studio, PAIR)
    assert "of what the drawn rows attend to" not in whole
    long, _ = studio.show("cat " * 90, "", *values(Controls()))
    assert "44 word pieces are left out" in long  # 48 tokens are read, two of them marks


def test_a_rollout_multiplies_the_layers_up_to_the_chosen_one(studio: Studio) -> None:
    words, first = drawn(studio, PAIR, view=ROLLOUT, layer=1)
    assert "Through layer 1," in words
    words, second = drawn(studio, PAIR, view=ROLLOUT, layer=2)
    assert "Through layers 1 to 2," in words
    assert not torch.allclose(first, second, atol=1e-3)


def test_the_table_lists_every_head_sharpest_first(studio: Studio) -> None:
    words, table = heads(studio, PAIR)
    assert {(row[0], row[1]) for row in table} == {
        (layer, head) for layer in (1, 2) for head in (1, 2, 3, 4)
    }
    spreads = [row[2] for row in table]
    assert spreads == sorted(spreads)
    assert all(row[5] is not None and row[5] > 0 for row in table)
    assert "of 8 heads" in words
    _, alone = heads(studio, Controls())
    assert all(row[5] is None for row in alone)


@pytest.mark.parametrize("by", SORTS)
def test_the_table_can_be_sorted(studio: Studio, by: str) -> None:
    _, table = heads(studio, PAIR)
    column, largest_first = SORTS[by]
    found = sort_heads(table, by)
    assert [row[column] for row in found] == sorted(
        (row[column] for row in table), reverse=largest_first
    )
    assert sorted(map(tuple, found)) == sorted(map(tuple, table))
    empty = [[*row[:5], None] for row in table]
    assert [row[:2] for row in sort_heads(empty, "most from A to B")] == sorted(
        row[:2] for row in table
    )


def test_a_chosen_row_shows_its_head() -> None:
    event = gr.SelectData(None, {"index": [0, 2], "value": 1.5, "row_value": [5, 11, 1.5, 2, 3, 4]})
    assert pick_row(event) == (5.0, 11.0, ONE)


@pytest.mark.parametrize(
    ("first", "arguments", "said"),
    [
        ("", {}, "Sentence A is empty"),
        (A, {"layer": 3}, "Layer should be a number from 1 to 2. Found 3"),
        (A, {"layers": [1, 0]}, "Layer should be a number from 1 to 2. Found 0"),
        (A, {"model": "untuned"}, "Model should be one of mean, cls. Found 'untuned'"),
    ],
)
def test_a_bad_question_gets_the_reason(
    studio: Studio, first: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(gr.Error, match=said):
        studio.attention(first, B, **arguments)


def test_the_endpoint_gives_one_layer_or_several(studio: Studio) -> None:
    one = studio.attention(A, B, 2)
    several = studio.attention(A, B, layers=[2, 1], model="cls")
    assert torch.tensor(one["weights"]).shape[0] == 4
    assert one["layers"] == [2]
    assert torch.tensor(several["weights"]).shape[:2] == (2, 4)
    assert several["layers"] == [1, 2]


def test_new_texts_fill_the_tab_and_clear_the_rest(extras: Extras) -> None:
    filled = extras.refresh(A, B, *values(PAIR))
    assert len(filled) == 11
    chips = filled[4]["choices"]
    assert chips[0] == ("(none)", "")
    assert [shown for shown, _ in chips[1:]] == [
        *("A: the", "cat", "sits", "in", "the", "garden"),
        *("B: a", "slow", "dog", "sleeps"),
    ]
    assert chips[5][1] == "0:4"
    assert chips[-1][1] == "1:3"
    assert filled[4]["value"] == filled[5] == ""
    assert "Press a button" in filled[8]
    alone = extras.studio.show(A, B, *values(PAIR)), heads(extras.studio, PAIR)
    assert (filled[0], filled[2], filled[3]) == (alone[0][0], *alone[1])
    assert filled[1].to_json() == alone[0][1].to_json(), "one pass of the model shows the same"


def test_a_masked_word_stands_beside_the_old_map(extras: Extras) -> None:
    words, before, after = extras.mask(A, B, "1:2", *values(PAIR))  # B's third word
    assert "With “dog” masked (word 3 of B); layer 2, head 3<" in words
    assert "The numbers, as it is" in words
    assert "The numbers, with [MASK]" in words
    assert before["value"].layout.xaxis.title.text == "as it is"
    assert after["value"].layout.xaxis.title.text == "with [MASK]"
    mean, *_ = extras.mask(A, B, "1:2", *values(PAIR, head=0, layer=1))
    assert "; layer 1, mean of all heads<" in mean
    rolled, *_ = extras.mask(A, B, "1:2", *values(PAIR, view=ROLLOUT))
    assert "; rollout through layer 2<" in rolled
    names = list(after["value"].layout.xaxis.ticktext)
    old = list(before["value"].layout.xaxis.ticktext)
    assert names.count("[MASK]") == 1
    assert old[names.index("[MASK]")] in words
    assert before["value"].data[0].zmax == after["value"].data[0].zmax
    assert "Paraphrase:" in words
    nothing, first, second = extras.mask(A, B, None, *values(PAIR))
    assert nothing == ""
    assert first["visible"] is second["visible"] is False


def test_masking_a_word_that_is_not_there_is_refused(extras: Extras) -> None:
    with pytest.raises(gr.Error, match="word of the present sentences"):
        extras.mask(A, B, "1:9", *values(PAIR))


def test_both_maps_are_those_of_the_input_without_and_with_the_mask(
    engine: Engine, studio: Studio, extras: Extras
) -> None:
    _, before, after = extras.mask(A, B, "1:2", *values(PAIR, pieces=True))
    _, old = drawn(studio, PAIR, pieces=True)
    assert_close(torch.tensor(before["value"].data[0].z), old, 1e-4)
    _, masked = studio.show(A, B.replace("dog", "[MASK]"), *values(PAIR, pieces=True))
    assert_close(torch.tensor(after["value"].data[0].z), torch.tensor(masked.data[0].z), 1e-4)
    most = max(float(old.max()), float(torch.tensor(masked.data[0].z).max()))
    assert before["value"].data[0].zmax == pytest.approx(most, abs=1e-4)
    assert engine.mean.config.encoder.num_hidden_layers == 2, "the chosen layer is the top one"


def test_new_settings_draw_the_masked_word_again_and_clear_what_is_old(extras: Extras) -> None:
    words, before, after, framed, files = extras.redraw(A, B, "1:2", *values(PAIR, layer=1))
    assert "With “dog” masked (word 3 of B); layer 1, head 3<" in words
    assert before["visible"] is after["visible"] is True
    assert "Press a button" in framed
    assert files is None
    for word, first in (("", A), ("1:9", A), ("1:2", "")):  # none, gone, a text to be told of
        words, before, *_ = extras.redraw(first, B, word, *values(PAIR))
        assert words == ""
        assert before["visible"] is False


def test_b_alone_masks_a_word_of_b(extras: Extras) -> None:
    words, _, after = extras.mask(A, B, "1:0", *values(Controls(scope=SECOND)))
    assert list(after["value"].layout.xaxis.ticktext)[1] == "[MASK]"
    assert "Sentiment of A: " in words
    assert "expected rating" in words
    moved = words.split("expected rating ")[1][:4]
    assert moved in ("+0.0", "-0.0"), "A was not touched"


@pytest.mark.parametrize(("kind", "most"), [("head", 48), ("model", 24)])
def test_bertviz_is_capped_and_says_so(extras: Extras, kind: str, most: int) -> None:
    short = draw_view(extras.studio, kind, A, B, *values(PAIR))
    assert "the first" not in short
    assert 'sandbox="allow-scripts"' in short
    long = draw_view(extras.studio, kind, "cat " * 40, "dog " * 40, *values(PAIR))
    told = "the first 24 are drawn" in long if kind == "model" else "the first" not in long
    assert told, f"48 tokens fit into {most} or are told"


def test_the_files_hold_what_is_drawn(extras: Extras, studio: Studio, tmp_path: Path) -> None:
    hostile = "<b>the</b> cat"
    paths = write_files(extras.studio, str(tmp_path), hostile, B, *values(PAIR, direction="A->B"))
    page, table, told = (Path(path).read_text(encoding="utf-8") for path in paths)
    assert [Path(path).name for path in paths] == [
        f"attention.{x}" for x in ("html", "csv", "json")
    ]
    one = json.loads(told)
    view = studio.draw(hostile, B, dataclasses.replace(PAIR, direction="A->B"))
    assert_close(torch.tensor(one["maps"][0]["weights"]), view.map, 2e-6)
    assert (one["maps"][0]["layer"], one["maps"][0]["head"]) == ("2", "3")
    assert one["first"] == hostile
    rows = list(csv.reader(table.splitlines()))
    assert [row[2] for row in rows[1:]] == [f"{n}: {w}" for n, w in enumerate(one["rows"], start=1)]
    assert [float(cell) for cell in rows[1][3:]] == one["maps"][0]["weights"][0]
    assert "<b>the" not in page
    assert 'src="http' not in page
    assert "plotly" in page


def test_files_of_all_heads_hold_each_map(extras: Extras, tmp_path: Path) -> None:
    paths = write_files(extras.studio, str(tmp_path), A, B, *values(PAIR, view=ALL))
    told = json.loads(Path(paths[2]).read_text(encoding="utf-8"))
    assert [(one["layer"], one["head"]) for one in told["maps"]] == [
        (layer, head) for layer in "12" for head in "1234"
    ]


def test_what_fine_tuning_changed_is_told_from_the_record(engine: Engine, tmp_path: Path) -> None:
    tuned = FineTuning(engine, tmp_path)
    words, figure = tuned.show("entropy", "mean")
    assert "trainer heads --encoder" in words
    assert figure is None
    heads = {"entropy": [[1.0] * 4, [9.0] * 4]}
    record = {"encoder": "some/encoder", "inputs": [[A, ""], [A, B]], "heads": heads}
    write_json(tmp_path / "untuned-heads.json", record)
    words, figure = tuned.show("entropy", "cls")
    assert figure is not None
    assert "some/encoder" in words
    assert "python app.py --encoder FOLDER_OR_ID" in words
    with torch.no_grad():
        engine.cls.model.encoder.layers[0].attention.query.weight.mul_(9)
    tuned._after.clear()
    other, _ = tuned.show("entropy", "cls")
    mean, _ = tuned.show("entropy", "mean")
    assert "with CLS pooling" in other
    assert other.split("The numbers")[1] != mean.split("The numbers")[1]
    assert "of layer 2 most, from 9.00" in words
    words, figure = tuned.show("distance", "mean")
    assert figure is None
    assert "another encoder" in words
