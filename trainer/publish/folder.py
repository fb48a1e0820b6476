"""The two folders that go to the Hub, built from a checkout; nothing here touches the network."""

from __future__ import annotations

import dataclasses
import re
import shutil
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from minbert.checkpoint import CONFIG_FILE, SAFE_KINDS, WEIGHTS_FILE
from minbert.multitask import MultitaskBert
from minbert.records.calibration import Calibration
from minbert.records.reading import read_all, read_record
from minbert.records.runs import COMPARISONS_FILE, Comparison
from minbert.records.scores import Scores, Training
from minbert.storage.manifest import TRAINED_ON_FILE
from trainer.publish.card import model_card, space_readme
from trainer.publish.errors import PublishError
from trainer.publish.index import INDEX_FOLDER, README_NOTE, copy_index, index_folders

ROOT = Path(__file__).resolve().parents[2]
PYTHON_VERSION = "3.12"  # what both CPU and ZeroGPU Spaces offer; transformers needs 3.11
CPU_INDEX = "--extra-index-url https://download.pytorch.org/whl/cpu"
ZERO_GPU_TORCH = "torch>=2.8,<2.12"  # ZeroGPU takes 2.8 to 2.11
ZERO_GPU_SPACES = "spaces>=0.51,<1"
THUMBNAIL = "assets/screenshots/try-it.png"
MODEL = "mean"  # the checkpoint that the model repo holds
# All of minbert/ travels but these kinds: pickles, which run code when read, keys and leftovers.
NEVER = {
    *(".bin", ".ckpt", ".joblib", ".pickle", ".pkl", ".pt", ".pth", ".pyc", ".pyo"),
    *(".key", ".p12", ".pem", ".bak", ".orig", ".partial", ".rej", ".swp", ".tmp"),
}
# Of assets/, where a person may put anything, the safe kinds travel, less what the trainer reads.
LEFT_OUT = (
    *("assets/evaluation/", "assets/publish/", "assets/results/predictions/"),
    "assets/screenshots/",
    f"{INDEX_FOLDER}/",  # a person's own goes up on request alone
)
MODELS = ("mean", "cls")  # the checkpoints that the page shows
NEEDED = ("app.py", "requirements.txt", "LICENSE", "minbert/__init__.py", THUMBNAIL)


@dataclasses.dataclass(frozen=True)
class Plan:
    """What is published, and where."""

    space: str  # USER/NAME
    model_repo: str | None = None  # USER/NAME
    hardware: str | None = None  # None leaves a Space's as it is; a new one gets cpu-basic
    private: bool = False
    static: bool = False  # the page of findings instead of the app
    index: Path | None = None  # of training sentences, for the Space's tab "Why?"; None: without
    live: bool = False  # with the model beside it, for the visitor's browser
    root: Path = ROOT

    @property
    def sdk(self) -> str:
        """Return what the Hub calls this kind of Space."""
        return "static" if self.static else "gradio"

    @property
    def runs_on(self) -> str:
        """Return the hardware that the folder is built for."""
        return self.hardware or "cpu-basic"


def build_space(plan: Plan, out: Path) -> Path:
    """Build the Space's folder at `out`, which should not exist yet: no trainer, no tests.

    Raises:
        PublishError: something to publish is missing, gradio isn't installed, or the plan's index
            isn't one of the models that are published.
    """
    needed = [*NEEDED, *(f"assets/models/{name}/{WEIGHTS_FILE}" for name in MODELS)]
    missing = [name for name in needed if not (plan.root / name).is_file()]
    if missing:
        raise PublishError(
            f"{plan.root} should hold {', '.join(missing)}. Found nothing there; run the command "
            "in a whole checkout of minBERT Lab."
        )
    for name in space_files(plan.root):
        target = out / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(plan.root / name, target)
    ours = (plan.root / "requirements.txt").read_text(encoding="utf-8")
    (out / "requirements.txt").write_text(space_requirements(ours, plan.runs_on), encoding="utf-8")
    readme = space_readme(
        plan.root,
        space=plan.space,
        model_repo=plan.model_repo,
        hardware=plan.runs_on,
        sdk_version=gradio_version(),
        python_version=PYTHON_VERSION,
        thumbnail=THUMBNAIL,
    )
    if plan.index is not None:
        models = {name: plan.root / "assets" / "models" / name for name in MODELS}
        copy_index(plan.index, models, out / INDEX_FOLDER)
        readme += README_NOTE
    (out / "README.md").write_text(readme, encoding="utf-8")
    return out


