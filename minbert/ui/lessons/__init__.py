"""The row of lessons under the sentences: a button for each, and one line of what to see."""
