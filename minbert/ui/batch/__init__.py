"""The tab that answers files."""
