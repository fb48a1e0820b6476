"""The bundled trainer of minBERT: `python -m trainer COMMAND`. Knows nothing of Gradio."""
