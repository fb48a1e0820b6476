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
from minbert.text import MASK
from minbert.ui.attention.bertviz import MOST_ENTRIES, draw_view
from minbert.ui.attention.events import (
    ALL,
    ALONE,
    MODEL_NAMES,
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
from minbert.ui.attention.findings import drawn_name
from minbert.ui.attention.fine_tuning import FineTuning
from minbert.ui.attention.masked_word import Extras, pick_row
from minbert.ui.engine import Engine
from minbert.ui.parts.answer_words import changes
from minbert.ui.parts.numbers import percent
from tests.read_html import Element, numbers_in, quoted_in, read
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


def heads(studio: Studio, controls: Controls, second: str = B) -> list[list[float | None]]:
    *_, table = studio.fill(A, second, controls)
    rows: list[list[float | None]] = table
    return rows


def drawn(
    studio: Studio,
    controls: Controls,
    **changes: Any,  # noqa: ANN401 - any control
) -> tuple[Element, torch.Tensor]:
    words, figure, *_ = studio.show(A, B, *values(controls, **changes))
    return read(words), torch.tensor(np.asarray(figure.data[0].z, dtype=np.float32))


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
    assert MODEL_NAMES["cls"] in words.text
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
    words, figure, *_ = studio.show(A, "", *values(PAIR, direction="A->B"))
    plain, whole, *_ = studio.show(A, "", *values(PAIR))
    assert (len(read(words).finding.lines), len(read(plain).finding.lines)) == (2, 1)
    assert drawn(studio, PAIR)[0].finding.lines == []
    assert figure.to_json() == whole.to_json(), "all of it is shown"


def test_what_is_left_out_of_the_figure_is_told(studio: Studio) -> None:
    words, _ = drawn(studio, PAIR, hide_specials=True)
    view = studio.draw(A, B, dataclasses.replace(PAIR, hide_specials=True)).view
    (line,) = words.finding.lines
    assert percent(view.shown.mean().item()) in line
    long, *_ = studio.show("cat " * 90, "", *values(Controls(scope=ALONE)))
    assert numbers_in(read(long).finding.lines[0]) == ["44"]  # 48 are read, two of them marks


def test_a_rollout_multiplies_the_layers_up_to_the_chosen_one(studio: Studio) -> None:
    words, first = drawn(studio, PAIR, view=ROLLOUT, layer=1)
    assert numbers_in(words.finding.title)[:-1] == ["1"]
    words, second = drawn(studio, PAIR, view=ROLLOUT, layer=2)
    assert numbers_in(words.finding.title)[:-1] == ["1", "2"]
    assert not torch.allclose(first, second, atol=1e-3)


def test_the_words_beside_a_map_are_of_that_map(studio: Studio) -> None:
    view = studio.draw(A, B, PAIR).view
    words, shown = drawn(studio, PAIR)
    assert words.rows == [
        [name, *(f"{100 * share:.1f}" for share in row)]
        for name, row in zip(view.rows, view.weights[0, 2].tolist(), strict=True)
    ]
    assert quoted_in(words.finding.title) == [view.columns[int(shown.sum(dim=0).argmax())]]
    assert numbers_in(words.finding.title)[:2] == ["2", "3"]


def test_the_table_lists_every_head_sharpest_first(studio: Studio) -> None:
    table = heads(studio, PAIR)
    assert {(row[0], row[1]) for row in table} == {
        (layer, head) for layer in (1, 2) for head in (1, 2, 3, 4)
    }
    spreads = [row[2] for row in table]
    assert spreads == sorted(spreads)
    assert all(row[5] is not None and row[5] > 0 for row in table)
    *_, picture = studio.show(A, B, *values(PAIR))
    _, count, head, layer = numbers_in(read(picture).finding.title)
    assert count == "8"
    assert [int(layer), int(head)] == table[0][:2]
    assert all(row[5] is None for row in heads(studio, Controls(scope=ALONE)))


@pytest.mark.parametrize("by", SORTS)
def test_the_table_can_be_sorted(studio: Studio, by: str) -> None:
    table = heads(studio, PAIR)
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
    words, figure, lines, picture, table, order, word, *masked = filled
    chips = word["choices"]
    assert chips[0] == ("(none)", "")
    assert [shown for shown, _ in chips[1:]] == [
        *("A: the", "cat", "sits", "in", "the", "garden"),
        *("B: a", "slow", "dog", "sleeps"),
    ]
    assert chips[5][1] == "0:4"
    assert chips[-1][1] == "1:3"
    assert word["value"] == masked[0] == ""
    assert order == next(iter(SORTS))
    alone = extras.studio.show(A, B, *values(PAIR))
    assert (words, lines, picture) == (alone[0], *alone[2:])
    assert table == heads(extras.studio, PAIR)
    assert figure.to_json() == alone[1].to_json(), "one pass of the model shows the same"


def test_a_masked_word_stands_beside_the_old_map(extras: Extras) -> None:
    html, before, after = extras.mask(A, B, "1:2", *values(PAIR))  # B's third word
    words, engine = read(html), extras.engine
    assert quoted_in(words.finding.title) == ["dog"]
    assert numbers_in(words.finding.title) == ["3", "2", "3"], "word 3; layer 2, head 3"
    old, new = (
        engine.answer(engine.mean, engine.ask(A, text)) for text in (B, B.replace("dog", MASK))
    )
    assert words.finding.lines == changes(old, new)
    assert len(words.tables) == 2
    names, first = ([*one.layout.xaxis.ticktext] for one in (after, before))
    assert names.count(MASK) == 1
    assert first[names.index(MASK)] == "dog"
    assert [names, first] == [table.heads[0][1:] for table in words.tables[::-1]]
    for drawn, table in zip((before, after), words.tables, strict=True):
        assert table.caption.startswith(drawn.layout.xaxis.title.text)
    assert before.data[0].zmax == after.data[0].zmax
    nothing, first_map, second_map = extras.mask(A, B, None, *values(PAIR))
    assert nothing == ""
    assert first_map is second_map is None


@pytest.mark.parametrize(
    ("change", "numbers"),
    [({"head": 0, "layer": 1}, ["3", "1"]), ({"view": ROLLOUT}, ["3", "2"])],
)
def test_the_title_names_the_map_that_is_drawn(
    extras: Extras, change: dict[str, Any], numbers: list[str]
) -> None:
    html, *_ = extras.mask(A, B, "1:2", *values(PAIR, **change))
    assert numbers_in(read(html).finding.title) == numbers
    drawn_map = extras.studio.draw(A, B, dataclasses.replace(PAIR, **change))
    name = drawn_name(drawn_map.result, drawn_map.head, rollout="view" in change)
    assert read(html).finding.title.endswith(name)


@pytest.mark.parametrize(("word", "first"), [("", A), ("1:9", A), ("1:2", "")])
def test_without_a_word_of_the_texts_nothing_is_masked(
    extras: Extras, word: str, first: str
) -> None:
    words, *maps = extras.mask(first, B, word, *values(PAIR))
    assert words == ""
    assert list(maps) == [None, None]


def test_both_maps_are_those_of_the_input_without_and_with_the_mask(
    engine: Engine, studio: Studio, extras: Extras
) -> None:
    _, before, after = extras.mask(A, B, "1:2", *values(PAIR, pieces=True))
    _, old = drawn(studio, PAIR, pieces=True)
    assert_close(torch.tensor(before.data[0].z), old, 1e-4)
    _, masked, *_ = studio.show(A, B.replace("dog", "[MASK]"), *values(PAIR, pieces=True))
    assert_close(torch.tensor(after.data[0].z), torch.tensor(masked.data[0].z), 1e-4)
    most = max(float(old.max()), float(torch.tensor(masked.data[0].z).max()))
    assert before.data[0].zmax == pytest.approx(most, abs=1e-4)
    assert engine.mean.config.encoder.num_hidden_layers == 2, "the chosen layer is the top one"


def test_b_alone_masks_a_word_of_b(extras: Extras) -> None:
    words, _, after = extras.mask(A, B, "1:0", *values(Controls(scope=SECOND)))
    assert list(after.layout.xaxis.ticktext)[1] == MASK
    of_a, of_b, *_ = read(words).finding.lines
    assert numbers_in(of_a) == ["+0.0"], "A was not touched"
    assert numbers_in(of_b) != []


@pytest.mark.parametrize(("kind", "told"), [("head", False), ("model", True)])
def test_bertviz_is_capped_and_says_so(extras: Extras, kind: str, told: bool) -> None:
    most = str(MOST_ENTRIES[kind])
    for first, second, cut in ((A, B, False), ("cat " * 40, "dog " * 40, told)):
        page = read(draw_view(extras.studio, kind, first, second, *values(PAIR)))
        assert page.one("iframe").attributes["sandbox"] == "allow-scripts"
        assert (most in page.one("p", "mb-notice").numbers) == cut, "48 tokens fit or are told"


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
    assert table.startswith("\ufeff"), "a spreadsheet reads it as UTF-8"
    rows = list(csv.reader(table.splitlines()))
    assert [row[2] for row in rows[1:]] == [f"{n}: {w}" for n, w in enumerate(one["rows"], start=1)]
    assert [float(cell) for cell in rows[1][3:]] == one["maps"][0]["weights"][0]
    assert read(page).outside == read(page).find("b") == []
    assert len(read(page).find("script")) > 0


def test_files_of_all_heads_hold_each_map(extras: Extras, tmp_path: Path) -> None:
    paths = write_files(extras.studio, str(tmp_path), A, B, *values(PAIR, view=ALL))
    told = json.loads(Path(paths[2]).read_text(encoding="utf-8"))
    assert [(one["layer"], one["head"]) for one in told["maps"]] == [
        (layer, head) for layer in "12" for head in "1234"
    ]


def test_what_fine_tuning_changed_is_told_from_the_record(engine: Engine, tmp_path: Path) -> None:
    tuned = FineTuning(engine, tmp_path)
    words, figure = tuned.show("entropy", "mean")
    assert "python -m trainer heads --encoder" in words
    assert figure is None
    heads = {"entropy": [[1.0] * 4, [9.0] * 4]}
    record = {"encoder": "some/encoder", "inputs": [[A, ""], [A, B]], "heads": heads}
    write_json(tmp_path / "untuned-heads.json", record)
    html, figure = tuned.show("entropy", "cls")
    assert figure is not None
    words = read(html)
    for told in ("some/encoder", MODEL_NAMES["cls"], "python app.py --encoder FOLDER_OR_ID"):
        assert told in words.text
    assert words.tables[0].column(1) == ["1.00"] * 4 + ["9.00"] * 4
    assert numbers_in(words.finding.title)[1:3] == ["2", "9.00"]
    with torch.no_grad():
        engine.cls.model.encoder.layers[0].attention.query.weight.mul_(9)
    tuned._after.clear()
    cls, mean = (read(tuned.show("entropy", model)[0]).rows for model in ("cls", "mean"))
    assert cls != mean
    words, figure = tuned.show("distance", "mean")
    assert figure is None
    assert read(words).tables == [], "the record is of another encoder"
