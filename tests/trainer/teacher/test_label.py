"""Soft labels of a file: equal to a direct forward pass, in parts, and only of this very file."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from minbert.files import CheckpointError, read_tensors, write_tensors
from minbert.tables import DataError
from minbert.text import pad
from tests.support import assert_close, assert_says
from tests.trainer.samples import header, sentiment_rows, write_table, write_trees
from tests.trainer.teacher.tiny_teachers import mpnet_folder, taught
from trainer.data.course import FILES, file_sha256, pair_hash, read_split
from trainer.data.soft_labels import read_soft_labels
from trainer.data.treebank import read_phrases
from trainer.teacher import label as module
from trainer.teacher.label import label_file
from trainer.teacher.model import Teacher, load_taught

ROWS = 48  # of a training file of the tests


@pytest.fixture(scope="module")
def teachers(data: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Give a finished teacher of each task; nobody writes there."""
    folder = tmp_path_factory.mktemp("teachers")
    base = mpnet_folder(folder / "base")
    for name in FILES:
        taught(base, data, folder / name, name, epochs=2.0)
    return {name: folder / name for name in FILES}


def labelled(
    teacher: Path,
    source: Path,
    target: Path,
    report: Callable[[str], Any] | None = None,
    **changes: Any,  # noqa: ANN401 - part, tokens
) -> list[str]:
    told: list[str] = []
    label_file(
        teacher,
        source,
        target,
        device_name="cpu",
        precision="fp32",
        report=report or told.append,
        **changes,
    )
    return told


