"""A media node as its users see it: a process, a socket, media in and media out."""

from __future__ import annotations

import asyncio
import base64
import os
import sys
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
import pytest_asyncio
from uuid6 import uuid7

from tests.harness.processes import PATIENCE_S, crowding
from tests.video_bridge.node.room import Room, strength
from video_bridge import LocalMediaError, NodeClient, WireClient
from video_bridge import messages as m
from video_bridge.rtp import rtcp

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Node:
    """A started node and its client."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "node.sock"
        self.events: list[m.Event] = []
        self.client = NodeClient(self.path, self.events.append)

    async def start(self) -> None:
        first = 30_000 + (os.getpid() + id(self)) % 100 * 40
        self.process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "video_bridge.node", "--socket", str(self.path)),
            *("--rtp-ports", f"{first}-{first + 39}", "--log-level", "warning"),
        )
        await until(self.path.exists, 240)
        await self.client.start()
        await self.client.wait_connected(PATIENCE_S)

    async def stop(self) -> int:
        await self.client.stop()
        if self.process.returncode is None:
            self.process.terminate()
        return await asyncio.wait_for(self.process.wait(), PATIENCE_S)

    async def open(self, **fields: object) -> str:
        conference_id = str(uuid7())
        request = m.ConferenceOpen(conference_id=conference_id, title="联调会商", **fields)
        await self.client.send(request)
        return conference_id

    async def add(self, conference_id: str, kind: m.LegKind, name: str, **fields: object) -> str:
        leg_id = str(uuid7())
        self.added = await self.client.add_leg(
            m.LegAdd(conference_id=conference_id, leg_id=leg_id, kind=kind, name=name, **fields)
        )
        return leg_id

    async def picture(self, conference_id: str) -> np.ndarray:
        still = await self.client.picture(conference_id, 1280)
        raw = np.frombuffer(base64.b64decode(still.jpeg_base64), np.uint8)
        return cv2.imdecode(raw, cv2.IMREAD_COLOR)

    def told(self, type_: type[m.Event], leg_id: str) -> list[m.Event]:
        return [e for e in self.events if isinstance(e, type_) and e.leg_id == leg_id]


async def until(truth: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Never gives up before PATIENCE_S: a test whose claim is a time measures it."""
    end = time.monotonic() + max(timeout_s, PATIENCE_S)
    while not truth():
        assert time.monotonic() < end, "never became true"
        await asyncio.sleep(0.02)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    """One node for the module: each test opens a conference of its own."""
    started = Node(tmp_path_factory.mktemp("node"))
    await started.start()
    yield started
    await started.stop()


async def test_two_rooms_see_the_programme_and_hear_each_other_only(node: Node) -> None:
    """The whole of a consultation over plain RTP: panes, N-1 sound, key frames, keys, goodbye."""
    conference = await node.open()
    rooms, legs = [], []
    for name, colour, hertz in (("北厅", (60, 200, 90), 700.0), ("南厅", (120, 90, 220), 1100.0)):
        room = Room(colour=colour, tone_hz=hertz)
        leg = await node.add(conference, m.LegKind.RTP, name, remote_host="127.0.0.1")
        await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
        room.start(node.added)
        rooms.append(room)
        legs.append(leg)
    try:
        await until(lambda: all(node.told(m.LegUp, leg) for leg in legs))
        await until(lambda: all(len(room.pictures) > 30 for room in rooms), 40)

        def both_are_seen() -> bool:
            """The north hall's blue in the left pane, the south hall's red in the right one."""
            seen = rooms[0].pictures[-1]
            blue, red = int(seen.u[150, 160]), int(seen.v[150, 480])
            return abs(blue - 200) < 12 and abs(red - 220) < 12

        await until(both_are_seen)
        assert (rooms[0].pictures[-1].width, rooms[0].pictures[-1].height) == (1280, 720)
        for room, own, other in ((rooms[0], 700, 1100), (rooms[1], 1100, 700)):

            def hears_the_other_only(
                room: Room = room, own: float = own, other: float = other
            ) -> bool:
                recent = room.heard()[-48_000:]
                return strength(recent, other) > 0.5 and strength(recent, own) < 0.05

            await until(hears_the_other_only)
        before = rooms[0].keyframes
        await asyncio.sleep(0.7)
        rooms[0].send_pli()
        await until(lambda: rooms[0].keyframes > before)
        await rooms[1].press("5")
        await until(lambda: bool(node.told(m.DtmfPressed, legs[1])))
        stats = (await node.client.stats(conference)).conferences[0]
        assert stats.seats[:2] == legs
        streams = {(s.media, s.direction): s for s in stats.legs[0].streams}
        assert streams["video", "in"].frame_rate > 2 / crowding()
        assert streams["video", "out"].codec == "H264" and streams["video", "out"].packets > 40
        assert streams["audio", "in"].loss_pct < 5
    finally:
        for room in rooms:
            await room.stop()
            room.close()
    await node.client.send(m.LegRemove(leg_id=legs[0]))
    await node.client.send(m.LegRemove(leg_id=legs[0]))
    await node.client.send(m.ConferenceClose(conference_id=conference))
    await until(lambda: bool(node.told(m.LegClosed, legs[1])))
    reasons = [event.reason for leg in legs for event in node.told(m.LegClosed, leg)]
    assert reasons == [m.CloseReason.REMOVED, m.CloseReason.CONFERENCE_CLOSED]


