"""Ours beside other programs, on the same weights and inputs, in one process: `make bench`.

Contestants take turns, round by round, so that a machine whose speed drifts is as slow for each;
told are medians with the least and the most of them. The peers get the shipped encoder as
transformers' own BERT, and export it by the exporter that their users would use. Inputs are random
word pieces of fixed lengths, a file's as long as sentences of film reviews.

    python -m tests.benchmarks.bench [--out FILE] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import dataclasses
import gc
import importlib.metadata
import importlib.util
import logging
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import torch

from minbert.checkpoint import export_encoder
from minbert.explain.ranked import explain
from minbert.files import write_json
from minbert.predictor import Predictor
from minbert.records.speed import FILE, THREE_TASKS, Speed, Timing
from trainer.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "assets" / "models" / "mean"
LENGTHS = (8, 25, 64, 128)
PAIR = 25  # tokens of the pair that everything else is asked of
SENTENCES = 512  # of a file
ROUNDS, FEWER = 41, 7  # of what takes milliseconds, of what takes seconds
COMPARED = ("torch", "transformers", "sentence-transformers", "onnxruntime", "gradio")
Contestants = Mapping[str, Callable[[], object]]
Words = tuple[str, ...]


class Inputs:
    """Texts of known lengths in tokens, and their encodings."""

    def __init__(self, predictor: Predictor) -> None:
        """Take the words of one piece from the vocabulary."""
        tokenizer = predictor.tokenizer
        found = tokenizer.backend.get_vocab().items()
        plain = sorted(word for word, _ in found if word.isascii() and word.isalpha())
        self._words = [word for word in plain if 3 < len(word) < 9]
        self._draw = random.Random(0)
        self._predictor = predictor

    def sentence(self, tokens: int) -> str:
        """Return a sentence of so many tokens, both special ones counted."""
        return " ".join(self._draw.choices(self._words, k=tokens - 2))

    def pair(self, tokens: int) -> tuple[str, str]:
        """Return two sentences of so many tokens together, the three special ones counted."""
        first = (tokens - 3) // 2
        return self.sentence(first + 2), self.sentence(tokens - 3 - first + 2)

    def file(self) -> list[str]:
        """Return sentences as long as those of film reviews: 25 tokens in the mean."""
        lengths = [
            min(66, max(4, round(self._draw.lognormvariate(3.05, 0.5)))) for _ in range(SENTENCES)
        ]
        return [self.sentence(length) for length in lengths]


def interleaved(contestants: Contestants, rounds: int) -> dict[str, list[float]]:
    """Return each contestant's seconds, round by round; the first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, call in contestants.items():
            started = time.perf_counter()
            call()
            if number:
                taken[name].append(time.perf_counter() - started)
    return taken


def timing(what: str, name: str, unit: str, values: list[float]) -> Timing:
    """Summarise the rounds of one contestant."""
    return Timing.model_validate(
        {
            **{"what": what, "contestant": name, "unit": unit, "rounds": len(values)},
            "median": round(statistics.median(values), 3),
            **{"least": round(min(values), 3), "most": round(max(values), 3)},
        }
    )


def milliseconds(what: str, contestants: Contestants, rounds: int) -> list[Timing]:
    """Time single calls."""
    return [
        timing(what, name, "ms", [1000 * each for each in values])
        for name, values in interleaved(contestants, rounds).items()
    ]


class Peers:
    """The same encoder in other programs."""

    def __init__(self, predictor: Predictor, folder: Path) -> None:
        """Write the encoder for them, and load it."""
        import onnxruntime
        import transformers
        from onnxruntime.quantization import QuantType, quantize_dynamic
        from sentence_transformers import SentenceTransformer

        export_encoder(predictor.model.encoder, predictor.tokenizer, folder)
        self.tokenizer = transformers.AutoTokenizer.from_pretrained(MODEL)
        self.sdpa, self.eager = (
            transformers.BertModel.from_pretrained(folder, attn_implementation=kind).eval()
            for kind in ("sdpa", "eager")
        )
        self.sentences = SentenceTransformer(str(MODEL), device="cpu")
        export(self.sdpa, folder / "model.onnx")
        quantize_dynamic(folder / "model.onnx", folder / "int8.onnx", weight_type=QuantType.QInt8)
        self.float32, self.int8 = (
            onnxruntime.InferenceSession(folder / name, providers=["CPUExecutionProvider"])
            for name in ("model.onnx", "int8.onnx")
        )

    def transformers(self, *texts: Any, maps: bool = False) -> Any:  # noqa: ANN401 - its own
        """Run transformers' BERT on one input."""
        model = self.eager if maps else self.sdpa
        with torch.inference_mode():
            return model(**self.tokenizer(*texts, return_tensors="pt"), output_attentions=maps)

    def onnx(self, session: Any, *texts: Any) -> Any:  # noqa: ANN401 - its own
        """Run ONNX Runtime on one input, or on a padded batch."""
        given = self.tokenizer(*texts, return_tensors="np", padding=True)
        return session.run(None, dict(given))

    def in_batches(self, session: Any, texts: list[str]) -> None:  # noqa: ANN401 - its own
        """Run ONNX Runtime on a file: by length, in batches of 32."""
        by_length = sorted(texts, key=len)
        for start in range(0, len(by_length), 32):
            self.onnx(session, by_length[start : start + 32])


