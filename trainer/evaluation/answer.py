"""Answering a file of any size, row by row, in parts: what `predict` and `embed` share.

Every row or none is answered, in the file's order. Under torchrun the processes share the parts.
"""

from __future__ import annotations

import contextlib
import dataclasses
import hashlib
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from minbert import __version__
from minbert.files import STDOUT, is_stream, json_text, writing
from minbert.predictor import Predictor
from minbert.tables import BadRow, DataError, Example, Table, TableReader
from trainer.evaluation.formats import Answered, Format, Layout, format_of
from trainer.evaluation.parts import Part, Parts
from trainer.run.distributed import World

PART = 2048  # rows of a part, broken ones among them
CHUNK = 512  # rows between two steps of the progress bar; no batch crosses it
MOST_LISTED = 1000  # broken rows
LOG_SECONDS = 30.0  # between two lines of progress where there is no terminal

Report = Callable[[str], None]
Rows = Sequence[Example | BadRow]
Answers = tuple[Sequence[Sequence[float]], int]  # values of each row, and how many rows were cut


@dataclasses.dataclass(frozen=True)
class Work:
    """A file, and what is asked of each of its rows."""

    predictor: Predictor
    rows: TableReader
    layout: Layout
    answer: Callable[[Sequence[Example]], Answers]
    options: dict[str, Any]  # all that decides the answers but the model and the file
    part_rows: int = PART

    def made_by(self) -> dict[str, Any]:
        """Return what decides the answers, for a manifest."""
        model = {"files": self.predictor.model.sums, "config": self.predictor.config.to_dict()}
        return {
            "version": 1,
            "minbert": __version__,
            "input": digest_of(self.rows),
            "model": hashlib.sha256(json_text(model).encode()).hexdigest(),
            "device": self.predictor.device.type,
            "backend": getattr(self.predictor.backend, "runtime", ""),
            "rows a part": self.part_rows,
            "options": self.options,
        }

    def parts(self) -> Iterator[Rows]:
        """Yield the rows of one part after another."""
        rows = iter(self.rows)
        while part := list(itertools.islice(rows, self.part_rows)):
            yield part


