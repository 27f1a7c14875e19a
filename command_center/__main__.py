"""`python -m command_center`: the same as the `command-center` command."""

from .cli import main

main()
