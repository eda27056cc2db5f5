"""Where the command line speaks: tables on standard output, progress and errors beside it."""

import sys

from rich.console import Console

_UNCUT = None if sys.stdout.isatty() else 130
screen = Console(width=_UNCUT)
aside = Console(stderr=True, width=_UNCUT)
