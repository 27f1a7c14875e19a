"""Two network namespaces joined by a veth pair, so that packets pass a real interface.

The benchmark re-executes itself inside a namespace of its own (`enter`), then starts its receivers
in a second one (`FarSide`). Nothing leaves the machine.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import IO, cast

NEAR, FAR = "10.77.0.1", "10.77.0.2"
_INSIDE = "BENCHMARK_INSIDE_NAMESPACE"


def is_inside() -> bool:
    return os.environ.get(_INSIDE) == "1"


def enter(argv: list[str]) -> subprocess.CompletedProcess[str]:
    """Run `python -m benchmarks ARGV` in a new namespace; stderr passes through."""
    flags = "-n" if os.geteuid() == 0 else "-rn"
    return subprocess.run(
        ["unshare", flags, sys.executable, "-m", "benchmarks", *argv],
        env={**os.environ, _INSIDE: "1"},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )


class Child:
    """A process that answers one JSON line for each line it is told."""

    def __init__(self, command: list[str]) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )
        self.pid = self._process.pid
        self._name = command[-1]

    def ask(self, **words: object) -> dict[str, object]:
        """Raises RuntimeError when the child is gone."""
        writer, reader = cast(IO[str], self._process.stdin), cast(IO[str], self._process.stdout)
        writer.write(json.dumps(words) + "\n")
        writer.flush()
        line = reader.readline()
        if not line:
            raise RuntimeError(f"{self._name} ended with {self._process.wait()}")
        answer: dict[str, object] = json.loads(line)
        return answer

    def close(self) -> None:
        if self._process.stdin is not None:
            self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


def serve(answer: object) -> None:
    """The child's side: answer each line with `answer(words)` until the parent is gone."""
    for line in sys.stdin:
        reply = answer(json.loads(line))  # type: ignore[operator]
        print(json.dumps(reply), flush=True)


class FarSide(Child):
    """A module of this package, run as a child in a namespace at the far end of the veth pair."""

    def __init__(self, module: str) -> None:
        # `unshare` without fork replaces itself: the child's pid is the namespace's
        super().__init__(["unshare", "-n", sys.executable, "-m", f"benchmarks.{module}"])
        self.ask(do="hello")  # it lives in its namespace now
        _ip("link", "set", "lo", "up")
        _ip("link", "add", "near0", "type", "veth", "peer", "name", "far0", "netns", str(self.pid))
        _ip("addr", "add", f"{NEAR}/24", "dev", "near0")
        _ip("link", "set", "near0", "up")
        self.ask(do="network")

    def close(self) -> None:
        super().close()
        subprocess.run(
            ["ip", "link", "del", "near0"], check=False, stderr=subprocess.DEVNULL
        )  # usually gone with the namespace


def configure_far_side() -> None:
    """Called in the far child once its interface is there."""
    _ip("link", "set", "lo", "up")
    _ip("addr", "add", f"{FAR}/24", "dev", "far0")
    _ip("link", "set", "far0", "up")


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
