"""Calibration of refusals on the user's own corpus: questions made from it, a threshold fitted to them, its store."""
