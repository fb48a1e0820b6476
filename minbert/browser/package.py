"""The files that stand beside a page in which a model answers, and what the page knows of them."""

from __future__ import annotations

import dataclasses
import gzip
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from string import Template
from typing import Any

from minbert.browser.runtime import PACKAGE, WANTED, Runtime, load_runtime
from minbert.browser.words import words_data
from minbert.explain.splits import leaning_weights
from minbert.files import write_bytes
from minbert.predictor import Predictor
from minbert.storage.onnx_file import check_answerable, onnx_file

FOLDER = "live"
GRAPH, WORDS, SCRIPT, WASM = "model.onnx", "words.json", "ort.js", "ort.wasm.gz"
NOTICE = "NOTICE.txt"
NAMES = {"graph": GRAPH, "words": WORDS, "script": SCRIPT, "wasm": WASM}
HERE = Path(__file__).parent


@dataclasses.dataclass(frozen=True)
class Package:
    """A model for a browser."""

    files: Mapping[str, bytes]  # by name; they lie together in one folder
    settings: Mapping[str, Any]  # what `model.js` is given

    def write(self, folder: Path) -> None:
        """Write the files into a folder, which is made if need be."""
        for name, content in self.files.items():
            write_bytes(folder / name, content)


def make_package(predictor: Predictor, runtime: Runtime | None = None) -> Package:
    """Export a model and its tokenizer, and put ONNX Runtime Web beside them.

    Args:
        predictor: on the CPU.
        runtime: the two files of ONNX Runtime Web; None: those that npm fetches.

    Raises:
        ValueError: a tool is missing, or the model can't be answered for in a browser.
    """
    config = predictor.config
    check_answerable(predictor.model)
    runtime = load_runtime() if runtime is None else runtime
    words = words_data(predictor.tokenizer, config)
    whole = {
        GRAPH: onnx_file(predictor.model),
        WORDS: json.dumps(
            words, ensure_ascii=False, separators=(",", ":"), allow_nan=False
        ).encode(),
        SCRIPT: runtime.script,
        WASM: runtime.wasm,
    }
    files = {**whole, WASM: gzip.compress(runtime.wasm, 9, mtime=0), NOTICE: notice().encode()}
    settings = {
        "files": {
            # the mark keeps a browser from pairing a new page with files it kept of an older one
            name: {"bytes": len(content), "mark": hashlib.sha256(content).hexdigest()[:12]}
            for name, content in whole.items()
        },
        "names": NAMES,
        "fetched": sum(len(files[name]) for name in NAMES.values()),
        "cosine": config.cosine_scaling,
        "headline": config.similarity_score,
        "leaning": leaning(predictor),
    }
    return Package(files, settings)


def leaning(predictor: Predictor) -> dict[str, Any] | None:
    """Return what splits the sentiment over the words; None: the pooling has no exact split."""
    if predictor.config.pooling != "mean":
        return None
    weights, bias = leaning_weights(predictor)
    return {"weights": weights.tolist(), "bias": bias}


def notice() -> str:
    """Return whose the files are, and their licences."""
    text = (HERE / "notice.txt").read_text(encoding="utf-8")
    return Template(text).substitute(runtime=f"{PACKAGE} {WANTED}")


def scripts() -> str:
    """Return the scripts that a page needs to split text and to ask the model."""
    return "".join(
        (HERE / name).read_text(encoding="utf-8")
        for name in ("wordpiece.js", "explain.js", "model.js")
    )
