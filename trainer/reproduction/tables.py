"""The reproduced tables, from assets/results alone: the report's numbers beside ours."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from minbert.files import write_bytes
from minbert.records import speed as speed_record
from minbert.records.form import Metric
from minbert.records.reading import read_all, read_record
from minbert.records.runs import COMPARISONS_FILE, RUNS_FILE, Comparison, Run
from trainer.reproduction.claims import DEV_ROWS, NOT_RUN, TEST_ROWS
from trainer.reproduction.intervals import mean_and_sd

BEGIN, END = "<!-- reproduction -->", "<!-- /reproduction -->"
HEADINGS = {
    "part1": "Part 1: single-task classification",
    "dev": "Part 2: the report's dev table",
    "test": "Part 2: the report's test table",
    "ours": "Ours: all techniques in tandem, and all but one",
    "controls": "Controls",
}
NORMALISED = "normalised"
METRICS = {
    "sentiment accuracy": "SST",
    "cfimdb accuracy": "CFIMDB",
    "paraphrase accuracy": "Para",
    "similarity pearson": "STS",
    NORMALISED: "normalised mean",
}
QUORA = (
    "all-MiniLM-L6-v2, where our rows start, was pretrained on Quora duplicates among a billion "
    "pairs: Para carries that head start."
)


def tables(results_folder: Path) -> str:
    """Return the Markdown of every table that has runs, then the claims with their verdicts.

    Args:
        results_folder: holds reproduction.json, and comparisons.json once claims were judged.

    Raises:
        RecordError: there is no reproduction.json, or a file or an entry can't be read.
    """
    runs = read_all(results_folder / RUNS_FILE, Run)
    parts = []
    for table, heading in HEADINGS.items():
        of_table = [run for run in runs if run.table == table]
        for profile in dict.fromkeys(run.profile for run in of_table):
            chosen = [run for run in of_table if run.profile == profile]
            parts.append(one_table(heading, chosen))
    comparisons = results_folder / COMPARISONS_FILE
    if comparisons.exists():
        parts.append(claims_table(read_all(comparisons, Comparison)))
    speed = results_folder / speed_record.FILE
    if speed.exists():
        told = read_record(speed, speed_record.Speed, speed_record.Speed.again)
        parts.append(
            f"### Speed beside other programs, `{speed_record.COMMAND}`\n\n{told.markdown()}"
        )
    return "\n\n".join(parts)


def one_table(heading: str, runs: Sequence[Run]) -> str:
    """Return one table of runs that share a profile: a line for each row, notes beneath."""
    by_row: dict[str, dict[int, Run]] = {}
    for run in sorted(runs, key=lambda run: _place(run.row)):
        by_row.setdefault(run.row, {})[run.seed] = run
    rows = [[of_row[seed] for seed in sorted(of_row)] for of_row in by_row.values()]
    ours = [name for name in METRICS if any(name in run.metrics for run in runs)]
    theirs = [name for name in ours if any(name in run.report for run in runs)]
    columns = ["row"]
    for name in ours:
        columns += [f"{METRICS[name]}, report"] * (name in theirs)
        columns += [f"{METRICS[name]}, ours" if theirs else METRICS[name]]
    lines = [_line([*columns, "tokens", "minutes", "seeds"]), "|---" * (len(columns) + 3) + "|"]
    for of_row in rows:
        cells = [f"{of_row[-1].title} (`{of_row[-1].row}`)"]
        for name in ours:
            cells += [_report(of_row[-1], name)] * (name in theirs)
            cells += [_ours(of_row, name)]
        lines.append(_line([*cells, _tokens(of_row), _minutes(of_row), _listed(_seeds(of_row))]))
    kept = [run for of_row in rows for run in of_row]
    return "\n".join([f"### {heading}{_splits(kept)}", "", *lines, "", *_notes(kept)])


def _place(row: str) -> int:
    """Return a row's place: the report's order, then as the runs came."""
    known = (*DEV_ROWS, *TEST_ROWS, "all")
    return known.index(row) if row in known else len(known)


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(" ".join(cell.split()).replace("|", "\\|") for cell in cells) + " |"


def _number(value: float) -> str:
    return re.sub(r"^(-?)0\.", r"\1.", f"{value:.3f}")


def _report(run: Run, name: str) -> str:
    value = run.report.get(name)
    return "" if value is None else _number(value)


def _ours(runs: Sequence[Run], name: str) -> str:
    """Write one seed's value with its standard error, or several seeds' mean with their SD."""
    there = [run.metrics[name] for run in runs if name in run.metrics]
    if not there:
        return ""
    values = [found.value for found in there]
    known = [value for value in values if value is not None]
    if len(known) < len(values):
        return "undefined" + (
            f" ({len(values) - len(known)} of {len(values)} seeds)" if known else ""
        )
    mean, spread = mean_and_sd(values)
    spread = there[0].se if len(values) == 1 else spread
    told = "" if mean is None else _number(mean)
    return told + ("" if spread is None else f" ± {_number(spread)}")


def _tokens(runs: Sequence[Run]) -> str:
    known = [run.tokens / 1e6 for run in runs if run.tokens is not None]
    return f"{sum(known) / len(known):.2f} M" if known else ""


def _minutes(runs: Sequence[Run]) -> str:
    known = [run.minutes for run in runs if run.minutes is not None]
    return f"{sum(known) / len(known):.1f}" if known else ""


def _seeds(runs: Iterable[Run]) -> list[int]:
    return sorted({run.seed for run in runs})


def _listed(values: Iterable[object]) -> str:
    return ", ".join(str(value) for value in values)


def _splits(runs: Sequence[Run]) -> str:
    """Return which split each side's numbers are of, for a heading."""
    report = sorted({run.report_split for run in runs if run.report_split})
    ours = sorted({found.split for run in runs for found in run.metrics.values() if found.split})
    if not report or not ours:
        return ""
    return f" (report: {_listed(report)}, ours: {_listed(ours)})"


