"""Planted faults, and which of them the tests find.

mutations.json holds a hundred faults, each a text that occurs once in its file and what takes its
place. Sixty were written by hand; forty were drawn, and `draw` shows how from the code as it stood
then: ten each of a comparison turned round, an integer one off, a returned value lost and an `if`
negated. The list is kept as it was written, so that it can't be fitted to the tests: only a path
changes, when its code moves.

    python -m tests.mutants draw
    python -m tests.mutants run [--only ID ...] [--results FILE] [--jobs N]

`run` plants each fault in a copy of the tracked files, never in the working tree. The tests asked
are the files that import the module; where there are none, those that import an importer of it,
and so on outward.
"""

from __future__ import annotations

import argparse
import ast
import contextlib
import dataclasses
import functools
import json
import os
import queue
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

from tests.test_architecture import imports_of

ROOT = Path(__file__).resolve().parents[1]
MUTATIONS = ROOT / "tests" / "mutations.json"
SEED, OF_EACH_KIND = 41, 10
PATIENCE = 180.0  # seconds for one fault; what takes longer counts as found
LEFT_OUT = ("tests/browser/", "tests/benchmarks/")
SLOW = ("tests/trainer/run/test_distributed.py", "tests/trainer/run/test_resume.py")
TURNED = {"<": ">=", "<=": ">", ">": "<=", ">=": "<", "==": "!=", "!=": "=="}
TURNED |= {"is": "is not", "is not": "is", "in": "not in", "not in": "in"}


@dataclasses.dataclass(frozen=True)
class Mutation:
    """One fault: in `module`, the text `find`, there once, becomes `replace`."""

    id: str
    area: str
    module: str  # path from the root
    find: str
    replace: str

    def apply(self, root: Path) -> str:
        """Return the file's text with the fault in it.

        Raises:
            ValueError: the text isn't there just once, or what comes of it isn't Python.
        """
        text = (root / self.module).read_text(encoding="utf-8")
        times = text.count(self.find)
        if times != 1:
            raise ValueError(f"{self.id}: `find` should be in {self.module} once. Found {times}.")
        changed = text.replace(self.find, self.replace)
        if ast.dump(ast.parse(changed)) == ast.dump(ast.parse(text)):
            raise ValueError(f"{self.id}: `replace` should change what {self.module} does.")
        return changed


def read_mutations() -> list[Mutation]:
    """Return the faults of mutations.json."""
    return [Mutation(**entry) for entry in json.loads(MUTATIONS.read_text(encoding="utf-8"))]


@dataclasses.dataclass(frozen=True)
class Site:
    """A place where a fault of one kind could be planted; offsets are in bytes of the file."""

    module: str
    line: int
    start: int
    end: int
    put: bytes


def sites(module: str, source: str) -> Iterator[tuple[str, Site]]:
    """Yield (kind, site) for all of a file's places, in the order of its syntax tree."""
    raw = source.encode()
    begins = [0]
    for line in raw.splitlines(keepends=True):
        begins.append(begins[-1] + len(line))

    def span(node: ast.expr) -> tuple[int, int]:
        end = begins[(node.end_lineno or 1) - 1] + (node.end_col_offset or 0)
        return begins[node.lineno - 1] + node.col_offset, end

    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Compare) and len(node.ops) == 1:
            start, end = span(node.left)[1], span(node.comparators[0])[0]
            between = raw[start:end].decode()
            sign = re.sub(r"[\s()]+", " ", between).strip()
            if sign in TURNED and between.count(sign) == 1 and "__name__" not in between:
                put = between.replace(sign, TURNED[sign]).encode()
                yield "comparison", Site(module, node.lineno, start, end, put)
        elif isinstance(node, ast.Constant) and type(node.value) is int:
            start, end = span(node)
            for change in (-1, 1):
                put = str(node.value + change).encode()
                yield "integer", Site(module, node.lineno, start, end, put)
        elif isinstance(node, ast.Return) and node.value is not None:
            if not (isinstance(node.value, ast.Constant) and node.value.value is None):
                yield "return", Site(module, node.lineno, *span(node.value), b"None")
        elif isinstance(node, ast.If):
            start, end = span(node.test)
            told = raw[start:end]
            if told != b"TYPE_CHECKING" and b"__name__" not in told:
                yield "condition", Site(module, node.lineno, start, end, b"not (" + told + b")")


