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


def counted_out(function: Callable[..., Any]) -> Any:
    """As `compiled`, for functions that make no arrays: none is counted in and out of calls.

    Counting each array of a tuple at each call took nine tenths of such a kernel's time.
    """
    if not HAS_NUMBA:
        return compiled(function)
    import numba

    options: dict[str, Any] = {"cache": True, "nogil": True, "_nrt": False}
    return numba.njit(**options)(function)