async def test_a_room_that_asks_for_less_by_tmmbr_gets_less(node: Node) -> None:
    """Obeyed, confirmed by TMMBN, and the room itself is told what its line carries."""
    conference = await node.open()
    room = Room(colour=(60, 200, 90), tone_hz=700.0)
    leg = await node.add(conference, m.LegKind.RTP, "北厅", remote_host="127.0.0.1")
    streams = room.streams(rtcp_feedback=["nack pli", "ccm fir", "ccm tmmbr"])
    await node.client.send(m.LegAnswer(leg_id=leg, streams=streams))
    room.start(node.added)
    try:
        await until(lambda: room.pictures and room.pictures[-1].width == 1280)
        room.ask_for_less(700_000)
        await until(lambda: room.pictures[-1].width == 640)
        limits = [said for said in room.reports if isinstance(said, rtcp.RateLimit)]
        confirmed = [said.entries[0] for said in limits if said.is_notification]
        assert confirmed[0][0] == 0x71DE0 and abs(confirmed[0][1] - 700_000) < 10_000
        await until(
            lambda: any(
                isinstance(said, rtcp.RateLimit) and said.entries[0][0] == 0x71DE0
                for said in room.reports
                if not (isinstance(said, rtcp.RateLimit) and said.is_notification)
            )
        )
    finally:
        await room.stop()
        room.close()
        await node.client.send(m.ConferenceClose(conference_id=conference))


async def test_single_nal_room_gets_no_fragments_and_silence_is_told(node: Node) -> None:
    """Packetisation mode 0 needs a rung of its own; a room that falls silent is lost in 3 s."""
    conference = await node.open()
    await node.add(conference, m.LegKind.SYNTHETIC, "东门", url="synthetic:东门")
    room = Room(colour=(60, 200, 90), tone_hz=700, mode=0)
    leg = await node.add(conference, m.LegKind.RTP, "老会议室", remote_host="127.0.0.1")
    await node.client.send(m.LegAnswer(leg_id=leg, streams=room.streams()))
    room.start(node.added)
    try:
        await until(lambda: len(room.pictures) > 20, 15)
        assert room.nal_types <= {1, 5, 6, 7, 8, 9}
    finally:
        await room.stop()
    stopped = time.monotonic()
    await until(lambda: bool(node.told(m.LegLost, leg)), 4)
    assert time.monotonic() - stopped <= 3.2 * crowding()
    room.start(node.added)
    await until(lambda: len(node.told(m.LegUp, leg)) == 2, 3)
    await room.stop()
    room.close()


