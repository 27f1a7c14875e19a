"""Session timers (RFC 4028) of SIP calls that stand for half an hour, sipp at the other end."""

from __future__ import annotations

from pathlib import Path

import pytest

from sip_gateway.messages import CallResult
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer, is_bound
from tests.harness.soak import LIMIT_S
from tests.peers.test_sip_sipp_dialogs import (
    CALL_UP,
    SDP,
    bye_of_the_called,
    play,
    receive,
    receive_request,
    request,
    response,
)
from tests.sip_gateway.desk import Desk, eventually, open_desk

pytestmark = [pytest.mark.peer("sipp"), pytest.mark.soak(only=True)]

HOLD_S = 1800
SESSION_S = 240
REFRESHES = HOLD_S // (SESSION_S // 2)
LONG = ("-timeout", f"{LIMIT_S}s")


async def _they_refresh(folder: Path) -> Peer:
    """sipp dials in and refreshes at half time, again and again."""
    timer = f"Supported: timer\nSession-Expires: {SESSION_S};refresher=uac"
    steps = [request("INVITE", 1, timer, SDP), *CALL_UP]
    for number in range(REFRESHES):
        steps += [f'<pause milliseconds="{SESSION_S * 500}"/>']
        steps += [request("UPDATE", 2 + number, timer), receive(200)]
    steps += [request("BYE", 2 + REFRESHES), receive(200)]
    return await play(folder, *steps, options=(*LONG, "-p", "6061"))


async def _we_refresh(folder: Path, desk: Desk) -> Peer:
    """sipp is dialled, wants short sessions, and hangs up after the last refresh."""
    timer = f"Allow: INVITE, ACK, BYE, UPDATE\nSession-Expires: {SESSION_S};refresher=uac"
    steps = [
        receive_request("INVITE", "Session-Expires:", "1800"),
        response("200 OK", timer, SDP, of="invite"),
        receive_request("ACK"),
    ]
    for _ in range(REFRESHES):
        steps += [receive_request("UPDATE", "Session-Expires:", f"{SESSION_S};refresher=uac")]
        steps += [response("200 OK", timer)]
    peer = await play(folder, *steps, bye_of_the_called(), receive(200), called=True, options=LONG)
    await eventually(lambda: is_bound("udp", 6060))
    await desk.dial(uri=f"sip:room@{ADDRESS}:6060", audio_only=True)
    return peer


async def test_sessions_are_refreshed_for_half_an_hour(tmp_path: Path) -> None:
    """By us and by them, and each ends only when its room hangs up."""
    folders = [tmp_path / name for name in ("they", "we")]
    for folder in folders:
        folder.mkdir()
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=None) as desk:
        desk.book.static[ADDRESS] = "440229"
        peers = [await _they_refresh(folders[0]), await _we_refresh(folders[1], desk)]
        for folder, peer in zip(folders, peers, strict=True):
            await eventually(lambda peer=peer: peer.process.poll() is not None, LIMIT_S)
            errors = "".join(path.read_text() for path in folder.glob("*_errors.log"))
            assert peer.process.returncode == 0, f"{errors}\n{peer.text()[-2500:]}"
        for leg in ("leg-440229", "leg-1"):
            assert (await desk.ended(leg)).result is CallResult.HUNG_UP
        await eventually(lambda: not desk.node.legs)