def space_files(root: Path) -> Iterator[str]:
    """Yield the files of a checkout that a Space holds as they are, with forward slashes.

    An index of training sentences is never among them, wherever in the checkout it lies.
    """
    yield from ("app.py", "LICENSE", THUMBNAIL)
    yield from (name for name, path in files_below(root, "minbert") if path.suffix not in NEVER)
    for name, path in files_below(root, "assets"):
        left_out = name.startswith(LEFT_OUT) or path.name == TRAINED_ON_FILE
        if path.suffix in SAFE_KINDS and not left_out:
            yield name


def files_below(root: Path, folder: str) -> Iterator[tuple[str, Path]]:
    """Yield a folder's files, named below `root`, without links, caches, hidden ones, indexes."""
    indexes = index_folders(root / folder)
    for path in sorted((root / folder).rglob("*")):
        relative = path.relative_to(root)
        hidden = any(part.startswith((".", "__pycache__")) for part in relative.parts)
        if path.is_file() and not path.is_symlink() and not hidden and path.parent not in indexes:
            yield relative.as_posix(), path


def space_requirements(ours: str, hardware: str) -> str:
    """Return the Space's requirements.txt: our ranges, and the torch that fits the hardware.

    The Space installs gradio itself, in the README's `sdk_version`, which lies in our range.

    Raises:
        PublishError: ours don't name torch.
    """
    lines = [line.split("#")[0].strip() for line in ours.splitlines()]
    lines = [line for line in lines if line]
    if not any(re.match(r"torch\b", line) for line in lines):
        raise PublishError("requirements.txt should name torch. Found no such line.")
    if hardware.startswith("cpu-"):  # PyTorch's default build brings gigabytes of CUDA
        lines = [CPU_INDEX, *lines]
    if hardware.startswith("zero-"):
        lines = [ZERO_GPU_TORCH if re.match(r"torch\b", line) else line for line in lines]
        lines.append(ZERO_GPU_SPACES)
    return "\n".join(lines) + "\n"


def gradio_version() -> str:
    """Return the version of gradio that is installed, and so was tested, here.

    Raises:
        PublishError: none is.
    """
    try:
        return version("gradio")
    except PackageNotFoundError as error:
        raise PublishError(
            "gradio should be installed: the Space gets the version tested here. Found none; run "
            "`pip install -r requirements.txt`."
        ) from error


def build_model(plan: Plan, out: Path) -> Path:
    """Build the model repo's folder at `out`: the model as it is saved today, and its card.

    Raises:
        PublishError: the checkpoint or its results are missing.
        CheckpointError: the checkpoint is damaged.
        RecordError: a record can't be read.
    """
    if plan.model_repo is None:
        raise ValueError("`model_repo` should be a name, USER/NAME. Found None.")
    source = plan.root / "assets" / "models" / MODEL
    results = plan.root / "assets" / "results"
    needed = [source / CONFIG_FILE, source / WEIGHTS_FILE]
    needed += [results / f"{MODEL}.json", results / f"{MODEL}-dev.json"]
    missing = [str(path) for path in needed if not path.is_file()]
    if missing:
        raise PublishError(f"{', '.join(missing)} should exist. Found nothing there.")
    out.mkdir(parents=True, exist_ok=True)
    for path in sorted(source.iterdir()):
        if path.suffix in SAFE_KINDS and not path.name.startswith("."):
            shutil.copyfile(path, out / path.name)
    model = MultitaskBert.from_pretrained(source)
    model.save_pretrained(out, dtype=None)
    shutil.copyfile(plan.root / "LICENSE", out / "LICENSE")
    calibration = results / f"{MODEL}-calibration.json"
    comparisons = results / COMPARISONS_FILE
    card = model_card(
        plan.root,
        weights=out / WEIGHTS_FILE,
        model_repo=plan.model_repo,
        space=plan.space,
        run=read_record(results / f"{MODEL}.json", Training),
        scores=read_record(results / f"{MODEL}-dev.json", Scores),
        config=dataclasses.asdict(model.config),
        calibration=read_record(calibration, Calibration) if calibration.is_file() else None,
        comparisons=read_all(comparisons, Comparison) if comparisons.is_file() else (),
    )
    (out / "README.md").write_text(card, encoding="utf-8")
    return out
