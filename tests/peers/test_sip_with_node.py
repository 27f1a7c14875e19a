"""Halls through the gateway on the real media node: what they see and hear is decoded."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sip_gateway import Gateway, GatewaySettings
from sip_gateway.messages import CallState
from tests.harness.baresip import Baresip
from tests.harness.namespace import ADDRESS
from tests.harness.processes import PATIENCE_S, Peer, crowding, wait_until
from tests.sip_gateway.desk import PASSWORD, Book, eventually, make_certificate
from video_bridge import NodeClient
from video_bridge.messages import ConferenceOpen

pytestmark = pytest.mark.peer("baresip")


def start_node(folder: Path) -> Peer:
    command = [sys.executable, "-m", "video_bridge.node", "--socket", str(folder / "node.sock")]
    return Peer([*command, "--node-id", "node-1"], folder / "node.log")


@asynccontextmanager
async def centre(
    folder: Path, **settings: Any
) -> AsyncIterator[tuple[Gateway, NodeClient, list[Peer]]]:
    """A media node with conference `conf` open, and the gateway in front of it."""
    nodes = [start_node(folder)]
    client = NodeClient(folder / "node.sock", lambda event: None)
    await client.start()
    await client.wait_connected(PATIENCE_S)
    await client.send(ConferenceOpen(conference_id="conf", title="会商"))
    book = settings.pop("book", None) or Book()
    made = GatewaySettings(**{"listen_host": ADDRESS, **settings})
    gateway = Gateway(made, book, folder / "node.sock", folder / "gw.sock")
    await gateway.start()
    await eventually(lambda: gateway._node.is_connected, 10)
    try:
        yield gateway, client, nodes
    finally:
        await gateway.stop()
        await client.stop()
        for node in nodes:
            if node.process.poll() is None:
                node.kill()


def hall(folder: Path, account: str, number: int, codecs: str, where: str = "") -> Baresip:
    return Baresip(
        folder / account,
        f"<sip:{account}@{ADDRESS}{where}>;auth_pass={PASSWORD};regint=0;{codecs}",
        marker=number,
        tone_hz=500 if number == 1 else 800,
        port=5070 + 10 * number,  # it listens for TLS at the next one
        control=4444 + number,
    )


async def both_see_and_hear(first: Baresip, second: Baresip) -> None:
    def both() -> None:
        for one, other_hz in ((first, 800), (second, 500)):
            wait_until(lambda one=one: {1, 2} <= one.seen().keys(), step_s=0.5)
            wait_until(
                lambda one=one, hz=other_hz: one.heard([500, 800]) == {hz},
                why=lambda one=one: f"does not hear just the other: {one.heard([500, 800])}",
                step_s=0.5,
            )

    await asyncio.to_thread(both)


async def test_two_halls_meet_with_picture_and_sound(tmp_path: Path) -> None:
    """H.264 with G.711 and VP8 with G.711: each sees both panes, hears the other only."""
    async with centre(tmp_path) as (gateway, _client, _nodes):
        first = await asyncio.to_thread(
            hall, tmp_path, "440229", 1, "audio_codecs=PCMA;video_codecs=H264"
        )
        second = await asyncio.to_thread(
            hall, tmp_path, "440118", 2, "audio_codecs=PCMU;video_codecs=VP8"
        )
        try:
            await asyncio.to_thread(first.dial, "9000")
            await asyncio.to_thread(second.dial, "9000")
            await eventually(
                lambda: [c.state for c in gateway.calls.live()] == [CallState.CONNECTED] * 2, 15
            )
            await both_see_and_hear(first, second)
        finally:
            await asyncio.to_thread(first.close)
            await asyncio.to_thread(second.close)


@pytest.mark.parametrize("encryption", ["srtp-mand", "srtp"])
async def test_halls_meet_over_tls_with_encrypted_media(tmp_path: Path, encryption: str) -> None:
    """SDES inside TLS, mandatory and optional: decoded picture and tone both ways."""
    async with centre(tmp_path, **make_certificate(tmp_path)) as (gateway, _client, _nodes):
        codecs = f"audio_codecs=PCMA;video_codecs=H264;mediaenc={encryption}"
        where = ":5061;transport=tls"
        first = await asyncio.to_thread(hall, tmp_path, "440229", 1, codecs, where)
        second = await asyncio.to_thread(hall, tmp_path, "440118", 2, codecs, where)
        try:
            await asyncio.to_thread(first.dial, "9000")
            await asyncio.to_thread(second.dial, "9000")
            await both_see_and_hear(first, second)
            for call in gateway.calls.live():
                lines = bytes(gateway.calls._locals[call.session_id]).decode()
                assert lines.count("a=crypto:") == 2
                assert ("RTP/SAVP" in lines) is (encryption == "srtp-mand")
        finally:
            await asyncio.to_thread(first.close)
            await asyncio.to_thread(second.close)


async def test_halls_have_media_again_after_the_node_was_killed(tmp_path: Path) -> None:
    """Fault F1: a new node, a re-INVITE each; the halls do nothing."""
    async with centre(tmp_path) as (gateway, client, nodes):
        codecs = "audio_codecs=PCMA;video_codecs=H264"
        first = await asyncio.to_thread(hall, tmp_path, "440229", 1, codecs)
        second = await asyncio.to_thread(hall, tmp_path, "440118", 2, codecs)
        try:
            await asyncio.to_thread(first.dial, "9000")
            await asyncio.to_thread(second.dial, "9000")
            await both_see_and_hear(first, second)
            nodes[0].kill()
            await eventually(lambda: not client.is_connected, 5)
            nodes.append(start_node(tmp_path))
            await client.wait_connected(PATIENCE_S)
            await client.send(ConferenceOpen(conference_id="conf", title="会商"))
            reopened = asyncio.get_running_loop().time()

            def waited_for(moment: float) -> float:
                return asyncio.get_running_loop().time() - moment

            async def up() -> int:
                stats = await client.stats("conf")
                return sum(leg.state == "up" for c in stats.conferences for leg in c.legs)

            while await up() < 2:
                assert waited_for(reopened) < PATIENCE_S, "no media"
                await asyncio.sleep(0.1)
            assert waited_for(reopened) < 5 * crowding()
            await both_see_and_hear(first, second)
            assert len(gateway.calls.live()) == 2
        finally:
            await asyncio.to_thread(first.close)
            await asyncio.to_thread(second.close)
