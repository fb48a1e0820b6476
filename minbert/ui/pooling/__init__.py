"""The tab that compares poolings."""
