"""Where weights come from: pickled files, read as tensors only, and the Hub."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from huggingface_hub.errors import (
    HFValidationError,
    LocalEntryNotFoundError,
    RepositoryNotFoundError,
)
from huggingface_hub.utils import filter_repo_objects

from minbert import checkpoint
from minbert.checkpoint import CheckpointError, load_encoder
from minbert.multitask import MultitaskBert
from minbert.storage.weights import weights_files
from tests.minbert.folders import (
    CONFIG,
    PICKLED,
    WEIGHTS,
    WORDS,
    old_weights,
)
from tests.support import assert_says

# Pickled weights


def pickle_only(folder: Path, content: object) -> Path:
    """Replace the folder's safetensors by a pytorch_model.bin."""
    (folder / WEIGHTS).unlink()
    torch.save(content, folder / PICKLED)
    return folder


def test_a_folder_with_pickled_weights_loads(folder: Path) -> None:
    wanted = load_encoder(folder)[0].state_dict()
    found, _, report = load_encoder(pickle_only(folder, old_weights()[0]))
    assert "cls.predictions.bias" in report.ignored
    assert all(torch.equal(found.state_dict()[name], part) for name, part in wanted.items())


def test_safetensors_come_before_pickled_weights(folder: Path) -> None:
    (folder / PICKLED).write_bytes(b"not even a pickle")
    assert weights_files(folder) == [folder / WEIGHTS]
    load_encoder(folder)


class Intruder:
    """Something that runs a command of its author's when it is unpickled."""

    def __reduce__(self) -> tuple[Callable[..., object], tuple[str]]:
        """Name a harmless stand-in for that command."""
        return os.mkdir, ("intruded",)


def test_a_pickle_can_t_run_anything(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    pickle_only(folder, {WORDS: Intruder()})
    with pytest.raises(CheckpointError, match=f"{PICKLED} should hold tensors .* nothing else"):
        load_encoder(folder)
    assert not (tmp_path / "intruded").exists()


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ({"epoch": 3, "model": torch.zeros(2)}, "'epoch', which is int"),
        ({"state_dict": {"weight": torch.zeros(2)}}, "'state_dict', which is dict"),
        ([torch.zeros(2)], "list"),
        (torch.nn.Linear(2, 2), "nothing that needs code of its own"),
    ],
)
@pytest.mark.parametrize("zipped", [True, False])
def test_a_pickle_of_more_than_tensors_is_refused(
    content: object, found: str, zipped: bool, folder: Path
) -> None:
    path = pickle_only(folder, content) / PICKLED
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(CheckpointError) as caught:
        load_encoder(folder)
    assert_says(
        caught.value,
        parameter=str(path),
        rule="tensors by name and nothing else",
        found=found,
        step="model.safetensors",
        never=("weights_only", "PyTorch"),
    )


@pytest.mark.parametrize("share", [0.0, 0.5, 0.99])
def test_a_torn_pickle_is_told(share: float, folder: Path) -> None:
    path = pickle_only(folder, old_weights()[0]) / PICKLED
    whole = path.read_bytes()
    path.write_bytes(whole[: int(len(whole) * share)])
    with pytest.raises(CheckpointError, match=f"{PICKLED} .* torn"):
        load_encoder(folder)


# The Hub


class FakeHub:
    """Stands for `huggingface_hub.snapshot_download`: remembers its calls, fills a folder."""

    def __init__(self, folder: Path, source: Path) -> None:
        """Serve the files of `source` into `folder`."""
        self.folder, self.source = folder, source
        self.calls: list[tuple[str, str | None, tuple[str, ...]]] = []

    def __call__(self, name: str, *, revision: str | None, **patterns: list[str]) -> str:
        """Copy the files asked for that there are, as the Hub does."""
        files = [path.relative_to(self.source).as_posix() for path in self.source.rglob("*.*")]
        asked = tuple(sorted(filter_repo_objects(files, **patterns)))
        self.calls.append((name, revision, asked))
        for file in asked:
            (self.folder / file).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / file).write_bytes((self.source / file).read_bytes())
        return str(self.folder)


@pytest.fixture
def hub(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeHub:
    """Put the fake in the Hub's place, with the old folder on its shelf."""
    fake = FakeHub(tmp_path / "cache", folder)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fake)
    monkeypatch.chdir(tmp_path)
    return fake


def test_an_id_is_downloaded_with_its_safetensors_only(hub: FakeHub) -> None:
    (hub.source / PICKLED).write_bytes(b"large and not needed")
    (hub.source / "tf_model.h5").write_bytes(b"large and not needed")
    (hub.source / "onnx").mkdir()
    (hub.source / "onnx" / CONFIG).write_bytes(b"of another program")
    (hub.source / "of-a-new-kind.toml").write_text("a = 1", encoding="utf-8")
    encoder, _, _ = load_encoder("someone/tiny", revision="v2")
    assert torch.equal(encoder.embeddings.word.weight, old_weights()[0][WORDS])
    ((name, revision, fetched),) = hub.calls
    assert (name, revision) == ("someone/tiny", "v2")
    assert {CONFIG, WEIGHTS, "vocab.txt", "of-a-new-kind.toml"} <= set(fetched)
    others = {path.name for path in hub.source.iterdir()} - set(fetched)
    assert others == {PICKLED, "tf_model.h5", "onnx"}


def test_pickled_weights_are_fetched_only_where_there_are_no_others(hub: FakeHub) -> None:
    pickle_only(hub.source, old_weights()[0])
    encoder, _, _ = load_encoder("someone/tiny", revision="v2")
    assert torch.equal(encoder.embeddings.word.weight, old_weights()[0][WORDS])
    assert [(name, revision) for name, revision, _ in hub.calls] == [("someone/tiny", "v2")] * 2
    assert CONFIG in hub.calls[0][2]
    assert PICKLED not in hub.calls[0][2]
    assert hub.calls[1][2] == (PICKLED,)


def test_a_multitask_model_is_downloaded_too(hub: FakeHub, saved: Path) -> None:
    hub.source = saved
    wanted = MultitaskBert.from_pretrained(saved).state_dict()
    found = MultitaskBert.from_pretrained("someone", revision="main").state_dict()
    assert hub.calls[0][:2] == ("someone", "main")
    assert all(torch.equal(found[name], part) for name, part in wanted.items())


def test_a_folder_comes_before_an_id(hub: FakeHub, folder: Path) -> None:
    assert checkpoint.resolve_folder(folder) == folder
    assert checkpoint.resolve_folder(folder.name) == Path(folder.name)
    assert hub.calls == []


def not_found() -> RepositoryNotFoundError:
    """Return the error of an id that the Hub doesn't know."""
    answer = SimpleNamespace(headers={}, request=None)
    return RepositoryNotFoundError("no such repository", response=answer)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "error",
    [
        not_found(),
        LocalEntryNotFoundError("offline and not cached"),
        HFValidationError("that is no id"),
        OSError("no network"),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_of_the_hub_is_told(
    error: Exception, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> str:
        raise error

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("huggingface_hub.snapshot_download", fail)
    message = f"'someone/tiny' should be a folder or a Hugging Face id.*Hub says: .*{error}"
    with pytest.raises(CheckpointError, match=message) as caught:
        load_encoder("someone/tiny")
    assert caught.value.__cause__ is error
