"""Models of your own in place of the shipped pair: of any depth and pooling, and of one alone."""

from __future__ import annotations

import dataclasses
import os
import shutil
from pathlib import Path
from typing import Any

import gradio as gr
import pytest
import torch

from minbert import ASSETS
from minbert.checkpoint import export_encoder
from minbert.config import POOLING_NAMES
from minbert.explain.nearest import PROBE, TrainingText, save_index
from minbert.records.shipped import read_records
from minbert.ui import app
from minbert.ui.about.tab import own_sections
from minbert.ui.attention.events import ONE, ROLLOUT, Controls, Studio
from minbert.ui.attention.fine_tuning import FineTuning
from minbert.ui.attention.masked_word import Extras
from minbert.ui.attention.tab import change_model, rollout_layers
from minbert.ui.batch.events import Batch
from minbert.ui.engine import Engine, ModelError
from minbert.ui.parts.answer_words import capital
from minbert.ui.parts.own_models import NOT_THEIRS, models_note, records_of
from minbert.ui.pooling.events import Lab
from minbert.ui.pooling.intro import scores_block
from minbert.ui.pooling.left_out import Occlusion
from minbert.ui.pooling.sets_events import TOGETHER, Sets
from minbert.ui.try_it.events import Handlers
from minbert.ui.why.bias_record import NOT_THEIRS as NO_RECORD
from minbert.ui.why.bias_record import record_block
from minbert.ui.why.events import Why
from minbert.ui.why.subject import OF_A
from tests.minbert.folders import unlisted
from tests.minbert.ui.sample_about import training, write
from tests.read_html import read
from tests.support import assert_says, redraw, tiny_model

SHIPPED = ASSETS / "models", ASSETS / "results"
A, B = "the cat sits in the garden", "a slow dog sleeps"
DEEP: dict[str, Any] = {"num_hidden_layers": 3, "num_attention_heads": 2, "max_length": 40}


def stored(folder: Path, seed: int = 3, **changes: Any) -> str:  # noqa: ANN401 - any field's value
    """Save a tiny model of our own; return its folder."""
    model = tiny_model(folder, **changes)
    redraw(model, seed=seed)
    model.save_pretrained(folder)
    return str(folder)


def load(*models: str, encoder: str | None = None) -> Engine:
    return Engine.load(Path("nowhere"), "cpu", models=models, encoder=encoder)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("own")


@pytest.fixture(scope="module")
def two(folder: Path) -> Engine:
    """Give two models of different depth, width, heads, length and pooling, and an encoder."""
    first = stored(folder / "first", pooling="max", **DEEP)
    second = stored(folder / "second", pooling="mean", num_hidden_layers=1, hidden_size=24)
    bare = tiny_model(folder / "bare", num_hidden_layers=4)
    assert bare.tokenizer is not None
    export_encoder(bare.encoder, bare.tokenizer, folder / "encoder")
    return load(first, second, encoder=str(folder / "encoder"))


@pytest.fixture(scope="module")
def one(folder: Path) -> Engine:
    return load(stored(folder / "one", pooling="mean", **DEEP))


def test_the_page_is_named_after_the_models(two: Engine, one: Engine, folder: Path) -> None:
    assert two.names == {"cls": "mean", "mean": "max"}
    assert one.names == {"mean": "mean"}
    shown = list(Studio(two).names.values())
    assert shown == ["max pooling", "mean pooling", "before fine-tuning"]
    alike = load(str(folder / "second"), str(folder / "second"))
    assert len(set(alike.names.values())) == 2
    told = models_note(two)
    for part in (str(folder / "first"), "3 layers", "2 heads", "40 tokens", "1 layer", "4 heads"):
        assert part in told
    assert "one model" in models_note(one)
    assert "app.py --models" in models_note(one)


def test_of_a_cls_and_a_mean_model_the_latter_answers(tmp_path: Path) -> None:
    models = [stored(tmp_path / name, pooling=name) for name in ("cls", "mean")]
    engine = load(*models)
    assert engine.names == {"cls": "CLS", "mean": "mean"}
    assert [source.name for source in engine.own] == models[::-1]


def test_the_sliders_follow_the_model(two: Engine) -> None:
    studio = Studio(two)
    chosen = Controls(layer=4, head=4, model="untuned")
    *filled, layer, head = change_model(
        Extras(studio), A, B, *dataclasses.astuple(dataclasses.replace(chosen, model="cls"))
    )
    assert (layer["maximum"], layer["value"]) == (1, 1)
    assert (head["maximum"], head["value"]) == (4, 4)
    assert len(filled) == 10
    *_, layer, head = change_model(Extras(studio), A, B, *dataclasses.astuple(chosen))
    assert (layer["maximum"], layer["value"], head["value"]) == (4, 4, 4)
    assert '=== "' + ROLLOUT + '" ? {"mean": 3, "cls": 1, "untuned": 4}[model] : layer' in (
        rollout_layers(two)
    )