def _notes(runs: Sequence[Run]) -> list[str]:
    """Return the lines under a table: on what, from what and of how many its numbers are."""
    sizes = []
    for name, short in METRICS.items():
        counts = sorted({n for run in runs if (n := run.metrics.get(name, Metric()).n)})
        if counts and name != NORMALISED:
            sizes.append(f"{short} {_listed(f'{n:,}' for n in counts)}")
    commits = [f"`{commit}`" for commit in sorted({run.commit or "unknown" for run in runs})]
    notes = [
        f"Machine: {_listed(sorted({run.machine for run in runs}))}. "
        f"Profile: {runs[0].profile}. "
        f"Commit: {_listed(commits)}. "
        f"Seeds: {_listed(_seeds(runs))}. Examples: {'; '.join(sizes)}. "
        "± is one standard error where a row has one seed, else the standard deviation over its "
        "seeds; tokens and minutes are a seed's mean."
    ]
    dead = [
        f"{run.title} (seed {run.seed}) {_number(share)}"
        for run in runs
        if (share := run.metrics.get("similarity zero_share", Metric()).value)
    ]
    if dead:
        notes += ["", f"Share of joint similarity scores that are exactly 0: {'; '.join(dead)}."]
    paraphrase = any("paraphrase accuracy" in run.metrics for run in runs)
    if paraphrase and any("all-MiniLM" in run.encoder for run in runs):
        notes += ["", QUORA]
    return notes


def claims_table(comparisons: Sequence[Comparison]) -> str:
    """Return the claims with verdict and intervals, their caveats numbered beneath."""
    caveats = [entry.caveat for entry in comparisons if entry.caveat]
    numbers = {caveat: k for k, caveat in enumerate(dict.fromkeys(caveats), start=1)}
    lines = [_line(["claim", "rows", "difference (95 % interval)", "seeds", "verdict"])]
    lines.append("|---" * 5 + "|")
    for entry in comparisons:
        note = f" [{numbers[entry.caveat]}]" if entry.caveat else ""
        cells = [entry.says + note, _rows(entry), _told(entry), _listed(entry.seeds)]
        lines.append(_line([*cells, f"**{entry.verdict}**"]))
    notes = [f"[{k}] {caveat}.  " for caveat, k in numbers.items()]
    how = (
        "Each difference is the first row less the second: a paired bootstrap over dev examples, "
        "averaged over the seeds. It leaves out the chance of training, which only more seeds "
        "tell. Tokens and minutes: mean, least and most over the seeds."
    )
    return "\n".join(["### The report's claims, judged", "", *lines, "", how, "", *notes]).rstrip()


def _rows(entry: Comparison) -> str:
    first, *others = (f"`{row}`" for row in entry.rows)
    return f"{first} − {' / '.join(others)}"


def _told(entry: Comparison) -> str:
    """Write a claim's differences by the tables' short names, or why there is none yet."""
    lines = []
    for name, found in entry.differences.items():
        metric, _, row = name.partition(" against ")
        against = f" against `{row}`" if row else ""
        lines.append(f"{METRICS.get(metric, metric)}{against} {found}")
    if not lines or entry.why.startswith(NOT_RUN):
        lines.append(entry.why)
    return "<br>".join(lines)


def write_into_readme(readme: Path, markdown: str) -> None:
    """Put the tables between the two markers of a page, in place of what is there.

    Raises:
        ValueError: the markers aren't there, each once and in their order.
    """
    text = readme.read_text(encoding="utf-8")
    begin, end = text.find(BEGIN), text.find(END)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or end < begin:
        raise ValueError(
            f"{readme} should hold {BEGIN} and, after it, {END}, each once. Found "
            f"{text.count(BEGIN)} and {text.count(END)}; write both where the tables are to stand."
        )
    whole = text[: begin + len(BEGIN)] + f"\n\n{markdown.strip()}\n\n" + text[end:]
    write_bytes(readme, whole.encode())
