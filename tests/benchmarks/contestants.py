"""The same encoder in several programs, each in a process of its own, so that no program's threads
are in another's way: some go on spinning for a while after each answer.

All take texts, and all tokenise them. The peers get the shipped encoder as transformers' own BERT,
and export it by the exporter that their users would use.
"""

from __future__ import annotations

import logging
import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

MODEL = Path(__file__).resolve().parents[2] / "assets" / "models" / "mean"
BATCH = 32  # inputs that the peers take together
PAUSE = 0.25  # seconds before each call, as between visitors: what spins elsewhere falls asleep


class OursFast:
    """This repository as `predict --fast` takes it, for files alone."""

    name = "ours, --fast"
    runtime = "fast"

    def __init__(self, _folder: Path) -> None:
        """Load the shipped model."""
        from minbert.predictor import Predictor

        self.predictor = Predictor.from_pretrained(MODEL, "cpu", runtime=self.runtime)

    def file(self, texts: list[str]) -> object:
        """Embed a file's sentences."""
        return self.predictor.embed(texts)


class Ours(OursFast):
    """This repository, as it is by default."""

    name = "ours"
    runtime = "auto"

    def sentence(self, text: str) -> object:
        """Embed a sentence."""
        return self.predictor.embed([text])

    def pair(self, first: str, second: str) -> object:
        """Embed a pair's joint input."""
        return self.predictor.pooled(self.predictor.encode_joint([(first, second)]))

    def three_tasks(self, first: str, second: str) -> object:
        """Answer all three tasks of a pair, both orders."""
        return self.predictor.answer(first, second)

    def maps(self, first: str, second: str) -> object:
        """Return all attention maps of a pair."""
        return self.predictor.attention(first, second)

    def explained(self, method: str, first: str, second: str) -> object:
        """Explain a pair's similarity."""
        from minbert.explain.ranked import explain

        return explain(self.predictor, first, second, "similarity", method=method)


class Longer(Ours):
    """The same weights in a model that takes 512 tokens."""

    def __init__(self, folder: Path) -> None:
        """Load the shipped model, and change its length."""
        import dataclasses

        from minbert.multitask import MultitaskBert
        from minbert.predictor import Predictor

        super().__init__(folder)
        model = self.predictor.model
        longer = MultitaskBert(dataclasses.replace(model.config, max_length=512), model.tokenizer)
        longer.load_state_dict(model.state_dict())
        self.predictor = Predictor(longer.eval(), "cpu")


class Transformers:
    """transformers' BertModel, by fused attention; eager where maps are asked for."""

    name = "transformers"

    def __init__(self, folder: Path) -> None:
        """Load the encoder twice."""
        import transformers

        self.tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
        self.sdpa, self.eager = (
            transformers.BertModel.from_pretrained(folder, attn_implementation=kind).eval()
            for kind in ("sdpa", "eager")
        )

    def pair(self, *texts: str, maps: bool = False) -> object:
        """Run the encoder on a sentence or a pair."""
        import torch

        model = self.eager if maps else self.sdpa
        with torch.inference_mode():
            return model(**self.tokenizer(*texts, return_tensors="pt"), output_attentions=maps)

    sentence = pair

    def maps(self, first: str, second: str) -> object:
        """Return all attention maps of a pair."""
        return self.pair(first, second, maps=True)


class SentenceTransformers:
    """sentence-transformers, which embeds sentences."""

    name = "sentence-transformers"

    def __init__(self, _folder: Path) -> None:
        """Load the shipped folder."""
        from sentence_transformers import SentenceTransformer

        self.model = SentenceTransformer(str(MODEL), device="cpu")

    def sentence(self, text: str) -> object:
        """Embed a sentence."""
        return self.model.encode(text)

    def file(self, texts: list[str]) -> object:
        """Embed a file's sentences."""
        return self.model.encode(texts, batch_size=BATCH)


class OnnxRuntime:
    """ONNX Runtime with its own settings, on torch's export."""

    name = "ONNX Runtime"
    model = "model.onnx"

    def __init__(self, folder: Path) -> None:
        """Open a session."""
        import onnxruntime
        import transformers

        self.tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
        self.session = onnxruntime.InferenceSession(
            folder / self.model, providers=["CPUExecutionProvider"]
        )

    def pair(self, *texts: Any) -> object:  # noqa: ANN401 - a text or several, as its tokenizer takes them
        """Run the encoder on a sentence, a pair or a padded batch."""
        given = self.tokenizer(*texts, return_tensors="np", padding=True)
        return self.session.run(None, dict(given))

    sentence = three_tasks = maps = pair  # what the others' marks are told in

    def file(self, texts: list[str]) -> object:
        """Run the encoder on a file: by length, in batches."""
        by_length = sorted(texts, key=len)
        return [self.pair(by_length[at : at + BATCH]) for at in range(0, len(texts), BATCH)]


class OnnxRuntimeInt8(OnnxRuntime):
    """The same with 8-bit weights, as `quantize_dynamic` makes them."""

    name = "ONNX Runtime int8"
    model = "int8.onnx"


CONTESTANTS = (Ours, OursFast, Transformers, SentenceTransformers, OnnxRuntime, OnnxRuntimeInt8)


def write_for_peers(folder: Path) -> None:
    """Write the encoder as transformers' own, and torch's export of it in 32 and in 8 bits."""
    import torch
    import transformers
    from onnxruntime.quantization import QuantType, quantize_dynamic

    from minbert.checkpoint import export_encoder
    from minbert.multitask import MultitaskBert

    model = MultitaskBert.from_pretrained(MODEL)
    assert model.tokenizer is not None
    export_encoder(model.encoder, model.tokenizer, folder)
    theirs = transformers.BertModel.from_pretrained(folder, attn_implementation="sdpa").eval()
    example = torch.ones(2, 7, dtype=torch.long)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", min=2, max=512)}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.onnx.export(
        theirs,
        (example, example.clone(), example.clone()),
        folder / OnnxRuntime.model,
        dynamo=True,
        external_data=False,
        input_names=names,
        dynamic_shapes=dict.fromkeys(names, shape),
        verbose=False,
    )
    quantize_dynamic(
        folder / OnnxRuntime.model, folder / OnnxRuntimeInt8.model, weight_type=QuantType.QInt8
    )


_contestant: Any = None  # of a process


def _begin(kind: type[Any], folder: Path) -> None:
    global _contestant
    _contestant = kind(folder)


def _timed(task: str, given: tuple[Any, ...]) -> float:
    time.sleep(PAUSE)
    started = time.perf_counter()
    getattr(_contestant, task)(*given)
    return time.perf_counter() - started


class Process:
    """A contestant in a process of its own."""

    def __init__(self, kind: type[Any], folder: Path) -> None:
        """Start it."""
        self.kind = kind
        spawning = multiprocessing.get_context("spawn")
        self.pool = ProcessPoolExecutor(1, spawning, initializer=_begin, initargs=(kind, folder))

    def seconds(self, task: str, *given: Any) -> float:  # noqa: ANN401 - as the task takes it
        """Do a task; return its seconds."""
        return self.pool.submit(_timed, task, given).result()
