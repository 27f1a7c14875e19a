"""A router that hides a network: those inside reach out, nobody outside reaches in.

Only inside a namespace of the tests. The outer side gets OUTSIDE, the router is seen there as
ROUTER, with ports of its own choice, and what runs by `inside` has the address INSIDE, which leads
nowhere from without.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Self

OUTSIDE, ROUTER, INSIDE = "203.0.113.1", "203.0.113.2", "192.168.7.10"
_GATEWAY = "192.168.7.1"


class Nat:
    """Two namespaces, held by a sleeping process each; they end with it."""

    def __init__(self) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Self:
        router, inside = self._holder(), self._holder()
        _run("ip", "link", "add", "wan0", "type", "veth", "peer", "name", "wan1", "netns", router)
        _run("ip", "addr", "add", f"{OUTSIDE}/24", "dev", "wan0")
        _run("ip", "link", "set", "wan0", "up")
        for words in (
            f"ip link add lan0 type veth peer name lan1 netns {inside}",
            f"ip addr add {ROUTER}/24 dev wan1",
            f"ip addr add {_GATEWAY}/24 dev lan0",
            "ip link set wan1 up",
            "ip link set lan0 up",
            "tee /proc/sys/net/ipv4/ip_forward",
            "iptables -t nat -A POSTROUTING -o wan1 -p udp -j MASQUERADE --random",
            "iptables -t nat -A POSTROUTING -o wan1 -p tcp -j MASQUERADE --random",
            "iptables -A FORWARD -i wan1 -m conntrack ! --ctstate ESTABLISHED,RELATED -j DROP",
        ):
            _run(*_in(router), *words.split())
        for words in (
            "ip link set lo up",
            f"ip addr add {INSIDE}/24 dev lan1",
            "ip link set lan1 up",
            f"ip route add default via {_GATEWAY}",
        ):
            _run(*_in(inside), *words.split())
        self._inside = inside
        return self

    def __exit__(self, *_: object) -> None:
        for holder in self._holders:
            holder.kill()
            holder.wait()

    def inside(self, *command: str) -> list[str]:
        """The command line that runs `command` behind the router."""
        return [*_in(self._inside), *command]

    def _holder(self) -> str:
        """A process in a namespace of its own. Returns its pid."""
        own = Path("/proc/self/ns/net").readlink()
        command = ["setpriv", "--pdeathsig", "KILL", "unshare", "-n"]  # it ends with the tests
        command += ["sh", "-c", "echo; exec sleep 3600"]
        holder = subprocess.Popen(command, stdout=subprocess.PIPE)
        self._holders.append(holder)
        assert holder.stdout is not None
        holder.stdout.readline()  # it is in
        assert Path(f"/proc/{holder.pid}/ns/net").readlink() != own
        return str(holder.pid)


def _in(pid: str) -> list[str]:
    return ["nsenter", "-t", pid, "-n"]


def _run(*command: str) -> None:
    subprocess.run(command, check=True, input=b"1", stdout=subprocess.DEVNULL)
