"""`python -m assistant` is the `ibid` command."""

from assistant.cli import main

main()
