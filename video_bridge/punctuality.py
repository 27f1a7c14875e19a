"""Whether a conference's pictures leave in time, and whether it is the machine's fault when not.

A tick that ends more than LATE_S after its time is late. One whose threads waited more than
STARVED_S for a processor is counted as starved instead: the machine had other things to do.
"""

from __future__ import annotations

import contextlib
import os
import threading

LATE_S = 0.040
STARVED_S = 0.005
_LOOK_AGAIN_EVERY = 50  # ticks: worker threads begin when they are first needed
_WORKERS = ("encode", "MainThread")


class Punctuality:
    """`begin` before a tick, `end` behind it; both on the event loop's thread."""

    def __init__(self) -> None:
        self.ticks = self.late_ticks = self.starved_ticks = 0
        self._files: dict[int, int] = {}  # thread -> its schedstat
        self._waited_before = 0

    def close(self) -> None:
        for descriptor in self._files.values():
            os.close(descriptor)
        self._files.clear()

    def begin(self) -> None:
        if self.ticks % _LOOK_AGAIN_EVERY == 0:
            self._look_again()
        self._waited_before = self._waited_ns()

    def end(self, due: float, now: float) -> None:
        """The tick that was due at `due` is over."""
        self.ticks += 1
        if self._waited_ns() - self._waited_before > STARVED_S * 1e9:
            self.starved_ticks += 1
        elif now - due > LATE_S:
            self.late_ticks += 1

    def _look_again(self) -> None:
        self.close()
        for thread in threading.enumerate():
            if thread.native_id is not None and thread.name.startswith(_WORKERS):
                with contextlib.suppress(OSError):  # no such file where there is no procfs
                    path = f"/proc/self/task/{thread.native_id}/schedstat"
                    self._files[thread.native_id] = os.open(path, os.O_RDONLY | os.O_CLOEXEC)

    def _waited_ns(self) -> int:
        waited = 0
        for descriptor in self._files.values():
            with contextlib.suppress(OSError, IndexError, ValueError):
                waited += int(os.pread(descriptor, 64, 0).split()[1])
        return waited
