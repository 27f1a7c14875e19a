"""A network namespace of one's own, so that no packet of a test can leave the machine."""

from __future__ import annotations

import os

INSIDE = "PEER_NAMESPACE"
ADDRESS = "10.9.9.9"
_UP = f'ip link set lo up && ip addr add {ADDRESS}/32 dev lo && exec "$@"'


def is_inside() -> bool:
    return os.environ.get(INSIDE) == "1"


def enter(command: list[str]) -> list[str]:
    """The command line that runs `command` in a new namespace with loopback and ADDRESS up."""
    unshare = ["unshare", "-n"] if os.geteuid() == 0 else ["unshare", "-rn"]
    return [*unshare, "env", f"{INSIDE}=1", "sh", "-c", _UP, "sh", *command]
