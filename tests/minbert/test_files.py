"""Torn files are told, saved ones are whole: nothing half-written or silent."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors import safe_open

from minbert import files
from minbert.checkpoint import CheckpointError, key_table, load_encoder
from minbert.config import MultitaskConfig
from minbert.multitask import MultitaskBert
from minbert.storage.model_folder import HEADS_FILE
from tests.minbert.folders import (
    CONFIG,
    WEIGHTS,
    unlisted,
)
from tests.support import (
    assert_close,
    random_batch,
    redraw,
    tiny_model,
)

# Torn files

LOADERS = pytest.mark.parametrize("load", [load_encoder, MultitaskBert.from_pretrained])


def folder_for(load: Callable[[Path], object], folder: Path, saved: Path) -> Path:
    """Return the folder that this loader takes."""
    return folder if load is load_encoder else unlisted(saved)


@LOADERS
@pytest.mark.parametrize("share", [0, 4, 8, 300, 0.5, -1])
def test_torn_weights_are_told(
    load: Callable[[Path], object], share: float, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / WEIGHTS
    whole = path.read_bytes()
    load(path.parent)
    end = int(len(whole) * share) if 0 < share < 1 else int(share)
    path.write_bytes(whole[:end])
    with pytest.raises(CheckpointError, match=rf"{re.escape(str(path))} should .* torn"):
        load(path.parent)


def test_weights_followed_by_rubbish_are_told(saved: Path) -> None:
    path = saved / WEIGHTS
    path.write_bytes(path.read_bytes() + b"\0" * 100)
    with pytest.raises(CheckpointError, match="torn or damaged"):
        MultitaskBert.from_pretrained(saved)


@LOADERS
@pytest.mark.parametrize("content", [b"", b'{"model_type": "be', b"\xff\xfe{}"])
def test_a_torn_config_is_told(
    load: Callable[[Path], object], content: bytes, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / CONFIG
    path.write_bytes(content)
    with pytest.raises(CheckpointError, match=rf"{CONFIG} should be JSON. It is torn or damaged"):
        load(path.parent)


def test_a_config_that_is_a_list_is_told(folder: Path) -> None:
    (folder / CONFIG).write_text("[1, 2]")
    with pytest.raises(CheckpointError, match=r"should hold a JSON object\. Found list"):
        load_encoder(folder)


@LOADERS
@pytest.mark.parametrize("name", [CONFIG, WEIGHTS])
def test_a_missing_file_is_told(
    load: Callable[[Path], object], name: str, folder: Path, saved: Path
) -> None:
    path = folder_for(load, folder, saved) / name
    path.unlink()
    with pytest.raises(CheckpointError, match=rf"{re.escape(str(path))} should exist"):
        load(path.parent)


@LOADERS
@pytest.mark.parametrize("name", ["./nothing", "/no/such/folder", "~/nothing", "a/b/c"])
def test_no_such_folder_is_told_without_asking_the_hub(
    load: Callable[[str], object], name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.snapshot_download", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(CheckpointError, match=f"{name} should be a folder.*no such folder"):
        load(name)


# Saving


def test_a_model_survives_saving_bit_for_bit(model: MultitaskBert, saved: Path) -> None:
    again = MultitaskBert.from_pretrained(saved)
    assert not again.training
    assert again.config == model.config
    assert set(again.state_dict()) == set(model.state_dict())
    for name, tensor in model.state_dict().items():
        assert torch.equal(again.state_dict()[name], tensor)
    assert all(parameter.requires_grad for parameter in again.parameters())
    assert again.tokenizer is not None
    assert model.tokenizer is not None
    assert again.tokenizer.pieces(["the film [SEP]"]) == model.tokenizer.pieces(["the film [SEP]"])
    with torch.no_grad():
        assert_close(again.embed(random_batch()), model.embed(random_batch()))


def test_every_setting_survives_saving(tmp_path: Path) -> None:
    model = tiny_model(
        tmp_path / "tokenizer",
        pooling="attention",
        paraphrase_head="two_tower",
        sentiment_classes=3,
        pal_size=4,
        similarity_head="relu",
        cosine_scaling="positive",
        similarity_score="mean",
        pair_token_types=False,
        max_length=20,
        hidden_dropout_prob=0.3,
    )
    model.save_pretrained(tmp_path / "saved")
    assert MultitaskBert.from_pretrained(tmp_path / "saved").config == model.config


def test_a_checkpoint_from_before_the_later_fields_is_the_same_model(
    model: MultitaskBert, saved: Path
) -> None:
    values = json.loads((unlisted(saved) / CONFIG).read_text())
    for later in ("paraphrase_head", "sentiment_classes", "pal_size"):
        del values["minbert"][later]
    (saved / CONFIG).write_text(json.dumps(values))
    again = MultitaskBert.from_pretrained(saved)
    assert again.config == model.config
    with torch.no_grad():
        assert_close(
            again.predict_sentiment(random_batch()), model.predict_sentiment(random_batch())
        )


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_the_app_s_own_checkpoints_fit_without_loading_them(name: str) -> None:
    folder = Path(__file__).parents[2] / "assets" / "models" / name
    config = MultitaskConfig.from_dict(json.loads((folder / CONFIG).read_text()))
    with torch.device("meta"):
        wanted = MultitaskBert(config).state_dict()
    ours = {theirs: f"encoder.{name}" for theirs, name in key_table(len(wanted)).items()}
    found = {}
    for path in (folder / WEIGHTS, folder / HEADS_FILE):
        with safe_open(path, "pt") as file:
            for key in file.keys():  # noqa: SIM118 - no mapping
                found[ours.get(key, key)] = tuple(file.get_slice(key).get_shape())
    assert found == {key: tuple(tensor.shape) for key, tensor in wanted.items()}


def numbers_size(path: Path) -> int:
    """Return the bytes of a safetensors file after its header, which is names and places."""
    content = path.read_bytes()
    return len(content) - 8 - int.from_bytes(content[:8], "little")


def test_half_precision_halves_the_file(model: MultitaskBert, saved: Path, tmp_path: Path) -> None:
    model.save_pretrained(tmp_path / "half", dtype=torch.float16)
    assert numbers_size(saved / WEIGHTS) == 2 * numbers_size(tmp_path / "half" / WEIGHTS)
    assert (tmp_path / "half" / WEIGHTS).stat().st_size < 0.75 * (saved / WEIGHTS).stat().st_size
    again = MultitaskBert.from_pretrained(tmp_path / "half")
    assert {parameter.dtype for parameter in again.parameters()} == {torch.float32}
    for name, tensor in model.state_dict().items():
        assert_close(again.state_dict()[name], tensor, 2e-3)
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_saving_again_replaces_the_old_model(model: MultitaskBert, saved: Path) -> None:
    redraw(model, seed=8)
    model.save_pretrained(saved)
    again = MultitaskBert.from_pretrained(saved).state_dict()
    assert all(torch.equal(again[name], tensor) for name, tensor in model.state_dict().items())


def test_a_saved_folder_holds_no_pickle_and_no_leftover(saved: Path) -> None:
    names = {path.name for path in saved.iterdir()}
    assert {CONFIG, WEIGHTS, "tokenizer.json"} <= names
    assert not [name for name in names if name.endswith((".bin", ".pt", ".pkl", ".partial"))]


def test_saving_without_tokenizer_is_told(model: MultitaskBert, tmp_path: Path) -> None:
    model.tokenizer = None
    with pytest.raises(ValueError, match=r"`tokenizer` should be set before saving\. Found"):
        model.save_pretrained(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()


def full_disk(_descriptor: int) -> None:
    """Fail as a disk without space does."""
    raise OSError(28, "No space left on device")


def test_a_write_that_dies_leaves_the_old_file_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "deep" / "file"
    files.write_bytes(path, b"old")
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        files.write_bytes(path, b"new and longer")
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    files.write_bytes(path, b"new")
    assert path.read_bytes() == b"new"
    assert [item.name for item in path.parent.iterdir()] == ["file"]


def test_a_save_that_dies_leaves_the_old_weights_whole(
    model: MultitaskBert, saved: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = (saved / WEIGHTS).read_bytes()
    redraw(model, seed=8)
    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        model.save_pretrained(saved)
    assert (saved / WEIGHTS).read_bytes() == before
    MultitaskBert.from_pretrained(saved)


def test_json_is_written_for_people(tmp_path: Path) -> None:
    files.write_json(tmp_path / "x.json", {"a": "é", "b": [1]})
    text = (tmp_path / "x.json").read_text(encoding="utf-8")
    assert text.startswith('{\n  "a": "é"')
    assert text.endswith("}\n")
    assert files.read_json(tmp_path / "x.json") == {"a": "é", "b": [1]}


def test_tensors_of_any_layout_are_written(tmp_path: Path) -> None:
    weight = torch.arange(6.0).reshape(2, 3).requires_grad_()
    files.write_tensors(tmp_path / "x", {"turned": weight.T, "plain": weight})
    again = files.read_tensors(tmp_path / "x")
    assert torch.equal(again["turned"], weight.detach().T)
    assert torch.equal(again["plain"], weight.detach())


# Output goes where it is sent


@pytest.mark.parametrize("there", [True, False])
def test_a_link_stays_and_its_file_is_written(tmp_path: Path, there: bool) -> None:
    target, link = tmp_path / "deep" / "target", tmp_path / "link"
    if there:
        target.parent.mkdir()
        target.write_bytes(b"old")
        target.chmod(0o640)
    (tmp_path / "hop").symlink_to(Path("deep") / "target")
    link.symlink_to("hop")
    files.write_bytes(link, b"new")
    assert link.is_symlink()
    assert target.read_bytes() == b"new"
    assert not target.is_symlink()
    assert [item.name for item in target.parent.iterdir()] == ["target"]
    if there:
        assert target.stat().st_mode & 0o777 == 0o640, "who may read it stays too"


def test_a_pipe_is_written_into(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    files.write_bytes(pipe, b"through")
    assert os.read(reader, 100) == b"through"
    os.close(reader)
    assert pipe.is_fifo()


def test_a_device_is_written_into(tmp_path: Path) -> None:
    (tmp_path / "null").symlink_to("/dev/null")
    files.write_bytes(tmp_path / "null", b"gone")
    assert Path("/dev/null").is_char_device()
    with pytest.raises(OSError, match="No space left"):
        files.write_bytes(Path("/dev/full"), b"no room")
    assert Path("/dev/full").is_char_device()
    assert [item.name for item in tmp_path.iterdir()] == ["null"]


@pytest.mark.parametrize("name", ["-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_standard_output_is_written_after_what_was_printed(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "link").symlink_to("/dev/stdout")
    print("first")  # noqa: T201 - what the file comes after
    files.write_json(tmp_path / name if name == "link" else Path(name), {"a": 1})
    print("last")  # noqa: T201
    assert capfd.readouterr().out == 'first\n{\n  "a": 1\n}\nlast\n'


def test_an_open_file_s_number_is_written_where_it_stands(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as log:
        log.write(b"before ")
        log.flush()
        files.write_bytes(Path(f"/dev/fd/{log.fileno()}"), b"after")
    assert path.read_bytes() == b"before after"


@pytest.mark.parametrize("error", [OSError(28, "No space left"), KeyboardInterrupt(), SystemExit()])
def test_nothing_stays_beside_after_an_error(
    error: BaseException, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(_descriptor: int) -> None:
        raise error

    monkeypatch.setattr(os, "fsync", stopped)
    with pytest.raises(type(error)):
        files.write_bytes(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_and_a_circle_of_links_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "circle").symlink_to("circle")
    for name in ("folder", "circle"):
        with pytest.raises(OSError, match=name):
            files.write_bytes(tmp_path / name, b"content")
    assert {item.name for item in tmp_path.iterdir()} == {"folder", "circle"}
