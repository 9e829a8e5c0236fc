"""Storage: one SQLite truth, derived indexes in numbered generations, one writer."""
