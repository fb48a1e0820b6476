"""Full-size checks: how long models load, how long a click takes them, and a long file's memory.

With MINBERT_HEAVY=1 (`make test-heavy`) alone: how fast a processor is decides the times.
"""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from minbert.ui.engine import Engine
from minbert.ui.pooling.events import Lab
from minbert.ui.try_it.events import Handlers
from tests.support import tiny_model

ROOT = Path(__file__).resolve().parents[2]
WHOLE = os.environ.get("MINBERT_HEAVY") == "1"
LOAD_SECONDS = 2.0
# processor seconds of a click with Try it open, and of opening the lab, four figures and tables
CLICK_SECONDS = {"answers": 0.15, "lab": 0.6}
PAIR = (
    "The film takes its time, and nothing much happens until the last quarter of an hour.",
    "It is a slow film in which little happens before the end, but then it is worth the wait.",
)

# Runs the command and prints its own peak memory; getrusage's would begin at its parent's.
MEASURED = """
import sys
from pathlib import Path
from trainer.cli import main
code = main(sys.argv[1:])
told = Path("/proc/self/status").read_text().splitlines()
print(next(int(line.split()[1]) for line in told if line.startswith("VmHWM")) // 1024)
sys.exit(code)
"""


@pytest.fixture(scope="module")
def engine() -> Engine:
    return Engine.load(ROOT / "assets" / "models", "cpu")


@pytest.mark.whole
def test_both_models_load_in_two_seconds() -> None:
    """Take the best of five, imports not counted, so that a busy machine doesn't decide."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        Engine.load(ROOT / "assets" / "models", "cpu")
        taken.append(time.perf_counter() - started)
    assert min(taken) < LOAD_SECONDS


@pytest.mark.whole
@pytest.mark.parametrize("part", CLICK_SECONDS)
def test_a_click_is_answered_and_drawn_soon(engine: Engine, part: str) -> None:
    """Take the least processor seconds of some clicks, so that a busy machine doesn't decide."""
    handlers, lab = Handlers(engine), Lab(engine)
    asked = engine.ask(*PAIR)
    taken = []
    for _ in range(8):
        started = time.process_time()
        known = engine.asked(asked)
        if part == "answers":
            assert handlers.show(known, 0.5, None).predictions
        else:
            assert lab.compare(asked, known).split[1] is not None
        taken.append(time.process_time() - started)
    assert min(taken) < CLICK_SECONDS[part]


@pytest.mark.whole
@pytest.mark.parametrize("size", ["shipped", "tiny"])
def test_a_long_file_is_labelled_whole_in_bounded_memory(tmp_path: Path, size: str) -> None:
    if size == "tiny":
        rows, most, model = 2_000_000, 1000, tmp_path / "model"
        tiny_model(model, num_hidden_layers=1).save_pretrained(model)
    else:
        rows, most, model = 50_000, 1500, ROOT / "assets/models/mean"
    source, target = tmp_path / "reviews.csv.gz", tmp_path / "labels.tsv"
    with gzip.open(source, "wt", compresslevel=1) as file:
        file.write("\tid\tsentence\n")
        for row in range(rows):
            file.write(f"{row}\tr{row}\tScene {row} drags, yet the ending works.\n")
    arguments = ["predict", "--model", str(model), "--task", "sentiment", "--device", "cpu"]
    arguments += ["--input", str(source), "--output", str(target)]
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    with target.open(encoding="utf-8") as labelled:
        next(labelled)
        assert all(next(labelled).split("\t")[0] == f"r{row}" for row in range(rows))
        assert next(labelled, None) is None
    print(done.stderr, done.stdout)  # noqa: T201 - shown by -s
    assert int(done.stdout.split()[-1]) < most
