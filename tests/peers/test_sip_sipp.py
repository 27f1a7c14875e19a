"""sipp against the gateway: loss, retransmission, no offer, no credentials, CANCEL, INFO."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from pathlib import Path

import pytest

from sip_gateway.messages import CallResult
from tests.harness.namespace import ADDRESS
from tests.harness.processes import Peer
from tests.sip_gateway.desk import Book, Desk, eventually, open_desk

pytestmark = pytest.mark.peer("sipp")
SCENARIOS = Path(__file__).parent / "sipp"


def distinct_legs() -> Book:
    """Each call is a leg of its own: sipp plays many halls with one account."""
    numbers = itertools.count()
    return Book(legs=lambda: f"leg-{next(numbers)}")


async def run_sipp(
    folder: Path, scenario: str, *arguments: str, calls: int = 1, transport: str = "u1"
) -> str:
    """Run a scenario to its end; its screen output. Fails the test unless every call succeeded."""
    command = ["sipp", f"{ADDRESS}:5060", "-sf", str(SCENARIOS / f"{scenario}.xml")]
    command += ["-i", ADDRESS, "-p", "6060", "-s", "9000", "-m", str(calls), "-t", transport]
    command += ["-nostdin", "-timeout", "60s", "-timeout_error", "-trace_err", *arguments]
    peer = Peer(command, folder / "sipp.log", cwd=folder)
    await asyncio.to_thread(peer.process.wait, 90)
    errors = "".join(path.read_text() for path in folder.glob("*_errors.log"))
    assert peer.process.returncode == 0, f"{errors}\n{peer.text()[-2500:]}"
    return peer.text()


def all_ended(desk: Desk, count: int) -> Callable[[], bool]:
    def check() -> bool:
        ends = [b for t, b in desk.events if t == "call.state" and b["state"] == "ended"]
        return len(ends) == count

    return check


@pytest.mark.parametrize("transport", ["u1", "t1"])
async def test_calls_with_digest_succeed(tmp_path: Path, transport: str) -> None:
    """Ten calls a second, each challenged, answered and hung up; no leg stays."""
    async with open_desk(
        tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060, book=distinct_legs()
    ) as desk:
        await run_sipp(tmp_path, "call_with_digest", "-r", "10", calls=30, transport=transport)
        await eventually(all_ended(desk, 30))
        assert {b["result"] for t, b in desk.events if b.get("state") == "ended"} == {"hung_up"}
        await eventually(lambda: not desk.node.legs)


async def test_ten_percent_loss_fails_no_call_and_doubles_none(tmp_path: Path) -> None:
    """Retransmission in both directions: as many legs as calls, every call succeeds."""
    async with open_desk(
        tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060, book=distinct_legs()
    ) as desk:
        await run_sipp(tmp_path, "call_with_digest", "-r", "5", "-lost", "10", calls=40)
        await eventually(all_ended(desk, 40), 40)
        legs = {b["leg_id"] for t, b in desk.events if t == "call.state"}
        assert len(legs) == len(desk.book.admitted) == 40


async def test_an_unauthenticated_invite_is_challenged(tmp_path: Path) -> None:
    """401 and nothing else: nobody is asked and no leg is bound."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060) as desk:
        for number in ("9000", "1234"):
            await run_sipp(tmp_path, "unauthenticated", "-s", number)
        assert desk.book.admitted == [] and desk.node.legs == {}


async def test_an_invite_without_sdp_is_offered_and_connected(tmp_path: Path) -> None:
    """The ACK brings the answer."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060) as desk:
        desk.book.static[ADDRESS] = "440229"
        await run_sipp(tmp_path, "offerless")
        assert (await desk.ended("leg-440229")).result is CallResult.HUNG_UP
        assert desk.states("leg-440229")[-1].codecs == ["PCMA"]


async def test_a_cancelled_call_leaves_no_leg(tmp_path: Path) -> None:
    """CANCEL while the leg is being bound."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060) as desk:
        desk.book.static[ADDRESS] = "440229"
        desk.node.add_delay_s = 1.0
        await run_sipp(tmp_path, "cancelled")
        assert (await desk.ended("leg-440229")).result is CallResult.CANCELLED
        await eventually(lambda: not desk.node.legs)


async def test_a_key_and_a_key_frame_request_by_info_are_told(tmp_path: Path) -> None:
    """DTMF relay and picture_fast_update (RFC 5168) as older rooms send them."""
    async with open_desk(tmp_path, listen_host=ADDRESS, udp_port=5060, tcp_port=5060) as desk:
        desk.book.static[ADDRESS] = "440229"
        asked: list[int] = []
        desk.node.on_key_frame = lambda: asked.append(1)
        await run_sipp(tmp_path, "info_dtmf")
        assert [b["digit"] for t, b in desk.events if t == "call.dtmf"] == ["7"]
        assert asked == [1]
