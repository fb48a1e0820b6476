"""Ours beside other programs, on the same weights and inputs, side by side: `make bench`.

Contestants (`contestants.py`) take turns, round by round, so that a machine whose speed drifts is
as slow for each; told are medians with the least and the most of them. Inputs are random word
pieces of fixed lengths, a file's as long as sentences of film reviews.

    python -m tests.benchmarks.bench [--out FILE] [--only NAME ...]
"""

from __future__ import annotations

import argparse
import functools
import importlib.metadata
import importlib.util
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

import torch

from minbert.files import write_json
from minbert.predictor import Predictor
from minbert.records.speed import FILE, THREE_TASKS, Speed, Timing
from tests.benchmarks.contestants import CONTESTANTS, MODEL, Longer, Process, write_for_peers
from trainer.provenance import provenance

ROOT = Path(__file__).resolve().parents[2]
LENGTHS = (8, 25, 64, 128)
PAIR = 25  # tokens of the pair that everything else is asked of
SENTENCES = 512  # of a file
ROUNDS, FEWER = 21, 7  # of what takes milliseconds, of what takes seconds
COMPARED = ("torch", "transformers", "sentence-transformers", "onnxruntime", "gradio")
Calls = Mapping[str, Callable[[], float]]  # by contestant; each returns what it took
Words = tuple[str, ...]


class Inputs:
    """Texts of known lengths in tokens."""

    def __init__(self, predictor: Predictor) -> None:
        """Take the words of one piece from the vocabulary."""
        tokenizer = predictor.tokenizer
        found = tokenizer.backend.get_vocab().items()
        plain = sorted(word for word, _ in found if word.isascii() and word.isalpha())
        self._words = [word for word in plain if 3 < len(word) < 9]
        self._draw = random.Random(0)

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


def interleaved(calls: Calls, rounds: int) -> dict[str, list[float]]:
    """Return each contestant's seconds, round by round; the first round warms up."""
    taken: dict[str, list[float]] = {name: [] for name in calls}
    for number in range(rounds + 1):
        for name, call in calls.items():
            seconds = call()
            if number:
                taken[name].append(seconds)
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


class Field:
    """All contestants, each in its process."""

    def __init__(self, folder: Path) -> None:
        """Write what they load, and start them."""
        write_for_peers(folder)
        self.processes = [Process(kind, folder) for kind in CONTESTANTS]
        self.longer = Process(Longer, folder)

    def of(self, task: str, *given: object) -> Calls:
        """Return the calls of those who do a task."""
        return {
            each.kind.name: functools.partial(each.seconds, task, *given)
            for each in self.processes
            if hasattr(each.kind, task)
        }

    def milliseconds(self, what: str, rounds: int, task: str, *given: object) -> Iterator[Timing]:
        """Time single calls."""
        for name, values in interleaved(self.of(task, *given), rounds).items():
            yield timing(what, name, "ms", [1000 * each for each in values])


def single_inputs(field: Field, inputs: Inputs) -> Iterator[Timing]:
    """Time one sentence and one pair of each length: from the text to pooled numbers."""
    for length in LENGTHS:
        text, pair = inputs.sentence(length), inputs.pair(length)
        yield from field.milliseconds(f"one sentence, {length} tokens", ROUNDS, "sentence", text)
        yield from field.milliseconds(f"one pair, {length} tokens", ROUNDS, "pair", *pair)


def one_pair(field: Field, inputs: Inputs) -> Iterator[Timing]:
    """Time what else is asked of a pair: all three tasks, maps, explanations."""
    pair = inputs.pair(PAIR)
    yield from field.milliseconds(THREE_TASKS, ROUNDS, "three_tasks", *pair)
    yield from field.milliseconds("all attention maps of a pair", ROUNDS, "maps", *pair)
    for method in ("integrated gradients", "occlusion"):
        what = f"{method} of a pair's similarity"
        yield from field.milliseconds(what, FEWER, "explained", method, *pair)


def a_file(field: Field, inputs: Inputs) -> Iterator[Timing]:
    """Time a file of sentences."""
    texts = inputs.file()
    for name, values in interleaved(field.of("file", texts), FEWER).items():
        rates = [len(texts) / each for each in values]
        yield timing("a file of sentences", name, "sentences/s", rates)


def long_inputs(field: Field, inputs: Inputs) -> Iterator[Timing]:
    """Time a token of inputs of 128 and of 512 tokens, of a model that takes both."""
    calls = {
        str(length): functools.partial(field.longer.seconds, "sentence", inputs.sentence(length))
        for length in (128, 512)
    }
    for length, values in interleaved(calls, FEWER).items():
        rates = [int(length) / each for each in values]
        yield timing(f"one input of {length} tokens", "ours", "tokens/s", rates)


def training(folder: Path) -> Iterator[Timing]:
    """Time steps of training against transformers' Trainer."""
    from tests.benchmarks.test_training_speed import WHOLE_STEPS, side_by_side

    for precision in ["fp32", *(["bf16"] if torch.cpu._is_avx512_bf16_supported() else [])]:
        beside, _ = side_by_side(folder / precision, precision, WHOLE_STEPS)
        for name, rates in (("ours", beside.our_rates), ("transformers", beside.theirs_rates)):
            yield timing(f"training, {precision}", name, "tokens/s", rates)


# Whole processes

PAGE = """
import sys
sys.argv = ["app.py"]
from minbert.ui import app
with app.quick_start():
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


def seconds_of(program: str) -> float:
    """Run a program of its own; return its seconds."""
    started = time.perf_counter()
    run(program)
    return time.perf_counter() - started


def processes() -> Iterator[Timing]:
    """Time the page's start, and weigh a process that answered one pair."""
    programs = {"ours": PAGE, "importing gradio and torch": IMPORTS}
    calls = {name: functools.partial(seconds_of, each) for name, each in programs.items()}
    for name, values in interleaved(calls, FEWER).items():
        yield timing("the page's start", name, "s", values)
    for name, program in MEMORY.items():
        weighed = RESIDENT.format(before=program.format(model=MODEL))
        values = [float(run(weighed).split()[-1]) for _ in range(2)]
        yield timing("memory after one pair", name, "MB", values)


def measure(folder: Path, only: Words) -> Iterator[Timing]:
    """Yield all timings; those of the parts named `only`, or of all."""
    warnings.simplefilter("ignore")  # the exporters' own
    inputs = Inputs(Predictor.from_pretrained(MODEL, "cpu"))
    field = Field(folder)
    parts: dict[str, Callable[[], Iterator[Timing]]] = {
        "single": lambda: single_inputs(field, inputs),
        "pair": lambda: one_pair(field, inputs),
        "file": lambda: a_file(field, inputs),
        "long": lambda: long_inputs(field, inputs),
        "training": lambda: training(folder / "training"),
        "processes": processes,
    }
    for name, part in parts.items():
        if not only or name in only:
            yield from part()


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