@pytest.mark.parametrize("view", [ONE, ROLLOUT])
@pytest.mark.parametrize(("layer", "nearest"), [(9, 3), (0, 1)])
def test_a_layer_that_the_model_lacks_becomes_the_nearest(
    two: Engine, view: str, layer: int, nearest: int
) -> None:
    studio, asked = Studio(two), Controls(layer=layer, head=7, view=view)
    words, figure, *_ = studio.show(A, B, *dataclasses.astuple(asked))
    wanted = dataclasses.replace(asked, layer=nearest, head=2)
    assert figure.to_json() == studio.show(A, B, *dataclasses.astuple(wanted))[1].to_json()
    lines = read(words).finding.lines
    assert any(f"3 layers: layer {nearest}" in line for line in lines)
    extras = Extras(studio)
    assert extras.refresh(A, B, *dataclasses.astuple(asked))[1].to_json() == figure.to_json()
    masked = extras.mask(A, B, "0:1", *dataclasses.astuple(asked))
    assert masked[0] == extras.mask(A, B, "0:1", *dataclasses.astuple(wanted))[0]


@pytest.mark.parametrize("pooling", POOLING_NAMES)
def test_every_tab_works_for_one_model_of_any_pooling(tmp_path: Path, pooling: str) -> None:
    engine = load(stored(tmp_path / "model", pooling=pooling, **DEEP))
    lab, called = Lab(engine), engine.names["mean"]
    for second in (B, ""):
        found = lab.compare(engine.ask(A, second))
        assert "nothing to compare" in found.answers[0]
        assert [trace.name for trace in found.answers[1].data][:1] == [called]
        assert (found.contributions[1] is None) is (pooling != "mean")
        assert (found.split[1] is None) is (pooling != "mean" or not second)
        assert (found.layers[1] is None) is (pooling in ("pooler", "attention") or not second)
    *_, left_out = Occlusion(engine).leave_out(A, B)
    assert read(left_out[0]).tables[0].heads[0] == ["Without", f"{called} score", "change"]
    sets = Sets(engine)
    ways = list(sets.ways)
    assert ways[0] == "mean"
    assert sets.ways["mean"].pooling == pooling
    for way in ways[1:]:
        *_, shown = sets.compare(f"{A}\n{B}\nthe film is good", "mean", way, TOGETHER)
        assert sets.ways[way].label in shown[3]
    assert len(lab.similarity_matrix([A, B], pooling)["matrix"]) == 2
    if pooling == "mean":
        split, (score,) = lab.similarity_split(A, B), engine.mean.siamese([(A, B)])
        assert split["score"] == pytest.approx(float(score), abs=1e-4)
    else:
        with pytest.raises(gr.Error, match=f"mean pooling. Found {called}"):
            lab.similarity_split(A, B)
    words = part_of_why(engine, "words")
    assert read(words).tables
    if pooling != "mean":
        *_, (coloured, *_) = lab.colour(A, B)
        by = f"{capital(called)} pooling, integrated gradients"
        assert read(coloured).texts("p", "mb-line") == [by] * 2


def test_what_needs_two_models_says_so_of_one(one: Engine) -> None:
    with pytest.raises(gr.Error, match="started with one model") as refused:
        Handlers(one).compare_pooling(A, B)
    assert_says(str(refused.value), step="python app.py --models FIRST SECOND")
    with pytest.raises(gr.Error, match=r"Model should be one of mean\. Found 'cls'"):
        Studio(one).attention(A, B, model="cls")
    with pytest.raises(gr.Error, match=r"Model should be one of mean\. Found 'cls'"):
        Batch(one).batch(text=A, model="cls")


def test_two_models_of_different_depth_are_compared(two: Engine) -> None:
    told = Handlers(two).compare_pooling(A, B)
    assert told["names"] == {"cls": "mean", "mean": "max"}
    for slot, predictor in (("mean", two.mean), ("cls", two.cls)):
        assert told[slot]["similarity"]["score"] == predictor.pairs([(A, B)])[0].score
    found = Lab(two).compare(two.ask(A, B))
    first, second = found.layers[1].data
    assert (first.name, len(first.x), second.name, len(second.x)) == ("mean", 2, "max", 4)
    rows = read(found.layers[0]).tables[0].rows
    assert [row[1] for row in rows][2:] == ["–", "–"]
    split = Lab(two).similarity_split(A, B)
    assert split["score"] == pytest.approx(two.cls.siamese([(A, B)]).item(), abs=1e-4)
    assert "the second model reads" in " ".join(two.ask(A, B).notices)
    assert Batch(two).batch(text=A, model="cls")["rows"]


def test_the_python_lines_load_the_model_that_answers(two: Engine) -> None:
    lines = Handlers(two).show(two.asked(two.ask(A, "")), 0.5, None).python
    assert f'Predictor.from_pretrained("{two.own[0].name}")' in lines


def shown_of(engine: Engine) -> str:
    records = records_of(engine, *SHIPPED)
    return "".join([*own_sections(engine, records).values(), scores_block(records)])


