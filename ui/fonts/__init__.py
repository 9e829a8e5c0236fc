"""The page's two typefaces, served by us: Newsreader for what papers say, Instrument Sans for what the page says.

Both under the SIL Open Font License 1.1, whose text is beside them. Subsets for Latin scripts; others fall back to the
reader's own fonts.
"""
