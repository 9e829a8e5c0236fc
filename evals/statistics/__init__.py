"""Statistics of runs. SciPy and statsmodels (extra `evals`) do the tests; this package says which test, on what."""
