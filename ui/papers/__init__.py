"""The Papers tab's parts: the table, a paper's own view, adding and removing, and the map."""
