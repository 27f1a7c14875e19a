"""H.323 rooms through the running gateway and a real media node: picture and sound both ways."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.h323 import h245_events as ev
from sip_gateway.h323.call import Released
from sip_gateway.h323.tpkt import frame
from sip_gateway.messages import CallChanged
from sip_gateway.ports import Admission, Refusal
from tests.harness.processes import crowding
from tests.peers.h323_bridge import Bridge
from tests.sip_gateway.desk import Book
from tests.video_bridge.node.room import Room, strength
from tests.video_bridge.node.test_node import until
from video_bridge import messages as m

pytestmark = pytest.mark.peer()
BACK_WITHIN_S = 5.0


def _colours(media: Room) -> set[int]:
    """Tenths of U in the two panes of the newest picture."""
    u = media.pictures[-1].u
    rows, columns = u.shape
    return {round(int(u[rows * 2 // 5, columns * x // 4]) / 10) for x in (1, 3)}


@pytest.fixture
async def bridge(tmp_path: Path) -> AsyncIterator[Bridge]:
    made = Bridge(tmp_path)
    await made.start()
    yield made
    await made.stop()


MODES = [
    ("H264", True, False),
    ("H264", False, False),
    ("H264", True, True),
    ("H263", False, True),
    ("H261", True, False),
]


@pytest.mark.parametrize(("codec", "tunnelling", "fast_start"), MODES)
async def test_two_h323_rooms_see_and_hear_each_other(
    bridge: Bridge, codec: m.VideoCodec, tunnelling: bool, fast_start: bool
) -> None:
    """One dials in, one is dialled; then a hang-up on either side ends the right call."""
    endpoint = partial(bridge.endpoint, codec=codec, tunnelling=tunnelling, fast_start=fast_start)
    caller, caller_media = endpoint("翁源", (60, 200, 90), 700.0)
    called, called_media = endpoint("英德", (120, 90, 220), 1100.0)
    await caller.call("9000", bridge.gateway.h323.port or 0)
    await bridge.dial("leg-out", await called.listen())
    await until(lambda: all(len(media.pictures) > 30 for media in bridge.media), 20)
    await asyncio.sleep(1.0)
    await until(lambda: _colours(caller_media) == {20, 9}, 15)  # both rooms, each in its pane
    assert strength(caller_media.heard()[-48_000:], 1100) > 0.8
    assert strength(caller_media.heard()[-48_000:], 700) < 0.02
    assert strength(called_media.heard()[-48_000:], 700) > 0.8
    dialled_in = bridge.last("leg-440229")
    assert dialled_in is not None and dialled_in.state == "connected"
    assert dialled_in.codecs == ["PCMA", codec]
    assert [bool(room.of(ev.FastStarted)) for room in (caller, called)] == [fast_start] * 2
    called.hang_up()
    await until(lambda: (bridge.last("leg-out") or dialled_in).state == "ended")
    ended = bridge.last("leg-out")
    assert ended is not None and ended.result == "hung_up"
    await bridge.wire.request("call.hangup", {"leg_id": "leg-440229"})
    await until(lambda: bool(caller.of(Released)))
    ended = bridge.last("leg-440229")
    assert ended is not None and ended.result == "removed"
    await until(lambda: len(bridge.node.told(m.LegClosed, "leg-440229")) == 1)


async def test_slides_of_one_room_reach_the_other_by_h239(bridge: Bridge) -> None:
    """Token asked and granted by the roof; taken back, the room stops and another may present."""
    first, second = (Room(colour=(90, 60, c), tone_hz=300.0) for c in (60, 200))
    presenter, _ = bridge.endpoint("翁源", (60, 200, 90), 700.0, content=first)
    watcher, watched = bridge.endpoint("英德", (120, 90, 220), 1100.0, content=second)
    await presenter.call("9000", bridge.gateway.h323.port or 0)
    await bridge.dial("leg-out", await watcher.listen())
    await until(lambda: all(len(media.pictures) > 5 for media in bridge.media), 20)
    presenter.present()
    await until(lambda: bridge.told("content.requested") == ["leg-440229"])
    await _grant(bridge, holder="leg-440229", others=["leg-out"])
    await until(
        lambda: bool(second.pictures) and abs(int(second.pictures[-1].v[9, 9]) - 60) < 9, 20
    )
    assert len(watched.pictures) > 5  # its normal picture stays beside the second stream
    await bridge.content("offer", "leg-out", on=False)
    await bridge.content("revoke", "leg-440229")
    await bridge.node.client.send(m.ContentSet(conference_id="conf", leg_id=None))
    await until(lambda: bool(presenter.of(ev.CloseAsked)))
    await until(lambda: bool(watcher.of(ev.ChannelClosed)))
    assert bridge.told("content.released") == []  # it was taken, not given back
    await second.stop()
    watcher.present()
    await until(lambda: bridge.told("content.requested")[1:] == ["leg-out"])
    await _grant(bridge, holder="leg-out", others=["leg-440229"])
    await until(lambda: _sees(first, 200), 20)
    watcher.stop_presenting()
    await until(lambda: bridge.told("content.released") == ["leg-out"])


def _sees(slides: Room, v: int) -> bool:
    return bool(slides.pictures) and abs(int(slides.pictures[-1].v[9, 9]) - v) < 9


async def _grant(bridge: Bridge, *, holder: str, others: list[str]) -> None:
    """What the roof does with a granted token."""
    await bridge.node.client.send(m.ContentSet(conference_id="conf", leg_id=holder))
    await bridge.content("decide", holder, granted=True)
    for leg_id in others:
        await bridge.content("offer", leg_id, on=True, holder="翁源")


async def test_a_busy_and_an_absent_room_are_told_apart(bridge: Bridge) -> None:
    """The roster says busy for one and unreachable for the other."""
    busy, _ = bridge.endpoint("英德", (120, 90, 220), 1100.0)
    busy.is_busy = True
    await bridge.dial("leg-busy", await busy.listen())
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        nobody = probe.getsockname()[1]
    await bridge.dial("leg-absent", nobody)
    await until(lambda: (bridge.last("leg-busy") or CallChanged).result is not None)  # type: ignore[union-attr]
    results = {leg: bridge.last(leg) for leg in ("leg-busy", "leg-absent")}
    assert {leg: last.result for leg, last in results.items() if last} == {
        "leg-busy": "busy",
        "leg-absent": "unreachable",
    }


async def test_a_stranger_is_refused_for_every_number_alike(bridge: Bridge) -> None:
    """Only rooms at known addresses come in; nobody learns which numbers exist."""
    bridge.book.static = {}
    reasons = []
    for number in ("9000", "1234"):
        stranger, _ = bridge.endpoint("陌生", (10, 128, 128), 300.0)
        await stranger.call(number, bridge.gateway.h323.port or 0)
        await until(lambda stranger=stranger: bool(stranger.of(Released)))
        (released,) = stranger.of(Released)
        assert isinstance(released, Released)
        reasons.append((released.reason, released.cause))
    assert reasons[0] == reasons[1] == ("noPermission", 111)
    assert bridge.book.admitted == []


async def test_junk_ends_its_own_connection_and_a_valid_call_still_passes(bridge: Bridge) -> None:
    """Lying lengths, junk in SETUP, half-open connections: the next room notices nothing."""
    port = bridge.gateway.h323.port or 0
    half_open = []
    for junk in (
        b"\x03\x00\xff\xff" + b"x" * 100,
        b"\x03\x00\x00\x00",
        b"GET / HTTP/1.1\r\n\r\n",
        frame(b"\x08\x02\x00\x01\x05\x7e\x00\x03\x05\xff\xff"),
        frame(bytes(range(200))),
        b"",
    ):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(junk)
        if junk:
            assert await asyncio.wait_for(reader.read(4096), 5) is not None
        half_open.append(writer)
    caller, media = bridge.endpoint("翁源", (60, 200, 90), 700.0)
    await caller.call("9000", port)
    await until(lambda: len(media.pictures) > 10, 20)
    for writer in half_open:
        writer.close()


async def test_calls_stay_when_their_node_is_killed(bridge: Bridge) -> None:
    """The rooms' channels are closed and opened onto a fresh node; nobody is called anew."""
    caller, caller_media = bridge.endpoint("翁源", (60, 200, 90), 700.0)
    called, called_media = bridge.endpoint("英德", (120, 90, 220), 1100.0, tunnelling=False)
    await caller.call("9000", bridge.gateway.h323.port or 0)
    await bridge.dial("leg-out", await called.listen())
    await until(lambda: all(len(media.pictures) > 5 for media in bridge.media), 20)
    await until(lambda: _colours(caller_media) == {20, 9}, 15)
    channels = [len(room.of(ev.ChannelOpen)) for room in (caller, called)]
    await bridge.replace_node()
    began = time.monotonic()
    for media in bridge.media:
        media.pictures.clear()
        media.sound.clear()
    await until(lambda: all(media.pictures and media.sound for media in bridge.media), 20)
    took_s = time.monotonic() - began
    assert took_s < BACK_WITHIN_S * crowding(), took_s
    await until(lambda: _colours(caller_media) == {20, 9}, 15)
    await until(lambda: strength(called_media.heard()[-48_000:], 700) > 0.8, 15)
    await until(lambda: strength(caller_media.heard()[-48_000:], 1100) > 0.8, 15)
    assert [len(room.of(ev.ChannelOpen)) for room in (caller, called)] == [
        count + 2 for count in channels
    ]
    assert [len(room.of(ev.ChannelClosed)) for room in (caller, called)] == [4, 4]
    for leg_id in ("leg-440229", "leg-out"):
        states = [body["state"] for kind, body in bridge.events if kind == "call.state"]
        assert "ended" not in states, (leg_id, states)
    called.hang_up()
    await until(lambda: (bridge.last("leg-out") or CallChanged).state == "ended")  # type: ignore[union-attr]


class _SelfTest(Book):
    """A directory that knows the self-test number alone."""

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        if number != "8888":
            return Refusal(404, "number_unknown")
        return Admission("test-1", "leg-1", "翁源县应急管理局", self_test_contact="020-83000000")


async def test_the_self_test_number_answers_h323_rooms_too(bridge: Bridge) -> None:
    """The room sees and hears itself; the result is told in the words that SIP halls get."""
    directory = _SelfTest()
    directory.static = bridge.book.static
    bridge.gateway.h323._directory = directory
    room, media = bridge.endpoint("翁源", (60, 200, 90), 700.0)
    await room.call("8888", bridge.gateway.h323.port or 0)

    def results() -> list[dict[str, Any]]:
        return [body for kind, body in bridge.events if kind == "self_test.done"]

    await until(lambda: results() and "good" in results()[-1]["codes"], 30)
    assert results()[-1]["account"] == "440229"
    assert results()[-1]["audio"] == "PCMA"
    await until(lambda: results()[-1]["video"] == "640x360 H264", 30)
    await until(lambda: strength(media.heard()[-48_000:], 700) > 0.5, 30)  # its own voice
    room.hang_up()
    await until(lambda: results()[-1]["is_final"], 30)
