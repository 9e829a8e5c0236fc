"""`make bench`: the end-to-end measurements, as the tables of docs/benchmarks.md. The other modules run one by one."""

from benchmarks.end_to_end import main

main()
