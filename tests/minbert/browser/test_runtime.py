"""ONNX Runtime Web's files: fetched by npm once, then kept; what goes wrong is told."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from minbert.browser import runtime
from minbert.browser.runtime import SCRIPT, WASM, cache_folder, load_runtime, unpacked

CONTENTS = {SCRIPT: b"export {}", WASM: b"\0asm"}


def archive(path: Path, contents: dict[str, bytes]) -> Path:
    """Write an archive as npm packs them."""
    with tarfile.open(path, "w:gz") as tar:
        for name, content in contents.items():
            told = tarfile.TarInfo(f"package/{name}")
            told.size = len(content)
            tar.addfile(told, io.BytesIO(content))
    return path


def fake_npm(folder: Path, monkeypatch: pytest.MonkeyPatch, script: str) -> None:
    """Put a program called npm where it is found first."""
    folder.mkdir()
    program = folder / "npm"
    program.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")


def test_the_files_are_fetched_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = archive(tmp_path / "packed.tgz", {**CONTENTS, "dist/other.js": b"never written"})
    fake_npm(tmp_path / "bin", monkeypatch, f'echo "$@" >> {tmp_path}/asked; cp {packed} x.tgz')
    cache = tmp_path / "cache"
    for _ in range(2):
        found = load_runtime(cache)
        assert (found.script, found.wasm) == (CONTENTS[SCRIPT], CONTENTS[WASM])
    asked = (tmp_path / "asked").read_text(encoding="utf-8").splitlines()
    assert len(asked) == 1
    assert asked[0].startswith("pack onnxruntime-web@1.")
    assert sorted(path.name for path in cache.iterdir()) == sorted(
        Path(name).name for name in CONTENTS
    )


def test_npm_that_is_missing_or_fails_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime.shutil, "which", lambda _: None)
    with pytest.raises(ValueError, match=r"Found none; `apt-get install npm`.*leave --live out"):
        load_runtime(tmp_path / "cache")
    monkeypatch.undo()
    fake_npm(tmp_path / "bin", monkeypatch, "echo no such registry >&2; exit 1")
    with pytest.raises(ValueError, match=r"(?s)It couldn't.*last words:\n  no such registry"):
        load_runtime(tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_a_package_without_the_file_is_told(tmp_path: Path) -> None:
    path = archive(tmp_path / "packed.tgz", {SCRIPT: b""})
    with pytest.raises(ValueError, match=rf"should hold {WASM}. Found no such file"):
        unpacked(path)


def test_the_files_are_kept_where_caches_are(tmp_path: Path) -> None:
    told = cache_folder({"XDG_CACHE_HOME": str(tmp_path)})
    assert told.is_relative_to(tmp_path)
    assert cache_folder({}).is_relative_to(Path.home() / ".cache")
