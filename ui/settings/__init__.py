"""The Settings tab's parts: what the running assistant answers by, and the library's health."""
