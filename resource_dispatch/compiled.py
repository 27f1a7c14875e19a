"""`compiled`: numba where it is there, plain Python where not. `function.py_func` is the twin."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from typing import Any

HAS_NUMBA = importlib.util.find_spec("numba") is not None


def compiled(function: Callable[..., Any]) -> Any:
    """Compile for numbers and arrays; the cache on disk makes the second process start warm."""
    if not HAS_NUMBA:
        vars(function)["py_func"] = function
        return function
    import numba

    return numba.njit(cache=True, nogil=True)(function)
