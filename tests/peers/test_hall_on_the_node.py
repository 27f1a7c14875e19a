"""A real room system (baresip) on a real media node: picture and sound both ways, over RTP."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from uuid6 import uuid7

from sip_gateway import Gateway, GatewaySettings
from sip_gateway.ports import Admission, Refusal
from tests.harness.baresip import Baresip
from tests.harness.namespace import ADDRESS
from tests.peers.bare_node import BareNode, eventually
from tests.sip_gateway.desk import PASSWORD, Book
from video_bridge import messages as m
from video_bridge.ingest.synthetic import tone_hz

HALL_TONE, CAMERA_NAME = 880.0, "东门"  # tones nearer than 60 Hz cannot be told apart


class OneConference(Book):
    """Whoever may call enters the node's conference as a leg with a proper id."""

    def __init__(self, conference_id: str) -> None:
        super().__init__()
        self.conference_id, self.leg_id = conference_id, str(uuid7())

    async def admit(self, account: str, number: str) -> Admission | Refusal:
        return Admission(self.conference_id, self.leg_id, "翁源县应急管理局")


@contextlib.contextmanager
def hall_in_conference(
    folder: Path, codecs: str, rate: int
) -> Iterator[tuple[BareNode, Baresip, str]]:
    node = BareNode(folder)
    book = OneConference(node.conference_id)
    settings = GatewaySettings(listen_host=ADDRESS, udp_port=5060, tcp_port=5060)

    async def start() -> Gateway:
        made = Gateway(settings, book, node.socket_path, folder / "gateway.sock")
        await made.start()
        return made

    gateway = node.do(start())
    hall = Baresip(
        folder / "hall",
        f"<sip:440229@{ADDRESS}:5060>;auth_pass={PASSWORD};{codecs};regint=0",
        marker=5,
        tone_hz=HALL_TONE,
        rate=rate,
    )
    try:
        node.add(
            leg_id=str(uuid7()),
            kind=m.LegKind.SYNTHETIC,
            name="东门",
            url=f"synthetic:{CAMERA_NAME}",
        )
        hall.dial("9000")
        node.wait_event(m.LegUp, book.leg_id, 20)
        yield node, hall, book.leg_id
    finally:
        hall.close()
        node.do(gateway.stop())
        node.close()


@pytest.mark.peer("baresip", "fonts")
@pytest.mark.parametrize(
    ("codecs", "rate", "agreed"),
    [
        ("audio_codecs=PCMA;video_codecs=H264", 8000, ("PCMA", "H264")),
        ("audio_codecs=G722/16000/1;video_codecs=H264", 16000, ("G722", "H264")),
        ("audio_codecs=opus/48000/2;video_codecs=VP8", 48000, ("opus", "VP8")),
        ("audio_codecs=PCMU;video_codecs=H263", 8000, ("PCMU", "H263")),
    ],
)
def test_hall_sees_the_programme_and_hears_all_but_itself(
    tmp_path: Path, codecs: str, rate: int, agreed: tuple[str, str]
) -> None:
    """Whatever codecs a room brings, it sees itself in its pane and hears the others only."""
    other = float(tone_hz(CAMERA_NAME))
    with hall_in_conference(tmp_path, codecs, rate) as (node, hall, leg):
        eventually(lambda: 5 in node.shows(), 15, "hall not in the programme")
        eventually(lambda: 5 in hall.seen(), 20, "hall does not see itself in the programme")
        eventually(
            lambda: hall.heard([HALL_TONE, other]) == {other}, why="hears not just the other"
        )
        streams = {(s.media, s.direction): s for s in node.leg_stats(leg).streams}
        assert (streams["audio", "in"].codec, streams["video", "out"].codec) == agreed

        def comes_whole() -> bool:
            now = {(s.media, s.direction): s for s in node.leg_stats(leg).streams}
            return (now["video", "in"].frame_rate or 0) > 4 and now["audio", "in"].loss_pct < 2

        eventually(comes_whole, why="its packets are lost or its pictures few")
        hall.hang_up()
        closed = node.wait_event(m.LegClosed, leg, 10)
        assert closed.reason in (m.CloseReason.HUNG_UP, m.CloseReason.REMOVED)
