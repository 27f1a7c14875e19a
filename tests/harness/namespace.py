"""A network namespace of one's own, so that no packet of a test can leave the machine."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

INSIDE = "PEER_NAMESPACE"
ADDRESS = "10.9.9.9"
_UP = f'ip link set lo up && ip addr add {ADDRESS}/32 dev lo && exec "$@"'


def is_inside() -> bool:
    return os.environ.get(INSIDE) == "1"


def enter(command: list[str]) -> list[str]:
    """The command line that runs `command` in a new namespace with loopback and ADDRESS up."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    return [*unshare, "env", f"{INSIDE}=1", "sh", "-c", _UP, "sh", *command]


def of(pid: int) -> str | None:
    """The namespace that the process has entered; None when it is gone before that."""
    own = _net("self")
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = _net(str(pid))
        if found != own:
            return found
        time.sleep(0.01)
    return None


def clear(net: str | None) -> None:
    """End whatever a test that was killed left running in its namespace."""
    if net is None:
        return
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit() and _net(folder.name) == net:
            with contextlib.suppress(ProcessLookupError):
                os.kill(int(folder.name), signal.SIGKILL)


def _net(pid: str) -> str | None:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:
        return None
