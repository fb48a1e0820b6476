"""Publish the app as a Hugging Face Space, and its model as a model repo."""
