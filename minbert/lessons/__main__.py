"""Measure every claim of a file of lessons: `python -m minbert.lessons [FILE]`.

Prints a line for each claim, and ends with 1 where one doesn't hold with its margin.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from minbert import ASSETS
from minbert.lessons import FILE, Judge, LessonError, read_lessons
from minbert.predictor import Predictor


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m minbert.lessons", description=__doc__)
    parser.add_argument("file", nargs="?", type=Path, default=ASSETS / FILE, metavar="FILE")
    parser.add_argument(
        "--models", type=Path, default=ASSETS / "models", metavar="DIR", help="holds mean and cls"
    )
    options = parser.parse_args(arguments)
    failed = False
    try:
        lessons = read_lessons(options.file)
        models = {
            name: Predictor.from_pretrained(options.models / name, "cpu")
            for name in ("mean", "cls")
        }
        judge = Judge(models)
        for lesson in lessons:
            for verdict in judge.judge(lesson):
                failed |= not verdict.holds
                sys.stdout.write(f"{lesson.id}: {verdict}\n")
    except LessonError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
