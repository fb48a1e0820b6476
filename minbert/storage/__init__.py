"""What lies in a checkpoint's folder: weights in one file or several, and the manifest."""
