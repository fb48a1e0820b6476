"""The records that the trainer writes and the page and the model card read, as typed forms."""
