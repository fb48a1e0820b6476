"""Which module may import which, read from the source with `ast`; how full a folder may be.

app.py -> minbert <- trainer; of the page, tabs use parts/, and only page.py and static/ use tabs.
"""

from __future__ import annotations

import ast
import graphlib
from collections.abc import Container
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
LONGEST = 350  # lines of one file
PAGE_LIBRARIES = ("gradio", "plotly")
OURS = ("minbert", "trainer", "app", "tests")
TABS = ("try_it", "pooling", "attention", "why", "batch", "experiments", "about")
MOST_FILES = {"minbert/ui": 9, "trainer": 8}  # Python files directly in a folder
MOST_IN_ANY = 22  # files of any kind


def sources() -> dict[str, str]:
    """Return the product's source files: dotted module name to text."""
    paths = [*REPOSITORY.glob("minbert/**/*.py"), *REPOSITORY.glob("trainer/**/*.py")]
    paths += REPOSITORY.glob("app.py")
    return {module_name(path): path.read_text(encoding="utf-8") for path in sorted(paths)}


def module_name(path: Path) -> str:
    """Return a file's dotted name; a package's is the package's own with `.__init__`."""
    return ".".join(path.relative_to(REPOSITORY).with_suffix("").parts)


def imports_of(module: str, source: str) -> set[str]:
    """Return every dotted name that a module imports, wherever in the file it does."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            parts = module.split(".")[: -node.level] if node.level else []
            base = ".".join([*parts, *([node.module] if node.module else [])])
            found |= {base, *(f"{base}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Call) and called(node) in ("import_module", "__import__"):
            found |= {
                argument.value
                for argument in node.args[:1]
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str)
            }
    return found


def called(node: ast.Call) -> str:
    """Return the last part of the name of what is called."""
    function = node.func
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def inside(name: str, package: str) -> bool:
    """Say whether a dotted name is the package or lies in it."""
    return name == package or name.startswith(package + ".")


def forbidden(module: str) -> tuple[str, ...]:
    """Return the packages that a module may not import."""
    if module == "minbert.metrics":
        return (*OURS, *PAGE_LIBRARIES)
    if inside(module, "minbert.ui"):
        return ("trainer", "app", "tests", *walls(module))
    if inside(module, "minbert"):
        return ("trainer", "app", "tests", "minbert.ui", *PAGE_LIBRARIES)
    if inside(module, "trainer.techniques"):  # leaves, but for their seeds
        others = sorted(name for name in sources() if inside(name, "trainer"))
        kept = ("trainer.seeding", "trainer.__init__")
        return ("minbert", "app", "tests", *PAGE_LIBRARIES, *(n for n in others if n not in kept))
    if inside(module, "trainer"):
        return ("app", "tests", "minbert.ui", *PAGE_LIBRARIES)
    return ("trainer", "tests")  # app.py


def walls(module: str) -> tuple[str, ...]:
    """Return the tabs that a module of the page may not import."""
    if module == "minbert.ui.page" or inside(module, "minbert.ui.static"):
        return ()
    tabs = (f"minbert.ui.{tab}" for tab in TABS)
    return (*(tab for tab in tabs if not inside(module, tab)), "minbert.ui.static")


def violations(module: str, source: str) -> list[str]:
    """Return each import of a module that goes against the arrows."""
    return sorted(
        f"{module} imports {name}"
        for name in imports_of(module, source)
        if any(inside(name, package) for package in forbidden(module))
    )


def circle_in(graph: dict[str, set[str]]) -> list[str]:
    """Return modules that import each other in a circle, the first one found; empty without."""
    sorter = graphlib.TopologicalSorter(graph)
    try:
        sorter.prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def test_no_circle() -> None:
    modules = {name.removesuffix(".__init__"): text for name, text in sources().items()}
    graph = {}
    for name, text in modules.items():
        found = imports_of(name, text)
        arrows = found & set(modules) - {name}
        # `from minbert import files` names the package on the way to its module alone
        graph[name] = {other for other in arrows if not only_on_the_way(other, found, modules)}
    assert circle_in(graph) == []
    assert circle_in({**graph, "minbert.config": {"minbert.predictor"}})


def only_on_the_way(package: str, found: set[str], modules: Container[str]) -> bool:
    """Say whether all that is imported from a package are modules of it."""
    parts = {name for name in found if name.rpartition(".")[0] == package}
    return bool(parts) and all(name in modules for name in parts)


def test_no_folder_is_too_full() -> None:
    folders = {path.parent for path in REPOSITORY.glob("minbert/**/*.py")}
    folders |= {path.parent for path in REPOSITORY.glob("trainer/**/*.py")}
    for folder in folders:
        files = [path for path in folder.iterdir() if path.is_file()]
        assert len(files) <= MOST_IN_ANY, folder
    for name, most in MOST_FILES.items():
        assert len(list((REPOSITORY / name).glob("*.py"))) <= most, name


def test_imports_follow_the_arrows() -> None:
    found = [line for module, source in sources().items() for line in violations(module, source)]
    assert found == []


def test_every_room_is_looked_at() -> None:
    modules = sources()
    assert {"minbert.bert", "minbert.ui.__init__", "trainer.recipes.row"} <= set(modules)
    assert {f"minbert.ui.{tab}.tab" for tab in TABS} <= set(modules)
    assert sum(inside(name, "trainer.techniques") for name in modules) >= 7
    imported = {name for module, text in modules.items() for name in imports_of(module, text)}
    assert {"torch", "minbert.config", "trainer.config.TrainConfig"} <= imported


def test_no_file_is_too_long() -> None:
    lengths = {module: len(text.splitlines()) for module, text in sources().items()}
    assert {module: length for module, length in lengths.items() if length > LONGEST} == {}


@pytest.mark.parametrize(
    ("module", "source", "wanted"),
    [
        ("minbert.bert", "import trainer", ["minbert.bert imports trainer"]),
        ("minbert.bert", "from trainer.run.loop import x", 2),
        ("minbert.bert", "def f():\n    import gradio as gr", 1),
        ("minbert.bert", "from minbert.ui import figures", 2),
        ("minbert.bert", "from minbert import ui", 1),
        ("minbert.bert", "from . import ui", 1),
        ("minbert.explain.maps", "from ..ui.words import x", 2),
        ("minbert.bert", "import importlib\nimportlib.import_module('plotly.io')", 1),
        ("minbert.ui.parts.answer_cards", "import trainer.run.loop", 1),
        ("trainer.run.loop", "import minbert.ui.words", 1),
        ("trainer.run.loop", "if True:\n    from plotly import graph_objects", 2),
        ("minbert.metrics", "from minbert.config import choice_error", 2),
        ("trainer.techniques.losses", "from minbert import metrics", 2),
        ("trainer.techniques.surgery", "import app", 1),
        ("app", "from trainer.cli import main", 2),
        ("minbert.ui.why.tab", "from minbert.ui.pooling.figures import x", 2),
        ("minbert.ui.parts.figures", "from minbert.ui.why import tab", 2),
        ("minbert.ui.engine", "import minbert.ui.static.document", 1),
        ("trainer.techniques.losses", "from trainer.run.loop import x", 2),
    ],
)
def test_the_checker_catches_a_violation(module: str, source: str, wanted: list[str] | int) -> None:
    found = violations(module, source)
    assert found == wanted if isinstance(wanted, list) else len(found) == wanted


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("minbert.bert", "from minbert.config import BertConfig\nimport torch"),
        ("minbert.bert", "import gradiometer, minbert.uint, trainers"),
        (
            "minbert.ui.parts.answer_cards",
            "import gradio\nfrom plotly import io\nfrom minbert import tasks",
        ),
        (
            "minbert.ui.parts.answer_cards",
            "from . import figures\nfrom ..predictor import Predictor",
        ),
        ("trainer.run.loop", "from minbert.multitask import MultitaskBert\nimport minbert.metrics"),
        ("minbert.metrics", "import numpy as np\nfrom collections.abc import Callable"),
        ("app", "import gradio\nfrom minbert.ui import page"),
        ("minbert.ui.page", "from minbert.ui.why.tab import build_why"),
        ("minbert.ui.static.sections", "from minbert.ui.why import tab"),
        ("minbert.ui.why.tab", "from minbert.ui.why.events import x\nimport minbert.ui.parts"),
        ("trainer.techniques.losses", "from trainer.seeding import mix_seed"),
    ],
)
def test_the_checker_lets_the_arrows_pass(module: str, source: str) -> None:
    assert violations(module, source) == []


def json_calls(source: str) -> list[ast.Call]:
    """Return the calls of `json.dump` and `json.dumps` that don't say what becomes of NaN."""
    calls = (node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    return [
        call
        for call in calls
        if ast.unparse(call.func) in ("json.dump", "json.dumps")
        and not any(
            keyword.arg == "allow_nan" and ast.unparse(keyword.value) == "False"
            for keyword in call.keywords
        )
    ]


def test_no_json_holds_nan() -> None:
    found = {module for module, source in sources().items() if json_calls(source)}
    assert found == {"minbert.records.reading"}, "which looks for surrogates and writes nothing"
    assert json_calls("json.dumps({}, indent=2)")
    assert json_calls("json.dump(x, file, allow_nan=True)")
