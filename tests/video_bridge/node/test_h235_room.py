"""A room whose media are encrypted by H.235.6, beside one in clear, through a real node."""

from __future__ import annotations

import base64
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
import pytest_asyncio

from tests.video_bridge.node.room import Room, strength
from tests.video_bridge.node.test_node import Node, until
from video_bridge import messages as m
from video_bridge.rtp.h235 import SUITE, H235Cipher
from video_bridge.rtp.packet import is_rtcp

pytestmark = pytest.mark.asyncio(loop_scope="module")
SENT, RECEIVED = bytes(range(16)), bytes(range(16, 32))  # by the room
KEYS = m.SrtpKeys(
    suite=SUITE, send=base64.b64encode(RECEIVED).decode(), receive=base64.b64encode(SENT).decode()
)


class _Sealed(socket.socket):
    """A socket of a room that encrypts what it sends and cannot read what comes in clear."""

    def sendto(self, data: bytes, address: tuple[str, int]) -> int:  # type: ignore[override]
        return super().sendto(data if is_rtcp(data) else H235Cipher(SENT).protect(data), address)

    def recv(self, size: int, flags: int = 0) -> bytes:
        data = super().recv(size, flags)
        return data if is_rtcp(data) else H235Cipher(RECEIVED).unprotect(data)


def _sealed(plain: socket.socket) -> _Sealed:
    made = _Sealed(plain.family, plain.type, fileno=plain.detach())
    made.setblocking(False)
    return made


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def node(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Node]:
    folder: Path = tmp_path_factory.mktemp("node")
    started = Node(folder)
    await started.start()
    yield started
    await started.stop()


def _shows(media: Room, colour: tuple[int, int, int]) -> bool:
    """Whether a good part of the newest picture has this colour."""
    if not media.pictures:
        return False
    picture = media.pictures[-1]
    is_near = np.abs(picture.v.astype(int) - colour[2]) < 14
    return float(is_near.mean()) > 0.15


async def test_an_encrypted_room_and_one_in_clear_see_and_hear_each_other(node: Node) -> None:
    """Both are on one rung: each is sent what it can read, though it is encoded once."""
    conference = await node.open()
    sealed, clear = (
        Room(colour=(60, 90, 200), tone_hz=700),
        Room(colour=(120, 150, 60), tone_hz=1100),
    )
    sealed.video_socket = _sealed(sealed.video_socket)
    sealed.audio_socket = _sealed(sealed.audio_socket)
    for room, srtp in ((sealed, KEYS), (clear, None)):
        leg = await node.add(conference, m.LegKind.RTP, "会场", remote_host="127.0.0.1")
        streams = [s.model_copy(update={"srtp": srtp}) for s in room.streams()]
        await node.client.send(m.LegAnswer(leg_id=leg, streams=streams))
        room.start(node.added)
    await until(lambda: _shows(sealed, (0, 0, 60)) and _shows(clear, (0, 0, 200)))
    await until(lambda: strength(sealed.heard()[-48_000:], 1100) > 0.8)
    await until(lambda: strength(clear.heard()[-48_000:], 700) > 0.8)
    for room in (sealed, clear):
        await room.stop()
        room.close()
