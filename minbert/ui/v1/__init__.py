"""A plain HTTP API beside gradio's: one request with JSON in, one answer with JSON out."""
