"""The tab of recorded training runs."""
