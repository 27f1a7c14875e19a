"""A media node in a process of its own, as the product runs it, and what it uses."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import uuid6

from video_bridge import messages as m
from video_bridge.client import NodeClient

from .machine import Usage, usage
from .network import NEAR

PORTS = "20000-31999"


class MediaNode:
    """`async with MediaNode() as node`: started, connected, one conference open."""

    def __init__(self, title: str, conference_id: str | None = None) -> None:
        self.conference_id = conference_id or str(uuid6.uuid7())
        self._title = title
        self._folder = tempfile.TemporaryDirectory()
        path = Path(self._folder.name, "node.sock")
        self.path = path
        self.events: list[tuple[float, m.Event]] = []  # (monotonic time, event)
        self.client = NodeClient(path, lambda e: self.events.append((time.monotonic(), e)))

    async def __aenter__(self) -> MediaNode:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "video_bridge.node", "--socket", str(self.path), "--node-id",
            "bench", "--rtp-ports", PORTS, "--media-address", NEAR, "--log-level", "warning",
            "--capacity", "1000000",  # nothing refused or shed: what it costs is what is asked
            stdin=subprocess.PIPE,
        )  # fmt: skip
        try:
            await self.client.start()
            await self.client.wait_connected(20)
            await self.client.send(
                m.ConferenceOpen(conference_id=self.conference_id, title=self._title)
            )
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.client.stop()
        self._process.terminate()
        await asyncio.wait_for(self._process.wait(), 20)
        self._folder.cleanup()

    @property
    def pid(self) -> int:
        return self._process.pid

    def usage(self) -> Usage:
        """Of the node and its children (decoders of cameras)."""
        total = Usage(0.0, 0.0)
        for pid in (self.pid, *children(self.pid)):
            try:
                used = usage(pid)
            except FileNotFoundError:
                continue  # it ended while we looked
            total = Usage(total.run_s + used.run_s, total.wait_s + used.wait_s)
        return total

    def rss_mb(self) -> int:
        for line in Path(f"/proc/{self.pid}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmRSS"):
                return round(int(line.split()[1]) / 1024)
        return 0

    async def add_leg(self, name: str, remote_host: str, *, publish: bool) -> m.LegAdded:
        """An RTP leg of the conference, its ports bound."""
        return await self.client.add_leg(
            m.LegAdd(
                conference_id=self.conference_id,
                leg_id=str(uuid6.uuid7()),
                kind=m.LegKind.RTP,
                name=name,
                publish=publish,
                remote_host=remote_host,
            )
        )


def children(pid: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{pid}/task").iterdir():
        try:
            found += [int(p) for p in (task / "children").read_text(encoding="ascii").split()]
        except OSError:
            continue
    return found + list(itertools.chain.from_iterable(map(children, found)))


def percentile(values: list[float], share: float) -> float | None:
    """The smallest value that `share` of them do not exceed."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, round(share * (len(ordered) - 1)))]
