"""Where the encoder works: here, without padding, or on a GPU that is lent; waiting for it."""
