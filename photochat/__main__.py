"""`python -m photochat` is the command `photochat`."""

from photochat.cli import main

main()
