"""A teacher: any Hugging Face encoder, fine-tuned for one task, and its soft labels."""
