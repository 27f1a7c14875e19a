"""A bad line between two UDP ends: loss, delay, jitter, a bottleneck, or silence.

`tc netem` is missing from some kernels, so packets go through this relay, a process of its own:
`Line(to)` listens on 127.0.0.1 and passes what comes to `to`, and answers back to whom it last
heard. Each direction has its own shape; "up" is towards `to`.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Shape:
    """`loss` as a share; a queue of `queue_s` before a bottleneck of `rate_bps`, drop-tail."""

    loss: float = 0.0
    delay_s: float = 0.0
    jitter_s: float = 0.0
    rate_bps: float | None = None
    queue_s: float = 0.3


class Line:
    """The relay as its test sees it. `port` is to be used instead of `to`."""

    def __init__(self, to: tuple[str, int]) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.line", to[0], str(to[1])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )
        self.port = int(self._answer()["port"])

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def shape(self, up: Shape, down: Shape | None = None) -> None:
        """From now on; counters begin anew."""
        self._say({"up": asdict(up), "down": asdict(down or up)})
        self._answer()

    def counts(self) -> dict[str, dict[str, int]]:
        """Per direction: packets and octets (with headers) that came, were passed, were lost."""
        self._say({})
        return self._answer()

    def _say(self, words: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(words) + "\n")
        self._process.stdin.flush()

    def close(self) -> None:
        self._process.kill()
        self._process.wait(5)
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()


class _Direction:
    def __init__(self) -> None:
        self.dice = random.Random(7)
        self.set(Shape())

    def set(self, shape: Shape) -> None:
        self.shape = shape
        self.free_at = 0.0
        self.counts = {"came": 0, "passed": 0, "lost": 0, "octets": 0}

    def arrival(self, size: int, now: float) -> float | None:
        """When a packet leaves the line; None when it is lost."""
        shape = self.shape
        self.counts["came"] += 1
        if self.dice.random() < shape.loss:
            self.counts["lost"] += 1
            return None
        at = now
        if shape.rate_bps is not None:
            begins = max(now, self.free_at)
            if begins - now > shape.queue_s:
                self.counts["lost"] += 1
                return None
            at = self.free_at = begins + (size + 28) * 8 / shape.rate_bps
        self.counts["passed"] += 1
        self.counts["octets"] += size + 28
        if shape.jitter_s or shape.delay_s:
            at += max(0.0, shape.delay_s + self.dice.uniform(-shape.jitter_s, shape.jitter_s))
        return at


class _Relay(asyncio.DatagramProtocol):
    """One socket of the line; `other` is the one on its far side."""

    def __init__(self, direction: _Direction, to: tuple[str, int] | None) -> None:
        self.direction = direction
        self.heard: tuple[str, int] | None = None
        self.to = to
        self.other: _Relay
        self.transport: asyncio.DatagramTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.DatagramTransport, transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        self.heard = addr
        loop = asyncio.get_running_loop()
        now = loop.time()
        at = self.direction.arrival(len(data), now)
        if at is None:
            return
        if at <= now:
            self.pass_on(data)
        else:
            loop.call_at(at, self.pass_on, data)

    def pass_on(self, data: bytes) -> None:
        target = self.other.to or self.other.heard
        if target is not None:
            self.other.transport.sendto(data, target)


async def _serve(to: tuple[str, int]) -> None:
    loop = asyncio.get_running_loop()
    up, down = _Direction(), _Direction()
    near, far = _Relay(up, None), _Relay(down, to)
    near.other, far.other = far, near
    for relay in (near, far):
        transport, _ = await loop.create_datagram_endpoint(
            lambda relay=relay: relay, local_addr=("127.0.0.1", 0)
        )
        transport.get_extra_info("socket").setsockopt(1, 8, 1 << 22)  # SO_RCVBUF
    print(json.dumps({"port": near.transport.get_extra_info("sockname")[1]}), flush=True)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        words = json.loads(line)
        for direction, name in ((up, "up"), (down, "down")):
            if name in words:
                direction.set(Shape(**words[name]))
        print(json.dumps({"up": up.counts, "down": down.counts}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve((sys.argv[1], int(sys.argv[2]))))
