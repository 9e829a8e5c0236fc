"""`python -m evals` is `ibid eval`."""

from evals.command import main

main(prog_name="ibid eval")