def export(model: Any, path: Path) -> None:  # noqa: ANN401 - transformers' model
    """Export transformers' BERT by torch's exporter."""
    example = torch.ones(2, 7, dtype=torch.long)
    shape = {0: torch.export.Dim("batch"), 1: torch.export.Dim("tokens", min=2, max=512)}
    names = ["input_ids", "attention_mask", "token_type_ids"]
    logging.getLogger("torch.onnx").setLevel(logging.ERROR)
    torch.onnx.export(
        model,
        (example, example.clone(), example.clone()),
        path,
        dynamo=True,
        external_data=False,
        input_names=names,
        dynamic_shapes=dict.fromkeys(names, shape),
        verbose=False,
    )


def single_inputs(ours: Predictor, peers: Peers, inputs: Inputs) -> Iterator[Timing]:
    """Time one sentence and one pair of each length: from the text to pooled numbers."""
    for length in LENGTHS:
        text, pair = inputs.sentence(length), inputs.pair(length)
        yield from milliseconds(
            f"one sentence, {length} tokens",
            {
                "ours": lambda text=text: ours.embed([text]),
                "sentence-transformers": lambda text=text: peers.sentences.encode(text),
                "transformers": lambda text=text: peers.transformers(text),
                "ONNX Runtime": lambda text=text: peers.onnx(peers.float32, text),
            },
            ROUNDS,
        )
        yield from milliseconds(
            f"one pair, {length} tokens",
            {
                "ours": lambda pair=pair: ours.pooled(ours.encode_joint([pair])),
                "transformers": lambda pair=pair: peers.transformers(*pair),
                "ONNX Runtime": lambda pair=pair: peers.onnx(peers.float32, *pair),
                "ONNX Runtime int8": lambda pair=pair: peers.onnx(peers.int8, *pair),
            },
            ROUNDS,
        )


def one_pair(ours: Predictor, peers: Peers, inputs: Inputs) -> Iterator[Timing]:
    """Time what else is asked of a pair: all three tasks, maps, explanations."""
    pair = inputs.pair(PAIR)
    single = {"ONNX Runtime, one pass": lambda: peers.onnx(peers.float32, *pair)}
    answers = {"ours": lambda: ours.answer(*pair), **single}
    yield from milliseconds(THREE_TASKS, answers, ROUNDS)
    maps = {
        "ours": lambda: ours.attention(*pair),
        "transformers": lambda: peers.transformers(*pair, maps=True),
        **single,
    }
    yield from milliseconds("all attention maps of a pair", maps, ROUNDS)
    for method in ("integrated gradients", "occlusion"):
        call = {"ours": lambda method=method: explain(ours, *pair, "similarity", method=method)}
        yield from milliseconds(f"{method} of a pair's similarity", call, FEWER)


def a_file(ours: Predictor, peers: Peers, inputs: Inputs) -> Iterator[Timing]:
    """Time a file of sentences."""
    texts = inputs.file()
    contestants = {
        "ours": lambda: ours.embed(texts),
        "sentence-transformers": lambda: peers.sentences.encode(texts),
        "ONNX Runtime": lambda: peers.in_batches(peers.float32, texts),
        "ONNX Runtime int8": lambda: peers.in_batches(peers.int8, texts),
    }
    for name, values in interleaved(contestants, FEWER).items():
        rates = [len(texts) / each for each in values]
        yield timing("a file of sentences", name, "sentences/s", rates)