def as_mutation(site: Site, name: str, kind: str, source: str) -> Mutation:
    """Write a site down, with as many of the lines around it as make its text the only one."""
    raw = source.encode()
    first, last = raw.rfind(b"\n", 0, site.start) + 1, raw.find(b"\n", site.end)
    first += len(raw[first : site.start]) - len(raw[first : site.start].lstrip())
    before = True
    while raw.count(raw[first:last]) != 1:
        if before:
            first = raw.rfind(b"\n", 0, first - 1 if raw[first - 1 : first] == b"\n" else first) + 1
        else:
            last = raw.find(b"\n", last + 1)
        before = not before
    found = raw[first:last]
    changed = raw[first : site.start] + site.put + raw[site.end : last]
    return Mutation(name, f"drawn: {kind}", site.module, found.decode(), changed.decode())


def draw() -> list[Mutation]:
    """Draw from the code of both packages, at most one fault a line; the same ones for a seed."""
    paths = sorted([*ROOT.glob("minbert/**/*.py"), *ROOT.glob("trainer/**/*.py")])
    sources = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in paths}
    kinds: dict[str, list[Site]] = {}
    for module, source in sources.items():
        for kind, site in sites(module, source):
            kinds.setdefault(kind, []).append(site)
    chance, drawn = random.Random(SEED), list[Mutation]()
    taken: set[tuple[str, int]] = set()
    for kind, there in sorted(kinds.items()):
        kept = 0
        for site in chance.sample(there, len(there)):
            # of a page's and a recipe's numbers most are sizes, which are a matter of taste
            taste = kind == "integer" and site.module.startswith(("minbert/ui", "trainer/recipes"))
            if (site.module, site.line) in taken or taste:
                continue
            taken.add((site.module, site.line))
            kept += 1
            name = f"drawn-{kind}-{kept}"
            drawn.append(as_mutation(site, name, kind, sources[site.module]))
            if kept == OF_EACH_KIND:
                break
    return drawn


@functools.cache
def imports_below(root: Path) -> dict[str, set[str]]:
    """Return what each Python file of the packages and the tests imports."""
    tops = ("minbert", "trainer", "tests")
    paths = {path.relative_to(root): path for top in tops for path in root.glob(f"{top}/**/*.py")}
    return {
        str(name): imports_of(".".join(name.with_suffix("").parts), path.read_text("utf-8"))
        for name, path in paths.items()
    }


def tests_of(module: str, root: Path) -> list[str]:
    """Return the test files to ask about a module, small ones first."""
    known = imports_below(root)

    def importers(of: str) -> set[str]:
        dotted = of.removesuffix(".py").removesuffix("/__init__").replace("/", ".")
        return {name for name, imported in known.items() if dotted in imported and name != of}

    def tests(names: set[str]) -> set[str]:
        return {
            name
            for name in names
            if Path(name).name.startswith("test_") and not name.startswith(LEFT_OUT)
        }

    found, seen, nearest = set[str](), {module}, {module}
    while nearest and not found:
        nearest = set().union(*map(importers, nearest)) - seen
        seen |= nearest
        there = tests(nearest)
        found = there - set(SLOW) or (there if module.startswith("trainer/") else set())
    return sorted(found, key=lambda name: ((root / name).stat().st_size, name))


