"""Speed, memory and quality, measured: each module prints the table that it makes."""
