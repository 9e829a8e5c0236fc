"""Brings papers into a library: reads sources, cuts abstracts into passages, embeds what is new."""
