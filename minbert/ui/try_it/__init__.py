"""The tab of answers."""
