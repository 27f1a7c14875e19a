"""Both ends of the leash between a parent process and its children."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

_LEASH = str(Path(__file__).with_name("leash.py"))


def leashed_argv(
    argv: Sequence[str], *, death_signal: signal.Signals = signal.SIGKILL, nice: int = 0
) -> list[str]:
    """The command that runs `argv` on a leash of this process; start it from the main thread.

    The kernel ties the leash to the *thread* that forks: a child started from a worker thread
    would die with that thread.
    """
    head = [sys.executable, "-I", "-S", _LEASH, str(os.getpid()), str(int(death_signal)), str(nice)]
    return [*head, "--", *argv]


def exit_when_orphaned(parent_pid: int, *, grace_s: float = 3.0, poll_s: float = 0.5) -> None:
    """Second line for children that get SIGTERM at their parent's death: leave in any case.

    Starts a daemon thread; `grace_s` after the parent is gone the process ends, whatever hangs.
    """

    def watch() -> None:
        while os.getppid() == parent_pid:
            time.sleep(poll_s)
        time.sleep(grace_s)
        os._exit(1)

    threading.Thread(target=watch, name="orphan-watch", daemon=True).start()
