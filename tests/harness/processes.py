"""Start a peer, wait for what it says, end it by its own pid."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
LISTENING = "0A"  # a TCP socket in /proc/net/tcp
PATIENCE_S = 60.0  # the least that is waited for another program: a busy machine is slow, not wrong


def crowding() -> float:
    """How many times longer things take because others use the machine too; 1 when it is ours."""
    load, running = Path("/proc/loadavg").read_text().split()[0:4:3]
    busy = max(float(load), int(running.split("/")[0]) - 1)
    return max(1.0, busy / (os.cpu_count() or 1))


def free_port() -> int:
    """A TCP port for a server; below those that the system gives to outgoing connections."""
    dice = random.SystemRandom()
    while True:
        port = dice.randrange(12_000, 20_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def free_udp_ports(count: int = 2) -> int:
    """The first, an even one, of so many UDP ports in a row that nobody has; from below, too."""
    dice = random.SystemRandom()
    while True:
        first = dice.randrange(24_000, 30_000, 2)
        with contextlib.ExitStack() as probes, contextlib.suppress(OSError):
            for port in range(first, first + count):
                probe = probes.enter_context(socket.socket(type=socket.SOCK_DGRAM))
                probe.bind(("127.0.0.1", port))
            return first


def is_bound(transport: str, port: int) -> bool:
    """Whether some program of this namespace has the port, e.g. ("udp", 5060)."""
    wanted, lines = f":{port:04X}", []
    for table in (transport, f"{transport}6"):
        with contextlib.suppress(FileNotFoundError):
            lines += Path(f"/proc/net/{table}").read_text().splitlines()[1:]
    rows = [line.split() for line in lines]
    return any(
        row[1].endswith(wanted) and (transport == "udp" or row[3] == LISTENING) for row in rows
    )


class Peer:
    """A started program whose output goes to a file."""

    def __init__(
        self,
        command: list[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.log = log
        with log.open("ab") as out:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
                cwd=cwd,
            )

    @property
    def pid(self) -> int:
        return self.process.pid

    def text(self) -> str:
        return self.log.read_text(errors="replace")

    def wait_for(self, words: str, timeout_s: float = PATIENCE_S) -> None:
        """Raises AssertionError with the end of the log when the words do not come."""
        wait_until(
            lambda: words in self.text() or self.process.poll() is not None,
            timeout_s,
            lambda: f"'{words}' never said:\n{self.text()[-3000:]}",
        )
        assert words in self.text(), f"ended before '{words}':\n{self.text()[-3000:]}"

    def kill(self, sig: signal.Signals = signal.SIGKILL) -> None:
        """End the whole session the peer started (browsers and recorders have children)."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, sig)
        self.process.wait(PATIENCE_S)


def wait_until(
    truth: Callable[[], T],
    timeout_s: float = PATIENCE_S,
    why: Callable[[], str] = lambda: "never became true",
    step_s: float = 0.05,
) -> T:
    """Poll `truth()`; return its first true value or raise AssertionError(why()).

    Not a stop-watch: never gives up before PATIENCE_S. A test whose claim is a time measures it.
    """
    end = time.monotonic() + max(timeout_s, PATIENCE_S)
    while True:
        value = truth()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(why())
        time.sleep(step_s)


@contextlib.contextmanager
def running(command: list[str], log: Path, env: Mapping[str, str] | None = None) -> Iterator[Peer]:
    peer = Peer(command, log, env)
    try:
        yield peer
    finally:
        if peer.process.poll() is None:
            peer.kill()
