"""Start the page: `python app.py` in a checkout or a Space, `minbert-app` where it is installed.

The address is 127.0.0.1:7860, another with GRADIO_SERVER_NAME and GRADIO_SERVER_PORT.
`--encoder FOLDER_OR_ID` adds the attention of the encoder before fine-tuning;
`--models FIRST [SECOND]` shows your own models, folders or Hugging Face ids, in place of the pair.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import gc
import importlib.util
import os
import signal
import sys
import tempfile
from collections.abc import Iterator, Sequence
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from pathlib import Path
from types import ModuleType

from minbert import ASSETS

HERE = ("127.0.0.1", "localhost", "::1")
ARENA_MAX, ARENAS = -8, 2  # glibc's M_ARENA_MAX
NO_MODELS = (
    "`--models` should name one or two models, folders or Hugging Face ids. Found none, and no "
    "models beside the code; name one, or start `python app.py` in a checkout of minBERT Lab."
)
NO_MCP = "`--mcp` needs the package mcp. Found none; run `pip install 'gradio[mcp]'`."


def prepare_environment() -> None:
    """Set what gradio and torch read when they are imported; what they can't read ends it."""
    # Nothing leaves the machine: no usage counts, no update checks.
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("GRADIO_ANALYTICS_MAX_EVENTS", "100")  # kept for a page that is not shown
    os.environ.setdefault("HF_HUB_DISABLE_TELEMETRY", "1")
    os.environ.setdefault("HF_HUB_DISABLE_UPDATE_CHECK", "1")
    cores = os.environ.get("CPU_CORES", "")  # a Space tells its share of a larger machine's cores
    if cores.replace(".", "", 1).isdecimal():
        os.environ.setdefault("OMP_NUM_THREADS", str(max(1, int(float(cores)))))
    port = os.environ.get("GRADIO_SERVER_PORT")
    if port is not None and not (port.isdecimal() and int(port) < 65_536):
        sys.exit(f"GRADIO_SERVER_PORT should be a port's number. Found {port!r}.")
    os.environ["GRADIO_TEMP_DIR"] = str(own_folder())
    for name in ("NO_PROXY", "no_proxy"):  # gradio asks its own address whether it serves
        os.environ[name] = ",".join(filter(None, [os.environ.get(name), *HERE]))
    if importlib.util.find_spec("socksio") is None:
        for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
            if os.environ[name].startswith("socks"):
                del os.environ[name]
                sys.stderr.write(f"{name} isn't used: a socks proxy needs `pip install socksio`.\n")


def share_arenas() -> None:
    """Let threads share free memory: of glibc's arenas, one a thread, each keeps its own."""
    if "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(AttributeError, OSError, TypeError):  # another C library
            ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS)


class StubsKept(SourceFileLoader):
    """Load the module with which gradio makes stubs for editors, so that it leaves them alone.

    At each import it makes every component's .pyi anew, to compare it with the one that came with
    it: a third of its time.
    """

    MODULE, MAKER = "gradio.component_meta", "create_or_modify_pyi"

    @classmethod
    def find_spec(
        cls, name: str, path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Find that module alone, as `sys.meta_path` asks."""
        spec = PathFinder.find_spec(name, path) if name == cls.MODULE else None
        if spec and type(spec.loader) is SourceFileLoader:
            spec.loader = cls(spec.loader.name, spec.loader.path)
        return spec

    def exec_module(self, module: ModuleType) -> None:
        """Run it, then replace what makes stubs, where that is still so called."""
        super().exec_module(module)
        if hasattr(module, self.MAKER):
            setattr(module, self.MAKER, lambda *_: None)


@contextlib.contextmanager
def quick_start() -> Iterator[None]:
    """Make no stubs and look for no garbage in the block: what is imported and built stays.

    Nor is it looked through later, which would hold all visitors up for 0.4 s now and then.
    """
    sys.meta_path.insert(0, StubsKept)
    gc.disable()
    try:
        yield
        gc.freeze()
    finally:
        sys.meta_path.remove(StubsKept)
        gc.enable()


def own_folder() -> Path:
    """Return the folder of what visitors bring and fetch, which the page may empty."""
    user = os.getuid() if hasattr(os, "getuid") else 0
    parent = Path(os.environ.get("GRADIO_TEMP_DIR") or tempfile.gettempdir())
    folder = parent / f"minbert-lab-{user}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        ours = not folder.is_symlink() and folder.stat().st_uid in (user, 0)
    except OSError:
        ours = False
    if not (ours and os.access(folder, os.W_OK)):
        sys.exit(f"{folder} can't be written. Set GRADIO_TEMP_DIR to a folder of your own.")
    return folder


def use_published_index() -> None:
    """Name the index of training sentences that was published with the page, if one was."""
    if (ASSETS / "index" / "index.json").is_file() and not os.environ.get("MINBERT_INDEX"):
        os.environ["MINBERT_INDEX"] = str(ASSETS / "index")


def main() -> None:
    """Load both models, build the page, serve it until it is stopped."""
    parser = argparse.ArgumentParser(description="Start the page.")
    parser.add_argument("--encoder", help="encoder before fine-tuning: a folder or Hub id")
    parser.add_argument(
        "--models",
        nargs="+",
        default=(),
        metavar="MODEL",
        help="one or two models of your own in place of the shipped pair: folders or Hub ids",
    )
    parser.add_argument(
        "--backend",
        choices=("auto", "torch", "onnx"),
        default="auto",
        help="what the encoders work in on a CPU; auto: ONNX Runtime",
    )
    parser.add_argument("--mcp", action="store_true", help="also offer agents tools, over MCP")
    options = parser.parse_args()
    if options.mcp and importlib.util.find_spec("mcp") is None:
        parser.exit(2, f"{NO_MCP}\n")
    if not options.models and not (ASSETS / "models" / "mean").is_dir():
        parser.exit(2, f"{NO_MODELS}\n")
    prepare_environment()
    share_arenas()
    with quick_start():
        from minbert.backends.zero_gpu import zero_gpu
        from minbert.lessons import FILE, LessonError, read_lessons
        from minbert.ui.engine import Engine, ModelError
        from minbert.ui.page import build_page
        from minbert.ui.theme import launch_options

        use_published_index()
        try:
            lessons = read_lessons(ASSETS / FILE)
            engine = Engine.load(
                ASSETS / "models",
                gpu=zero_gpu(),
                encoder=options.encoder,
                models=options.models,
                runtime=options.backend,
            )
        except (LessonError, ModelError) as error:
            parser.exit(2, f"{error}\n")
        page = build_page(engine, lessons, ASSETS)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # as Ctrl-C: files are cleaned up
    try:
        page.launch(**launch_options(page, mcp=options.mcp))
    except KeyboardInterrupt:  # before it serves; after that gradio closes it
        page.close()
    except OSError as error:
        sys.exit(f"The page can't be served: {error}")
