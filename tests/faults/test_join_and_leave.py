"""Joining and leaving, again and again: whatever a leg took, its end gives back.

100 cycles here, 1,000 in `make soak`. A hall watches all the while, so that the programme runs.
What is compared is the empty node after 40 cycles and at the end.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio
from aiortc.mediastreams import AudioStreamTrack, VideoStreamTrack

from tests.harness.held import Held
from tests.harness.soak import times
from tests.video_bridge.node.room import Room
from tests.video_bridge.node.test_node import Node, until
from tests.video_bridge.node.test_webrtc_client import client, join
from video_bridge import messages as m
from video_bridge.codecs.picture import Picture

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(3600)]

CYCLES = times(100, 1000)
WARM_UP = 40  # codecs, fonts and pools load in the first cycles
WAIT_S = 240  # a recorder is a process that has to start, on a busy machine slowly
ROUND = 10  # in each: 7 rooms, a phone, a drawn site, and a conference with a recording
MOST_GROWTH = 32 << 20  # a conference takes 25 MiB; the same bound holds over 1,000 cycles
POOL_THREADS = 4  # pools grow when they are first full


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    started = Node(tmp_path_factory.mktemp("node"))
    await started.start()
    yield started
    await started.stop()


async def room_comes_and_goes(node: Node, conference: str) -> None:
    """A hall: ports bound, media both ways, hung up."""
    room = Room(colour=(90, 120, 140), tone_hz=500.0)
    leg = await node.add(conference, m.LegKind.RTP, "过客", remote_host="127.0.0.1")
    await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
    room.start(node.added)
    await until(lambda: node.told(m.LegUp, leg), WAIT_S)
    await node.client.send(m.LegRemove(leg_id=leg))
    await room.stop()
    room.close()


async def phone_comes_and_goes(node: Node, conference: str) -> None:
    """A phone: ICE, DTLS, SRTP, and goodbye."""
    peer = client()
    peer.addTrack(AudioStreamTrack())
    peer.addTrack(VideoStreamTrack())
    leg = await join(node, conference, peer)
    await until(lambda: node.told(m.LegUp, leg), WAIT_S)
    await peer.close()
    await until(lambda: node.told(m.LegClosed, leg), WAIT_S)


async def conference_comes_and_goes(node: Node, folder: Path) -> None:
    """A meeting of its own, recorded: its recorder ends with it."""
    conference = await node.open()
    await node.add(conference, m.LegKind.SYNTHETIC, "演示", url="synthetic:演示")
    await node.client.send(
        m.RecordStart(
            conference_id=conference,
            recording_id=conference,
            folder=str(folder / conference),
            minimum_free_bytes=0,
        )
    )
    await until(lambda: list((folder / conference).glob("*.part")), WAIT_S)
    await node.client.send(m.ConferenceClose(conference_id=conference), timeout_s=30)


async def one_cycle(node: Node, conference: str, number: int, folder: Path) -> None:
    match number % ROUND:
        case 3:
            await phone_comes_and_goes(node, conference)
        case 6:
            leg = await node.add(conference, m.LegKind.SYNTHETIC, "画", url="synthetic:画")
            await node.client.send(m.LegRemove(leg_id=leg))
        case 9:
            await conference_comes_and_goes(node, folder)
        case _:
            await room_comes_and_goes(node, conference)


class _Blind:
    """Nothing that came is decoded, nor kept: the node alone is what is looked at."""

    def decode(self, _unit: bytes) -> list[Picture]:
        return []


@dataclass(slots=True)
class Watcher:
    """A hall that stays while others come and go, so that picture and sound run."""

    room: Room
    leg_id: str

    @classmethod
    async def joins(cls, node: Node, conference: str) -> Watcher:
        room = Room(colour=(60, 200, 90), tone_hz=700.0)
        room._decoder = _Blind()  # type: ignore[assignment]
        room.sound = deque(maxlen=1)  # type: ignore[assignment]
        leg = await node.add(conference, m.LegKind.RTP, "常驻", remote_host="127.0.0.1")
        await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
        room.start(node.added)
        await until(lambda: node.told(m.LegUp, leg), WAIT_S)
        return cls(room, leg)

    async def leaves(self, node: Node) -> None:
        await node.client.send(m.LegRemove(leg_id=self.leg_id))
        await self.room.stop()
        self.room.close()


async def at_rest(node: Node) -> Held:
    """What an empty node holds once it has tidied up: the least of some seconds."""
    least = Held.by(node.process.pid)
    for _ in range(50):
        await asyncio.sleep(0.2)
        least = least.least(Held.by(node.process.pid))
    return least


@pytest.mark.soak
async def test_memory_and_descriptors_are_flat_over_joining_and_leaving(
    node: Node, tmp_path: Path
) -> None:
    """A node runs for months: nothing may be left of those who left."""
    conference = await node.open()
    held: list[Held] = []
    for numbers in (range(WARM_UP), range(WARM_UP, CYCLES)):
        watcher = await Watcher.joins(node, conference)
        for number in numbers:
            await one_cycle(node, conference, number, tmp_path)
        snapshot = await node.client.snapshot()
        assert [[leg.leg_id for leg in c.legs] for c in snapshot.conferences] == [[watcher.leg_id]]
        await watcher.leaves(node)
        held.append(await at_rest(node))
    warm, end = held
    print(f"after {WARM_UP}: {warm}\nafter {CYCLES}: {end}")
    assert end.descriptors <= warm.descriptors
    assert end.children == warm.children
    assert end.threads <= warm.threads + POOL_THREADS
    assert end.memory_bytes - warm.memory_bytes <= MOST_GROWTH
    closed = [event.leg_id for event in node.events if isinstance(event, m.LegClosed)]
    assert len(closed) == len(set(closed)) == CYCLES + len(held)
