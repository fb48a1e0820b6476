"""The tab of scores, training data, calibration and licences."""