def answer_file(
    work: Work, target: Path, *, skip_bad: bool, report: Report, world: World | None = None
) -> int:
    """Write the answers to a file's rows; return how many.

    Where `target` is a file, work that is stopped goes on with the same command.

    Args:
        work: the rows and what is asked.
        target: its ending is its format; a pipe, a device or `-` gets each part as it is made.
        skip_bad: leave out rows that do not parse, and say so.
        report: takes a line at a time.
        world: which process this is; None: as the environment says.

    Raises:
        DataError: rows that do not parse (up to 1,000 are listed) and not `skip_bad`; no row at
            all; or an output that can't be, or that another command has begun.
    """
    world = World.of_environment() if world is None else world
    tell = report if world.main else _silent
    check_target(work.rows.path, target, world)
    form = format_of(target, work.layout)
    for note in work.rows.notes:
        tell(f"{work.rows.path.name}: {note}")
    good, bad = check_rows(work.rows, skip_bad=skip_bad, report=tell)
    cut = 0

    def content(parts: Iterator[Part]) -> Iterator[bytes]:
        nonlocal cut
        for part in parts:
            cut += part.cut
            yield part.content

    if is_stream(target):
        with shown(good + bad, tell) as step, writing(target) as file:
            parts = (make_part(work, form, rows, step) for rows in work.parts())
            form.join(content(parts), file, good + bad)
    else:
        count = -(-(good + bad) // work.part_rows)
        kept = Parts(target, count, work.made_by())
        if not (kept.begin() if world.main else kept.wait_for_begin(tell)):
            return good
        with going_on(kept, world, tell):
            if not make_parts(work, form, kept, world, good + bad, tell):
                return good
            with writing(target) as file:
                form.join(content(kept.all(report)), file, good + bad)
            kept.remove()
    if cut:
        tell(
            f"{cut:,} of {good:,} rows were cut: the model reads "
            f"{work.predictor.config.max_length} tokens"
        )
    where = "standard output" if target == STDOUT else target
    tell(f"{where}: {good:,} {work.options['command']}")
    return good


def check_target(source: Path, target: Path, world: World) -> None:
    """Check that the output is no input, and one that the processes can share.

    Raises:
        DataError: it isn't.
    """
    if target.exists() and source.exists() and target.samefile(source):
        raise DataError(
            f"`--output` should be another file than `--input`. Found {target} for both; "
            "its sentences would be lost."
        )
    if world.size > 1 and is_stream(target):
        raise DataError(
            f"`--output` should be a file in a folder that the {world.size} processes share. "
            f"Found {target}, which takes one process."
        )


def make_parts(
    work: Work, form: Format, kept: Parts, world: World, total: int, tell: Report
) -> bool:
    """Make those of this process's parts that aren't there yet; False: it need not join them."""
    mine = range(world.rank, kept.count, world.size)
    own = sum(min(work.part_rows, total - number * work.part_rows) for number in mine)
    if there := kept.done():
        tell(f"{there:,} of {kept.count:,} parts are there already, in {kept.folder}")
    with shown(own, tell) as step:
        for number, rows in enumerate(work.parts()):
            if number not in mine:
                continue
            if kept.read(number) is not None:
                step(len(rows))
                continue
            part = make_part(work, form, rows, step)
            if not kept.begun:  # joined meanwhile: a process restarted late
                return False
            kept.write(number, part)
    return world.main


def make_part(work: Work, form: Format, rows: Rows, step: Callable[[int], None]) -> Part:
    """Answer the rows of one part."""
    cut, answered = 0, list[Answered]()
    for start in range(0, len(rows), CHUNK):
        chunk = rows[start : start + CHUNK]
        examples = [row for row in chunk if isinstance(row, Example)]
        found: Answers = work.answer(examples) if examples else ([], 0)
        cut, answers = cut + found[1], iter(found[0])
        answered += [(row.id, next(answers)) if isinstance(row, Example) else None for row in chunk]
        step(len(chunk))
    return Part(cut, form.encode(answered))


@contextlib.contextmanager
def going_on(kept: Parts, world: World, tell: Report) -> Iterator[None]:
    """Say how to go on where the work is stopped; a folder without any part goes."""
    try:
        yield
    except BaseException:
        if done := kept.done():
            tell(
                f"{done:,} of {kept.count:,} parts are kept in {kept.folder}: the same command "
                "goes on from there"
            )
        elif world.size == 1 and kept.begun:
            kept.remove()
        raise


@contextlib.contextmanager
def shown(total: int, tell: Report) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, tell a line every half minute elsewhere; gives what counts rows."""
    started = told = time.monotonic()
    done = 0
    with tqdm(total=total, unit="row", disable=None) as bar:

        def step(rows: int) -> None:
            nonlocal done, told
            done += rows
            bar.update(rows)
            now = time.monotonic()
            if bar.disable and now - told >= LOG_SECONDS:
                told = now
                rate = done / (now - started)
                left = tqdm.format_interval((total - done) / rate)
                tell(f"{done:,} of {total:,} rows, {rate:,.0f} a second, {left} left")

        yield step


def check_rows(rows: TableReader, *, skip_bad: bool, report: Report) -> tuple[int, int]:
    """Return how many rows there are to answer, and how many broken ones, before the first one is.

    Raises:
        DataError: as `answer_file`.
    """
    count, broken, bad = 0, 0, list[BadRow]()
    for row in rows:
        if isinstance(row, Example):
            count += 1
        else:
            broken += 1
            if broken <= MOST_LISTED:
                bad.append(row)
    if bad and not skip_bad:
        listed = "\n".join(f"  line {row.line}: {row.reason}" for row in bad)
        more = f"\n  and {broken - len(bad):,} more" if broken > len(bad) else ""
        raise DataError(
            f"{rows.path} should have a readable text in every row. "
            f"Found {broken:,} bad rows:\n{listed}{more}\n"
            "Mend them, or leave them out with --skip-bad. Nothing was written."
        )
    if not count:
        raise DataError(f"{rows.path} should hold at least one readable row. Found none.")
    if bad:
        table = Table(rows.path, [], bad)
        report(f"{broken:,} bad rows left out: {table.summary(count)}")
    return count, broken


def digest_of(rows: TableReader) -> dict[str, Any]:
    """Return what tells a file from another: its size and SHA-256; of a pipe, of its text."""
    if rows.path.is_file():
        with rows.path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return {"bytes": rows.path.stat().st_size, "sha256": digest}
    text = hashlib.sha256()
    for line in rows.reading.source():
        text.update(line.encode("utf-8", "surrogateescape"))
    return {"text": text.hexdigest()}


def _silent(_line: str) -> None:
    """Leave the reports to the first process."""
