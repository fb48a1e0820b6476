"""Scores, predictions, calibration and probes of a trained model."""