def long_inputs(inputs: Inputs) -> Iterator[Timing]:
    """Time a token of inputs of 128 and of 512 tokens, of a model that takes both."""
    from minbert.multitask import MultitaskBert

    model = MultitaskBert.from_pretrained(MODEL)
    longer = MultitaskBert(dataclasses.replace(model.config, max_length=512), model.tokenizer)
    longer.load_state_dict(model.state_dict())
    predictor = Predictor(longer.eval(), "cpu")
    texts = {length: inputs.sentence(length) for length in (128, 512)}
    calls = {
        str(length): (lambda text=text: predictor.embed([text])) for length, text in texts.items()
    }
    for length, values in interleaved(calls, FEWER).items():
        rates = [int(length) / each for each in values]
        yield timing(f"one input of {length} tokens", "ours", "tokens/s", rates)


def training(folder: Path) -> Iterator[Timing]:
    """Time steps of training against transformers' Trainer."""
    from tests.benchmarks.test_training_speed import WHOLE_STEPS, side_by_side

    for precision in ["fp32", *(["bf16"] if torch.cpu._is_avx512_bf16_supported() else [])]:
        beside, _ = side_by_side(folder / precision, precision, WHOLE_STEPS)
        for name, rates in (("ours", beside.our_rates), ("Trainer", beside.theirs_rates)):
            yield timing(f"training, {precision}", name, "tokens/s", rates)


# Whole processes

PAGE = """
import sys
sys.argv = ["app.py"]
from minbert.ui import app
import gradio
gradio.Blocks.launch = lambda *_, **__: None
app.main()
"""
IMPORTS = "import gradio, torch"
RESIDENT = """
{before}
from pathlib import Path
told = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) for line in told if line.startswith("VmRSS")) / 1024)
"""
MEMORY = {
    "ours": "from minbert import Predictor\n"
    "Predictor.from_pretrained('{model}', 'cpu').answer('a cat sleeps', 'a cat is asleep')",
    "transformers": "from transformers import AutoModel, AutoTokenizer\n"
    "t, m = AutoTokenizer.from_pretrained('{model}'), AutoModel.from_pretrained('{model}')\n"
    "m(**t('a cat sleeps', 'a cat is asleep', return_tensors='pt'))",
    "sentence-transformers": "from sentence_transformers import SentenceTransformer\n"
    "SentenceTransformer('{model}', device='cpu').encode(['a cat sleeps', 'a cat is asleep'])",
}


def run(program: str) -> str:
    """Run a program of its own; return what it printed."""
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout


def processes() -> Iterator[Timing]:
    """Time the page's start, and weigh a process that answered one pair."""
    calls = {"ours": lambda: run(PAGE), "importing gradio and torch": lambda: run(IMPORTS)}
    for name, values in interleaved(calls, 3).items():
        yield timing("the page's start", name, "s", values)
    for name, program in MEMORY.items():
        weighed = RESIDENT.format(before=program.format(model=MODEL))
        values = [float(run(weighed).split()[-1]) for _ in range(2)]
        yield timing("memory after one pair", name, "MB", values)


def measure(folder: Path, only: Words) -> Iterator[Timing]:
    """Yield all timings; those of the parts named `only`, or of all."""
    warnings.simplefilter("ignore")  # the exporters' own
    ours = Predictor.from_pretrained(MODEL, "cpu")
    inputs = Inputs(ours)
    peers = Peers(ours, folder)
    parts: dict[str, Callable[[], Iterator[Timing]]] = {
        "single": lambda: single_inputs(ours, peers, inputs),
        "pair": lambda: one_pair(ours, peers, inputs),
        "file": lambda: a_file(ours, peers, inputs),
        "long": lambda: long_inputs(inputs),
        "training": lambda: training(folder / "training"),
        "processes": processes,
    }
    for name, part in parts.items():
        if not only or name in only:
            yield from part()
            gc.collect()


def main() -> None:
    """Measure, write the record, print its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=ROOT / "assets" / "results" / FILE)
    parser.add_argument("--only", nargs="+", default=(), help="single parts")
    options = parser.parse_args()
    missing = [name for name in COMPARED if not importlib.util.find_spec(name.replace("-", "_"))]
    if missing:
        parser.exit(2, f"{' and '.join(missing)} can't be imported; run `make bench`.\n")
    os.environ |= {"HF_HUB_OFFLINE": "1", "ORT_DISABLE_TELEMETRY": "1"}
    with tempfile.TemporaryDirectory() as folder:
        timings = []
        for each in measure(Path(folder), tuple(options.only)):
            sys.stderr.write(f"{each.what}, {each.contestant}: {each}\n")
            timings.append(each)
    told = provenance(torch.device("cpu"))
    versions = {name: importlib.metadata.version(name) for name in COMPARED}
    record = Speed.model_validate({**told, "versions": versions, "timings": timings})
    write_json(options.out, record.to_dict())
    sys.stdout.write(record.markdown() + "\n")


if __name__ == "__main__":
    main()
