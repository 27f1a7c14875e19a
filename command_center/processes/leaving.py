"""How our processes leave."""

from __future__ import annotations

import os
import sys
from typing import NoReturn


def leave(code: int = 0) -> NoReturn:
    """End now. Everything of ours is closed already; taking hundreds of loaded modules apart one by
    one would cost seconds on a busy machine, and Ctrl-C has five.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)
