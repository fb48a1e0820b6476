"""Demographic terms: the lists, finding them in a text, masking them."""