def copy_tracked(target: Path) -> None:
    """Copy the tracked files as they are now into a repository with a commit, as records name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in filter(None, listed.stdout.decode().split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, target / name)
    first = "-c user.name=tests -c user.email=tests commit -q --no-gpg-sign --allow-empty -m copy"
    for command in ("init --quiet", first):
        subprocess.run(["git", *command.split()], cwd=target, check=True)


@contextlib.contextmanager
def planted(mutation: Mutation, copy: Path) -> Iterator[None]:
    """Put a fault into a copy for a while; no bytecode of either text outlives it."""
    path = copy / mutation.module
    plain = path.read_text(encoding="utf-8")

    def write(text: str) -> None:
        path.write_text(text, encoding="utf-8")
        for stale in path.parent.glob(f"__pycache__/{path.stem}.*"):
            stale.unlink()

    write(mutation.apply(copy))
    try:
        yield
    finally:
        write(plain)


def try_one(mutation: Mutation, copy: Path, options: argparse.Namespace) -> dict[str, object]:
    """Return what the tests say to one fault."""
    files, begun = tests_of(mutation.module, copy), time.monotonic()
    killed, how = False, "survived: no test file imports it"
    if files:
        with planted(mutation, copy):
            killed, how = ask(files, copy, options)
    seconds = round(time.monotonic() - begun, 1)
    return {"id": mutation.id, "killed": killed, "seconds": seconds, "how": how}


def ask(files: Sequence[str], copy: Path, options: argparse.Namespace) -> tuple[bool, str]:
    """Run test files until one fails; return whether one did, and which."""
    command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    command += [f"--deselect={name}" for name in options.deselect]
    environment = {"OMP_NUM_THREADS": "1", **os.environ}
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as said:
        process = subprocess.Popen(
            [*command, *files],
            cwd=copy,
            env=environment,
            stdout=said,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # so that what a test has started ends with it
        )
        try:
            status = process.wait(options.timeout)
        except subprocess.TimeoutExpired:
            return True, "timeout"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        said.seek(0)
        failed = re.findall(r"^(?:FAILED|ERROR) (.+?)(?: - |$)", said.read(), flags=re.MULTILINE)
    if status == 0:
        return False, "survived"
    return True, failed[-1] if failed else f"exit status {status}"


def run(options: argparse.Namespace) -> None:
    """Try the faults that have no result yet, and tell of each."""
    mutations = read_mutations()
    for mutation in mutations:
        mutation.apply(ROOT)  # raises where it doesn't fit
    unknown = set(options.only) - {mutation.id for mutation in mutations}
    if unknown:
        raise SystemExit(f"--only should name faults. Found {', '.join(sorted(unknown))}.")
    wanted = [m for m in mutations if not options.only or m.id in options.only]
    results: dict[str, dict[str, object]] = {}
    if options.results is not None and options.results.exists():
        lines = options.results.read_text(encoding="utf-8").splitlines()
        results = {each["id"]: each for each in map(json.loads, lines)}
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        copies: queue.SimpleQueue[Path] = queue.SimpleQueue()
        for number in range(options.jobs):
            copy_tracked(Path(folder, str(number)))
            copies.put(Path(folder, str(number)))

        def work(mutation: Mutation) -> dict[str, object]:
            copy = copies.get()
            try:
                return try_one(mutation, copy, options)
            finally:
                copies.put(copy)

        with ThreadPoolExecutor(options.jobs) as pool:
            going = [pool.submit(work, m) for m in wanted if m.id not in results]
            try:
                for future in as_completed(going):
                    found = future.result()
                    results[str(found["id"])] = found
                    line = json.dumps(found)
                    print(line, flush=True)  # noqa: T201 - what a person waits for
                    if options.results is not None:
                        with options.results.open("a", encoding="utf-8") as file:
                            file.write(line + "\n")
            finally:
                pool.shutdown(cancel_futures=True)
    killed = sum(bool(results[mutation.id]["killed"]) for mutation in wanted)
    print(f"{killed} killed, {len(wanted) - killed} survived")  # noqa: T201


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    commands = parser.add_subparsers(required=True)
    drawing = commands.add_parser("draw", help="print the faults that the seed draws")
    drawing.set_defaults(command=lambda _: print(as_json(draw())))  # noqa: T201
    running = commands.add_parser("run", help="plant each fault and ask the tests")
    running.add_argument("--only", nargs="+", default=[], metavar="ID")
    running.add_argument("--results", type=Path, metavar="FILE", help="JSON lines; goes on there")
    running.add_argument("--jobs", type=int, default=1, metavar="N")
    running.add_argument("--timeout", type=float, default=PATIENCE, metavar="SECONDS")
    running.add_argument(
        "--deselect", nargs="+", default=[], metavar="TEST", help="fails here without any fault"
    )
    running.set_defaults(command=run)
    options = parser.parse_args()
    options.command(options)


def as_json(mutations: Sequence[Mutation]) -> str:
    """Write faults as mutations.json holds them."""
    entries = [dataclasses.asdict(mutation) for mutation in mutations]
    return json.dumps(entries, indent=2, ensure_ascii=False)


if __name__ == "__main__":
    main()
