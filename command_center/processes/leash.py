"""Run a command so that it dies when its parent dies: `leash.py PARENT_PID SIGNAL NICE -- ARGV...`.

Executed by path with `python -I -S`, so it imports nothing of the product and starts in
milliseconds. PR_SET_PDEATHSIG survives the exec; the parent's id is checked after it is set,
because a parent that died in between would send no signal any more.
"""

from __future__ import annotations

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def leash(parent_pid: int, death_signal: int, nice: int, argv: list[str]) -> None:
    """Replace this process by `argv`; returns only by exception."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != parent_pid:
        os._exit(0)
    if nice:
        os.nice(nice)
    os.execvp(argv[0], argv)  # noqa: S606 - an argument list, no shell


if __name__ == "__main__":
    leash(int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[5:])
