"""The report's rows: running them, judging its claims, its tables."""
