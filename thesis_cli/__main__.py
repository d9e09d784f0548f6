"""`python -m thesis_cli` is `thesis`."""

from thesis_cli.main import main

main()
