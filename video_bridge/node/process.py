"""What makes a process a good child: it dies with its parent, may open many sockets, and logs."""

from __future__ import annotations

import contextlib
import ctypes
import logging
import os
import resource
import signal
import sys

PR_SET_PDEATHSIG = 1
OPEN_FILES = 65_536


def die_with_parent(sig: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send `sig` when the parent ends; ends now if it already has."""
    parent = os.getppid()
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, int(sig), 0, 0, 0) != 0:
        logging.getLogger(__name__).warning("PR_SET_PDEATHSIG refused: %d", ctypes.get_errno())
    if os.getppid() != parent:
        sys.exit("parent is gone")


def raise_open_files(wanted: int = OPEN_FILES) -> int:
    """Raise RLIMIT_NOFILE as far as allowed up to `wanted`; the limit that holds now."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    goal = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft == resource.RLIM_INFINITY or soft >= goal:
        return soft
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


def log_to_stderr(level: str, name: str) -> None:
    """One line a record; libraries only from WARNING."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.WARNING,
        format=f"%(asctime)s {name} %(levelname)s %(name)s: %(message)s",
    )
    logging.getLogger("video_bridge").setLevel(level.upper())
