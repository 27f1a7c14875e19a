"""What the gateway spends on each message that it takes, and what it complains of."""

from __future__ import annotations

import contextlib
import gc
import time
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest

Spent = list[tuple[float, bytes]]


@contextlib.contextmanager
def cpu_of(monkeypatch: pytest.MonkeyPatch, *entries: tuple[type, str]) -> Iterator[Spent]:
    """CPU seconds of each call of these methods, which take octets first, and those octets.

    What pytest has in memory is kept from the garbage collector, which would walk through it in
    the middle of one of them.
    """
    spent: Spent = []
    gc.collect()
    gc.freeze()

    def timed(kind: type, name: str) -> None:
        original = getattr(kind, name)

        def run(*arguments: Any) -> None:
            began = time.thread_time()
            try:
                original(*arguments)
            finally:
                spent.append((time.thread_time() - began, arguments[1]))

        monkeypatch.setattr(kind, name, run)

    for kind, name in entries:
        timed(kind, name)
    yield spent
    gc.unfreeze()


def errors_of(logs: list[MutableMapping[str, Any]]) -> list[MutableMapping[str, Any]]:
    """Errors among the lines logged so far, which are forgotten: the collector would walk them."""
    errors = [line for line in logs if line["log_level"] in ("error", "critical")]
    logs.clear()
    return errors
