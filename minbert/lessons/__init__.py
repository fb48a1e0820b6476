"""Lessons: sentences to look at, what to see there, and claims that the shipped models hold.

They are data, `assets/lessons.toml`; `python -m minbert.lessons` measures every claim.
"""

from minbert.lessons.claims import MARGIN, Judge, Verdict
from minbert.lessons.lesson import FILE, Claim, Lesson, read_lessons
from minbert.lessons.quantities import LessonError

__all__ = ["FILE", "MARGIN", "Claim", "Judge", "Lesson", "LessonError", "Verdict", "read_lessons"]
