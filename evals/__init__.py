"""Automated grounding evals: cases, metrics, statistics and reports."""
