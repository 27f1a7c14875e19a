"""F16: the recorder's disk is full. The node's folder is a small tmpfs in a mount space of its own.

The test looks into it, fills it and empties it through /proc/PID/root.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import av
import pytest

from tests.harness.processes import PATIENCE_S, crowding
from video_bridge import LegKind, NodeClient
from video_bridge import messages as m

ROOT = Path(__file__).parents[2]
DISK_MIB, MINIMUM_MIB = 24, 4
_MOUNTED = 'mount -t tmpfs -o size="$1"m tmpfs "$2" && shift 2 && exec "$@"'


class SmallDisk:
    """A media node that sees `folder` as a small disk."""

    def __init__(self, base: Path) -> None:
        self.folder, self.socket = base / "disk", base / "node.sock"
        self.folder.mkdir()
        self.events: list[m.Event] = []
        node = [sys.executable, "-m", "video_bridge.node", "--socket", str(self.socket)]
        command = ["unshare", "-m", "sh", "-c", _MOUNTED, "sh", str(DISK_MIB), str(self.folder)]
        self.process = subprocess.Popen([*command, *node, "--log-level", "warning"], cwd=ROOT)
        self.node = NodeClient(self.socket, self.events.append)

    @property
    def inside(self) -> Path:
        """The folder as the node sees it."""
        return Path(f"/proc/{self.process.pid}/root{self.folder}")

    def fill(self) -> None:
        with (self.inside / "filler").open("wb") as filler:
            try:
                while True:
                    filler.write(bytes(1 << 20))
                    filler.flush()
            except OSError:
                return

    def told(self, kind: type[m.Body]) -> list[m.Body]:
        return [event for event in self.events if isinstance(event, kind)]

    async def until(self, truth: Callable[[], bool], timeout_s: float = PATIENCE_S) -> float:
        """Seconds that it took."""
        began = time.monotonic()
        while not truth():
            assert time.monotonic() - began < timeout_s, self.events[-5:]
            await asyncio.sleep(0.05)
        return time.monotonic() - began


@pytest.fixture
async def disk(tmp_path: Path) -> AsyncIterator[SmallDisk]:
    made = SmallDisk(tmp_path)
    await made.node.start()
    await made.node.wait_connected(60)
    yield made
    await made.node.stop()
    made.process.terminate()
    made.process.wait(PATIENCE_S)


@pytest.mark.peer("fonts")
async def test_a_full_disk_is_an_alarm_and_the_conference_goes_on(disk: SmallDisk) -> None:
    """Told within 5 s, the picture goes on, writing resumes with room, every file plays."""
    await disk.node.send(m.ConferenceOpen(conference_id="c", title="会商"))
    source = {"kind": LegKind.SYNTHETIC, "name": "甲", "url": "synthetic:甲"}
    await disk.node.add_leg(m.LegAdd(conference_id="c", leg_id="l", **source))
    await disk.node.send(
        m.RecordStart(
            conference_id="c",
            recording_id="r",
            folder=str(disk.folder / "kept"),
            minimum_free_bytes=MINIMUM_MIB << 20,
        )
    )
    await disk.until(lambda: len(disk.told(m.RecordingSegment)) == 1)
    disk.fill()
    assert await disk.until(lambda: bool(disk.told(m.RecordingFailed))) < 5 * crowding()
    assert disk.told(m.RecordingFailed)[0].model_dump()["code"] == "disk_full"
    first = (await disk.node.picture("c", 320)).jpeg_base64
    while (await disk.node.picture("c", 320)).jpeg_base64 == first:  # its clock moves on
        await asyncio.sleep(0.2)
    (disk.inside / "filler").unlink()
    assert await disk.until(lambda: bool(disk.told(m.RecordingResumed))) < 10 * crowding()
    closed = len(disk.told(m.RecordingSegment))
    await disk.until(lambda: len(disk.told(m.RecordingSegment)) > closed)
    await disk.node.send(m.RecordStop(recording_id="r"))
    await asyncio.to_thread(all_play, disk.inside / "kept")


def all_play(folder: Path) -> None:
    """Every closed segment decodes from its first picture to its last; nothing is left torn."""
    files = sorted(folder.glob("*.mp4"))
    pictures = []
    for path in files:
        with av.open(str(path)) as container:
            pictures.append(sum(1 for _ in container.decode(container.streams.video[0])))
    assert len(files) >= 3
    assert min(pictures) >= 1
    assert sum(pictures) > 200
    assert not list(folder.glob("*.mp4.part"))
