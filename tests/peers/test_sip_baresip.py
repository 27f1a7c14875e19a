"""Halls made of baresip: register, dial in, be dialled, hold, key frames, each kind of end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sip_gateway.messages import CallResult, CallState
from tests.harness.baresip import Baresip
from tests.harness.namespace import ADDRESS
from tests.harness.processes import wait_until
from tests.sip_gateway.desk import PASSWORD, Desk, eventually, make_certificate, open_desk

pytestmark = pytest.mark.peer("baresip")
PORT = 5060


@asynccontextmanager
async def desk_with_hall(
    folder: Path,
    *,
    transport: str = "udp",
    password: str = PASSWORD,
    register: bool = True,
    codecs: str = "audio_codecs=PCMA;video_codecs=H264",
    answers: bool = True,
    **settings: Any,
) -> AsyncIterator[tuple[Desk, Baresip]]:
    """A gateway on 10.9.9.9:5060 and one hall with account 440229."""
    ports = {"udp_port": PORT, "tcp_port": PORT, "tls_port": PORT + 1}
    files = make_certificate(folder)
    async with open_desk(folder, listen_host=ADDRESS, **ports, **files, **settings) as desk:
        suffix = f":{PORT + 1};transport=tls" if transport == "tls" else f";transport={transport}"
        account = (
            f"<sip:440229@{ADDRESS}{suffix}>;auth_pass={password};{codecs}"
            f";regint={60 if register else 0};answermode={'auto' if answers else 'manual'}"
        )
        rate = 48000 if "opus" in codecs else 16000 if "G722" in codecs else 8000
        hall = await asyncio.to_thread(
            Baresip, folder / "hall", account, marker=1, tone_hz=500, rate=rate
        )
        try:
            yield desk, hall
        finally:
            await asyncio.to_thread(hall.close)


async def registered(desk: Desk) -> None:
    await eventually(
        lambda: any(r.account == "440229" for r in desk.gateway.snapshot().registrations), 10
    )


async def is_now(desk: Desk, leg_id: str, state: CallState) -> None:
    await eventually(lambda: [one.state for one in desk.states(leg_id)][-1:] == [state])


async def connected(desk: Desk, leg_id: str) -> None:
    await is_now(desk, leg_id, CallState.CONNECTED)


async def rings(desk: Desk, leg_id: str) -> None:
    await is_now(desk, leg_id, CallState.RINGING)


async def media_flows(desk: Desk, leg_id: str, *, video: bool = True) -> None:
    """Packets arrive at the ports that our description named."""
    packets = desk.node.legs[leg_id].packets
    await eventually(lambda: packets["audio"] > 50 and (packets["video"] > 20 or not video), 15)


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
async def test_a_hall_registers_and_is_dialled(tmp_path: Path, transport: str) -> None:
    """The call goes out over the flow that registered; picture and sound arrive."""
    async with desk_with_hall(tmp_path, transport=transport) as (desk, _hall):
        await registered(desk)
        await desk.dial(account="440229")
        await connected(desk, "leg-1")
        await media_flows(desk, "leg-1")
        assert desk.states("leg-1")[-1].codecs == ["PCMA", "H264"]
        await desk.wire.request("call.hangup", {"leg_id": "leg-1"})
        assert (await desk.ended("leg-1")).result is CallResult.REMOVED


async def test_a_wrong_password_is_refused_and_not_asked_for_ever(tmp_path: Path) -> None:
    """403 ends the attempt: no loop of challenges between a hall and us."""
    async with desk_with_hall(tmp_path, password="wrong") as (desk, hall):
        await eventually(lambda: "403" in hall.peer.text(), 10)
        await asyncio.sleep(2)
        assert desk.gateway.snapshot().registrations == []
        assert desk.gateway.edge.counters["datagrams"] < 10


@pytest.mark.parametrize("transport", ["udp", "tcp"])
@pytest.mark.parametrize(
    ("codecs", "agreed"),
    [
        ("audio_codecs=PCMA;video_codecs=H264", ["PCMA", "H264"]),
        ("audio_codecs=G722/16000/1;video_codecs=VP8", ["G722", "VP8"]),
        ("audio_codecs=opus/48000/2;video_codecs=H264", ["opus", "H264"]),
        ("audio_codecs=PCMU;video_codecs=VP8", ["PCMU", "VP8"]),
    ],
)
async def test_a_hall_dials_in_and_hears_itself(
    tmp_path: Path, transport: str, codecs: str, agreed: list[str]
) -> None:
    """Digest, answer, media both ways (the node double echoes), BYE from the hall."""
    async with desk_with_hall(tmp_path, transport=transport, codecs=codecs, register=False) as (
        desk,
        hall,
    ):
        await asyncio.to_thread(hall.dial, "9000")
        await connected(desk, "leg-440229")
        assert desk.states("leg-440229")[-1].codecs == agreed
        await media_flows(desk, "leg-440229")
        await asyncio.to_thread(
            wait_until, lambda: hall.heard([500, 800]) == {500}, why=lambda: hall.peer.text()[-900:]
        )
        await asyncio.to_thread(hall.hang_up)
        assert (await desk.ended("leg-440229")).result is CallResult.HUNG_UP


async def test_our_key_frame_request_is_obeyed(tmp_path: Path) -> None:
    """INFO picture_fast_update makes baresip's encoder start anew."""
    async with desk_with_hall(tmp_path, register=False) as (desk, hall):
        await asyncio.to_thread(hall.dial, "9000")
        await connected(desk, "leg-440229")
        await media_flows(desk, "leg-440229")
        desk.node.want_key_frame("leg-440229")
        await eventually(lambda: "picture update" in hall.peer.text(), 5)


