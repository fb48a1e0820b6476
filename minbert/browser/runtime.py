"""ONNX Runtime Web, which runs a model in a browser: fetched from npm once, then kept.

npm checks what it fetches against the registry's own checksum. Nothing of it is in this repository.
"""

from __future__ import annotations

import dataclasses
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path

from minbert.files import write_bytes

PACKAGE = "onnxruntime-web"
WANTED = "1.30.0"  # the version that was tried
SCRIPT = "dist/ort.wasm.bundle.min.mjs"  # an ES module that needs the next file and nothing else
WASM = "dist/ort-wasm-simd-threaded.wasm"
PATIENCE = 600  # seconds that npm may take


@dataclasses.dataclass(frozen=True)
class Runtime:
    """The two files of one version."""

    script: bytes
    wasm: bytes


def cache_folder(environment: Mapping[str, str] = os.environ) -> Path:
    """Return where the files are kept, below XDG_CACHE_HOME or ~/.cache."""
    base = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "minbert-lab" / f"{PACKAGE}-{WANTED}"


def load_runtime(cache: Path | None = None) -> Runtime:
    """Return the files, fetched by npm where they aren't kept yet (33 MB).

    Args:
        cache: a folder of this version alone; None: `cache_folder()`.

    Raises:
        ValueError: npm is missing, can't fetch the package, or its files aren't in there.
    """
    folder = cache_folder() if cache is None else cache
    kept = {name: folder / Path(name).name for name in (SCRIPT, WASM)}
    if not all(path.is_file() for path in kept.values()):
        for name, content in fetched().items():
            write_bytes(kept[name], content)
    return Runtime(kept[SCRIPT].read_bytes(), kept[WASM].read_bytes())


def fetched() -> dict[str, bytes]:
    """Let npm fetch the package; return its files by their names there.

    Raises:
        ValueError: as `load_runtime`.
    """
    npm = shutil.which("npm")
    if npm is None:
        raise ValueError(
            f"npm should be installed: it fetches {PACKAGE} {WANTED}, which runs the model in a "
            "browser. Found none; `apt-get install npm` on Debian or Ubuntu, elsewhere install "
            "Node.js, then run this again, or leave --live out."
        )
    with tempfile.TemporaryDirectory(prefix="minbert-npm-") as folder:
        command = [npm, "pack", f"{PACKAGE}@{WANTED}", "--silent", "--ignore-scripts"]
        try:
            done = subprocess.run(
                command, cwd=folder, capture_output=True, text=True, timeout=PATIENCE, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise ValueError(
                f"npm should fetch {PACKAGE} within {PATIENCE} s. It didn't."
            ) from error
        packed = sorted(Path(folder).glob("*.tgz"))
        if done.returncode != 0 or not packed:
            words = "\n".join(f"  {line}" for line in done.stderr.splitlines()[-8:]) or "  (none)"
            raise ValueError(
                f"npm should fetch {PACKAGE} {WANTED}. It couldn't; see whether the registry that "
                f"it is set up for can be reached, and run this again. Its last words:\n{words}"
            )
        return unpacked(packed[0])


def unpacked(archive: Path) -> dict[str, bytes]:
    """Read both files out of npm's archive; nothing else of it is written anywhere.

    Raises:
        ValueError: one isn't in there.
    """
    found = {}
    with tarfile.open(archive) as tar:
        for name in (SCRIPT, WASM):
            try:
                member = tar.extractfile(f"package/{name}")
            except KeyError:
                member = None
            if member is None:
                raise ValueError(f"{PACKAGE} {WANTED} should hold {name}. Found no such file.")
            with member:
                found[name] = member.read()
    return found
