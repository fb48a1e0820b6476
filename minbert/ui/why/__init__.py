"""The tab of explanations."""