async def test_a_hall_holds_and_resumes(tmp_path: Path) -> None:
    """Hold stops the expectation of media, resume restores it."""
    async with desk_with_hall(tmp_path, register=False) as (desk, hall):
        await asyncio.to_thread(hall.dial, "9000")
        await connected(desk, "leg-440229")
        leg = desk.node.legs["leg-440229"]
        await asyncio.to_thread(hall.command, "hold")
        await eventually(lambda: leg.answers[-1].streams[0].send is False, 10)
        await asyncio.to_thread(hall.command, "resume")
        await eventually(lambda: leg.answers[-1].streams[0].send is True, 10)
        assert desk.states("leg-440229")[-1].state is CallState.CONNECTED


async def test_a_hall_that_declines_is_shown_so(tmp_path: Path) -> None:
    """Somebody in the room pressed the red button."""
    async with desk_with_hall(tmp_path, answers=False) as (desk, hall):
        await registered(desk)
        await desk.dial(account="440229")
        await rings(desk, "leg-1")
        await asyncio.to_thread(hall.hang_up)
        assert (await desk.ended("leg-1")).result in (CallResult.BUSY, CallResult.DECLINED)


async def test_a_ringing_hall_is_cancelled(tmp_path: Path) -> None:
    """The desk gives up: the hall stops ringing."""
    async with desk_with_hall(tmp_path, answers=False) as (desk, hall):
        await registered(desk)
        await desk.dial(account="440229")
        await rings(desk, "leg-1")
        await desk.wire.request("call.hangup", {"leg_id": "leg-1"})
        assert (await desk.ended("leg-1")).result is CallResult.CANCELLED
        await eventually(
            lambda: (
                "Request Terminated" in hall.peer.text()
                or "cancelled" in hall.peer.text().lower()
                or "session closed" in hall.peer.text()
            ),
            10,
        )


async def test_a_hall_that_was_killed_is_hung_up_when_dialled_again(tmp_path: Path) -> None:
    """No answer at all from a dead hall ends as unreachable, not as a hanging call."""
    async with desk_with_hall(tmp_path, first_response_s=2.0) as (desk, hall):
        await registered(desk)
        await asyncio.to_thread(hall.close)
        await desk.dial(account="440229")
        assert (await desk.ended("leg-1", 10)).result is CallResult.UNREACHABLE
