"""`python -m meiku` is the command `meiku`."""

from meiku.cli import main

main()
