"""The record of speed: ours beside other programs, on the same weights and inputs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import ClassVar, Literal

from minbert.records.form import Form, Name, Number, Record

FILE = "speed.json"
COMMAND = "make bench"
OURS = "ours"  # among the contestants
THREE_TASKS = "a pair's three tasks, both orders"
HEAD = ["what", "beside", "times as good", "ours", "the other"]
MORE_IS_BETTER = ("sentences/s", "tokens/s")


class Timing(Form):
    """What one contestant needs for one thing: the median of some rounds, and their ends."""

    what: Name  # "one pair, 25 tokens"
    contestant: Name
    unit: Literal["ms", "s", "MB", "sentences/s", "tokens/s"]
    median: Number
    least: Number
    most: Number
    rounds: int

    def times(self, other: Timing) -> float:
        """Return how many times as good this is as another contestant: 2 is twice as fast."""
        more = self.unit in MORE_IS_BETTER
        return self.median / other.median if more else other.median / self.median

    @property
    def short(self) -> str:
        """Write the median alone."""
        return f"{self.median:,.{self._digits}f} {self.unit}"

    @property
    def _digits(self) -> int:
        return 1 if self.most < 100 else 0

    def __str__(self) -> str:
        """Write it for a table."""
        ends = f"{self.least:,.{self._digits}f} to {self.most:,.{self._digits}f}"
        return f"{self.short} ({ends})"


class Speed(Record):
    """All that one run of the benchmark measured."""

    again: ClassVar[str] = f"`{COMMAND}` writes it."

    versions: dict[str, str]  # of the packages that were compared
    timings: tuple[Timing, ...]

    def groups(self) -> Iterator[tuple[str, Timing, list[Timing]]]:
        """Yield each thing that was measured: its name, ours, and the others."""
        for ours in self.timings:
            if ours.contestant == OURS:
                same = [each for each in self.timings if each.what == ours.what]
                yield ours.what, ours, [each for each in same if each is not ours]

    def rows(self) -> Iterator[tuple[str, str, str, str, str]]:
        """Yield the table's rows: what, beside whom, how many times as good, both figures."""
        for what, ours, others in self.groups():
            for other in others:
                yield what, other.contestant, f"{ours.times(other):.2f}", str(ours), str(other)
            if not others:
                yield what, "", "", str(ours), ""

    def grid(self) -> tuple[list[str], list[list[str]]]:
        """Return a head and a row for each thing, with how many times as good ours is.

        A column is a contestant of more than one thing; others are named in the row's first cell.
        """
        counts = Counter(each.contestant for each in self.timings)
        names = [name for name, count in counts.items() if count > 1 and name != OURS]
        rows = []
        for what, ours, others in self.groups():
            cells = {each.contestant: f"{each.short} ({ours.times(each):.2f})" for each in others}
            alone = [f"{name}: {cell}" for name, cell in cells.items() if name not in names]
            first = f"{what}; {', '.join(alone)}" if alone else what
            rows.append([first, ours.short, *(cells.get(name, "") for name in names)])
        return ["", OURS, *names], rows

    @property
    def source(self) -> str:
        """Return the machine, the code and the versions."""
        told = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return f"{self.machine}, {self.threads} threads, commit {self.commit or 'unknown'}; {told}."

    def markdown(self) -> str:
        """Return the table and where it comes from."""
        lines = [HEAD, ["---"] * len(HEAD), *self.rows()]
        return "\n".join([*(f"| {' | '.join(line)} |" for line in lines), "", self.source])