@pytest.mark.parametrize("name", FILES)
def test_rows_are_those_of_a_direct_pass_in_any_batch(
    name: str, teachers: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    source, target = data / FILES[name]["train"], tmp_path / "labels.safetensors"
    labelled(teachers[name], source, target)
    teacher, told = load_taught(teachers[name])
    teacher.model.train(mode=False)
    rows = read_split(data, name, "train").examples
    with torch.inference_mode():
        alone = [pad(teacher.encode([row]), teacher.pad_id) for row in rows]
        wanted = torch.cat([teacher.forward(batch) for batch in alone])
    for tokens in (16, 100, 4096):
        assert_close(teacher.outputs(rows, tokens=tokens), wanted)
    found = read_soft_labels(target)
    assert read_tensors(target)["logits"].dtype == torch.float16
    assert_close(found.logits, wanted, 2e-3)
    assert found.labelled.ids == [row.id for row in rows]
    assert found.hashes.tolist() == [pair_hash(row.texts) for row in rows]
    assert (found.labelled.task, found.labelled.file) == (name, source.name)
    assert found.labelled.file_sha256 == file_sha256(source)
    assert found.labelled.teacher["weights_sha256"] == told["weights_sha256"]
    assert found.labelled.teacher["teacher"] == "base"


def test_a_file_without_labels_or_of_trees_is_labelled_too(
    teachers: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    test = data / FILES["sentiment"]["test"]
    labelled(teachers["sentiment"], test, tmp_path / "test.safetensors")
    assert read_soft_labels(tmp_path / "test.safetensors").logits.shape == (6, 5)
    trees = write_trees(Path(shutil.copytree(data, tmp_path / "data")))
    labelled(teachers["sentiment"], trees, tmp_path / "trees.safetensors")
    found, phrases = read_soft_labels(tmp_path / "trees.safetensors"), read_phrases(trees, (), 1)
    assert len(found.logits) == len(phrases.sentences) + len(phrases.phrases)


class KilledError(Exception):
    """Stands for a kill."""


def test_a_killed_labelling_goes_on_where_it_was(
    teachers: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    teacher, source = teachers["sentiment"], data / FILES["sentiment"]["train"]
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    labelled(teacher, source, whole, part=10)
    passes, real = [], Teacher.outputs

    def outputs(self: Teacher, examples: Any, **settings: Any) -> torch.Tensor:  # noqa: ANN401
        passes.append(len(examples))
        if len(passes) == 4:
            raise KilledError
        return real(self, examples, **settings)

    monkeypatch.setattr(module.Teacher, "outputs", outputs)
    with pytest.raises(KilledError):
        labelled(teacher, source, broken, part=10)
    assert not broken.exists()
    told = labelled(teacher, source, broken, part=10)
    assert "Continuing at row 20." in told
    assert passes == [0, 10, 10, 10, 10, 10, 8]
    found, wanted = read_soft_labels(broken), read_soft_labels(whole)
    assert found.labelled == wanted.labelled
    assert torch.equal(found.logits, wanted.logits)
    assert torch.equal(found.hashes, wanted.hashes)
    assert sorted(path.name for path in tmp_path.iterdir()) == [broken.name, whole.name]
    assert labelled(teacher, source, whole)[-1] == f"{whole} is finished already."


def test_labels_of_another_file_or_teacher_are_not_gone_on_with(
    teachers: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    target, train = tmp_path / "labels.safetensors", data / FILES["similarity"]["train"]
    labelled(teachers["similarity"], train, target)
    before = target.read_bytes()
    for teacher, split in (("similarity", "dev"), ("paraphrase", "train")):
        with pytest.raises(DataError) as refused:
            labelled(teachers[teacher], data / FILES["similarity"][split], target)
        assert_says(refused.value, parameter="`--output`", found=str(target), step="another file")
    assert target.read_bytes() == before
    begun = target.rename(tmp_path / "dev.safetensors.begun")
    told = labelled(
        teachers["similarity"], data / FILES["similarity"]["dev"], tmp_path / "dev.safetensors"
    )
    assert f"{begun} is of another file or teacher; beginning anew." in told
    assert len(read_soft_labels(tmp_path / "dev.safetensors").logits) == 16


def test_what_can_t_be_labelled_is_refused(
    teachers: dict[str, Path], data: Path, tmp_path: Path
) -> None:
    target = tmp_path / "labels.safetensors"
    with pytest.raises(DataError, match="pairs need two sentences a row"):
        labelled(teachers["paraphrase"], data / FILES["sentiment"]["train"], target)
    with pytest.raises(DataError, match="should exist"):
        labelled(teachers["paraphrase"], tmp_path / "none.csv", target)
    with pytest.raises(CheckpointError, match=r"finished teacher. Found no teacher\.json"):
        labelled(tmp_path, data / FILES["sentiment"]["train"], target)
    copy = Path(shutil.copytree(teachers["sentiment"], tmp_path / "copy"))
    weights = read_tensors(copy / "model.safetensors")
    weights["classifier.out_proj.bias"] += 1
    write_tensors(copy / "model.safetensors", weights)
    with pytest.raises(CheckpointError, match="should have the SHA-256"):
        labelled(copy, data / FILES["sentiment"]["train"], target)
    assert not target.exists()


def test_outputs_that_are_not_finite_are_refused(
    teachers: dict[str, Path], data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    forward = Teacher.forward
    monkeypatch.setattr(Teacher, "forward", lambda self, batch: forward(self, batch) / 0)
    source = data / FILES["sentiment"]["train"]
    with pytest.raises(CheckpointError, match="outputs should be finite"):
        labelled(teachers["sentiment"], source, tmp_path / "labels.safetensors")


def test_a_long_row_is_cut_and_a_broken_one_is_told(
    teachers: dict[str, Path], tmp_path: Path
) -> None:
    rows = [*sentiment_rows(3, 1), ("long", "the film " * 100, "1"), ("empty", " ", "2")]
    source = write_table(tmp_path / "rows.csv", header("sentiment"), rows)
    told = labelled(teachers["sentiment"], source, tmp_path / "labels.safetensors")
    assert read_soft_labels(tmp_path / "labels.safetensors").labelled.ids[-1] == "long"
    assert_says(told[0], found=("4 rows", "1 left out"))
