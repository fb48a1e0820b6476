"""The manifest: written with a checkpoint, held against its files, told where there is none."""

from __future__ import annotations

import hashlib
import json
import logging
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.checkpoint import CheckpointError, export_encoder, load_encoder
from minbert.files import write_json
from minbert.multitask import MultitaskBert
from minbert.storage import manifest
from minbert.storage.manifest import (
    FOR_OTHERS,
    MANIFEST_FILE,
    ONNX_FILE,
    POOLING_FILE,
    TRAINED_ON_FILE,
)
from minbert.storage.model_folder import HEADS_FILE
from tests.minbert.folders import CONFIG, WEIGHTS
from tests.support import assert_says

MODELS = Path(__file__).resolve().parents[3] / "assets" / "models"
OURS = {CONFIG, WEIGHTS, HEADS_FILE, "tokenizer.json", "tokenizer_config.json"}


def stored(folder: Path) -> dict[str, Any]:
    """Return a folder's manifest."""
    values: dict[str, Any] = json.loads((folder / MANIFEST_FILE).read_text())
    return values


def sums_of(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of each file in a folder but the manifest, by name."""
    files = [p for p in folder.rglob("*") if p.is_file() and p.name != MANIFEST_FILE]
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in files
    }


def test_a_saved_model_has_a_manifest_of_all_its_files(saved: Path) -> None:
    assert stored(saved) == {"version": 1, "sha256": sums_of(saved)}
    assert set(sums_of(saved)) == OURS | (set(FOR_OTHERS) - {ONNX_FILE})


def test_an_exported_encoder_has_one_too(model: MultitaskBert, tmp_path: Path) -> None:
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, tmp_path / "encoder")
    assert stored(tmp_path / "encoder")["sha256"] == sums_of(tmp_path / "encoder")
    flip(tmp_path / "encoder" / WEIGHTS, -3)
    with pytest.raises(CheckpointError, match="SHA-256"):
        load_encoder(tmp_path / "encoder")


def test_saving_again_writes_it_anew(model: MultitaskBert, saved: Path) -> None:
    before = stored(saved)
    model.save_pretrained(saved, dtype=torch.float16)
    assert stored(saved)["sha256"] == sums_of(saved)
    assert stored(saved) != before
    MultitaskBert.from_pretrained(saved)


@pytest.mark.parametrize("name", ["mean", "cls"])
def test_the_app_s_own_models_have_one_that_fits(name: str) -> None:
    folder = MODELS / name
    assert set(stored(folder)["sha256"]) == set(sums_of(folder)) >= {WEIGHTS, TRAINED_ON_FILE}
    taken = []
    for _ in range(3):
        begun = time.perf_counter()
        assert manifest.verify(folder)
        taken.append(time.perf_counter() - begun)
    manifest.verify_file(folder / TRAINED_ON_FILE)
    assert min(taken) < 1


def flip(path: Path, place: int, bit: int = 0) -> None:
    """Turn one bit of a file over."""
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


@pytest.mark.parametrize("name", sorted({*OURS, POOLING_FILE}))
def test_a_flipped_bit_is_told_with_file_reason_and_next_step(name: str, saved: Path) -> None:
    flip(saved / name, -8)
    with pytest.raises(CheckpointError) as caught:
        MultitaskBert.from_pretrained(saved)
    assert_says(
        caught.value,
        parameter=str(saved / name),
        rule=("SHA-256", MANIFEST_FILE),
        found="torn or damaged, or was changed: found",
        step="copy or download",
    )


@pytest.mark.parametrize("name", sorted(OURS))
def test_a_listed_file_that_is_gone_is_told(name: str, saved: Path) -> None:
    (saved / name).unlink()
    with pytest.raises(CheckpointError, match=rf"{name} should exist.*nothing there"):
        MultitaskBert.from_pretrained(saved)
    (saved / name).mkdir()
    with pytest.raises(CheckpointError, match=rf"{name} should exist.*Found a folder"):
        MultitaskBert.from_pretrained(saved)


def test_a_tokenizer_file_from_elsewhere_is_told(saved: Path) -> None:
    (saved / "added_tokens.json").write_text('{"film": 7}')
    with pytest.raises(CheckpointError, match=r"every tokenizer file.*added_tokens\.json"):
        MultitaskBert.from_pretrained(saved)


SUM = "0" * 64


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"version": 2, "sha256": {}}',
        '{"version": 1, "sha256": []}',
        '{"version": 1, "sha256": {}}',
        json.dumps({"version": 1, "sha256": {CONFIG: SUM}}),
        json.dumps({"version": 1, "sha256": {WEIGHTS: SUM}}),
        json.dumps({"version": 1, "sha256": {CONFIG: SUM, TRAINED_ON_FILE: SUM}}),
        json.dumps({"version": 1, "sha256": {CONFIG: SUM, WEIGHTS: 3}}),
        json.dumps({"version": 1, "sha256": {CONFIG: SUM, WEIGHTS: SUM.upper()[:-1]}}),
        json.dumps({"version": 1, "sha256": {CONFIG: SUM, f"../{WEIGHTS}": SUM}}),
    ],
)
def test_a_damaged_manifest_is_told(content: str, saved: Path) -> None:
    (saved / MANIFEST_FILE).write_text(content)
    with pytest.raises(CheckpointError, match=rf"{MANIFEST_FILE} should (be|hold)"):
        MultitaskBert.from_pretrained(saved)


def test_a_folder_without_one_loads_with_a_notice(
    saved: Path, caplog: pytest.LogCaptureFixture
) -> None:
    MultitaskBert.from_pretrained(saved)
    assert caplog.records == []
    (saved / MANIFEST_FILE).unlink()
    MultitaskBert.from_pretrained(saved)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert_says(
        record.getMessage(), parameter=str(saved), found=MANIFEST_FILE, step="write_manifest"
    )
    manifest.write_manifest(saved)
    MultitaskBert.from_pretrained(saved)
    assert len(caplog.records) == 1


def test_an_encoder_of_others_loads_without_a_word(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    load_encoder(folder)
    assert caplog.records == []


def test_a_rewritten_part_is_listed_anew_and_nothing_torn_is_left(saved: Path) -> None:
    values = json.loads((saved / CONFIG).read_text())

    def rewrite(then: Callable[[], object]) -> None:
        with manifest.rewriting(saved):
            values["minbert"]["sentiment_temperature"] = 2.0
            write_json(saved / CONFIG, values)
            then()

    with pytest.raises(KeyboardInterrupt):
        rewrite(lambda: (_ for _ in ()).throw(KeyboardInterrupt))
    assert MultitaskBert.from_pretrained(saved).config.sentiment_temperature == 2.0
    manifest.write_manifest(saved)
    rewrite(lambda: None)
    assert stored(saved)["sha256"] == sums_of(saved)


def test_rewriting_leaves_a_folder_without_one_as_it_is(saved: Path) -> None:
    (saved / MANIFEST_FILE).unlink()
    with manifest.rewriting(saved):
        pass
    assert not (saved / MANIFEST_FILE).exists()


def test_the_trainer_s_record_is_verified_where_it_is_read(saved: Path, tmp_path: Path) -> None:
    (saved / TRAINED_ON_FILE).write_bytes(b"hashes")
    manifest.write_manifest(saved)
    published = shutil.copytree(saved, tmp_path / "published")
    (published / TRAINED_ON_FILE).unlink()
    MultitaskBert.from_pretrained(published)
    manifest.verify_file(saved / TRAINED_ON_FILE)
    flip(saved / TRAINED_ON_FILE, 0)
    MultitaskBert.from_pretrained(saved)
    with pytest.raises(CheckpointError, match=rf"{TRAINED_ON_FILE} should have the SHA-256"):
        manifest.verify_file(saved / TRAINED_ON_FILE)


@pytest.mark.parametrize("listed", [True, False])
@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json"])
def test_a_pointer_of_git_lfs_is_called_one(name: str, listed: bool, saved: Path) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 9\n"
    (saved / name).write_text(pointer, encoding="utf-8")
    if not listed:
        (saved / MANIFEST_FILE).unlink()
    with pytest.raises(CheckpointError) as refused:
        MultitaskBert.from_pretrained(saved)
    assert_says(refused.value, parameter=name, rule="git lfs pull", step="download")
