"""Two C participants on libre ask for the floor over UDP; the roof's decisions reach them."""

from __future__ import annotations

import asyncio
import subprocess
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.sip.events import CallAnswered
from sip_gateway.sip.sdp import MediaSection, parse_sdp
from tests.harness.namespace import ADDRESS
from tests.sip_gateway.desk import Desk, eventually, open_desk

pytestmark = pytest.mark.peer("libre")
SOURCE = Path(__file__).with_name("bfcp_peer.c")
OFFER = (
    f"v=0\r\no=- 1 1 IN IP4 {ADDRESS}\r\ns=-\r\nc=IN IP4 {ADDRESS}\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8\r\n"
    "m=video 40002 RTP/AVP 97\r\na=rtpmap:97 H264/90000\r\na=content:main\r\n"
    "m=video 40004 RTP/AVP 98\r\na=rtpmap:98 H264/90000\r\na=content:slides\r\na=label:12\r\n"
    "m=application %d UDP/BFCP *\r\na=floorctrl:c-only\r\na=bfcpver:2\r\n"
)


class Participant:
    """The compiled peer, told what to do on its standard input."""

    def __init__(self, program: Path, log: Path, port: int, line: MediaSection) -> None:
        self.log = log
        server = [ADDRESS, str(line.port), line.value("confid") or "", line.value("userid") or ""]
        with log.open("wb") as out:
            self.process = subprocess.Popen(
                [str(program), ADDRESS, str(port), *server], stdin=subprocess.PIPE, stdout=out
            )

    def say(self, word: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word.encode() + b"\n")
        self.process.stdin.flush()

    async def hears(self, words: str) -> None:
        await eventually(lambda: words in self.log.read_text(), 8)

    def end(self) -> None:
        self.process.kill()
        self.process.wait(5)


def build(folder: Path) -> Path:
    program = folder / "bfcp_peer"
    flags = ["-DHAVE_STDBOOL_H", "-DHAVE_INET6", "-I/usr/include/re"]
    subprocess.run(["gcc", *flags, "-o", str(program), str(SOURCE), "-lre"], check=True)
    return program


async def dial_in(desk: Desk, account: str, port: int) -> MediaSection:
    """A room that presents dials in; the BFCP line of our answer."""
    room = await desk.room(account=account)
    room.call(body=(OFFER % port).encode())
    taken = await eventually(lambda: room.of(CallAnswered))
    answer = parse_sdp(taken[0].body)
    kinds = [(one.media, one.port > 0) for one in answer.media]
    assert kinds == [("audio", True), ("video", True), ("video", True), ("application", True)]
    floor = answer.media[3]
    assert (floor.value("floorctrl"), floor.value("floorid")) == ("s-only", "1 mstrm:12")
    assert answer.media[2].value("label") == "12"
    return floor


def told(desk: Desk, type_: str) -> list[str]:
    return [body["leg_id"] for kind, body in desk.events if kind == type_]


async def decide(desk: Desk, leg_id: str, **fields: Any) -> None:
    await desk.wire.request("content.decide", {"leg_id": leg_id, **fields})


async def test_the_floor_is_granted_queued_and_released(tmp_path: Path) -> None:
    """Granted to the first, the second waits with its place, is granted later, loses it again."""
    program = await asyncio.to_thread(build, tmp_path)
    participants: list[Participant] = []
    async with open_desk(tmp_path, listen_host=ADDRESS) as desk:
        try:
            for number, account in enumerate(("440229", "440118")):
                port = 42000 + 2 * number
                line = await dial_in(desk, account, port)
                participants.append(Participant(program, tmp_path / f"{account}.log", port, line))
            first, second = participants
            second.say("query")
            await second.hears("FloorStatus")
            first.say("hello")
            await first.hears("HelloAck")
            first.say("request")
            await first.hears("FloorRequestStatus Pending 0")
            assert told(desk, "content.requested") == ["leg-440229"]
            assert all(b["can_wait"] for k, b in desk.events if k == "content.requested")
            await decide(desk, "leg-440229", granted=True)
            await first.hears("FloorRequestStatus Granted 0")
            assert desk.node.legs["leg-440229"].streams["content"].codec == "H264"
            await desk.wire.request(
                "content.offer", {"leg_id": "leg-440118", "on": True, "holder": "翁源县"}
            )
            await second.hears("FloorStatus Granted 0 翁源县")
            second.say("request")
            await eventually(lambda: len(told(desk, "content.requested")) == 2)
            await decide(desk, "leg-440118", granted=False, queue_place=1, holder="翁源县")
            await second.hears("FloorRequestStatus Pending 1")
            first.say("release")
            await first.hears("FloorRequestStatus Released 0")
            assert told(desk, "content.released") == ["leg-440229"]
            await decide(desk, "leg-440118", granted=True)
            await second.hears("FloorRequestStatus Granted 0")
            assert desk.gateway.snapshot().contents == ["leg-440118"]
            await desk.wire.request("content.revoke", {"leg_id": "leg-440118"})
            await second.hears("FloorRequestStatus Revoked 0")
            assert desk.gateway.snapshot().contents == []
            assert all("failed" not in one.log.read_text() for one in participants)
        finally:
            for participant in participants:
                participant.end()
