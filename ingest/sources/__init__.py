"""Readers of paper sources, one module per format."""