def test_the_shipped_models_records_are_not_shown_as_theirs(two: Engine, one: Engine) -> None:
    shipped = read_records(*SHIPPED)
    for engine in (two, one):
        told = shown_of(engine)
        assert NOT_THEIRS in read(told).text
        assert "No scores are recorded" in told
        for name, scores in shipped.scores.items():
            assert scores.commit not in told, name
            assert shipped.training[name].commit not in told
        assert "Calibration error" not in told
    assert NO_RECORD in record_block(ASSETS / "results", own=True)
    assert "app.py" not in record_block(ASSETS / "results", own=True)


def test_a_run_s_own_record_is_shown(folder: Path, two: Engine, tmp_path: Path) -> None:
    shutil.copytree(folder / "first", tmp_path / "max-7" / "model")
    record = training("max")
    record["metrics"] = {"sentiment": {"accuracy": {"value": 0.4321, "se": 0.01, "n": 50}}}
    write(tmp_path / "max-7" / "result.json", record)
    engine = load(str(tmp_path / "max-7" / "model"), two.own[1].name)
    told = shown_of(engine)
    assert "0.432" in told
    assert "yours: max pooling" in told
    assert "No scores are recorded" not in told
    assert "yours: mean pooling" not in told, "no run is beside it"


def test_what_fine_tuning_changed_is_of_their_own_encoder(one: Engine, folder: Path) -> None:
    results = ASSETS / "results"
    words, figure = FineTuning(one, results).show("entropy", "mean")
    assert figure is None
    assert "--encoder" in words
    bare = tiny_model(folder / "same", num_hidden_layers=3, num_attention_heads=2)
    assert bare.tokenizer is not None
    export_encoder(bare.encoder, bare.tokenizer, folder / "same-encoder")
    engine = load(one.own[0].name, encoder=str(folder / "same-encoder"))
    words, figure = FineTuning(engine, results).show("entropy", "mean")
    assert figure is not None
    assert "MiniLM" not in words
    assert torch.tensor(figure.data[0].z).shape == (3, 2)


def test_an_index_of_other_models_is_not_shown(
    two: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MINBERT_INDEX", str(tmp_path))
    texts = [TrainingText("sentiment", A, 4.0)]
    for model, known in ((two.cls, ["mean"]), (tiny_predictor(tmp_path), [])):
        found = model.embed([A, PROBE], "similarity")
        save_index(tmp_path, texts, {"kept": found[:1]}, {"kept": found[1]}, {})
        told = read(part_of_why(two, "nearest"))
        captions = [f"Nearest to A, {name} pooling" for name in known]
        assert [table.caption for table in told.tables] == captions
        assert "python -m trainer index --models" in told.text
        assert "max pooling" in told.text


def part_of_why(engine: Engine, part: str) -> str:
    """Return what one part of a press in the tab Why? shows at its end."""
    pressed = Why(engine).explain(A, "", OF_A, "answer", False, parts=[part])
    return [shown[part] for shown in pressed if part in shown][-1]


def tiny_predictor(folder: Path) -> Any:  # noqa: ANN401 - a predictor
    return load(stored(folder / "other", seed=9, pooling="max", **DEEP)).mean


def another_vocabulary(folder: Path) -> str:
    """Save a model of which one word piece is another."""
    model = stored(folder)
    words = (folder / "vocab.txt").read_text(encoding="utf-8")
    (folder / "vocab.txt").write_text(words.replace("\nsofa\n", "\nbench\n"), encoding="utf-8")
    (unlisted(folder) / "tokenizer.json").unlink()
    return model


def test_two_vocabularies_are_refused_in_one_line(one: Engine, tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refused:
        load(one.own[0].name, another_vocabulary(tmp_path / "other"))
    assert_says(
        refused.value, parameter="`--models`", rule="one vocabulary", step="start the page once"
    )
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    ("arguments", "found", "step"),
    [
        (["--models", "./nowhere"], "./nowhere", "python -m trainer train"),
        (["--models", "a", "b", "c"], "Found 3", "leave some out"),
        (["--models", "RUN"], "RUN", "RUN/model"),
        (["--models", "ENCODER"], "ENCODER", "python -m trainer train"),
        (["--models", "TWO"], "Found 2", "python -m trainer train"),
        (["--models", "ONE", "--encoder", "./nowhere"], "./nowhere", "trained from"),
        (["--models", "ONE", "--encoder", "ONE"], "ONE", "trained from"),
    ],
)
def test_a_wrong_name_is_one_line_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    two: Engine,
    arguments: list[str],
    found: str,
    step: str,
) -> None:
    first = Path(two.own[0].name)
    (tmp_path / "RUN").mkdir()
    (tmp_path / "RUN" / "model").symlink_to(first)
    (tmp_path / "ONE").symlink_to(first)
    (tmp_path / "ENCODER").symlink_to(first.parent / "encoder")
    stored(tmp_path / "TWO", sentiment_classes=2)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["app.py", *arguments])
    kept = {**os.environ, "GRADIO_TEMP_DIR": str(tmp_path)}
    monkeypatch.setattr(os, "environ", kept)  # the start adds to it
    with pytest.raises(SystemExit) as stopped:
        app.main()
    assert stopped.value.code == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1
    option = arguments[-2] if "--encoder" in arguments else "--models"
    assert_says(told, parameter=f"`{option}`", rule="should name", found=found, step=step)
