"""The tab of attention maps."""
