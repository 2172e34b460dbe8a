"""``python -m dotori``: the command line."""

from dotori.cli import main

main()