async def test_bad_requests_get_a_code_and_disturb_nothing(node: Node) -> None:
    """Whoever speaks to the node wrongly learns which field; the conference goes on."""
    conference = await node.open(is_drill=True)
    await node.add(conference, m.LegKind.SYNTHETIC, "东门", url="synthetic:东门")
    offers = ["", "v=0", "v=0\r\nm=audio", "\x00" * 10, "v=0\r\n" + "a=x\r\n" * 3000]
    codes = set()
    for kind, fields in [
        *((m.LegKind.WEBRTC, {"offer_sdp": offer}) for offer in offers),
        (m.LegKind.WEBRTC, {}),
        (m.LegKind.SYNTHETIC, {"url": "file:///etc/passwd"}),
    ]:
        with pytest.raises(LocalMediaError) as refused:
            await node.add(conference, kind, "坏", **fields)
        codes.add(refused.value.code)
    assert codes == {"sdp_malformed", "offer_missing", "camera_url_refused"}
    with pytest.raises(LocalMediaError) as unknown:
        await node.add(str(uuid7()), m.LegKind.SYNTHETIC, "坏", url="synthetic:x")
    assert unknown.value.code == "conference_unknown"
    wire = WireClient(node.path, lambda type_, body: None)
    await wire.start()
    await wire.wait_connected(PATIENCE_S)
    for type_, body, code in [
        ("no.such", {}, "request_unknown"),
        ("leg.add", {"conference_id": conference}, "request_malformed"),
        ("layout.set", {"conference_id": conference, "panes": 26}, "request_malformed"),
        ("conference.open", {"conference_id": "x", "title": 5, "more": 1}, "request_malformed"),
    ]:
        with pytest.raises(LocalMediaError) as refused:
            await wire.request(type_, body)
        assert refused.value.code == code
    await wire.stop()
    stats = (await node.client.stats(conference)).conferences[0]
    assert [leg.name for leg in stats.legs] == ["东门"]


async def test_layouts_show_who_the_desk_seats(node: Node) -> None:
    """What the chair sets is what all see; the drill stripe is on every picture."""
    conference = await node.open(is_drill=True)
    legs = [
        await node.add(conference, m.LegKind.SYNTHETIC, name, url=f"synthetic:{name}")
        for name in ("东门", "西门", "仓库")
    ]
    await node.client.send(m.LayoutSet(conference_id=conference, panes=2, seats=[legs[2], legs[0]]))
    stats = (await node.client.stats(conference)).conferences[0]
    assert (stats.panes, stats.seats) == (2, [legs[2], legs[0]])
    picture = await node.picture(conference)
    blue, green, red = picture[14, 700].astype(int)
    assert red > 120 > max(blue, green), "drill stripe"
    await node.client.send(m.LayoutSet(conference_id=conference))
    stats = (await node.client.stats(conference)).conferences[0]
    assert (stats.arrangement, stats.seats) == ("3", legs)


async def test_adding_a_leg_again_is_the_same_leg(node: Node) -> None:
    """A retried request must not bind a second pair of ports."""
    conference = await node.open()
    request = m.LegAdd(conference_id=conference, leg_id=str(uuid7()), kind=m.LegKind.RTP, name="厅")
    first = await node.client.add_leg(request)
    assert await node.client.add_leg(request) == first
    assert first.audio_port is not None and first.audio_port % 2 == 0


async def test_node_ends_on_sigterm_and_tells_each_leg(tmp_path: Path) -> None:
    """A graceful stop leaves no leg without a reason."""
    node = Node(tmp_path)
    await node.start()
    conference = await node.open()
    leg = await node.add(conference, m.LegKind.SYNTHETIC, "东门", url="synthetic:东门")
    node.process.terminate()
    await until(lambda: bool(node.told(m.LegClosed, leg)))
    assert node.told(m.LegClosed, leg)[0].reason is m.CloseReason.NODE_STOPPED
    assert await node.stop() == 0


async def test_node_dies_with_its_parent(tmp_path: Path) -> None:
    """A supervisor killed with -9 must leave no media process behind."""
    script = (
        "import subprocess, sys, time; p = subprocess.Popen([sys.executable, '-m',"
        " 'video_bridge.node', '--socket', sys.argv[1], '--rtp-ports', '34000-34019']);"
        " print(p.pid, flush=True); time.sleep(60)"
    )
    path = tmp_path / "node.sock"
    parent = await asyncio.create_subprocess_exec(
        sys.executable, "-c", script, str(path), stdout=asyncio.subprocess.PIPE
    )
    child = int(await parent.stdout.readline())
    await until(path.exists, 20)
    parent.kill()
    await parent.wait()
    await until(lambda: not Path(f"/proc/{child}/status").exists() or _is_zombie(child), 10)


def _is_zombie(pid: int) -> bool:
    try:
        return "State:\tZ" in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True
